//! From where a terminal may speak.

use super::pos::Pos;
use crate::support::house::House;
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
        name: None,
        networks: Some(networks.iter().map(|it| (*it).to_owned()).collect()),
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

#[tokio::test]
async fn a_network_that_is_none_is_not_taken() {
    let house = strict().await;
    for wrong in ["10.0.0.0/33", "shop", ""] {
        let change = StoreChange {
            number: STORE.to_owned(),
            name: None,
            networks: Some(vec![wrong.to_owned()]),
        };
        let request = Request::Loyalty(loyalty::Request::SetStore(change));
        assert!(house.admin(request).await.is_err(), "{wrong}");
    }
    house.end().await;
}
