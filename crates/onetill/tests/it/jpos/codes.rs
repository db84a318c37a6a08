//! Voucher codes that a card holds: tickets of a terminal, and payment at a till.

use super::pos::{Answer, Pos, totals};
use crate::{
    support::{
        bodies::{self, PAYS, with},
        house::{House, Rows},
        together,
    },
    voucher::desk::{Desk, Stock, TOKEN, code, stocked},
};
use domain::loyalty::card::{CODES_HELD_MAX, TicketKind};
use onetill::admin::{
    Request,
    loyalty::{
        self,
        cards::{CardName, NewCard},
        demo::{CARD, STORE, TERMINAL},
        held_codes::{CodeOfCard, CodePlace, NewHeldCode},
        listing::CardPage,
    },
};
use serde_json::{Value, json};
use wire::opengateway::Operation;

on_both_stores!(
    a_code_is_a_ticket_until_its_uses_are_gone,
    a_reversal_gives_the_use_back_whatever_comes_first,
    of_a_till_and_a_terminal_one_gets_the_last_use,
    a_code_that_cannot_be_used_is_not_shown,
    a_card_is_added_with_the_codes_it_holds,
);

const BOX: &str = "X22169-3141157-33475";
/// The ticket type of the box's codes, and so the number of the ticket.
const TICKET: i64 = 500_811;

async fn open(rows: Rows, stock: Stock) -> House {
    let house = House::setup().cards().rows(rows).open().await;
    stocked(&house, &stock).await;
    let desk = Desk::new(&house, TOKEN);
    desk.activate("1", &[BOX.to_owned()]).await.expect("A00");
    house
}

fn what(at: u32) -> CodeOfCard {
    CodeOfCard {
        card: CardName {
            tenant: "demo".to_owned(),
            number: CARD.to_owned(),
        },
        code: code(BOX, at),
    }
}

/// The demo's card holds this code of the box from now on.
async fn hold(house: &House, at: u32) -> Value {
    let (what, kind) = (what(at), None);
    let hold = loyalty::Request::HoldCode(NewHeldCode { what, kind });
    house.admin(Request::Loyalty(hold)).await.unwrap()
}

fn tickets(num: i64) -> String {
    json!([{"id": TICKET, "type": "03", "num": num}]).to_string()
}

async fn send(pos: &Pos<'_>, function: &str, trace: &str, num: i64) -> Answer {
    let ticket = tickets(num);
    let fields = [("traceNo", trace), ("cardNo", CARD), ("ticket", &*ticket)];
    pos.post(function, &fields).await
}

async fn use_tickets(pos: &Pos<'_>, trace: &str, num: i64) -> Answer {
    send(pos, "tickets/consume", trace, num).await
}

async fn undo(pos: &Pos<'_>, trace: &str, num: i64) -> Answer {
    send(pos, "tickets/consumeReversal", trace, num).await
}

async fn pieces(pos: &Pos<'_>) -> i64 {
    pos.pieces("tickets", CARD, TICKET).await
}

/// Uses that a code has left, as its partner sees it.
async fn left(house: &House, at: u32) -> i64 {
    let found = Desk::new(house, TOKEN).look(&[code(BOX, at)]).await;
    found.expect("H00").codes().remove(0).2
}

async fn a_code_is_a_ticket_until_its_uses_are_gone(rows: Rows) {
    let house = open(rows, Stock::of(2, 2_000)).await;
    let pos = Pos::open(&house).await;
    let held = hold(&house, 0).await;
    assert_eq!(held["codes"][0]["uses_left"], 2);
    hold(&house, 1).await;
    let shown = pos
        .post("tickets", &[("traceNo", "900000"), ("cardNo", CARD)])
        .await
        .expect("00");
    let lines = shown.json["ticket"].as_array().unwrap();
    let line = lines.iter().find(|it| it["id"] == TICKET).unwrap();
    let expected = json!({"id": TICKET, "type": "03", "amount": 20, "name": "咖啡券", "num": 4});
    assert_eq!(*line, expected);
    assert_eq!(lines.len(), 3, "beside the card's own two");

    use_tickets(&pos, "000001", 3).await.expect("00");
    let again = use_tickets(&pos, "000001", 3).await.expect("00");
    assert_eq!(again.text_of("serialNo").len(), 12);
    use_tickets(&pos, "000002", 2).await.expect("51");
    assert_eq!(pieces(&pos).await, 1);
    assert_eq!((left(&house, 0).await, left(&house, 1).await), (0, 1));

    let trace = Desk::new(&house, TOKEN).trace(&code(BOX, 0)).await;
    let entries = trace.json["returnData"].as_array().unwrap();
    let kinds: Vec<_> = entries.iter().map(|it| &it["type"]).collect();
    assert_eq!(kinds, ["1", "2", "2"]);
    let field = |name: &str| entries[1][name].as_str().unwrap();
    assert_eq!((field("shopNo"), field("tid")), (STORE, TERMINAL));
    assert_eq!(field("shopName"), "演示门店");
    assert_eq!((field("swift"), field("mid")), ("000001/000001", ""));

    let counted = [
        ("ticketDebitCount", "3"),
        ("ticketDebitAmount", "60"),
        ("totalTransCount", "1"),
    ];
    let counted = totals("000009", "000001", &counted);
    let settled = pos.post("trans/settle", &counted).await.expect("00");
    assert_eq!(settled.text_of("settleFlag"), "ss", "{}", settled.text);
    house.end().await;
}

async fn a_reversal_gives_the_use_back_whatever_comes_first(rows: Rows) {
    let house = open(rows, Stock::of(2, 0)).await;
    let pos = Pos::open(&house).await;
    hold(&house, 0).await;
    use_tickets(&pos, "000001", 2).await.expect("00");
    assert_eq!(left(&house, 0).await, 0);
    undo(&pos, "000001", 2).await.expect("00");
    undo(&pos, "000001", 2).await.expect("00");
    assert_eq!((left(&house, 0).await, pieces(&pos).await), (2, 2));
    use_tickets(&pos, "000001", 2).await.expect("12");
    undo(&pos, "000002", 1).await.expect("25");
    use_tickets(&pos, "000002", 1).await.expect("12");
    use_tickets(&pos, "000003", 3).await.expect("51");
    undo(&pos, "000003", 3).await.expect("12");
    assert_eq!(left(&house, 0).await, 2);
    // All at once: the message never stands.
    for round in 10..20 {
        let trace = format!("{round:06}");
        let all = (0..4).map(async |turn| {
            if turn == 0 {
                use_tickets(&pos, &trace, 2).await
            } else {
                undo(&pos, &trace, 2).await
            }
        });
        together(all).await;
        undo(&pos, &trace, 2).await;
        assert_eq!(left(&house, 0).await, 2, "round {round}");
    }
    house.end().await;
}

async fn of_a_till_and_a_terminal_one_gets_the_last_use(rows: Rows) {
    let house = open(rows, Stock::of(1, 100)).await;
    let (pos, till) = (Pos::open(&house).await, house.till());
    let (mut paid, mut used) = (0, 0);
    for round in 0..20_u32 {
        hold(&house, round).await;
        let body = with(bodies::pre_order(&format!("{round}"), PAYS), "AMT", "3");
        let body = with(body, "verifyCodes", code(BOX, round));
        let trace = format!("{:06}", round + 1);
        let (payment, ticket) = tokio::join!(
            till.post(Operation::PreOrder, &body),
            use_tickets(&pos, &trace, 1)
        );
        let outcome = (payment.code(), ticket.code().to_owned());
        match (&*outcome.0, &*outcome.1) {
            ("SUCCESS", "51") => paid += 1,
            ("ILLEGAL_PARAMETER", "00") => used += 1,
            other => panic!("round {round}: {other:?}"),
        }
        assert_eq!(left(&house, round).await, 0);
    }
    assert_eq!(paid + used, 20);
    house.end().await;
}

async fn a_code_that_cannot_be_used_is_not_shown(rows: Rows) {
    let house = open(rows, Stock::of(1, 100)).await;
    let pos = Pos::open(&house).await;
    hold(&house, 0).await;
    hold(&house, 1).await;
    let desk = Desk::new(&house, TOKEN);
    desk.void("v", &[code(BOX, 0)]).await.expect("V00");
    assert_eq!(pieces(&pos).await, 1);
    use_tickets(&pos, "000001", 2).await.expect("51");
    use_tickets(&pos, "000002", 1).await.expect("00");
    assert_eq!(pieces(&pos).await, 0);
    // What was used is not voided under the ticket.
    desk.void("w", &[code(BOX, 1)]).await.expect("V01");
    undo(&pos, "000002", 1).await.expect("00");
    let let_go = loyalty::Request::LetGoOfCode(what(1));
    house.admin(Request::Loyalty(let_go)).await.unwrap();
    use_tickets(&pos, "000003", 1).await.expect("51");
    desk.void("x", &[code(BOX, 2)]).await.expect("V00");
    let refused = loyalty::Request::HoldCode(NewHeldCode {
        what: what(2),
        kind: None,
    });
    let refused = house.admin(Request::Loyalty(refused)).await.unwrap_err();
    assert_eq!(refused, "the code is void");
    house.end().await;
}

/// The code with an index in the box, as a ticket of this kind.
fn place(index: u32, kind: TicketKind) -> CodePlace {
    CodePlace {
        carton: BOX.to_owned(),
        index,
        kind,
    }
}

async fn add(house: &House, number: &str, codes: Vec<CodePlace>) -> Result<Value, String> {
    let card = json!({ "number": number, "status": "Active" });
    let card = NewCard {
        codes,
        ..serde_json::from_value(card).unwrap()
    };
    let tenant = "demo".to_owned();
    let cards = vec![card];
    let add = loyalty::Request::AddCards { tenant, cards };
    house.admin(Request::Loyalty(add)).await
}

async fn listed(house: &House, number: &str) -> Vec<CodePlace> {
    let page = CardPage {
        tenant: "demo".to_owned(),
        after: None,
        limit: 100,
    };
    let listed = loyalty::Request::ListCards(page);
    let listed = house.admin(Request::Loyalty(listed)).await.unwrap();
    let cards = listed["cards"].as_array().unwrap();
    let card = cards.iter().find(|it| it["card"] == number).unwrap();
    assert!(!card.to_string().contains(&code(BOX, 0)));
    serde_json::from_value(card["codes"].clone()).unwrap()
}

async fn a_card_is_added_with_the_codes_it_holds(rows: Rows) {
    const NUMBER: &str = "8800000000000001";
    let house = open(rows, Stock::of(2, 2_000)).await;
    let pos = Pos::open(&house).await;
    let desk = Desk::new(&house, TOKEN);
    desk.void("v", &[code(BOX, 1)]).await.expect("V00");
    let all = vec![place(0, TicketKind::Cash), place(1, TicketKind::Cash)];
    let added = add(&house, NUMBER, all.clone()).await.unwrap();
    assert_eq!(added["added"], 1);
    assert_eq!(listed(&house, NUMBER).await, all);
    assert_eq!(listed(&house, CARD).await, []);
    // The void one is held, and is no ticket.
    assert_eq!(pos.pieces("tickets", NUMBER, TICKET).await, 2);
    let ticket = tickets(2);
    let fields = [
        ("traceNo", "000001"),
        ("cardNo", NUMBER),
        ("ticket", &*ticket),
    ];
    pos.post("tickets/consume", &fields).await.expect("00");
    assert_eq!(left(&house, 0).await, 0);

    let elsewhere = |carton: &str| CodePlace {
        carton: carton.to_owned(),
        ..place(0, TicketKind::Cash)
    };
    let count = u32::try_from(CODES_HELD_MAX).unwrap();
    let too_many = (0..=count).map(|it| place(it, TicketKind::Cash));
    for (codes, why) in [
        (vec![elsewhere("X00000-0000000-00000")], "no box"),
        (vec![elsewhere(&code(BOX, 0))], "no box"),
        (vec![place(u32::MAX, TicketKind::Cash)], "no box"),
        (vec![place(2, TicketKind::Voucher)], "not a voucher"),
        (
            vec![place(2, TicketKind::Cash), place(2, TicketKind::Cash)],
            "there twice",
        ),
        (
            vec![place(2, TicketKind::Cash), place(3, TicketKind::GroupBuy)],
            "by number alone",
        ),
        (too_many.collect(), "as many codes"),
    ] {
        let refused = add(&house, "8800000000000002", codes).await.unwrap_err();
        assert!(
            refused.starts_with("card 8800000000000002: codes: "),
            "{refused}"
        );
        assert!(refused.contains(why), "{refused}");
        assert!(!refused.contains(&code(BOX, 0)), "{refused}");
    }
    house.end().await;
}
