//! The source's reply samples, and what a failure says.

use wire::jpos::person::{Gender, Grade, IdType, TicketKind};
use wire::jpos::reply::{
    self, Balances, CardsReply, CheckinReply, ConsumeReply, Difference, EntryResult, Holder,
    Points, RefundReply, ReplyError, Returned, SettleFlag, SettleReply, TicketConsumeReply,
    TicketLine, TicketsReply, Verdict, VoucherLine,
};
use wire::jpos::{
    Amount, BatchNo, Body, Layout, MemberError, Operation, Outcome, Reply, SerialNo, Status,
    TimeUnit, TraceNo,
};

const TIME_MS: i64 = 1_415_125_804_472;

/// Writes a reply, reads it again, and takes the head that all have off its text.
fn written(operation: Operation, body: Body) -> String {
    let reply = Reply::approved(body, TIME_MS);
    let text = reply.encode(TimeUnit::Milliseconds);
    let read = Reply::decode(operation, TimeUnit::Milliseconds, text.as_bytes());
    assert!(read.ok().unwrap() == reply, "{text}");
    let head = r#"{"status":"00","message":"交易成功","transTime":1415125804472"#;
    text.strip_prefix(head).unwrap().to_owned()
}

fn refused(operation: Operation, status: Status) -> String {
    let outcome = Outcome::new(status);
    let reply = Reply::refused(operation, Layout::Short, outcome, TIME_MS);
    let text = reply.encode(TimeUnit::Seconds);
    let read = Reply::decode(operation, TimeUnit::Seconds, text.as_bytes());
    assert!(read.ok().unwrap().body == reply.body, "{text}");
    text
}

fn balances(total: i64, available: i64) -> Balances {
    Balances {
        total: Amount::new(total),
        available: Amount::new(available),
    }
}

fn serial() -> SerialNo {
    SerialNo::new(100_000_000_231).unwrap()
}

fn points() -> Points {
    Points {
        serial_no: serial(),
        balances: balances(100, 100),
        used: Amount::ZERO,
        present: Amount::ZERO,
    }
}

fn voucher(id: i64, num: u32, name: &str) -> VoucherLine {
    VoucherLine {
        id,
        amount: Amount::new(100),
        num,
        name: name.to_owned(),
    }
}

fn cards() -> CardsReply {
    CardsReply {
        balances: Some(balances(100, 0)),
        vouchers: vec![voucher(1, 2, "vv1"), voucher(2, 1, "vv2")],
        holder: Holder {
            id_type: Some(IdType::IdentityCard),
            id_no: "0123456789012345678".into(),
            name: "张三".into(),
            gender: Some(Gender::Male),
            mobile_no: "13800000000".into(),
            grade: Some(Grade::Green),
            address: String::new(),
            email: "zhangsan@gmail.com".into(),
        },
    }
}

fn ticket(id: i64, kind: TicketKind, amount: i64, name: &str, num: u32) -> TicketLine {
    TicketLine {
        id,
        kind,
        amount: Amount::new(amount),
        name: name.to_owned(),
        num,
    }
}

#[test]
fn checkin() {
    let body = Body::Checkin(CheckinReply {
        batch_no: Some(BatchNo::FIRST),
        store_name: "一店".into(),
        working_key: "00FF".into(),
    });
    assert_eq!(
        written(Operation::Checkin, body),
        r#","batchNo":"000001","storeName":"一店","workingKey":"00FF"}"#
    );
}

#[test]
fn cards_sample() {
    assert_eq!(
        written(Operation::Cards, Body::Cards(cards())),
        concat!(
            r#","pointBalance":1,"avaiablePointBalance":0,"#,
            r#""vaucher":[{"id":1,"amount":1,"num":2,"name":"vv1"},"#,
            r#"{"id":2,"amount":1,"num":1,"name":"vv2"}],"#,
            r#""idType":"01","idNo":"0123456789012345678","name":"张三","gender":"01","#,
            r#""mobileNo":"13800000000","grade":"0","address":"","email":"zhangsan@gmail.com"}"#
        )
    );
}

#[test]
fn consume_sample() {
    let body = Body::Consume(ConsumeReply {
        points: Some(points()),
        advertisement: "欢迎参加 xxx 活动".into(),
    });
    assert_eq!(
        written(Operation::Consume, body),
        concat!(
            r#","serialNo":"100000000231","pointBalance":1,"avaiablePointBalance":1,"#,
            r#""usePoint":0,"persentPoint":0,"advertisement":"欢迎参加 xxx 活动"}"#
        )
    );
}

#[test]
fn cancel_and_refund_cancel_samples() {
    for operation in [Operation::Cancel, Operation::RefundCancel] {
        assert_eq!(
            written(operation, Body::Cancel(Some(points()))),
            concat!(
                r#","serialNo":"100000000231","pointBalance":1,"avaiablePointBalance":1,"#,
                r#""usePoint":0,"persentPoint":0}"#
            )
        );
    }
}

#[test]
fn refund_sample() {
    let body = Body::Refund(RefundReply(Some(Returned {
        serial_no: serial(),
        balances: balances(100, 100),
        points: Amount::ZERO,
        present_points: Amount::ZERO,
        cash: Amount::ZERO,
        supply_cash: Amount::ZERO,
    })));
    assert_eq!(
        written(Operation::Refund, body),
        concat!(
            r#","serialNo":"100000000231","pointBalance":1,"avaiablePointBalance":1,"#,
            r#""returnPoint":0,"returnPersentPoint":0,"returnCash":0,"supplyCash":0}"#
        )
    );
}

#[test]
fn tickets_sample() {
    let body = Body::Tickets(TicketsReply {
        serial_no: Some(serial()),
        balances: Some(balances(100, 100)),
        tickets: vec![
            ticket(1, TicketKind::GroupBuy, 1_000, "xx 团购券", 5),
            ticket(2, TicketKind::Cash, 10_000, "xx 代金券", 10),
        ],
    });
    assert_eq!(
        written(Operation::Tickets, body),
        concat!(
            r#","serialNo":"100000000231","pointBalance":1,"avaiablePointBalance":1,"#,
            r#""usePoint":0,"persentPoint":0,"#,
            r#""ticket":[{"id":1,"type":"01","amount":10,"name":"xx 团购券","num":5},"#,
            r#"{"id":2,"type":"03","amount":100,"name":"xx 代金券","num":10}]}"#
        )
    );
}

#[test]
fn ticket_consume_and_card_active() {
    let body = Body::TicketConsume(TicketConsumeReply {
        serial_no: Some(serial()),
        advertisement: String::new(),
    });
    assert_eq!(
        written(Operation::TicketConsume, body),
        r#","serialNo":"100000000231","advertisement":""}"#
    );
    assert_eq!(
        written(Operation::CardActive, Body::CardActive(Some(serial()))),
        r#","serialNo":"100000000231"}"#
    );
}

#[test]
fn settle() {
    let balanced = Body::Settle(SettleReply {
        flag: Some(SettleFlag::Balanced),
        differences: vec![],
    });
    assert_eq!(
        written(Operation::Settle, balanced),
        r#","settleFlag":"ss"}"#
    );
    let unbalanced = Body::Settle(SettleReply {
        flag: Some(SettleFlag::Unbalanced),
        differences: vec![Difference::new(
            "pointCeditCount",
            Amount::of_count(2),
            Amount::of_count(1),
        )],
    });
    assert_eq!(
        written(Operation::Settle, unbalanced),
        concat!(
            r#","settleFlag":"ns","#,
            r#""differences":[{"field":"pointCeditCount","host":2,"terminal":1}]}"#
        )
    );
}

fn result(trace_no: u32, verdict: Verdict) -> EntryResult {
    EntryResult {
        operation: Operation::Consume,
        trace_no: TraceNo::new(trace_no).unwrap(),
        serial_no: None,
        verdict,
    }
}

#[test]
fn settle_details() {
    let differing = Difference::new("pointAmount", Amount::new(150), Amount::new(-5));
    let body = Body::SettleDetails(vec![
        EntryResult {
            serial_no: SerialNo::new(12),
            ..result(1, Verdict::Matched)
        },
        result(2, Verdict::OnlyAtTerminal),
        result(3, Verdict::OnlyAtHost),
        result(4, Verdict::AmountsDiffer(vec![differing])),
    ]);
    assert_eq!(
        written(Operation::SettleDetails, body),
        concat!(
            r#","details":[{"function":"trans/consume","traceNo":"000001","#,
            r#""serialNo":"000000000012","result":"matched"},"#,
            r#"{"function":"trans/consume","traceNo":"000002","result":"terminalOnly"},"#,
            r#"{"function":"trans/consume","traceNo":"000003","result":"hostOnly"},"#,
            r#"{"function":"trans/consume","traceNo":"000004","result":"different","#,
            r#""differences":[{"field":"pointAmount","host":1.5,"terminal":-0.05}]}]}"#
        )
    );
}

#[test]
fn reversals_and_codes_say_only_how_it_went() {
    for operation in [
        Operation::SendVerifyCode,
        Operation::ConsumeReversal,
        Operation::CancelReversal,
        Operation::RefundReversal,
        Operation::RefundCancelReversal,
        Operation::TicketConsumeReversal,
    ] {
        assert_eq!(written(operation, Body::Plain), "}");
    }
}

#[test]
fn a_failure_lacks_nothing_that_clients_read_blindly() {
    assert_eq!(
        refused(Operation::Checkin, Status::UnknownTerminal),
        format!(
            concat!(
                r#"{{"status":"97","message":"终端未登记, 请联系收单行或银联","#,
                r#""transTime":1415125804,"batchNo":"000000","storeName":"","workingKey":"{}"}}"#
            ),
            "0".repeat(48)
        )
    );
    assert_eq!(
        refused(Operation::Cards, Status::UnknownCard),
        concat!(
            r#"{"status":"14","message":"无效卡号, 请联系发卡行","transTime":1415125804,"#,
            r#""vaucher":[],"idType":"","idNo":"","name":"","gender":"","mobileNo":"","#,
            r#""grade":"","address":"","email":""}"#
        )
    );
    assert_eq!(
        refused(Operation::Consume, Status::TooLittle),
        concat!(
            r#"{"status":"51","message":"余额不足, 请查询","transTime":1415125804,"#,
            r#""advertisement":""}"#
        )
    );
}

#[test]
fn every_operation_can_be_refused() {
    for operation in Operation::ALL {
        for status in Status::ALL {
            if *status != Status::Approved {
                let text = refused(*operation, *status);
                assert!(!text.contains("null"), "{text}");
                assert!(text.contains(r#""transTime":1415125804"#), "{text}");
            }
        }
    }
}

#[test]
fn a_path_that_leads_nowhere_is_answered_too() {
    assert_eq!(
        reply::unknown_function(TimeUnit::Seconds, TIME_MS),
        r#"{"status":"40","message":"请联系发卡行","transTime":1415125804}"#
    );
}

#[test]
fn numbers_print_without_needless_fractions() {
    let body = Body::Cards(CardsReply {
        balances: Some(balances(1_250, 1_205)),
        ..CardsReply::default()
    });
    let text = written(Operation::Cards, body);
    assert!(text.starts_with(r#","pointBalance":12.5,"avaiablePointBalance":12.05,"#));
}

#[test]
fn a_time_is_in_the_terminals_unit() {
    assert_eq!(TimeUnit::Seconds.of_ms(1_999), 1);
    assert_eq!(TimeUnit::Seconds.of_ms(-1), -1);
    assert_eq!(TimeUnit::Milliseconds.of_ms(1_999), 1_999);
    assert_eq!(TimeUnit::Seconds.to_ms(2), Some(2_000));
    assert_eq!(TimeUnit::Seconds.to_ms(i64::MAX), None);
}

fn decode(operation: Operation, text: &str) -> Result<Reply, ReplyError> {
    Reply::decode(operation, TimeUnit::Seconds, text.as_bytes())
}

/// The sample of a sale as the source prints it, with numbers in other spellings.
const SAMPLE: &str = r#"
{
  "status": "00",
  "message": "成功",
  "transTime": 1415125804,
  "serialNo": "100000000012",
  "pointBalance": 1.00,
  "avaiablePointBalance": "1",
  "usePoint": 0,
  "persentPoint": 0,
  "extra": {"x": [null, true]}
}
"#;

#[test]
fn a_client_reads_what_others_print() {
    let reply = decode(Operation::Consume, SAMPLE).ok().unwrap();
    assert_eq!(reply.outcome.status(), Status::Approved);
    assert_eq!(reply.outcome.message(), "成功");
    assert_eq!(reply.trans_time_ms, 1_415_125_804_000);
    let Body::Consume(sale) = reply.body else {
        panic!("no sale");
    };
    assert_eq!(sale.advertisement, "");
    assert_eq!(sale.points.unwrap().balances, balances(100, 100));
}

#[test]
fn what_a_client_cannot_read_is_named() {
    use MemberError::{Invalid, Missing};
    for (from, to, error) in [
        (r#""00""#, r#""08""#, Invalid("status")),
        (r#""status""#, r#""x""#, Missing("status")),
        ("1415125804", r#""now""#, Invalid("transTime")),
        ("1415125804", "null", Missing("transTime")),
        ("1415125804", "9223372036854775807", Invalid("transTime")),
        ("100000000012", "10000000000012", Invalid("serialNo")),
        (r#""serialNo""#, r#""x""#, Missing("serialNo")),
        ("1.00", "1.005", Invalid("pointBalance")),
        ("1.00", "true", Invalid("pointBalance")),
        ("1.00", "1e2", Invalid("pointBalance")),
        (r#""usePoint""#, r#""x""#, Missing("usePoint")),
        (
            r#""usePoint": 0"#,
            r#""usePoint": 0, "usePoint": 0"#,
            Invalid("usePoint"),
        ),
    ] {
        let text = SAMPLE.replace(from, to);
        let found = decode(Operation::Consume, &text).err();
        assert_eq!(found, Some(ReplyError::Member(error)), "{text}");
    }
}

#[test]
fn what_is_no_json_object_is_no_reply() {
    for text in ["", "x", "[]", "null", "1", "{", "{} x", &"[".repeat(100)] {
        let error = decode(Operation::Consume, text).err();
        assert_eq!(error, Some(ReplyError::NotJson), "{text}");
    }
    let not_utf8 = Reply::decode(Operation::Consume, TimeUnit::Seconds, b"{\xFF}");
    assert_eq!(not_utf8.err(), Some(ReplyError::NotJson));
    let large = vec![b' '; reply::REPLY_BYTES_MAX + 1];
    let too_large = Reply::decode(Operation::Consume, TimeUnit::Seconds, &large);
    assert_eq!(too_large.err(), Some(ReplyError::TooLarge));
}

#[test]
fn a_refusal_may_say_more() {
    let text = r#"{"status":"51","message":"","transTime":1,"serialNo":"000000000001",
        "pointBalance":3,"avaiablePointBalance":2,"usePoint":0,"persentPoint":0}"#;
    let Body::Consume(sale) = decode(Operation::Consume, text).ok().unwrap().body else {
        panic!("no sale");
    };
    assert_eq!(sale.points.unwrap().balances, balances(300, 200));
}

#[test]
fn any_flag_but_ss_is_unbalanced() {
    let flag = |flag: &str| {
        let text = format!(r#"{{"status":"00","transTime":1,"settleFlag":"{flag}"}}"#);
        let Body::Settle(reply) = decode(Operation::Settle, &text).ok().unwrap().body else {
            panic!("no settlement");
        };
        reply.flag
    };
    assert_eq!(flag("ss"), Some(SettleFlag::Balanced));
    assert_eq!(flag("ns"), Some(SettleFlag::Unbalanced));
    assert_eq!(flag("x"), Some(SettleFlag::Unbalanced));
    assert_eq!(flag(""), None);
}
