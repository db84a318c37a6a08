//! Where merchants may have themselves told: literal addresses are judged at intake.

use crate::support::{
    bodies::{self, with},
    house::House,
};
use wire::opengateway::Operation;

const LOOPBACK: [&str; 6] = [
    "http://127.0.0.1/n",
    "http://127.8.8.8:8080/n",
    "http://localhost/n",
    "http://LOCALHOST.:80/n",
    "http://a.localhost/n",
    "http://[::1]/n",
];
/// Loopback and others in disguise.
const DISGUISED: [&str; 6] = [
    "http://2130706433/n",
    "http://0x7f.1/n",
    "http://0177.0.0.1/n",
    "http://[::ffff:127.0.0.1]/n",
    "http://[::ffff:10.0.0.1]/n",
    "http://[64:ff9b::a00:1]/n",
];
const PRIVATE: [&str; 6] = [
    "http://10.0.0.1/n",
    "http://172.16.0.1/n",
    "http://192.168.1.1/n",
    "http://100.64.0.1/n",
    "http://[fc00::1]/n",
    "http://[fd12::1]/n",
];
const NEVER: [&str; 12] = [
    "http://169.254.169.254/latest/meta-data",
    "http://0.0.0.0/n",
    "http://0.1.2.3/n",
    "http://224.0.0.1/n",
    "http://255.255.255.255/n",
    "http://[fe80::1]/n",
    "http://[ff02::1]/n",
    "http://[::]/n",
    "http://203.0.114.1:0/n",
    "http://user@203.0.114.1/n",
    "file:///etc/passwd",
    "http://203.0.114.999/n",
];
const PUBLIC: [&str; 3] = [
    "http://203.0.114.1/n",
    "https://merchant.example.com:8443/n",
    "http://[2606:4700::1111]/n",
];

/// Whether an order and a top-up may name the address.
async fn is_taken(house: &House, code: &str, url: &str) -> bool {
    let till = house.till();
    let order = with(bodies::order(code), "NODIFY_URL", url);
    let order = till.post(Operation::Order, &order).await;
    if order.code() == "SUCCESS" {
        return true;
    }
    assert!(
        order.info().contains("NODIFY_URL"),
        "{url}: {}",
        order.info()
    );
    order.expect("ILLEGAL_PARAMETER");
    assert_eq!(till.query(code).await.code(), "CHARGE_NONEXISTENT");
    let flow = with(bodies::flow("13812345678"), "notifyURL", url);
    let flow = till.post(Operation::FlowRecharge, &flow).await;
    assert!(flow.info().contains("notifyURL"), "{url}: {}", flow.info());
    flow.expect("ILLEGAL_PARAMETER");
    false
}

async fn assert_taken(house: &House, urls: &[&str], taken: bool) {
    for url in urls {
        assert_eq!(is_taken(house, url, url).await, taken, "{url}");
    }
}

#[tokio::test]
async fn by_default_only_public_addresses() {
    let house = House::setup()
        .options(|it| {
            it.demo = false;
            it.sandbox = true;
        })
        .open()
        .await;
    for urls in [&LOOPBACK, &DISGUISED, &PRIVATE] {
        assert_taken(&house, urls, false).await;
    }
    assert_taken(&house, &NEVER, false).await;
    assert_taken(&house, &PUBLIC, true).await;
    assert_eq!(house.counts().await.recharges, 0);
    house.end().await;
}

#[tokio::test]
async fn the_demo_allows_loopback_and_nothing_else() {
    let house = House::open().await;
    assert_taken(&house, &LOOPBACK, true).await;
    assert_taken(&house, &["http://2130706433/n", "http://0x7f.1/n"], true).await;
    assert_taken(&house, &["http://[::ffff:127.0.0.1]/n"], false).await;
    assert_taken(&house, &PRIVATE, false).await;
    assert_taken(&house, &NEVER, false).await;
    house.end().await;
}

#[tokio::test]
async fn an_operator_may_allow_private_networks_one_or_all() {
    let all = House::setup()
        .options(|it| it.notify_private = true)
        .open()
        .await;
    assert_taken(&all, &PRIVATE, true).await;
    assert_taken(&all, &NEVER, false).await;
    all.end().await;
    let one = House::setup()
        .options(|it| it.notify_network = vec!["10.0.0.0/24".to_owned()])
        .open()
        .await;
    assert_taken(&one, &["http://10.0.0.200/n"], true).await;
    assert_taken(&one, &["http://10.0.1.1/n", "http://192.168.1.1/n"], false).await;
    one.end().await;
}
