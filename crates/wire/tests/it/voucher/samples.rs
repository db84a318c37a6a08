//! Every sample of both sources, as it stands there.
//!
//! Repaired is only what the pages broke: the Chinese words, which are lost, stand for themselves;
//! the box tree begins in the middle and lacks the brackets that end its lists, as does the
//! history; activeByPartNo's Base64 is broken over lines and stays so.

use super::{accepted, compact};
use wire::Locale;
use wire::voucher::reply::{Bill, CodesReply, Place, Reply, TraceEntry, TraceReply, Tree};
use wire::voucher::request::Request;
use wire::voucher::{
    Action, CivilTime, CodeStatus, Document, PartNoReply, ReturnCode, Sign, SignError, StatusCode,
    TraceKind, TreeShape, VerifyingKey,
};

const BOX_TREE: &str = include_str!("samples/box_tree.json");
const PACKAGE_TREE: &str = include_str!("samples/package_tree.json");
const VERIFY_INFO: &str = include_str!("samples/verify_info.json");
const CODE_TRACE: &str = include_str!("samples/code_trace.json");

fn at(digits: &str) -> CivilTime {
    CivilTime::parse_digits(digits).unwrap()
}

fn codes(action: Action, text: &str) -> (CodesReply, Option<Tree>) {
    match Reply::decode(action, text.as_bytes()) {
        Ok(Reply::Codes { reply, tree }) => (reply, tree),
        Ok(_) => panic!("another reply"),
        Err(error) => panic!("{error}"),
    }
}

/// A time that is not set has fourteen digits; some of the samples have sixteen.
fn with_fourteen_zeros(text: &str) -> String {
    text.replace("\"0000000000000000\"", "\"00000000000000\"")
}

#[test]
fn requests_are_written_as_their_samples() {
    for (action, sample) in [
        (
            Action::ActiveVoucher,
            r#"{ "traceNo": "990000009100010101732123", "qrcode": "R156A001-0000491-0505", "totalAmount": "3000", "businessType": 12 }"#,
        ),
        (
            Action::ActiveResultQuery,
            r#"{ "traceNo": "99000009100010101732123", "originalTraceNo": "99000009100010101732129", "businessType": 12 }"#,
        ),
        (
            Action::DelVoucher,
            r#"{ "traceNo": "9900000910001010920150201", "qrcode": "10014030013500006013", "businessType": 12 }"#,
        ),
        (
            Action::QueryVerifyInfo,
            r#"{ "traceNo": "9900000910001010720150201", "qrcode": "10085748356738476396436", "businessType": 12 }"#,
        ),
        (
            Action::ReelActiveVoucher,
            r#"{ "traceNo": "99000009100010101732123", "qrcode": "R156A001-0000491-0505", "totalAmount": "3000", "businessType": 12 }"#,
        ),
        (
            Action::ReelActiveVoucher,
            r#"{ "traceNo": "99000009100010101732123", "qrcode": "R156A001-0000491-0505,R156A002-0000491-0505", "totalAmount": "3000", "businessType": 12 }"#,
        ),
        (
            Action::ReelDelVoucher,
            r#"{ "traceNo": "9900000910001010920150201", "qrcode": "10014030013500006013", "businessType": 12 }"#,
        ),
    ] {
        let request = accepted(action, sample);
        assert_eq!(request.to_json(), compact(sample));
    }
}

#[test]
fn the_sample_of_active_voucher_field_by_field() {
    let sample = r#"{"traceNo":"990000009100010101732123","qrcode":"R156A001-0000491-0505","totalAmount":"3000","businessType":12}"#;
    let Request::ActiveVoucher(message) = accepted(Action::ActiveVoucher, sample) else {
        panic!("another message");
    };
    assert_eq!(message.trace_no, "990000009100010101732123");
    assert_eq!(message.items.items().len(), 1);
    assert_eq!(message.items.items()[0].as_str(), "R156A001-0000491-0505");
    assert_eq!(message.total_amount_fen, 3_000);
    assert_eq!(message.business_type, Some(12));
    assert!(message.extend_data.is_empty());
}

#[test]
fn changes_are_answered_as_in_their_samples() {
    for (action, trace_no, code) in [
        (
            Action::ActiveVoucher,
            "99000009100010101732123",
            ReturnCode::Activating,
        ),
        (
            Action::ActiveResultQuery,
            "99000009100010101732123",
            ReturnCode::AllActive,
        ),
        (
            Action::DelVoucher,
            "9900000910001011020150201",
            ReturnCode::Voided,
        ),
        (
            Action::ReelActiveVoucher,
            "99000009100010101732123",
            ReturnCode::Activating,
        ),
        (
            Action::ReelDelVoucher,
            "9900000910001011020150201",
            ReturnCode::Voided,
        ),
    ] {
        let sample = format!(
            r#"{{
              "traceNo": "{trace_no}",
              "orderNo": "99000009100010101732123",
              "transDate": "20161231120533",
              "returnCode": "00",
              "returnDesc": "SUCCESS"
            }}"#
        );
        let desc = code.name(Locale::Zh).to_owned();
        let mut expected = CodesReply::new(code, desc, at("20161231120533"));
        expected.trace_no = Some(trace_no.into());
        expected.order_no = Some("99000009100010101732123".into());
        let (reply, tree) = codes(action, &sample);
        assert_eq!(reply, expected);
        assert!(tree.is_none());
        // The code follows the field tables; the rest is the sample to the letter.
        let as_the_tables = sample.replace("\"00\"", &format!("{:?}", code.code()));
        assert_eq!(reply.encode(None), compact(&as_the_tables));
    }
}

fn lookup(code: ReturnCode, trace_no: &str) -> CodesReply {
    let mut reply = CodesReply::new(code, "success".into(), at("20190107143930"));
    reply.trace_no = Some(trace_no.into());
    reply.order_no = Some("179031014530".into());
    reply.bill = Some(Bill::of_paid(0));
    reply
}

#[test]
fn a_tree_of_packages_is_its_sample() {
    let (reply, tree) = codes(Action::QueryVoucher, PACKAGE_TREE);
    assert_eq!(
        reply,
        lookup(ReturnCode::VoucherFound, "ccs203781546843174561")
    );
    let tree = tree.unwrap();
    assert_eq!(tree.shape(), TreeShape::Packages);
    let places: Vec<_> = tree
        .codes()
        .iter()
        .map(|(place, code)| (*place, code.code.clone()))
        .collect();
    let place = |reel_id| Place {
        box_id: "",
        pkg_id: "B1123-6430582-102F5",
        reel_id,
    };
    let (first, second) = (
        place("R112102F-0000242-2585"),
        place("R151102F-0000241-2555"),
    );
    assert_eq!(
        places,
        [
            (first, "1001901070000000258-M4DEDSfV".into()),
            (first, "1001901070000000242-EOHEMM9K".into()),
            (second, "1001901070000000255-e6tdHe8m".into()),
            (second, "1001901070000000241-RTxJO2bX".into()),
        ]
    );
    assert_eq!(
        reply.encode(Some(&tree)),
        compact(&with_fourteen_zeros(PACKAGE_TREE))
    );
}

#[test]
fn every_member_of_a_code() {
    let (_, tree) = codes(Action::QueryVoucher, PACKAGE_TREE);
    let tree = tree.unwrap();
    let code = tree.codes()[0].1;
    assert_eq!(code.create_time, at("20190107100500"));
    assert_eq!(
        code.sale_channel_order_id,
        "a1c4efb107df46f0ba230de6477bd337"
    );
    assert_eq!(code.remain_times, 2);
    assert_eq!(code.status, CodeStatus::Active);
    assert_eq!(code.status_desc, CodeStatus::Active.name(Locale::Zh));
    assert_eq!(code.ticket_name, "N券M元（连锁_门店）");
    assert_eq!(code.code, "1001901070000000258-M4DEDSfV");
    assert_eq!((code.activity_id, code.ticket_id), (500_706, 500_811));
    assert_eq!(code.send_channel_name, "发放渠道");
    assert_eq!(code.sale_channel_name, "连锁_门店");
    assert_eq!(code.activity_name, "活动名称-2018年6月");
    assert_eq!((code.valid_start, code.valid_end), (None, None));
    assert_eq!(code.face_value_fen, 0);
}

#[test]
fn a_tree_of_boxes_is_read_as_it_stands() {
    let (reply, tree) = codes(Action::QueryVoucher, BOX_TREE);
    assert_eq!(
        reply,
        lookup(ReturnCode::VoucherFound, "ccs203781546843174561")
    );
    let Some(Tree::Boxes(boxes)) = &tree else {
        panic!("no boxes");
    };
    assert_eq!(boxes.len(), 1);
    assert_eq!(boxes[0].box_id, "X22169-3141157-33475");
    // The sample names one package twice, each time with both reels.
    let packages: Vec<_> = boxes[0]
        .packages
        .iter()
        .map(|it| (&*it.pkg_id, it.reels.len()))
        .collect();
    assert_eq!(
        packages,
        [("B1123-6430582-102F5", 2), ("B1123-6430582-102F5", 2)]
    );
    let reels = boxes[0].packages.iter().flat_map(|it| &it.reels);
    assert!(reels.clone().all(|reel| reel.codes.len() == 2));
    let ids: Vec<_> = reels.map(|reel| &*reel.reel_id).collect();
    assert_eq!(ids[..2], ids[2..]);
    // Its last code has ids in quotation marks, its fifth another letter.
    let codes = tree.as_ref().unwrap().codes();
    assert_eq!(codes.len(), 8);
    assert_eq!(codes[7].1.activity_id, 500_706);
    assert!(codes[7].1 == codes[3].1);
    assert_eq!(codes[4].1.code, "1001901070000000258-M4DEDSfv");
}

#[test]
fn verify_info_holds_just_the_path() {
    let (reply, tree) = codes(Action::QueryVerifyInfo, VERIFY_INFO);
    // The sample has P00, the field table H00.
    assert_eq!(
        reply,
        lookup(ReturnCode::Found, "ccs2037815468431420150201")
    );
    let tree = tree.unwrap();
    let text = reply.encode(Some(&tree));
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let as_the_table = with_fourteen_zeros(VERIFY_INFO).replace("\"P00\"", "\"H00\"");
    assert_eq!(value(&text), value(&as_the_table));
    assert_eq!(tree.codes().len(), 1);
    assert_eq!(tree.codes()[0].0.box_id, "X1123-6430582-102F5");
}

#[test]
fn a_history_is_its_sample() {
    let entry = |digits, kind| {
        let code = "1006250730320020870=gHN3981K";
        TraceEntry::new(at(digits), kind, code, Locale::Zh)
    };
    let used = |digits, shop_name: &str| TraceEntry {
        mid: "860020051401034".into(),
        shop_name: shop_name.into(),
        shop_no: "1490".into(),
        tid: "54022101".into(),
        swift: "0".into(),
        ..entry(digits, TraceKind::Used)
    };
    let mut last = used("20250730211518", "市中心门店");
    last.extend_data.shop_no = Some("test1".into());
    last.extend_data.voucher_no = Some("test1".into());
    last.extend_data.pos_serial_no = Some("test1".into());
    last.extend_data.oms = Some("test1".into());
    let reply = TraceReply {
        code: ReturnCode::TraceFound,
        desc: "success".into(),
        trans_time_ms: 1_754_016_597_099,
        request_id: Some("1754016596841".into()),
        entries: vec![
            entry("20250730143743", TraceKind::Activated),
            used("20250730153314", "市中心第一门店"),
            last,
        ],
    };
    assert_eq!(reply.encode(), compact(CODE_TRACE));
    let read = Reply::decode(Action::QueryCodeTrace, CODE_TRACE.as_bytes());
    assert!(read.is_ok_and(|read| read == Reply::Trace(reply)));
}

#[test]
fn the_request_of_active_by_part_no() {
    let sample = super::sample(Action::ActiveByPartNo);
    let Request::ActiveByPartNo(message) = accepted(Action::ActiveByPartNo, sample) else {
        panic!("another message");
    };
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let written = message.to_json(wire::voucher::Signer::Skip).unwrap();
    assert_eq!(value(&written), value(sample));
}

#[test]
fn the_reply_of_active_by_part_no() {
    // A line break inside a string is none of JSON's; here it is escaped.
    let sample = concat!(
        r#"{"createTime":"20200212100234","message":"处理中","sign":"EOMRI+jWgjGOTebWPRVqBDR1EPkyd/"#,
        r"S7tsb/yEjvBoSfUZCEgVA6RNrjVEmIY15ujI9YV57tOZWY1FiVqJDH\n0lfEJnuk4DKpwcjMVCgXjQIH/Cd+PC",
        r"ibwBNknDwt9kaiB9JhxW8TrIBLYWq4ZyzffYtsF4qawyBgTLeUuPEOvoLZ2jA5O\nLtbSYVyl9g3OI4amcl25/",
        r"GkRUw3ECmziAy9bTdvKmjV5FbWcyk45GM+K7/2a4/E6BihvVC2w6ge6xgDn0s5R9Ixaun5\nKhqcEJLHW/8vEA",
        r#"HMbx40uvsP91Aw9iiw5aZeGhpYoge89vAVTkC5boB8i+pgcPk0DqK4Jk25mA==","statusCode":80,"ver":2}"#,
    );
    let read = Reply::decode(Action::ActiveByPartNo, sample.as_bytes());
    let expected = PartNoReply::standing(StatusCode::InProgress, at("20200212100234"), Locale::Zh);
    assert!(read.is_ok_and(|read| read == Reply::PartNo(expected)));
    let document = Document::decode(sample.as_bytes()).ok().unwrap();
    let sign = Sign::of(&document);
    assert!(matches!(sign, Sign::Given(_)));
    // The key it was made with is lost, so it must be another's signature and no malformed one.
    let key = VerifyingKey::from_pem(include_str!("keys/public.pem")).unwrap();
    assert_eq!(sign.verify(&key, &document), Err(SignError::Mismatch));
}
