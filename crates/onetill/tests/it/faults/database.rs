//! A gateway whose PostgreSQL is gone, and one whose queue is full.

use super::{
    fleet::{Look, Rows},
    sale,
};
use crate::support::process::{Client, Merchant, Process, Recipe};
use channels::Channels;
use domain::{
    ids::{MerchantNo, TenantId},
    merchant::{Merchant as Stored, MerchantSettings},
    time::UnixMs,
};
use onetill::{
    app::{
        Gateway, Rules,
        compose::system_clock,
        directory::Directory,
        payer_code::PayerCodes,
        serials::{NodeLease, SerialIssuer},
        settlements::Settlements,
    },
    inbound,
    outbound::TargetPolicy,
    server::{Server, ServerConfig, limits::FailureLimits},
    vault::Vault,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use store::{
    AdminOp, Engine, engine::QUEUE_LEN_MAX, engine::WorkQueue, memory::Memory, testing::TestCluster,
};
use wire::opengateway::Operation;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_whose_database_is_gone_says_so_and_finds_it_again_by_itself() {
    let cluster = tokio::task::spawn_blocking(TestCluster::start).await;
    let mut cluster = cluster.unwrap().expect("PostgreSQL is installed");
    let url = cluster.database().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let recipe = Recipe::demo(dir.path(), "gateway").with(&["--store", &url]);
    let gateway = Process::start(recipe).await;
    let mut client = gateway.client();
    assert_eq!(pay(&mut client, "P-0").await, "SUCCESS");

    cluster.stop().unwrap();
    let asked = Instant::now();
    assert_eq!(pay(&mut client, "P-1").await, "DATABASE_ERROR");
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "the till must not wait"
    );
    assert_eq!(gateway.health("ready").await, Some(503));
    assert_eq!(gateway.health("live").await, Some(200));
    assert_eq!(pay(&mut client, "P-2").await, "DATABASE_ERROR");

    cluster.start_again().unwrap();
    let started = Instant::now();
    while !gateway.is_ready().await {
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "not ready again"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("ready {:.1?} after the database", started.elapsed());
    for number in ["P-1", "P-2"] {
        let reply = client.call(&Merchant::demo().query(number)).await.unwrap();
        assert_eq!(reply.code(), "CHARGE_NONEXISTENT", "{number}");
        assert_eq!(pay(&mut client, number).await, "SUCCESS");
    }
    let look = Look::open(&Rows::Postgres(url)).await;
    look.finished(Duration::from_secs(30)).await;
    assert_eq!(look.audit().await.counts.payments, 3);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_queries_go_on() {
    // The queue is held and never served: as a store that stands still.
    let (gateway, _queue) = standing_still();
    for _ in 0..QUEUE_LEN_MAX {
        let engine = gateway.engine.clone();
        let (name, value) = ("filler".to_owned(), Vec::new());
        tokio::spawn(async move { engine.admin(AdminOp::PutIfAbsent { name, value }).await });
    }
    while gateway.engine.queue_len() < QUEUE_LEN_MAX {
        tokio::task::yield_now().await;
    }
    let mut client = Client::new(serve(&gateway).await);
    let body = sale::pre_order("Q-1", 500, "284214903060794755");
    let asked = Instant::now();
    let call = Merchant::demo().post(Operation::PreOrder, &body);
    let reply = client.call(&call).await.unwrap();
    assert_eq!((reply.status, reply.text()), (503, String::new()));
    assert!(asked.elapsed() < Duration::from_millis(500), "at once");
    let reply = client.call(&Merchant::demo().query("Q-1")).await.unwrap();
    assert_eq!(
        reply.code(),
        "CHARGE_NONEXISTENT",
        "and nothing is recorded"
    );
    assert_eq!(client.get("/health/live").await.unwrap().status, 200);
}

async fn pay(client: &mut Client, number: &str) -> String {
    let body = sale::pre_order(number, 500, "284214903060794755");
    let call = Merchant::demo().post(Operation::PreOrder, &body);
    client.call(&call).await.unwrap().code()
}

/// A gateway whose commands nobody carries out, and the queue they wait in.
fn standing_still() -> (Arc<Gateway>, WorkQueue) {
    let clock = system_clock();
    let (engine, queue) = Engine::new(Arc::clone(&clock));
    let sandbox = channels::sandbox::Sandbox::new(
        Arc::clone(&clock),
        channels::sandbox::SandboxConfig::default(),
        Arc::new(channels::sandbox::InMemory::default()),
    );
    let sandbox: Arc<dyn channels::Channel> = Arc::new(sandbox.unwrap());
    let lease = NodeLease { node: 0, owner: 1 };
    let gateway = Gateway {
        engine,
        reader: Arc::new(Memory::new()),
        channels: Channels::new().with(domain::channel::ChannelNo(1), sandbox),
        recharge: None,
        sandbox: None,
        remote_sandbox: None,
        directory: directory(),
        serials: SerialIssuer::new(lease, UnixMs(0), UnixMs(i64::MAX), 0),
        settlements: Settlements::default(),
        clock,
        rules: Rules {
            zone: jiff::tz::TimeZone::UTC,
            window_s: 30,
            order_window_s: 30,
            payer_codes: PayerCodes::default(),
            targets: TargetPolicy::default(),
        },
    };
    (Arc::new(gateway), queue)
}

fn directory() -> Directory {
    let dir = tempfile::tempdir().unwrap();
    let directory = Directory::new(Vault::open(dir.path()).unwrap());
    let code = "0010000001";
    let key = crate::support::process::DEMO_KEY;
    directory.replace(vec![Stored {
        tenant: TenantId(1),
        no: MerchantNo(1),
        code: code.to_owned(),
        name: "Shop".to_owned(),
        sealed_key: directory.seal_key(code, key).unwrap(),
        channels: vec![domain::channel::ChannelNo(1)],
        suspended: false,
        settings: MerchantSettings::default(),
        updated_at: UnixMs(0),
    }]);
    directory
}

async fn serve(gateway: &Arc<Gateway>) -> SocketAddr {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::bind(ServerConfig::http(any)).await.unwrap();
    let address = server.addresses().http;
    let router = inbound::router(gateway, FailureLimits::default());
    tokio::spawn(server.run(router, std::future::pending()));
    address
}
