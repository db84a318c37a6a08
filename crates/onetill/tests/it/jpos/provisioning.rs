//! Stores, terminals and cards as an operator sets them up.

use super::pos::Pos;
use crate::support::{
    house::{House, Rows},
    together,
};
use domain::loyalty::terminal::{Profile, TimeUnit};
use onetill::admin::{
    Request,
    loyalty::{
        self,
        demo::{CARD, MASTER_KEY, STORE, TERMINAL},
        stores::NewStore,
        terminals::{KeyInjection, NewTerminal, TerminalChange},
    },
};
use serde_json::Value;

async fn ask(house: &House, request: loyalty::Request) -> Result<Value, String> {
    house.admin(Request::Loyalty(request)).await
}

fn store(number: &str, tenant: &str) -> loyalty::Request {
    loyalty::Request::AddStore(NewStore {
        number: number.to_owned(),
        tenant: tenant.to_owned(),
        name: "Second".to_owned(),
        networks: vec!["127.0.0.0/8".to_owned()],
        certificates: Vec::new(),
    })
}

fn terminal(store: &str, number: &str) -> loyalty::Request {
    loyalty::Request::AddTerminal(NewTerminal {
        store: store.to_owned(),
        number: number.to_owned(),
        profile: Profile {
            time_unit: TimeUnit::Milliseconds,
            ..Profile::default()
        },
    })
}

fn key(store: &str, number: &str, check: Option<&str>) -> loyalty::Request {
    loyalty::Request::InjectKey(KeyInjection {
        store: store.to_owned(),
        number: number.to_owned(),
        key: MASTER_KEY.to_owned(),
        second_part: None,
        check: check.map(str::to_owned),
    })
}

on_both_stores!(a_new_terminal_of_a_new_store_works);

async fn a_new_terminal_of_a_new_store_works(rows: Rows) {
    let house = House::setup().cards().rows(rows).open().await;
    ask(&house, store("S2", "demo")).await.unwrap();
    ask(&house, terminal("S2", "T1")).await.unwrap();
    let pos = Pos::named(&house, "S2", "T1", false);
    // Without a master key there is nothing to hand keys out under.
    pos.post("terminal/checkin", &[("operatorNo", "1")])
        .await
        .expect("58");
    let wrong = ask(&house, key("S2", "T1", Some("000000")))
        .await
        .unwrap_err();
    assert!(wrong.contains("check value"), "{wrong}");
    let injected = ask(&house, key("S2", "T1", None)).await.unwrap();
    let check = injected["master_key_check"].as_str().unwrap().to_owned();
    ask(&house, key("S2", "T1", Some(&check[..6])))
        .await
        .unwrap();
    assert_eq!(pos.check_in().await, "000001");
    let bought = pos.buy("1", "1").await.expect("00");
    // Its times are milliseconds, and its transactions have numbers of their own.
    assert_eq!(bought.json["transTime"], house.now().0);
    assert!(
        bought.text_of("serialNo").starts_with("00003"),
        "{}",
        bought.text
    );
    house.end().await;
}

#[tokio::test]
async fn a_store_number_is_one_retailers_for_ever() {
    let house = House::with_cards().await;
    let taken = ask(&house, store(STORE, "demo")).await.unwrap_err();
    assert!(taken.contains("exists"), "{taken}");
    let others = ask(&house, store(STORE, "other")).await.unwrap_err();
    assert!(others.contains("another retailer"), "{others}");
    for wrong in ["", "S 1", &"1".repeat(33)] {
        assert!(ask(&house, store(wrong, "demo")).await.is_err(), "{wrong}");
    }
    house.end().await;
}

/// Added at the same time, each terminal has an index of its own: their transactions' numbers
/// never meet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminals_never_share_an_index() {
    let house = House::with_cards().await;
    let names: Vec<String> = (0..8).map(|it| format!("N{it}")).collect();
    let added = together(names.iter().map(|it| ask(&house, terminal(STORE, it)))).await;
    assert!(added.iter().all(Result::is_ok), "{added:?}");
    let listed = loyalty::Request::ListTerminals {
        store: Some(STORE.to_owned()),
    };
    let listed = ask(&house, listed).await.unwrap();
    let mut indexes: Vec<i64> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["index"].as_i64().unwrap())
        .collect();
    indexes.sort_unstable();
    indexes.dedup();
    assert_eq!(indexes.len(), 10);
    let again = ask(&house, terminal(STORE, "N1")).await.unwrap_err();
    assert!(again.contains("exists"), "{again}");
    house.end().await;
}

/// New keys take the working keys away; the batch stays.
#[tokio::test]
async fn a_new_master_key_needs_a_check_in() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    pos.buy("1", "1").await.expect("00");
    ask(&house, key(STORE, TERMINAL, None)).await.unwrap();
    pos.buy("1", "1").await.expect("77");
    assert_eq!(pos.check_in().await, "000001");
    pos.buy("1", "1").await.expect("00");
    house.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_missing() {
    let house = House::with_cards().await;
    let change = TerminalChange {
        store: STORE.to_owned(),
        number: "T9".to_owned(),
        blocked: Some(true),
        profile: None,
    };
    let missing = ask(&house, loyalty::Request::SetTerminal(change)).await;
    assert!(missing.unwrap_err().contains("terminal list"));
    let missing = ask(&house, terminal("S9", "T1")).await;
    assert!(missing.unwrap_err().contains("store list"));
    let name = |tenant: &str, number: &str| {
        loyalty::Request::ShowCard(loyalty::cards::CardName {
            tenant: tenant.to_owned(),
            number: number.to_owned(),
        })
    };
    assert!(ask(&house, name("nobody", CARD)).await.is_err());
    assert!(ask(&house, name("demo", "9999999999025999")).await.is_err());
    let shown = ask(&house, name("demo", CARD)).await.unwrap();
    assert_eq!(shown["points"], "1000.00");
    assert!(shown.get("pin").is_none());
    house.end().await;
}

/// Nothing of another retailer is served: not its cards, not its transactions.
#[tokio::test]
async fn retailers_do_not_see_each_other() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let sold = pos.buy("1", "1").await.expect("00").text_of("serialNo");
    ask(&house, store("S2", "other")).await.unwrap();
    ask(&house, terminal("S2", "T1")).await.unwrap();
    ask(&house, key("S2", "T1", None)).await.unwrap();
    let stranger = Pos::named(&house, "S2", "T1", false);
    stranger.check_in().await;
    stranger.buy("1", "1").await.expect("14");
    stranger.refund(&sold).await.expect("14");
    let question = [("traceNo", "000009"), ("cardNo", CARD)];
    stranger.post("cards", &question).await.expect("14");
    house.end().await;
}
