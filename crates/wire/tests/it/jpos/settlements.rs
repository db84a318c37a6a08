//! Totals and journals.

use super::{read, sample, with};
use wire::jpos::request::{ENTRIES_MAX, JournalEntry, Piece, Settle, Totals};
use wire::jpos::{Amount, Operation, Request, SerialNo, TraceNo};

fn settle(body: &str) -> Settle {
    match read(Operation::Settle, body) {
        Ok(Request::Settle(message)) => message,
        Ok(_) => panic!("no settlement"),
        Err(error) => panic!("{error}"),
    }
}

fn journal(value: &str) -> Result<Vec<JournalEntry>, String> {
    match read(
        Operation::SettleDetails,
        &with(Operation::SettleDetails, "details", value),
    ) {
        Ok(Request::SettleDetails(message)) => Ok(message.entries),
        Ok(_) => panic!("no journal"),
        Err(error) => Err(error.field()),
    }
}

#[test]
fn totals_are_read_field_by_field() {
    let expected = Totals {
        point_debit_count: 3,
        point_debit_amount: Amount::new(450),
        point_credit_count: 1,
        point_credit_amount: Amount::new(150),
        ticket_debit_count: 2,
        ticket_debit_amount: Amount::new(2_000),
        ticket_credit_count: 0,
        ticket_credit_amount: Amount::ZERO,
        total_trans_count: 5,
        cancel_count: 1,
        refund_count: 0,
        card_active_count: 1,
    };
    assert_eq!(settle(&sample(Operation::Settle)).totals, expected);
}

#[test]
fn a_count_may_be_written_as_an_amount() {
    for value in ["3", "3.0", "3.00", "003", "3."] {
        let message = settle(&with(Operation::Settle, "pointDebitCount", value));
        assert_eq!(message.totals.point_debit_count, 3, "{value}");
    }
}

#[test]
fn differences_name_what_differs() {
    let terminal = settle(&sample(Operation::Settle)).totals;
    assert_eq!(Totals::differences(&terminal, &terminal), []);
    let host = Totals {
        point_credit_count: 2,
        ticket_debit_amount: Amount::new(1_950),
        ..terminal
    };
    let differences = Totals::differences(&host, &terminal);
    let texts: Vec<_> = differences
        .iter()
        .map(|it| format!("{} {} {}", it.field, it.host, it.terminal))
        .collect();
    assert_eq!(texts, ["pointCeditCount 2 1", "ticketDebitAmount 19.5 20"]);
}

#[test]
fn every_total_is_compared() {
    let none = Totals::default();
    let all = settle(&sample(Operation::Settle)).totals.named();
    for (at, (field, _)) in all.iter().enumerate() {
        let value = if field.ends_with("Count") { "7" } else { "7.5" };
        let totals = settle(&with(Operation::Settle, field, value)).totals;
        assert_eq!(totals.named()[at].1.to_string(), value, "{field}");
        let differences = Totals::differences(&none, &totals);
        assert!(differences.iter().any(|it| it.field == *field), "{field}");
    }
}

#[test]
fn a_journal_is_read_entry_by_entry() {
    let entries = journal(
        r#"[{"function":"trans/consume","traceNo":"000001","serialNo":"000000000012",
             "pointAmount":1.5,"cashAmount":"100","vaucher":[{"id":1,"num":2}],"ticket":null},
            {"function":"card/active","traceNo":"000002"}]"#,
    );
    let entries = entries.unwrap();
    assert_eq!(entries[0].operation, Operation::Consume);
    assert_eq!(entries[0].trace_no, TraceNo::FIRST);
    assert_eq!(entries[0].serial_no, SerialNo::new(12));
    assert_eq!(entries[0].point_amount, Amount::new(150));
    assert_eq!(entries[0].cash_amount, Amount::new(10_000));
    let piece = Piece {
        id: 1,
        num: 2,
        kind: None,
    };
    assert_eq!(entries[0].vouchers, [piece]);
    assert_eq!(entries[1].operation, Operation::CardActive);
    assert_eq!(entries[1].serial_no, None);
    assert_eq!(entries[1].point_amount, Amount::ZERO);
}

#[test]
fn a_journal_may_be_empty() {
    assert_eq!(journal("[]"), Ok(vec![]));
    assert_eq!(journal("null"), Err("details".to_owned()));
}

#[test]
fn a_journal_has_its_bounds() {
    let entry = r#"{"function":"refunds","traceNo":"000001"}"#;
    let list = |entries: usize| format!("[{}]", vec![entry; entries].join(","));
    let body = |value: &str| {
        let head = super::without(Operation::SettleDetails, "details");
        let read = read(Operation::SettleDetails, &format!("{head}&details={value}"));
        read.map(drop).map_err(|error| error.field())
    };
    assert_eq!(body(&list(ENTRIES_MAX)), Ok(()));
    assert_eq!(body(&list(ENTRIES_MAX + 1)), Err("details".to_owned()));
    let long = entry.replace('}', &format!(r#","x":"{}"}}"#, "x".repeat(70_000)));
    assert_eq!(body(&format!("[{long}]")), Err("details".to_owned()));
}

#[test]
fn an_entry_at_fault_is_named() {
    for (value, field) in [
        (r#"[{"traceNo":"000001"}]"#, "details[0].function"),
        (
            r#"[{"function":"trans/settle","traceNo":"000001"}]"#,
            "details[0].function",
        ),
        (
            r#"[{"function":"cards","traceNo":"000001"}]"#,
            "details[0].function",
        ),
        (r#"[{"function":"refunds"}]"#, "details[0].traceNo"),
        (
            r#"[{"function":"refunds","traceNo":"000001"},{"function":"refunds","traceNo":1}]"#,
            "details[1].traceNo",
        ),
        (
            r#"[{"function":"refunds","traceNo":"000001","pointAmount":"1.005"}]"#,
            "details[0].pointAmount",
        ),
        (
            r#"[{"function":"refunds","traceNo":"000001","serialNo":"12"}]"#,
            "details[0].serialNo",
        ),
        (
            r#"[{"function":"refunds","traceNo":"000001","ticket":"x"}]"#,
            "details[0].ticket",
        ),
        (
            r#"[{"function":"refunds","traceNo":"000001","ticket":[{"id":1,"num":1},{"id":1,"num":1}]}]"#,
            "details[0].ticket",
        ),
    ] {
        assert_eq!(journal(value), Err(field.to_owned()), "{value}");
    }
}
