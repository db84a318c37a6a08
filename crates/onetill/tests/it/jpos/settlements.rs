//! A batch that does not balance: the difference is named, down to the transaction.

use super::pos::{Pos, plus, sale, take_back, totals};
use crate::support::house::{House, Rows};
use onetill::admin::{
    Request,
    loyalty::{
        self,
        demo::{CARD, STOCKED_CARD},
    },
};
use serde_json::json;

on_both_stores!(the_transaction_that_differs_is_named);

async fn the_transaction_that_differs_is_named(rows: Rows) {
    let house = House::setup().cards().rows(rows).open().await;
    let pos = Pos::open(&house).await;
    let buy = async |trace, points, cash| {
        let sold = pos.buys(trace, CARD, points, cash).await.expect("00");
        sold.text_of("serialNo")
    };
    let one = buy("000001", "1", "0").await;
    let two = buy("000002", "2", "0").await;
    // The terminal never heard of this one, and has no reversal of it.
    let three = buy("000003", "3", "5").await;
    // It believes in one that was declined.
    pos.buys("000004", CARD, "99", "0").await.expect("51");
    expect_unbalanced(&pos).await;

    let journal = json!([
        {"function": "trans/consume", "traceNo": "000001", "serialNo": one, "pointAmount": 1},
        {"function": "trans/consume", "traceNo": "000002", "serialNo": two, "pointAmount": 2.5},
        {"function": "trans/consume", "traceNo": "000004", "pointAmount": 99},
    ]);
    let journal = journal.to_string();
    let details = [
        ("traceNo", "000007"),
        ("batchNo", "000001"),
        ("details", &*journal),
    ];
    let compared = pos.post("trans/settle/details", &details).await;
    let compared = compared.expect("00");
    let expected = [
        ("000001", "matched"),
        ("000002", "different"),
        ("000003", "hostOnly"),
        ("000004", "terminalOnly"),
    ];
    assert_eq!(compared.found("details"), expected, "{}", compared.text);
    let lines = &compared.json["details"];
    let differences = json!([{"field": "pointAmount", "host": 2, "terminal": 2.5}]);
    assert_eq!(lines[1]["differences"], differences);
    assert_eq!(lines[2]["serialNo"], json!(three));
    pos.buys("000008", CARD, "0", "1").await.expect("77");
    expect_work(&house, 3).await;
    // Its reply was lost: the same again, whatever has become of the batch since.
    house.advance_s(2).await;
    pos.unbuys("000003", CARD, "3", "5").await.expect("00");
    let again = pos.post("trans/settle/details", &details).await;
    assert_eq!(again.text, compared.text);
    assert_eq!(pos.check_in().await, "000002");
    house.end().await;
}

/// The terminal counts what it believes in; the batch stays open.
async fn expect_unbalanced(pos: &Pos<'_>) {
    let counted = [
        ("pointDebitCount", "3"),
        ("pointDebitAmount", "102.50"),
        ("totalTransCount", "3"),
    ];
    let settle = totals("000005", "000001", &counted);
    let settled = pos.post("trans/settle", &settle).await.expect("00");
    assert_eq!(settled.text_of("settleFlag"), "ns");
    let expected = json!([{"field": "pointDebitAmount", "host": 6, "terminal": 102.5}]);
    assert_eq!(settled.json["differences"], expected, "{}", settled.text);
    pos.buys("000006", CARD, "0", "1").await.expect("00");
    pos.unbuys("000006", CARD, "0", "1").await.expect("00");
}

async fn expect_work(house: &House, differing: i64) {
    let work = Request::Loyalty(loyalty::Request::ListWork);
    let work = house.admin(work).await.unwrap();
    assert_eq!(work.as_array().unwrap().len(), 1, "{work}");
    assert_eq!(work[0]["matter"], "settled with differences");
    assert_eq!(work[0]["differing"], differing);
}

/// Every kind of message counts where the source says; what was reversed or declined nowhere.
#[tokio::test]
async fn every_message_counts_where_it_should() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let vouchers = [("vaucher", r#"[{"id":1,"num":2},{"id":2,"num":1}]"#)];
    let with_vouchers = plus(&sale("000001", CARD, "1", "10"), &vouchers);
    let one = pos
        .post("trans/consume", &with_vouchers)
        .await
        .expect("00")
        .text_of("serialNo");
    let two = pos
        .buys("000002", CARD, "2.5", "0")
        .await
        .expect("00")
        .text_of("serialNo");
    let three = pos
        .buys("000003", CARD, "0", "7")
        .await
        .expect("00")
        .text_of("serialNo");
    pos.buys("000004", CARD, "99", "0").await.expect("51");
    pos.buys("000005", CARD, "1", "0").await.expect("00");
    pos.unbuys("000005", CARD, "1", "0").await.expect("00");
    pos.post("trans/cancel", &take_back("000006", CARD, &one))
        .await
        .expect("00");
    let refunded = pos
        .post("refunds", &take_back("000007", CARD, &two))
        .await
        .expect("00");
    let refunded = refunded.text_of("serialNo");
    pos.post("refunds", &take_back("000008", CARD, &three))
        .await
        .expect("00");
    pos.post("refunds/cancel", &take_back("000009", CARD, &refunded))
        .await
        .expect("00");
    let tickets = [
        ("traceNo", "000010"),
        ("cardNo", CARD),
        ("ticket", r#"[{"id":2,"num":3}]"#),
    ];
    pos.post("tickets/consume", &tickets).await.expect("00");
    activate(&house, &pos, "000011").await;
    let counted = [
        // Three sales and a refund undone.
        ("pointDebitCount", "4"),
        ("pointDebitAmount", "6"),
        // A cancel and two refunds.
        ("pointCeditCount", "3"),
        ("pointCreditAmount", "3.50"),
        // Three pieces of vouchers and three of tickets.
        ("ticketDebitCount", "6"),
        ("ticketDebitAmount", "307"),
        ("ticketCreditCount", "3"),
        ("ticketCreditAmount", "7"),
        ("totalTransCount", "9"),
        ("cancelCount", "1"),
        ("refundCount", "2"),
        ("cardActiveCount", "1"),
    ];
    let settled = pos
        .post("trans/settle", &totals("000012", "000001", &counted))
        .await;
    let settled = settled.expect("00");
    assert_eq!(settled.text_of("settleFlag"), "ss", "{}", settled.text);
    house.end().await;
}

async fn activate(house: &House, pos: &Pos<'_>, trace: &str) {
    let mobile = "13800000009";
    pos.post("mobile/sendVerifyCode", &[("mobileNo", mobile)])
        .await
        .expect("00");
    let messages = Request::Loyalty(loyalty::Request::ListSms);
    let messages = house.admin(messages).await.unwrap();
    let code = messages[0]["code"].as_str().unwrap();
    let fields = [
        ("traceNo", trace),
        ("cardNo", STOCKED_CARD),
        ("mobileNo", mobile),
        ("verifyCode", code),
        ("idType", "01"),
        ("idNo", "110101199003070000"),
    ];
    pos.post("card/active", &fields).await.expect("00");
}

/// A journal that agrees closes the batch, and nobody has to look at it.
#[tokio::test]
async fn a_journal_that_agrees_closes_the_batch_quietly() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let vouchers = [("vaucher", r#"[{"id":1,"num":1}]"#)];
    let fields = plus(&sale("000001", CARD, "1", "10"), &vouchers);
    let sold = pos
        .post("trans/consume", &fields)
        .await
        .expect("00")
        .text_of("serialNo");
    pos.post("trans/cancel", &take_back("000002", CARD, &sold))
        .await
        .expect("00");
    let journal = json!([
        {"function": "trans/consume", "traceNo": "000001", "serialNo": sold, "pointAmount": "1.00",
         "cashAmount": "10.00", "vaucher": [{"id": 1, "num": 1}]},
        {"function": "trans/cancel", "traceNo": "000002", "pointAmount": 1,
         "vaucher": [{"id": 1, "num": 1}]},
    ]);
    let journal = journal.to_string();
    let details = [("traceNo", "000003"), ("details", &*journal)];
    let compared = pos
        .post("trans/settle/details", &details)
        .await
        .expect("00");
    let lines = compared.json["details"].as_array().unwrap();
    assert!(
        lines.iter().all(|it| it["result"] == "matched"),
        "{}",
        compared.text
    );
    let work = Request::Loyalty(loyalty::Request::ListWork);
    assert_eq!(house.admin(work).await.unwrap(), json!([]));
    assert_eq!(pos.check_in().await, "000002");
    house.end().await;
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_names_its_line() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    for (journal, named) in [
        ("", "details"),
        ("x", "details"),
        (
            r#"[{"function":"cards","traceNo":"000001"}]"#,
            "details[0].function",
        ),
        (
            r#"[{"function":"trans/consume","traceNo":"1"}]"#,
            "details[0].traceNo",
        ),
    ] {
        let fields = [("traceNo", "000001"), ("details", journal)];
        let answer = pos.post("trans/settle/details", &fields).await.expect("30");
        let message = answer.text_of("message");
        assert!(message.ends_with(&format!("：{named}")), "{message}");
    }
    house.end().await;
}
