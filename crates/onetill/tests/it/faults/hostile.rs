//! Clients that are slow, silent or out to do harm, against a real gateway. While each goes on, an
//! honest till's payments succeed, the gateway's memory stays bounded, and afterwards it serves on.

mod crowd;
mod junk;
mod tls;

use super::sale;
use crate::support::{
    http,
    process::{Client, Merchant, Process, Recipe, free_address},
};
use crowd::Crowd;
use std::{
    fs,
    time::{Duration, Instant},
};
use wire::opengateway::Operation;

const MIB: u64 = 1024 * 1024;
/// How long a condition is waited for: this machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
const PAYS: &str = "284214903060794755";

/// A till that means well.
struct Honest<'a> {
    gateway: &'a Process,
    /// A connection that it keeps.
    kept: Client,
    sales: u32,
}

impl<'a> Honest<'a> {
    fn new(gateway: &'a Process) -> Self {
        let kept = gateway.client();
        Self {
            gateway,
            kept,
            sales: 0,
        }
    }

    /// Sells `count` times, each time on a new connection and on the kept one.
    async fn sells(&mut self, count: u32) {
        for _ in 0..count {
            let call = self.next_sale();
            let reply = self.gateway.client().call(&call).await;
            assert_eq!(reply.unwrap().code(), "SUCCESS", "on a new connection");
            let call = self.next_sale();
            let reply = self.kept.call(&call).await;
            assert_eq!(reply.unwrap().code(), "SUCCESS", "on the kept connection");
        }
    }

    fn next_sale(&mut self) -> wire::opengateway::call::Call {
        self.sales += 1;
        let body = sale::pre_order(&format!("H-{}", self.sales), 100, PAYS);
        Merchant::demo().post(Operation::PreOrder, &body)
    }
}

/// What the gateway's process holds in memory, in bytes.
fn resident(gateway: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.pid())).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kib: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib * 1024
}

fn assert_grew_less(gateway: &Process, before: u64, most: u64, what: &str) {
    let grown = resident(gateway).saturating_sub(before);
    println!("{what}: {} MiB more than before", grown / MIB);
    assert!(grown <= most, "{what}: {grown} bytes more");
}

/// Waits until `is_so`.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "never {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The connections that the gateway counts.
async fn connections(gateway: &Process) -> u64 {
    let text = gateway.client().get("/metrics").await.unwrap().text();
    let line = text
        .lines()
        .find_map(|it| it.strip_prefix("onetill_connections "));
    line.unwrap().parse().unwrap()
}

/// After a crowd has left: its connections are gone, and the till still sells.
async fn serves_on(gateway: &Process, honest: &mut Honest<'_>) {
    until("rid of them", async || connections(gateway).await < 10).await;
    honest.sells(5).await;
    assert!(
        !gateway.log().contains("panicked"),
        "{}",
        gateway.log_tail()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_idle_connections_cost_little_and_hinder_nobody() {
    const COUNT: usize = 10_000;
    let most = onetill::server::open_files::raise();
    if most.is_some_and(|most| most < 12_000) {
        println!("SKIPPED: this account may not open 12,000 files; see ulimit -Hn");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let recipe = Recipe::demo(dir.path(), "idle");
    let patient = ["--connections-max", "11000", "--head-timeout-s", "600"];
    let recipe = recipe.with(&patient).with(&["--idle-timeout-s", "600"]);
    let gateway = Process::start(recipe).await;
    let mut honest = Honest::new(&gateway);
    honest.sells(20).await;
    let before = resident(&gateway);
    // Half of them have spoken once, as tills do; the others never say a word.
    let spoken = Crowd::keeping(gateway.recipe.address, COUNT / 2).await;
    let silent = Crowd::saying(gateway.recipe.address, COUNT / 2, b"").await;
    until("all in", async || {
        connections(&gateway).await >= COUNT as u64
    })
    .await;
    honest.sells(20).await;
    assert_grew_less(&gateway, before, 150 * MIB, "10,000 idle connections");
    drop((spoken, silent));
    serves_on(&gateway, &mut honest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_all_places_in_silence_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = Recipe::demo(dir.path(), "full");
    let gateway = Process::start(recipe.with(&["--connections-max", "90"])).await;
    let address = gateway.recipe.address;
    let mut honest = Honest::new(&gateway);
    let silent = Crowd::saying(address, 30, b"").await;
    let slow_heads = Crowd::saying(address, 30, b"POST /openGateway/openService/preOrder HT").await;
    let head = b"POST /openGateway/openService/preOrder HTTP/1.1\r\nhost: t\r\n\
                 content-length: 1000\r\n\r\n{";
    let slow_bodies = Crowd::saying(address, 30, head).await;
    // A newcomer makes nobody go who has only just come.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    honest.sells(20).await;
    assert!(gateway.log().contains("all places are taken"));
    drop((silent, slow_heads, slow_bodies));
    serves_on(&gateway, &mut honest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_heads_and_bodies_are_cut_and_hinder_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = Recipe::demo(dir.path(), "slow");
    let gateway = Process::start(recipe.with(&["--head-timeout-s", "2"])).await;
    let address = gateway.recipe.address;
    let mut honest = Honest::new(&gateway);
    let mut heads = Crowd::saying(address, 200, b"GET /").await;
    let upload = b"POST /openGateway/openService/preOrder HTTP/1.1\r\nhost: t\r\n\
                   transfer-encoding: chunked\r\n\r\n";
    let mut bodies = Crowd::saying(address, 200, upload).await;
    let started = Instant::now();
    while !(heads.all_ended().await && bodies.all_ended().await) {
        assert!(started.elapsed() < PATIENCE, "never cut");
        heads.say(b"x").await;
        bodies.say(b"1\r\nx\r\n").await;
        honest.sells(1).await;
    }
    serves_on(&gateway, &mut honest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_bytes_cost_what_they_are() {
    const BYTES: usize = 2_000;
    let dir = tempfile::tempdir().unwrap();
    let recipe = Recipe::demo(dir.path(), "bytes");
    let gateway = Process::start(recipe).await;
    let address = gateway.recipe.address;
    let mut honest = Honest::new(&gateway);
    let call = honest.next_sale();
    let whole = http::request(&call, "");
    let reply = crowd::in_single_bytes(address, &whole).await;
    assert!(reply.contains("SUCCESS"), "{reply}");
    honest.sells(5).await;
    let before = resident(&gateway);
    let head = b"POST /openGateway/openService/preOrder HTTP/1.1\r\nhost: t\r\n\
                 content-length: 100000\r\n\r\n";
    let mut crowd = Crowd::saying(address, 50, head).await;
    for round in 0..BYTES {
        crowd.say(b"x").await;
        if round % 400 == 0 {
            honest.sells(1).await;
        }
    }
    // Kept as they were read, they were 100,000 buffers of 8 KiB.
    assert_grew_less(&gateway, before, 64 * MIB, "100,000 bytes one by one");
    drop(crowd);
    serves_on(&gateway, &mut honest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_that_do_not_end_fill_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = Recipe::demo(dir.path(), "large");
    let gateway = Process::start(recipe).await;
    let mut honest = Honest::new(&gateway);
    honest.sells(5).await;
    let before = resident(&gateway);
    let mut text = b"POST /openGateway/openService/preOrder HTTP/1.1\r\nhost: t\r\n\
                     content-length: 262144\r\n\r\n"
        .to_vec();
    text.resize(text.len() + 262_143, b' ');
    let crowd = Crowd::saying(gateway.recipe.address, 1_000, &text).await;
    honest.sells(10).await;
    assert_grew_less(&gateway, before, 150 * MIB, "1,000 bodies that never end");
    drop(crowd);
    serves_on(&gateway, &mut honest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_that_nobody_takes_fill_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = Recipe::demo(dir.path(), "pipelined");
    let gateway = Process::start(recipe).await;
    let mut honest = Honest::new(&gateway);
    honest.sells(5).await;
    let before = resident(&gateway);
    let pipelined = b"GET /health/live HTTP/1.1\r\nhost: t\r\n\r\n".repeat(20_000);
    let crowd = Crowd::saying(gateway.recipe.address, 50, &pipelined).await;
    honest.sells(20).await;
    assert_grew_less(
        &gateway,
        before,
        64 * MIB,
        "a million requests whose replies nobody takes",
    );
    drop(crowd);
    serves_on(&gateway, &mut honest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn junk_is_refused_and_never_becomes_a_payment() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Process::start(Recipe::demo(dir.path(), "junk")).await;
    let mut honest = Honest::new(&gateway);
    honest.sells(5).await;
    let before = resident(&gateway);
    for (name, bytes) in junk::all() {
        let reply = crowd::exchange(gateway.recipe.address, &bytes).await;
        junk::assert_refused(name, &reply);
        honest.sells(1).await;
    }
    assert_grew_less(&gateway, before, 64 * MIB, "all kinds of junk");
    serves_on(&gateway, &mut honest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_with_an_address_of_their_own_see_in_when_it_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let ops = free_address();
    let options = ["--ops-listen", &ops.to_string(), "--connections-max", "20"];
    let gateway = Process::start(Recipe::demo(dir.path(), "ops").with(&options)).await;
    let metrics = gateway.client().get("/metrics").await.unwrap();
    assert_eq!(metrics.status, 404, "only operators are served them");
    let _crowd = Crowd::saying(gateway.recipe.address, 20, b"").await;
    let mut operator = Client::new(ops);
    let metrics = operator.get("/metrics").await.unwrap();
    assert!(metrics.text().contains("onetill_connections"));
    assert_eq!(operator.get("/health/ready").await.unwrap().status, 200);
    let call = Honest::new(&gateway).next_sale();
    let sold = operator.call(&call).await.unwrap();
    assert_eq!(sold.status, 404, "nobody else is served there");
}
