//! A gateway whose PostgreSQL is gone, and one whose queue is full.

use super::{
    fleet::{Look, Rows},
    sale,
    shop::{PATIENCE, Shop, becomes, doctor},
};
use crate::support::{
    process::{Client, Merchant, Process, Recipe},
    together,
};
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
        contradictions::Contradictions,
        directory::Directory,
        loyalty::{Loyalty, Sms},
        payer_code::PayerCodes,
        serials::{NodeLease, SerialIssuer},
        settlements::Settlements,
        voucher::Vouchers,
    },
    inbound,
    outbound::TargetPolicy,
    server::{Server, ServerConfig, limits::FailureLimits},
    vault::Vault,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use store::{
    AdminOp, Engine,
    engine::QUEUE_LEN_MAX,
    engine::WorkQueue,
    memory::Memory,
    testing::{TestCluster, execute},
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
    let down = Instant::now();
    while gateway.health("ready").await != Some(503) {
        // What was found out a moment ago is told again.
        assert!(down.elapsed() < Duration::from_secs(5), "still ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
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

/// A gateway over a server of its own.
struct Shared {
    _dir: tempfile::TempDir,
    gateway: Process,
    url: String,
    cluster: TestCluster,
}

impl Shared {
    async fn new() -> Self {
        let cluster = tokio::task::spawn_blocking(TestCluster::start).await;
        let cluster = cluster.unwrap().expect("PostgreSQL is installed");
        let url = cluster.database().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let recipe = Recipe::demo(dir.path(), "gateway");
        let recipe = recipe.with(&["--store", &url, "--window-s", "8"]);
        Self {
            gateway: Process::start(recipe).await,
            _dir: dir,
            url,
            cluster,
        }
    }

    /// Several merchants sell `count` things each at the same time; how long that took.
    async fn sell(&self, shops: &mut Vec<Shop>, count: usize) -> Duration {
        let started = Instant::now();
        let selling = std::mem::take(shops).into_iter().map(async |mut shop| {
            for _ in 0..count {
                shop.sell().await;
            }
            shop
        });
        *shops = together(selling).await;
        started.elapsed()
    }

    fn shops(&self) -> Vec<Shop> {
        let shop = |number: usize| Shop::new(&self.gateway, &format!("S{number}"));
        (0..8).map(shop).collect()
    }

    /// The gateway is ready again by itself, and all it said is true.
    async fn recovers(&self, shops: &mut [Shop]) {
        becomes(&self.gateway, 200).await;
        for shop in shops {
            shop.settles().await;
            assert_eq!(shop.sell().await, "SUCCESS");
            shop.finds_all_again().await;
        }
        let look = Look::open(&Rows::Postgres(self.url.clone())).await;
        look.finished(PATIENCE).await;
        look.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_database_holds_no_till_up() {
    let shared = Shared::new().await;
    let mut shops = shared.shops();
    shared.sell(&mut shops, 2).await;
    shared.cluster.freeze().unwrap();
    // In the middle of batches first, then with no connection left.
    for _ in 0..3 {
        let took = shared.sell(&mut shops, 1).await;
        assert!(took < PATIENCE, "{took:?}");
    }
    assert!(shops.iter().all(|shop| shop.acknowledged.len() == 2));
    becomes(&shared.gateway, 503).await;
    assert_eq!(shared.gateway.health("live").await, Some(200));
    let asked = Instant::now();
    assert_eq!(shops[0].query("S0-1").await.0, "DATABASE_ERROR");
    assert!(asked.elapsed() < PATIENCE);
    let told = doctor(&shared.gateway.recipe);
    assert!(told.contains("PostgreSQL does not answer"), "{told}");
    shared.cluster.thaw().unwrap();
    shared.recovers(&mut shops).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_ended_under_load_lose_nothing() {
    let shared = Shared::new().await;
    let mut shops = shared.shops();
    let (url, stop) = (shared.url.clone(), Arc::new(AtomicBool::new(false)));
    let stopped = Arc::clone(&stop);
    let killer = tokio::task::spawn_blocking(move || {
        let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE application_name = 'onetill'";
        let mut rounds = 0;
        while !stopped.load(Ordering::Relaxed) {
            execute(&url, kill).unwrap();
            rounds += 1;
        }
        rounds
    });
    shared.sell(&mut shops, 25).await;
    stop.store(true, Ordering::Relaxed);
    let rounds = killer.await.unwrap();
    let told = |of: fn(&Shop) -> usize| shops.iter().map(of).sum::<usize>();
    println!(
        "{rounds} rounds; {} paid, {} refused, {} unknown",
        told(|it| it.acknowledged.len()),
        told(|it| it.refused.len()),
        told(|it| it.unknown.len())
    );
    shared.recovers(&mut shops).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_after_a_failover_is_refused_until_it_is_promoted() {
    let mut shared = Shared::new().await;
    let mut shops = shared.shops();
    shared.sell(&mut shops, 1).await;
    shared.cluster.demote().unwrap();
    becomes(&shared.gateway, 503).await;
    shared.sell(&mut shops, 1).await;
    assert!(shops.iter().all(|shop| shop.acknowledged.len() == 1));
    let told = doctor(&shared.gateway.recipe);
    assert!(told.contains("takes no writes"), "{told}");
    shared.cluster.promote().unwrap();
    shared.recovers(&mut shops).await;
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
        loyalty: loyalty(),
        vouchers: vouchers(),
        serials: SerialIssuer::new(lease, UnixMs(0), UnixMs(i64::MAX), 0),
        settlements: Settlements::default(),
        owed: tokio::sync::Notify::new(),
        contradictions: Contradictions::default(),
        clock,
        rules: Rules {
            voucher_prefix: String::new(),
            zone: jiff::tz::TimeZone::UTC,
            window_s: 30,
            order_window_s: 30,
            payer_codes: PayerCodes::default(),
            targets: TargetPolicy::default(),
        },
    };
    (Arc::new(gateway), queue)
}

fn loyalty() -> Loyalty {
    let dir = tempfile::tempdir().unwrap();
    Loyalty::new(&Vault::open(dir.path()).unwrap(), Sms::Off, false)
}

fn vouchers() -> Vouchers {
    let dir = tempfile::tempdir().unwrap();
    Vouchers::new(&Vault::open(dir.path()).unwrap())
}

fn directory() -> Directory {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(dir.path()).unwrap();
    let code = "0010000001";
    let key = crate::support::process::DEMO_KEY;
    let sealed_key = Directory::new(vault.clone()).seal_key(code, key);
    let merchant = Stored {
        tenant: TenantId(1),
        no: MerchantNo(1),
        code: code.to_owned(),
        name: "Shop".to_owned(),
        sealed_key: sealed_key.unwrap(),
        channels: vec![domain::channel::ChannelNo(1)],
        suspended: false,
        settings: MerchantSettings::default(),
        updated_at: UnixMs(0),
    };
    Directory::of(vault, vec![merchant])
}

async fn serve(gateway: &Arc<Gateway>) -> SocketAddr {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::bind(ServerConfig::http(any)).await.unwrap();
    let address = server.addresses().http;
    let router = inbound::router(gateway, FailureLimits::default());
    tokio::spawn(server.run(router, std::future::pending()));
    address
}
