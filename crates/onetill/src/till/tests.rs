//! What a terminal sends is what the gateway's decoder reads, and its journal adds up.

use super::{sale::NewHolder, *};
use wire::jpos::{
    Amount, Body, Form, Key, Mac, Operation, Pin, PinBlock, Reply, Request, SerialNo, Status,
    TraceNo, WorkingKeys,
    person::IdType,
    reply::{
        Balances, CardsReply, CheckinReply, ConsumeReply, Points, SettleFlag, SettleReply,
        VoucherLine,
    },
};
use zeroize::Zeroizing;

const TMK: &str = "CA5D92598DCA48CE8A4C76361A9269E9";
const WORKING_KEY: &str =
    "6701EAD6A9AD51E51AA406E2C27FCFA98D0A74B8B651F9E9BACE9AE10000000000000000AB7153CA";
const CARD: &str = "9999999999025320";

fn checked_in() -> Till {
    let mut till = Till::new("102100099990001", "20141112");
    check_in(&mut till, 1);
    till
}

fn check_in(till: &mut Till, batch: u32) -> bool {
    let reply = CheckinReply {
        batch_no: wire::jpos::BatchNo::new(batch),
        store_name: "演示门店".to_owned(),
        working_key: WORKING_KEY.to_owned(),
    };
    till.checked_in(&reply, &Key::parse_hex(TMK).unwrap())
        .unwrap()
}

fn decoded(message: &Message) -> Request {
    let form = Form::decode(message.body.as_bytes(), 1 << 20).unwrap();
    Request::decode(message.operation, &form).unwrap_or_else(|error| panic!("{error}"))
}

fn points(serial: u64) -> Points {
    Points {
        serial_no: SerialNo::new(serial).unwrap(),
        balances: Balances::default(),
        used: Amount::ZERO,
        present: Amount::ZERO,
    }
}

fn sold(serial: u64) -> Reply {
    let body = Body::Consume(ConsumeReply {
        points: Some(points(serial)),
        advertisement: String::new(),
    });
    Reply::approved(body, 0)
}

fn refused(operation: Operation, status: Status) -> Reply {
    let layout = wire::jpos::Layout::Short;
    Reply::refused(operation, layout, wire::jpos::Outcome::new(status), 0)
}

fn purchase(cash: i64, points: i64) -> Purchase {
    Purchase {
        cash_amount: Amount::new(cash),
        point_amount: Amount::new(points),
        ..Purchase::new(Swipe::typed(CARD))
    }
}

#[test]
fn a_sale_carries_pin_and_mac_under_the_working_keys() {
    let mut till = checked_in();
    let sale = Purchase {
        pin: Some(Pin::parse("123456").ok().unwrap()),
        ..purchase(1250, 100)
    };
    let message = till.sell(&sale).unwrap();
    let keys = WorkingKeys::unwrap(&Key::parse_hex(TMK).unwrap(), WORKING_KEY);
    let keys = keys.ok().unwrap();
    let form = Form::decode(message.body.as_bytes(), 1 << 20).unwrap();
    Mac::verify(&keys.mac, &form).unwrap();
    let block = PinBlock::parse(form.get("password").unwrap()).ok().unwrap();
    assert_eq!(block.open(&keys.pin, CARD).ok().unwrap().digits(), "123456");
    let Request::Consume(read) = decoded(&message) else {
        panic!("not a sale");
    };
    assert_eq!(read.consume_type, "011");
    assert_eq!(
        (read.cash_amount.get(), read.point_amount.get()),
        (1250, 100)
    );
    assert_eq!(read.head.trace_no, TraceNo::FIRST);
    till.has_mac = false;
    assert!(!till.repeat().unwrap().body.contains("mac="));
}

#[test]
fn an_open_message_stands_in_the_way_until_it_is_reversed() {
    let mut till = checked_in();
    let message = till.sell(&purchase(100, 0)).unwrap();
    let first = TraceNo::FIRST;
    assert_eq!(
        till.sell(&purchase(100, 0)).err(),
        Some(TillError::Unanswered(first))
    );
    // Questions may be asked all the same.
    let question = till.ask_card(&Swipe::typed(CARD)).unwrap();
    assert!(question.body.contains("traceNo=000002"));
    let reversal = till.reverse().unwrap();
    assert_eq!(
        (reversal.operation, &reversal.body),
        (Operation::ConsumeReversal, &message.body)
    );
    assert!(!till.reversed(Status::Internal), "asked again");
    assert!(till.unanswered().is_some());
    assert!(till.reversed(Status::OriginalMissing));
    assert_eq!(till.journal.entries(), []);
    assert!(
        till.sell(&purchase(100, 0))
            .unwrap()
            .body
            .contains("traceNo=000003")
    );
}

#[test]
fn only_approved_messages_count_and_reversed_ones_count_no_more() {
    let mut till = checked_in();
    for (serial, reply) in [
        (11, None),
        (12, Some(Status::TooLittle)),
        (13, Some(Status::Internal)),
    ] {
        till.sell(&purchase(500, 250)).unwrap();
        let reply = reply.map_or_else(|| sold(serial), |it| refused(Operation::Consume, it));
        till.answered(&reply);
    }
    assert_eq!(
        till.unanswered().map(|(_, it)| it.get()),
        Some(3),
        "nobody knows"
    );
    // Asked again, it turns out to be done; once more makes no difference.
    for _ in 0..2 {
        assert!(till.repeat().unwrap().body.contains("traceNo=000003"));
        till.answered(&sold(13));
    }
    let totals = till.journal.totals();
    assert_eq!((totals.point_debit_count, totals.total_trans_count), (2, 2));
    assert_eq!(totals.point_debit_amount.get(), 500);
    till.reverse().unwrap();
    assert!(till.reversed(Status::Approved));
    assert_eq!(till.journal.totals().point_debit_count, 1);
}

#[test]
fn what_is_taken_back_is_found_and_counts_on_the_other_side() {
    let mut till = checked_in();
    let unknown = till.sell(&voucher_sale()).err().unwrap().to_string();
    assert!(unknown.contains("call card"), "{unknown}");
    till.learn(&Body::Cards(CardsReply {
        vouchers: vec![VoucherLine {
            id: 1,
            amount: Amount::new(100),
            num: 2,
            name: "v".to_owned(),
        }],
        ..CardsReply::default()
    }));
    till.sell(&voucher_sale()).unwrap();
    till.answered(&sold(21));
    let void = till
        .take_back(TakeBackKind::Void, &Which::Newest, None)
        .unwrap();
    let Request::Cancel(read) = decoded(&void) else {
        panic!("not a cancellation");
    };
    assert_eq!(read.original.serial_no.as_deref(), Some("000000000021"));
    assert_eq!(
        (read.original.trace_no, read.card.card_no.as_str()),
        (Some(TraceNo::FIRST), CARD)
    );
    till.answered(&Reply::approved(Body::Cancel(Some(points(22))), 0));
    let named: Vec<_> = till.journal.totals().named().into_iter().collect();
    let values: Vec<i64> = named.iter().map(|(_, total)| total.get()).collect();
    // Counts are in hundredths too.
    assert_eq!(
        values,
        [100, 300, 100, 300, 200, 200, 200, 200, 200, 100, 0, 0]
    );
    // Nothing stands any more that an unnamed void could mean.
    let again = till.take_back(TakeBackKind::Void, &Which::Newest, None);
    assert_eq!(again.err(), Some(TillError::NoOriginal));
    // A named one is for the gateway to judge.
    let named = Which::Trace(TraceNo::FIRST, None);
    assert!(till.take_back(TakeBackKind::Void, &named, None).is_ok());
}

fn voucher_sale() -> Purchase {
    Purchase {
        vouchers: vec![(1, 2)],
        ..purchase(0, 300)
    }
}

#[test]
fn a_sale_of_an_earlier_batch_is_returned_and_one_of_elsewhere_by_its_serial() {
    let mut till = checked_in();
    till.sell(&purchase(700, 0)).unwrap();
    till.answered(&sold(31));
    assert!(
        !check_in(&mut till, 1),
        "a check-in within a batch goes on with it"
    );
    assert_eq!(
        (till.journal.entries().len(), till.next_trace().get()),
        (1, 2)
    );
    till.settle().unwrap();
    let settled = SettleReply {
        flag: Some(SettleFlag::Balanced),
        differences: Vec::new(),
    };
    till.answered(&Reply::approved(Body::Settle(settled), 0));
    assert_eq!(
        till.sell(&purchase(1, 0)).err(),
        Some(TillError::NotCheckedIn)
    );
    assert!(check_in(&mut till, 2));
    assert_eq!(
        (till.journal.entries().len(), till.next_trace().get()),
        (0, 1)
    );
    let void = till
        .take_back(TakeBackKind::Return, &Which::Newest, None)
        .unwrap();
    let Request::Refund(read) = decoded(&void) else {
        panic!("not a refund");
    };
    assert_eq!(read.original.batch_no.map(|it| it.get()), Some(1));
    assert!(till.reversed(Status::Approved));
    let elsewhere = Which::Serial("000990000001".to_owned());
    let nameless = till.take_back(TakeBackKind::Return, &elsewhere, None);
    assert_eq!(nameless.err(), Some(TillError::NoOriginal), "whose card?");
    let message = till
        .take_back(TakeBackKind::Return, &elsewhere, Some(CARD))
        .unwrap();
    assert!(message.body.contains("oriSerialNo=000990000001"));
}

#[test]
fn a_settlement_without_answer_is_sent_again_as_it_was() {
    let mut till = checked_in();
    let first = till.settle().unwrap();
    assert_eq!(till.settle().unwrap().body, first.body);
    assert!(matches!(decoded(&first), Request::Settle(_)));
    assert!(matches!(
        till.reverse().err(),
        Some(TillError::NotReversible("trans/settle"))
    ));
    let unbalanced = SettleReply {
        flag: Some(SettleFlag::Unbalanced),
        differences: Vec::new(),
    };
    till.answered(&Reply::approved(Body::Settle(unbalanced), 0));
    assert!(till.batch_no().is_some());
    let journal = till.send_journal().unwrap();
    assert!(matches!(decoded(&journal), Request::SettleDetails(it) if it.entries.is_empty()));
    till.answered(&Reply::approved(Body::SettleDetails(Vec::new()), 0));
    assert_eq!(till.batch_no(), None);
}

#[test]
fn a_terminal_remembers_all_of_it_in_a_text() {
    let mut till = checked_in();
    till.sell(&purchase(700, 0)).unwrap();
    till.answered(&sold(41));
    let holder = NewHolder {
        mobile_no: "13900000000".to_owned(),
        verify_code: Zeroizing::new("123456".to_owned()),
        id_type: IdType::IdentityCard,
        id_no: None,
    };
    let sent = till
        .activate(&Swipe::typed("9999999999025296"), holder)
        .unwrap();
    let text = serde_json::to_string(&till).unwrap();
    let read: Till = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    assert!(read.repeat().unwrap() == sent);
    assert_eq!(format!("{read:?}"), "Till 102100099990001/20141112");
}
