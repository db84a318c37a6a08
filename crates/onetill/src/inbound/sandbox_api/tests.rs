//! Both sides over a real socket: what the sandbox answers in its own process arrives unchanged.

use crate::{
    app::compose::system_clock,
    inbound::sandbox_router,
    server::{Drained, Server, ServerConfig},
};
use channels::{
    Channel, PayRequest, PaymentAt, PrepareOutcome, PrepareRequest, RechargeProvider,
    RechargeRequest, RefundRequest,
    sandbox::{
        ChannelEvent, InMemory, NewsError, PayerAction, RemoteSandbox, Sandbox, SandboxConfig,
        SandboxUrl, interface,
    },
};
use domain::{
    channel::{ChannelNo, Decline, PayOutcome, RechargeOutcome, RefundOutcome, ReverseOutcome},
    command::QueryOutcome,
    ids::Serial,
    money::Fen,
    payment::{Credential, Flow},
    recharge::Reach,
};
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{oneshot, watch},
    task::JoinHandle,
};

const AMOUNT: Fen = Fen::new(1_000);

struct Rig {
    sandbox: Arc<Sandbox>,
    remote: RemoteSandbox,
    address: SocketAddr,
    end: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

async fn rig() -> Rig {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(ServerConfig::http(any)).await.unwrap();
    let address = server.addresses().http;
    let config = SandboxConfig {
        base_url: "http://pay.example".to_owned(),
        ..SandboxConfig::default()
    };
    let memory = Arc::new(InMemory::default());
    let sandbox = Arc::new(Sandbox::new(system_clock(), config, memory).unwrap());
    let (stop, stopped) = watch::channel(false);
    let router = sandbox_router(&sandbox, system_clock(), stopped);
    let (end, told) = oneshot::channel();
    let ended = tokio::spawn(server.run(router, async move {
        let _ = told.await;
        stop.send_replace(true);
    }));
    Rig {
        sandbox,
        remote: RemoteSandbox::new(SandboxUrl::parse(&format!("http://{address}")).unwrap()),
        address,
        end,
        ended,
    }
}

fn serial(n: i64) -> Serial {
    Serial(20_660_000_000_000_000 + n)
}

fn at(n: i64) -> PaymentAt {
    PaymentAt {
        serial: serial(n),
        channel: ChannelNo(2),
        amount: AMOUNT,
        created_at: system_clock()(),
    }
}

fn order(n: i64) -> PrepareRequest {
    PrepareRequest {
        serial: serial(n),
        channel: ChannelNo(2),
        flow: Flow::MerchantCode,
        amount: AMOUNT,
        subject: "茶 <tea>".to_owned(),
        expires_at: system_clock()().plus_s(600),
        payer_open_id: None,
        payer_app_id: None,
    }
}

impl Rig {
    async fn pay(&self, n: i64, code_end: &str) -> PayOutcome {
        let request = PayRequest {
            serial: serial(n),
            channel: ChannelNo(2),
            amount: AMOUNT,
            payer_code: format!("1300000000000000{code_end}"),
            subject: "tea".to_owned(),
            operator_id: "oper01".to_owned(),
            device_id: "dev01".to_owned(),
            store_id: None,
            expires_at: system_clock()().plus_s(80),
        };
        self.remote.pay(request).await
    }

    async fn ask(&self, n: i64) -> QueryOutcome {
        Channel::query(&self.remote, at(n)).await
    }

    async fn refund(&self, n: i64, refund: i64, fen: i64) -> RefundOutcome {
        let request = RefundRequest {
            refund: serial(refund),
            payment: serial(n),
            channel: ChannelNo(2),
            payment_amount: AMOUNT,
            amount: Fen::new(fen),
            reason: None,
        };
        self.remote.refund(request).await
    }

    /// What was taken and given back, in fen, as the sandbox has it.
    fn held(&self, n: i64) -> Option<(i64, i64)> {
        let held = self.sandbox.held(serial(n))?;
        Some((held.charged.get(), held.given_back.get()))
    }
}

#[tokio::test]
async fn payments_and_refunds_are_made_once_and_told_as_they_are() {
    let rig = rig().await;
    let PayOutcome::Paid(receipt) = rig.pay(1, "99").await else {
        panic!("it pays at once");
    };
    assert_eq!(rig.ask(1).await, QueryOutcome::Paid(receipt.clone()));
    assert_eq!(rig.pay(1, "99").await, PayOutcome::Paid(receipt.clone()));
    let declined = rig.pay(2, "02").await;
    assert_eq!(declined, PayOutcome::Declined(Decline::InsufficientFunds));
    assert_eq!(rig.pay(3, "03").await, PayOutcome::Waiting);
    assert_eq!(rig.ask(9).await, QueryOutcome::NotFound);
    for _ in 0..2 {
        assert_eq!(rig.refund(1, 90, 300).await, RefundOutcome::Done);
    }
    assert_eq!(rig.refund(1, 91, 97).await, RefundOutcome::Declined);
    assert_eq!(rig.refund(1, 92, 198).await, RefundOutcome::Waiting);
    assert_eq!(rig.held(1), Some((1_000, 498)));
    let reversed = rig.remote.reverse(at(1)).await;
    assert_eq!(reversed, ReverseOutcome::Reversed(Some(receipt)));
    let closed = rig.remote.reverse(at(3)).await;
    assert_eq!(closed, ReverseOutcome::Reversed(None));
    assert_eq!(rig.held(1), Some((1_000, 1_000)));
}

#[tokio::test]
async fn top_ups_are_ordered_and_asked_about() {
    let rig = rig().await;
    let order = |phone: &str, n| RechargeRequest {
        serial: serial(n),
        phone: phone.to_owned(),
        data_mb: 100,
        reach: Reach::National,
    };
    let accepted = RechargeOutcome::Accepted(format!("CT_{}", serial(1)));
    let ordered = rig.remote.recharge(order("13800138001", 1)).await;
    assert_eq!(ordered, accepted);
    let asked = RechargeProvider::query(&rig.remote, serial(1)).await;
    // A second may have passed meanwhile.
    let done = RechargeOutcome::Done(format!("CT_{}", serial(1)));
    assert!(asked == accepted || asked == done, "{asked:?}");
    let dead = rig.remote.recharge(order("13800130000", 2)).await;
    assert_eq!(dead, RechargeOutcome::Failed);
    let unheard = RechargeProvider::query(&rig.remote, serial(3)).await;
    assert_eq!(unheard, RechargeOutcome::Unknown);
}

#[tokio::test]
async fn every_gateway_hears_of_a_payer_who_acts_on_the_page() {
    let rig = rig().await;
    let opened = rig.remote.prepare(order(1)).await;
    let link = format!("http://pay.example/sandbox/pay/{}", serial(1));
    let wanted = PrepareOutcome::Prepared(Credential::Link(link.clone()));
    assert_eq!(opened, wanted);
    let mut first = rig.remote.news().await.unwrap();
    let mut second = rig.remote.news().await.unwrap();
    let page = fetch(rig.address, &format!("/sandbox/pay/{}", serial(1))).await;
    assert!(page.contains("茶 &lt;tea&gt;"), "{page}");
    assert!(page.contains("data-state=\"unpaid\""), "{page}");
    rig.sandbox.act(serial(1), PayerAction::Pay);
    let QueryOutcome::Paid(receipt) = rig.ask(1).await else {
        panic!("the payer paid");
    };
    let event = ChannelEvent::Paid {
        serial: serial(1),
        receipt,
    };
    assert_eq!(first.next().await, Ok(event.clone()));
    assert_eq!(second.next().await, Ok(event));
    rig.remote.prepare(order(2)).await;
    rig.sandbox.act(serial(2), PayerAction::Decline);
    let event = ChannelEvent::Declined {
        serial: serial(2),
        why: Decline::ByPayer,
    };
    assert_eq!(first.next().await, Ok(event));
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_changes_nothing() {
    let rig = rig().await;
    let long = "x".repeat(interface::MESSAGE_BYTES_MAX + 1);
    for (body, status) in [("", "400"), ("{}", "400"), ("[1", "400"), (&*long, "413")] {
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            interface::PAY,
            body.len()
        );
        let reply = exchange(rig.address, &format!("{head}{body}")).await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{reply}");
    }
    assert_eq!(rig.held(1), None);
}

#[tokio::test]
async fn the_end_does_not_wait_for_those_who_listen() {
    let rig = rig().await;
    let mut news = rig.remote.news().await.unwrap();
    rig.end.send(()).unwrap();
    assert_eq!(news.next().await, Err(NewsError::Ended));
    assert_eq!(rig.ended.await.unwrap(), Drained::Clean);
}

async fn fetch(address: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    exchange(address, &request).await
}

async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    String::from_utf8(reply).unwrap()
}
