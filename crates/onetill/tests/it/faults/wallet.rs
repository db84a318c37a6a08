//! A gateway whose wallet is a process of its own: here only its sockets are, so that the clock
//! can stand still and no worker asks.

use crate::support::{
    house::{House, START},
    http,
};
use channels::sandbox::{InMemory, Sandbox, SandboxConfig};
use domain::payment::{PaymentState, PaymentStatus};
use onetill::{
    inbound::sandbox_router,
    server::{Drained, Server, ServerConfig},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

struct Wallet {
    sandbox: Arc<Sandbox>,
    address: SocketAddr,
    end: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

impl Wallet {
    async fn start(address: SocketAddr, memory: &Arc<InMemory>) -> Self {
        let server = Server::bind(ServerConfig::http(address)).await.unwrap();
        let address = server.addresses().http;
        let config = SandboxConfig {
            base_url: format!("http://{address}"),
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::new(Arc::new(|| START), config, Arc::clone(memory) as _);
        let sandbox = Arc::new(sandbox.unwrap());
        let (stop, stopped) = watch::channel(false);
        let router = sandbox_router(&sandbox, Arc::new(|| START), stopped);
        let (end, told) = oneshot::channel();
        let ended = tokio::spawn(server.run(router, async move {
            let _ = told.await;
            stop.send_replace(true);
        }));
        Self {
            sandbox,
            address,
            end,
            ended,
        }
    }

    async fn end(self) {
        self.end.send(()).unwrap();
        assert_eq!(self.ended.await.unwrap(), Drained::Clean);
    }
}

/// Payers pay one order after the other until the gateway has heard of one: it may not listen
/// yet when the first acts.
async fn one_is_noticed(house: &House, wallet: &Wallet, name: &str) -> String {
    for n in 0..200 {
        let number = format!("{name}-{n}");
        let ordered = house.till().order(&number).await.expect("SUCCESS");
        let link = ordered.get("BAR_CODE");
        let path = link.strip_prefix(&format!("http://{}", wallet.address));
        let path = path.expect("a link to the wallet's own page");
        let reply = http::send(wallet.address, &http::post(path, "action=pay".to_owned())).await;
        assert_eq!(reply.status, 200);
        for _ in 0..25 {
            let payment = house.stored(&number).await.unwrap();
            if payment.status() == PaymentStatus::Paid {
                return number;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    panic!("no payer was ever noticed");
}

#[tokio::test]
async fn a_payer_on_the_wallets_page_is_noticed_though_nobody_asks() {
    let memory = Arc::new(InMemory::default());
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let wallet = Wallet::start(anywhere, &memory).await;
    let url = format!("http://{}", wallet.address);
    let house = House::setup().options(|it| it.sandbox_url = Some(url));
    let mut house = house.open().await;
    assert!(house.gateway().sandbox.is_none(), "it has none of its own");
    let number = one_is_noticed(&house, &wallet, "W").await;
    let payment = house.stored(&number).await.unwrap();
    let held = wallet.sandbox.held(payment.serial).unwrap();
    assert_eq!(held.charged, payment.amount);

    let address = wallet.address;
    wallet.end().await;
    let refused = house.till().pay("W-gone", "284214903060794755").await;
    assert_eq!(refused.code(), "HTTP_EXCEPTION", "not sent, not charged");
    let payment = house.stored("W-gone").await.unwrap();
    assert!(matches!(
        payment.state,
        PaymentState::Ended { paid: None, .. }
    ));

    // It is found again by itself, and remembers.
    let wallet = Wallet::start(address, &memory).await;
    let paid = house.till().pay("W-back", "284214903060794755").await;
    assert_eq!(paid.code(), "SUCCESS");
    let later = one_is_noticed(&house, &wallet, "X").await;
    for number in [number, later] {
        let payment = house.stored(&number).await.unwrap();
        assert!(wallet.sandbox.held(payment.serial).is_some(), "{number}");
    }
    assert!(house.audit().await.is_clean());
    house.close().await;
    wallet.end().await;
}
