//! Messages: what each field must be, and what a wrong one is answered with.

use super::{read, read_again, sample, with, without};
use wire::jpos::request::{Original, Piece, Repeated, Terminal};
use wire::jpos::{Amount, BatchNo, Form, Operation, Request, RequestError, TraceNo};

/// The answer to a body that is refused.
fn refusal(operation: Operation, body: &str) -> String {
    match read(operation, body) {
        Ok(_) => panic!("{body} is accepted"),
        Err(error) => {
            let outcome = error.outcome();
            format!("{} {}", outcome.status().code(), outcome.message())
        }
    }
}

fn is_accepted(operation: Operation, body: &str) -> bool {
    read(operation, body).is_ok()
}

#[test]
fn every_operation_reads_its_sample_and_writes_it_again() {
    for operation in Operation::ALL {
        let request = read(*operation, &sample(*operation)).ok().unwrap();
        assert_eq!(request.operation(), *operation);
        assert_eq!(request.terminal().store_no, "102100099990001");
        assert_eq!(request.terminal().terminal_no, "20141112");
        read_again(&request);
    }
}

#[test]
fn a_sale_is_read_field_by_field() {
    let body = sample(Operation::Consume) + "&track2=9999999999025288%3D4905&track3=1&unknown=1";
    let Ok(Request::Consume(sale)) = read(Operation::Consume, &body) else {
        panic!("no sale");
    };
    assert_eq!(sale.head.trace_no, TraceNo::new(123).unwrap());
    assert_eq!(sale.head.batch_no, Some(BatchNo::FIRST));
    assert_eq!(sale.card.card_no, "9999999999025288");
    assert_eq!(sale.card.track2.unwrap().card_no(), "9999999999025288");
    assert_eq!(sale.card.track3.unwrap().as_str(), "1");
    assert_eq!(sale.password.unwrap().to_hex(), "061253DFFEDCBA98");
    assert_eq!(sale.consume_type, "021");
    assert_eq!(sale.point_amount, Amount::new(150));
    assert_eq!(sale.cash_amount, Amount::new(10_000));
    let piece = Piece {
        id: 1,
        num: 2,
        kind: None,
    };
    assert_eq!(sale.vouchers, [piece]);
    assert_eq!(sale.register_trace_no.as_deref(), Some("R1"));
}

#[test]
fn a_sale_is_written_with_the_sources_names() {
    let request = read(Operation::Consume, &sample(Operation::Consume))
        .ok()
        .unwrap();
    let body = read_again(&request);
    assert_eq!(
        body,
        "storeNo=102100099990001&terminalNo=20141112&traceNo=000123&batchNo=000001\
         &cardNo=9999999999025288&password=061253DFFEDCBA98&consumeType=021&pointAmount=1.5\
         &cashAmount=100&vaucher=%5B%7B%22id%22%3A1%2C%22num%22%3A2%7D%5D&registerTraceNo=R1"
    );
}

#[test]
fn what_must_be_there_must_be_there() {
    for (operation, fields) in [
        (Operation::Checkin, "storeNo terminalNo operatorNo"),
        (Operation::Cards, "storeNo terminalNo cardNo traceNo"),
        (Operation::Tickets, "storeNo terminalNo cardNo traceNo"),
        (
            Operation::Consume,
            "storeNo terminalNo cardNo traceNo consumeType pointAmount cashAmount",
        ),
        (Operation::Cancel, "storeNo terminalNo cardNo traceNo"),
        (Operation::Refund, "storeNo terminalNo cardNo traceNo"),
        (Operation::RefundCancel, "storeNo terminalNo cardNo traceNo"),
        (
            Operation::TicketConsume,
            "storeNo terminalNo cardNo traceNo ticket",
        ),
        (Operation::SendVerifyCode, "storeNo terminalNo mobileNo"),
        (
            Operation::CardActive,
            "storeNo terminalNo cardNo traceNo mobileNo verifyCode idType",
        ),
        (
            Operation::Settle,
            "storeNo terminalNo traceNo pointDebitCount pointDebitAmount pointCeditCount \
             pointCreditAmount ticketDebitCount ticketDebitAmount ticketCreditCount \
             ticketCreditAmount totalTransCount cancelCount refundCount cardActiveCount",
        ),
        (
            Operation::SettleDetails,
            "storeNo terminalNo traceNo details",
        ),
        (Operation::ConsumeReversal, "storeNo terminalNo traceNo"),
        (Operation::RefundReversal, "storeNo terminalNo traceNo"),
    ] {
        for field in fields.split_whitespace() {
            let expected = format!("30 请重试：{field}");
            assert_eq!(refusal(operation, &without(operation, field)), expected);
            assert_eq!(refusal(operation, &with(operation, field, "")), expected);
        }
    }
}

#[test]
fn what_may_be_absent_may_be_empty_too() {
    for (operation, fields) in [
        (Operation::Cards, "batchNo track2 track3"),
        (
            Operation::Consume,
            "batchNo track2 track3 password vaucher registerTraceNo mac",
        ),
        (
            Operation::Refund,
            "batchNo oriBatchNo oriTraceNo oriTransTime oriTransDate oriRegisterTraceNo",
        ),
        (Operation::SendVerifyCode, "traceNo batchNo"),
        (Operation::CardActive, "batchNo idNo"),
        (Operation::Settle, "batchNo cardNo"),
        (Operation::ConsumeReversal, "batchNo cardNo pointAmount"),
    ] {
        for field in fields.split_whitespace() {
            assert!(
                is_accepted(operation, &without(operation, field)),
                "{field}"
            );
            assert!(
                is_accepted(operation, &with(operation, field, "")),
                "{field}"
            );
        }
    }
}

#[test]
fn a_bad_value_names_its_field() {
    let long = "x".repeat(65);
    for (operation, field, value) in [
        (Operation::Checkin, "operatorNo", long.as_str()),
        (Operation::Cards, "storeNo", "a\0b"),
        (Operation::Cards, "cardNo", "99 88"),
        (
            Operation::Cards,
            "cardNo",
            "123456789012345678901234567890123",
        ),
        (Operation::Cards, "traceNo", "123"),
        (Operation::Cards, "traceNo", "000000"),
        (Operation::Cards, "batchNo", "1"),
        (Operation::Cards, "track2", "9999999999025288"),
        (Operation::Consume, "consumeType", "1"),
        (Operation::Consume, "consumeType", "0211"),
        (Operation::Consume, "consumeType", "ab"),
        (Operation::Consume, "vaucher", "x"),
        (Operation::Consume, "vaucher", "{}"),
        (Operation::Consume, "vaucher", "[1]"),
        (
            Operation::Consume,
            "vaucher",
            r#"[{"id":1,"num":1},{"id":"1","num":2}]"#,
        ),
        (Operation::Refund, "oriSerialNo", "12a"),
        (Operation::Refund, "oriTraceNo", "12"),
        (Operation::Refund, "oriTransDate", "2014-11-11"),
        (Operation::SendVerifyCode, "mobileNo", "23800000000"),
        (Operation::SendVerifyCode, "mobileNo", "1380000000"),
        (Operation::CardActive, "idType", "08"),
        (Operation::Settle, "cancelCount", "-1"),
        (Operation::Settle, "cancelCount", "1.5"),
        (Operation::Settle, "cancelCount", "1000000"),
        (Operation::SettleDetails, "details", "{}"),
    ] {
        let answer = refusal(operation, &with(operation, field, value));
        assert_eq!(answer, format!("30 请重试：{field}"), "{value}");
    }
}

#[test]
fn a_bad_amount_names_its_field() {
    for (operation, field, value) in [
        (Operation::Consume, "pointAmount", "1.005"),
        (Operation::Consume, "pointAmount", "-1"),
        (Operation::Consume, "cashAmount", "1e3"),
        (Operation::Consume, "cashAmount", "100000000"),
        (Operation::Settle, "pointCreditAmount", "x"),
    ] {
        let answer = refusal(operation, &with(operation, field, value));
        assert_eq!(
            answer,
            format!("13 交易金额超限 请重试：{field}"),
            "{value}"
        );
    }
    assert!(is_accepted(
        Operation::Settle,
        &with(Operation::Settle, "pointDebitAmount", "9999999999999.99")
    ));
}

#[test]
fn a_sale_of_nothing_is_none() {
    let nothing = without(Operation::Consume, "vaucher")
        .replace("pointAmount=1.50", "pointAmount=0.00")
        .replace("cashAmount=100", "cashAmount=0");
    assert_eq!(
        refusal(Operation::Consume, &nothing),
        "13 交易金额超限 请重试：pointAmount"
    );
    let voucher = r#"&vaucher=[{"id":1,"num":1}]"#;
    assert!(is_accepted(Operation::Consume, &(nothing + voucher)));
}

#[test]
fn a_password_that_is_no_block_has_a_status_of_its_own() {
    for value in ["123456", "061253DFFEDCBA9X", "061253DFFEDCBA9800"] {
        let body = with(Operation::Consume, "password", value);
        assert_eq!(refusal(Operation::Consume, &body), "99 校验错, 请重新签到");
        let error = read(Operation::Consume, &body).err().unwrap();
        assert_eq!(error.field(), "password");
    }
}

#[test]
fn a_form_at_fault_is_named() {
    let twice = sample(Operation::Cards) + "&cardNo=1";
    assert_eq!(refusal(Operation::Cards, &twice), "30 请重试：cardNo");
    let unknown_twice = sample(Operation::Cards) + "&x=1&x=2";
    assert_eq!(refusal(Operation::Cards, &unknown_twice), "30 请重试：x");
    let large = "a".repeat(256 * 1024 + 1);
    assert_eq!(refusal(Operation::Cards, &large), "30 请重试：body");
    let journal = format!("{}&x={large}", sample(Operation::SettleDetails));
    assert!(is_accepted(Operation::SettleDetails, &journal));
}

#[test]
fn lists_are_read_leniently_and_exactly() {
    let read = |value: &str| {
        let body = with(Operation::Consume, "vaucher", value);
        match read(Operation::Consume, &body) {
            Ok(Request::Consume(sale)) => Ok(sale.vouchers),
            Ok(_) => panic!("no sale"),
            Err(error) => Err(error.field()),
        }
    };
    let piece = |id, num| Piece {
        id,
        num,
        kind: None,
    };
    assert_eq!(read("[]"), Ok(vec![]));
    assert_eq!(read("null"), Ok(vec![]));
    assert_eq!(
        read(
            r#" [ {"id":"2","num":"3","name":"v","type":"x","amount":1.5,"x":[{}]} , {"num":1,"id":1} ] "#
        ),
        Ok(vec![piece(2, 3), piece(1, 1)])
    );
    for (value, field) in [
        (r#"[{"id":1}]"#, "vaucher[0].num"),
        (r#"[{"id":1,"num":1},{"num":1}]"#, "vaucher[1].id"),
        (r#"[{"id":0,"num":1}]"#, "vaucher[0].id"),
        (r#"[{"id":9223372036854775808,"num":1}]"#, "vaucher[0].id"),
        (r#"[{"id":1,"num":0}]"#, "vaucher[0].num"),
        (r#"[{"id":1,"num":10000}]"#, "vaucher[0].num"),
        (r#"[{"id":1,"num":1.0}]"#, "vaucher[0].num"),
        (r#"[{"id":1,"num":-1}]"#, "vaucher[0].num"),
        (r#"[{"id":1,"id":2,"num":1}]"#, "vaucher[0].id"),
        (r#"[{"id":[1],"num":1}]"#, "vaucher[0].id"),
        (r#"[{"id":1,"num":1,"x":[[[[[[[[1]]]]]]]]}]"#, "vaucher"),
        (r#"[{"id":1,"num":1}] x"#, "vaucher"),
    ] {
        assert_eq!(read(value), Err(field.to_owned()), "{value}");
    }
    let many = |pieces: usize| {
        let pieces = (1..=pieces).map(|id| format!(r#"{{"id":{id},"num":1}}"#));
        format!("[{}]", pieces.collect::<Vec<_>>().join(","))
    };
    assert_eq!(read(&many(100)).unwrap().len(), 100);
    assert_eq!(read(&many(101)), Err("vaucher".to_owned()));
}

#[test]
fn tickets_say_their_kind() {
    let body = sample(Operation::TicketConsume);
    let Ok(Request::TicketConsume(message)) = read(Operation::TicketConsume, &body) else {
        panic!("no redemption");
    };
    let kinds: Vec<_> = message
        .tickets
        .iter()
        .map(|it| it.kind.unwrap().code())
        .collect();
    assert_eq!(kinds, ["01"]);
    let unknown = with(
        Operation::TicketConsume,
        "ticket",
        r#"[{"id":1,"num":1,"type":"04"}]"#,
    );
    assert_eq!(
        refusal(Operation::TicketConsume, &unknown),
        "30 请重试：ticket[0].type"
    );
    let empty = with(Operation::TicketConsume, "ticket", "[]");
    assert_eq!(
        refusal(Operation::TicketConsume, &empty),
        "30 请重试：ticket"
    );
}

fn original(body: &str) -> Result<Original, RequestError> {
    let Request::Refund(message) = read(Operation::Refund, body)? else {
        panic!("no refund");
    };
    Ok(message.original)
}

#[test]
fn an_original_is_named_by_either_set_of_fields() {
    let head = without(Operation::Cards, "batchNo");
    let tables =
        format!("{head}&oriSerialNo=100000000231&oriTransDate=20141111&oriRegisterTraceNo=R1");
    let read = original(&tables).unwrap();
    assert_eq!(read.serial_no.as_deref(), Some("100000000231"));
    assert_eq!(read.trans_date.as_deref(), Some("20141111"));
    assert_eq!(read.register_trace_no.as_deref(), Some("R1"));
    let clients = format!("{head}&oriBatchNo=000007&oriTraceNo=000122&oriTransTime=yesterday");
    let read = original(&clients).unwrap();
    assert_eq!((read.serial_no, read.trans_date), (None, None));
    assert_eq!(read.batch_no, BatchNo::new(7));
    assert_eq!(read.trace_no, TraceNo::new(122));
    assert_eq!(read.trans_time.as_deref(), Some("yesterday"));
    let neither = format!("{head}&oriBatchNo=000007&oriTransTime=1415125804");
    assert_eq!(
        refusal(Operation::Refund, &neither),
        "30 请重试：oriSerialNo"
    );
}

#[test]
fn an_originals_time_refuses_nothing() {
    for value in ["x\u{1}", &"9".repeat(100)] {
        let body = with(Operation::Refund, "oriTransTime", value);
        assert_eq!(original(&body).unwrap().trans_time, None);
    }
}

#[test]
fn only_the_head_refuses_a_reversal() {
    let body = with(Operation::ConsumeReversal, "pointAmount", "x")
        .replace("cashAmount=100", "cashAmount=1.005")
        .replace("consumeType=021", "consumeType=")
        .replace("cardNo=9999999999025288", "cardNo=%20");
    let Ok(Request::ConsumeReversal(reversal)) = read(Operation::ConsumeReversal, &body) else {
        panic!("no reversal");
    };
    assert_eq!(reversal.head.trace_no, TraceNo::new(123).unwrap());
    assert_eq!(reversal.point_amount, Repeated::Unreadable);
    assert_eq!(reversal.cash_amount, Repeated::Unreadable);
    assert_eq!(reversal.card_no, Repeated::Unreadable);
    assert_eq!(reversal.tickets, Repeated::Absent);
    assert!(!reversal.cash_amount.agrees_with(&Amount::new(10_000)));
    assert!(reversal.tickets.agrees_with(&vec![]));
}

#[test]
fn a_reversal_agrees_with_its_original() {
    let sale = sample(Operation::Consume);
    let Ok(Request::ConsumeReversal(reversal)) = read(Operation::ConsumeReversal, &sale) else {
        panic!("no reversal");
    };
    let Ok(Request::Consume(sale)) = read(Operation::Consume, &sale) else {
        panic!("no sale");
    };
    assert!(reversal.card_no.agrees_with(&sale.card.card_no));
    assert!(reversal.point_amount.agrees_with(&sale.point_amount));
    assert!(reversal.vouchers.agrees_with(&sale.vouchers));
    assert!(!reversal.cash_amount.agrees_with(&Amount::new(1)));
}

#[test]
fn the_sender_is_known_before_the_rest_is_read() {
    let form = Form::decode(b"storeNo=1&terminalNo=2&cardNo=%20", 100)
        .ok()
        .unwrap();
    let terminal = Terminal::decode(&form).unwrap();
    assert_eq!((&*terminal.store_no, &*terminal.terminal_no), ("1", "2"));
}
