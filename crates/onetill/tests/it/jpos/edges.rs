//! Numbers and clocks at their ends: batches begin again at 1, and the clock is set back.

use super::pos::{Pos, totals};
use crate::support::house::{House, Rows};
use domain::{
    command::loyalty::AddTerminal,
    loyalty::{
        card::DayUse,
        store::StoreNo,
        terminal::{Batch, BatchNo, Profile, Terminal, TerminalNo},
        totals::Totals,
    },
};
use onetill::admin::{
    Request,
    loyalty::{
        self,
        demo::{CARD, MASTER_KEY, STORE},
        terminals::KeyInjection,
    },
};

on_both_stores!(the_last_batch_is_followed_by_the_first);

const NUMBER: &str = "77000001";

/// A terminal that has worked for a long time: its next batch is the last that a number is left
/// for.
async fn add_old_terminal(house: &House) {
    let store = StoreNo::parse(STORE).unwrap();
    let store = house.gateway().loyalty.estate.store(&store).unwrap();
    let terminal = Terminal {
        tenant: store.store.tenant,
        store: store.store.number.clone(),
        number: TerminalNo::parse(NUMBER).unwrap(),
        index: 77,
        blocked: false,
        profile: Profile::default(),
        master_key: None,
        keys: None,
        keys_before: None,
        key_count: 0,
        mac_failures: 0,
        check_in: None,
        batch: Some(Batch {
            number: BatchNo::new(999_998).unwrap(),
            opened_at: house.now(),
            closed_at: Some(house.now()),
            totals: Totals::default(),
            entries: 0,
        }),
        trans_count: 0,
        today: DayUse::default(),
        codes_sent_at: Vec::new(),
        updated_at: house.now(),
    };
    let added = house.gateway().run(AddTerminal { terminal }).await;
    assert!(added.unwrap(), "the number is free");
    let key = KeyInjection {
        store: STORE.to_owned(),
        number: NUMBER.to_owned(),
        key: MASTER_KEY.to_owned(),
        second_part: None,
        check: None,
    };
    let inject = Request::Loyalty(loyalty::Request::InjectKey(key));
    house.admin(inject).await.unwrap();
}

async fn settle(pos: &Pos<'_>, batch: &str, named: &[(&'static str, &str)]) {
    let trace = pos.next_trace();
    let fields = totals(&trace, batch, named);
    let settled = pos.post("trans/settle", &fields).await.expect("00");
    assert_eq!(settled.json["settleFlag"], "ss", "{}", settled.text);
}

/// A consume of one yuan in points, as totals have it.
const ONE_SALE: [(&str, &str); 3] = [
    ("pointDebitCount", "1"),
    ("pointDebitAmount", "1"),
    ("totalTransCount", "1"),
];

async fn the_last_batch_is_followed_by_the_first(rows: Rows) {
    let house = House::setup().cards().rows(rows).open().await;
    add_old_terminal(&house).await;
    let pos = Pos::named(&house, STORE, NUMBER, false);
    assert_eq!(pos.check_in().await, "999999");
    let before = pos.buys("000101", CARD, "1", "0").await.expect("00");
    settle(&pos, "999999", &ONE_SALE).await;
    assert_eq!(pos.check_in().await, "000001");
    // The same number again is another message, and the batch before is still the one before.
    pos.buys("000101", CARD, "1", "2").await.expect("00");
    pos.unbuys("000101", CARD, "1", "0").await.expect("00");
    settle(&pos, "000001", &ONE_SALE).await;
    assert_eq!(pos.check_in().await, "000002");
    // Undone long after its batch, it cannot be returned any more.
    pos.refund(&before.text_of("serialNo")).await.expect("25");
    assert_eq!(pos.points(CARD).await.0, "902");
    house.end().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_changes_no_outcome() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let batch = "000001";
    let sold = pos.buys("000101", CARD, "1", "10").await.expect("00");
    // To yesterday, to the hour, and to the month before.
    for (trace, back_s) in [
        ("000102", 86_400),
        ("000103", 3_600),
        ("000104", 30 * 86_400),
    ] {
        house.set_back_s(back_s);
        let again = pos.buys("000101", CARD, "1", "10").await;
        assert_eq!(again.text, sold.text);
        let more = pos.buys(trace, CARD, "1", "10").await.expect("00");
        assert_eq!(more.number("persentPoint"), "10");
        pos.buys(trace, CARD, "1", "10").await.expect("00");
        pos.unbuys(trace, CARD, "1", "10").await.expect("00");
        pos.buys(trace, CARD, "1", "10").await.expect("12");
    }
    // What was sold in what is now the future can be taken back.
    pos.cancel(&sold.text_of("serialNo")).await.expect("00");
    assert_eq!(pos.points(CARD).await.0, "1000");
    let credit = [
        ("pointCeditCount", "1"),
        ("pointCreditAmount", "1"),
        ("totalTransCount", "2"),
        ("cancelCount", "1"),
    ];
    let named = [&ONE_SALE[..2], &credit].concat();
    settle(&pos, batch, &named).await;
    assert_eq!(pos.check_in().await, "000002");
    house.end().await;
}
