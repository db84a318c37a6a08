//! From where a terminal may speak.

use super::pos::{Answer, Pos, sale};
use crate::support::{house::House, http, together};
use onetill::admin::{
    Request,
    loyalty::{
        self,
        demo::{CARD, MAC_TERMINAL, STORE},
        stores::StoreChange,
    },
};

/// A gateway that takes no address for granted, as outside the demo.
pub async fn strict() -> House {
    let setup = House::setup().cards();
    setup
        .rig(|it| it.loyalty.admits_loopback = false)
        .open()
        .await
}

/// Binds the demo's store to these networks and no others.
pub async fn set_networks(house: &House, networks: &[&str]) {
    let change = StoreChange {
        number: STORE.to_owned(),
        networks: Some(networks.iter().map(|it| (*it).to_owned()).collect()),
        ..StoreChange::default()
    };
    let request = Request::Loyalty(loyalty::Request::SetStore(change));
    house.admin(request).await.unwrap();
}

#[tokio::test]
async fn a_terminal_speaks_from_its_stores_networks() {
    let house = strict().await;
    let pos = Pos::new(&house);
    let check_in = [("operatorNo", "001")];
    pos.post("terminal/checkin", &check_in).await.expect("58");
    set_networks(&house, &["10.0.0.0/8"]).await;
    pos.post("terminal/checkin", &check_in).await.expect("58");
    set_networks(&house, &["10.0.0.0/8", "127.0.0.0/8"]).await;
    pos.check_in().await;
    pos.buy("1", "1").await.expect("00");
    set_networks(&house, &["127.0.0.2"]).await;
    pos.buy("1", "1").await.expect("58");
    house.end().await;
}

#[tokio::test]
async fn elsewhere_its_mac_admits_it() {
    let house = strict().await;
    set_networks(&house, &["127.0.0.1"]).await;
    // Both have keys; only one makes MACs.
    let (with, without) = (Pos::with_mac(&house), Pos::new(&house));
    with.check_in().await;
    without.check_in().await;
    set_networks(&house, &[]).await;
    with.buy("1", "1").await.expect("00");
    with.points(CARD).await;
    without.buy("1", "1").await.expect("58");
    let signing = Pos::named(&house, STORE, "20141111", true);
    signing.use_keys(without.keys());
    signing.buy("1", "1").await.expect("00");
    // A stranger's wrong MACs take nobody's keys away.
    signing.use_keys(with.keys());
    for _ in 0..5 {
        signing.buy("1", "1").await.expect("58");
    }
    with.buy("1", "1").await.expect("00");
    // A check-in has none.
    let silent = Pos::named(&house, STORE, MAC_TERMINAL, false);
    silent
        .post("terminal/checkin", &[("operatorNo", "001")])
        .await
        .expect("58");
    house.end().await;
}

/// Only a trusted proxy says whose request it passes on.
#[tokio::test]
async fn a_trusted_proxy_tells_the_clients_address() {
    for (trusted, told, code) in [
        ("127.0.0.1", "X-Forwarded-For: 10.1.2.3\r\n", "00"),
        (
            "127.0.0.1",
            "X-Forwarded-For: 10.1.2.3, 203.0.113.9\r\n",
            "58",
        ),
        ("127.0.0.1", "", "58"),
        ("127.0.0.2", "X-Forwarded-For: 10.1.2.3\r\n", "58"),
    ] {
        let setup = House::setup().cards();
        let setup = setup.options(|it| it.trusted_proxy = vec![trusted.to_owned()]);
        let setup = setup.rig(|it| it.loyalty.admits_loopback = false);
        let house = setup.open().await;
        set_networks(&house, &["10.0.0.0/8"]).await;
        let form = Pos::new(&house).form(&[("operatorNo", "001")]).encode();
        let call = http::post("/v1/jpos/terminal/checkin", form);
        let bytes = http::request(&call, told);
        let answer = Answer::read(&http::exchange(house.address, &bytes).await);
        assert_eq!(answer.code(), code, "{trusted} {told}");
        house.end().await;
    }
}

/// However many guess at once, each guess costs its address a failure before it is looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_at_once_get_no_more_guesses_than_one_after_the_other() {
    let setup = House::setup()
        .cards()
        .options(|it| it.failures_max = Some(5));
    let setup = setup.rig(|it| it.loyalty.admits_loopback = false);
    let house = setup.open().await;
    set_networks(&house, &["127.0.0.1"]).await;
    let pos = Pos::with_mac(&house);
    pos.check_in().await;
    set_networks(&house, &[]).await;
    let right = pos.form(&sale("000001", CARD, "1", "1")).encode();
    let guesses: Vec<String> = (0..60).map(|n| format!("{right}&n={n}")).collect();
    let guesses = guesses.iter().map(|it| pos.post_form("trans/consume", it));
    let answers = together(guesses).await;
    let looked_at = answers.iter().filter(|it| it.http == 200).count();
    assert_eq!(looked_at, 5, "{answers:?}");
    assert!(answers.iter().all(|it| it.http == 429 || it.code() == "58"));
    // What was refused for the others' sake was not carried out, and comes back with time.
    house.advance_s(1).await;
    pos.post_form("trans/consume", &right).await.expect("00");
    // A right one costs nothing.
    pos.post_form("trans/consume", &right).await.expect("00");
    house.end().await;
}

/// Who has failed too often is not listened to for 8 MiB.
#[tokio::test]
async fn a_long_body_is_not_read_from_strangers_that_failed_too_often() {
    let setup = House::setup()
        .cards()
        .options(|it| it.failures_max = Some(2));
    let setup = setup.rig(|it| it.loyalty.admits_loopback = false);
    let house = setup.open().await;
    let head = "POST /v1/jpos/trans/settle/details HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\
                Content-Length: 8000000\r\n\r\n";
    let pos = Pos::new(&house);
    for _ in 0..3 {
        pos.post("cards", &[("cardNo", CARD)]).await;
    }
    let answer = Answer::read(&http::exchange(house.address, head.as_bytes()).await);
    assert_eq!(answer.http, 429, "{}", answer.text);
    // A store's own address is listened to, whoever failed there.
    set_networks(&house, &["127.0.0.1"]).await;
    let body = format!(
        "storeNo={STORE}&terminalNo=20141111&pad={}",
        "0".repeat(1 << 20)
    );
    let answer = pos.post_form("trans/settle/details", &body).await;
    answer.expect("77");
    house.end().await;
}

#[tokio::test]
async fn a_network_that_is_none_is_not_taken() {
    let house = strict().await;
    for wrong in ["10.0.0.0/33", "shop", ""] {
        let change = StoreChange {
            number: STORE.to_owned(),
            networks: Some(vec![wrong.to_owned()]),
            ..StoreChange::default()
        };
        let request = Request::Loyalty(loyalty::Request::SetStore(change));
        assert!(house.admin(request).await.is_err(), "{wrong}");
    }
    house.end().await;
}
