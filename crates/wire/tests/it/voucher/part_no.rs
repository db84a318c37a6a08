//! activeByPartNo: its members and its replies.

use super::{accepted, read, refusal, sample, with, without};
use wire::Locale;
use wire::voucher::reply::Reply;
use wire::voucher::request::{ActiveByPartNo, Request, SegmentKind};
use wire::voucher::{Action, CivilTime, Document, PartNoReply, Signer, StatusCode};

const ACTION: Action = Action::ActiveByPartNo;

fn message(body: &str) -> ActiveByPartNo {
    let Request::ActiveByPartNo(message) = accepted(ACTION, body) else {
        panic!("another message");
    };
    message
}

#[test]
fn every_member_of_the_sample() {
    let expected = ActiveByPartNo {
        partner_id: "1504".into(),
        merchant_id: "10001".into(),
        partner_order_id: "2040132213w9181w0q77awwwd8".into(),
        kind: SegmentKind::Voucher,
        bin: "7020".into(),
        start: 41,
        end: 45,
        number: Some(14),
        selling_price_fen: Some(10_000),
        cost_price_fen: Some(8_888),
        valid_start: None,
        valid_end: None,
    };
    assert_eq!(message(sample(ACTION)), expected);
}

#[test]
fn cards_need_no_prices() {
    let card = with(ACTION, "type", "1").replace("\"7020\"", "\"731018\"");
    assert_eq!(message(&card).kind, SegmentKind::Card);
    let bare = card
        .replace(",\"sellingPrice\":\"10000\"", "")
        .replace("\"costPrice\":\"8888\",", "");
    assert_eq!(message(&bare).selling_price_fen, None);
    assert_eq!(message(&bare).cost_price_fen, None);
    assert_eq!(message(&bare).bin, "731018");
}

#[test]
fn a_bad_value_names_its_field() {
    let cases: [(&str, &[&str]); 15] = [
        ("ver", &["1", "3", "2.0", "\"x\""]),
        ("partnerId", &["\"a b\"", "\"a&b\"", "\"\\u4e00\"", "true"]),
        ("merchantId", &["\"a=b\"", "\"a/b\"", "[]"]),
        (
            "partnerOrderId",
            &["\"12345678901234567890123456789\"", "\"a b\"", "{}"],
        ),
        ("type", &["0", "3", "\"01\"", "1.0"]),
        ("bin", &["\"702\"", "\"731018\"", "\"70 0\"", "\"702x\""]),
        ("codeType", &["0", "1", "\"x\"", "3.5"]),
        (
            "startCardSe",
            &["\"41\"", "\"00000041\"", "\"000004x\"", "41"],
        ),
        ("endCardSe", &["\"0000040\"", "45", "\"-000045\""]),
        ("number", &["-1", "1.5", "1234567890", "\"x\""]),
        ("sellingPrice", &["-1", "1.5", "10000000000"]),
        ("costPrice", &["10001", "\"10001\"", "-1", "\"x\""]),
        (
            "validStart",
            &[
                "\"2026-01-01\"",
                "\"20260101000000\"",
                "\"2026-02-30 00:00:00\"",
            ],
        ),
        ("valid_end", &["\"2026-01-01T00:00:00\"", "1"]),
        ("validEnd", &["\"x\""]),
    ];
    for (field, values) in cases {
        for value in values {
            let error = read(ACTION, &with(ACTION, field, value)).err().unwrap();
            assert_eq!(error.field(), field, "{value}");
        }
    }
}

#[test]
fn an_order_id_has_28_characters_at_most() {
    let body = with(ACTION, "partnerOrderId", "\"1234567890123456789012345678\"");
    assert_eq!(message(&body).partner_order_id.len(), 28);
}

#[test]
fn the_end_of_validity_has_two_names() {
    let end = CivilTime::new((2029, 1, 1), (23, 59, 59));
    for name in ["valid_end", "validEnd"] {
        let body = with(ACTION, name, "\"2029-01-01 23:59:59\"");
        assert_eq!(message(&body).valid_end, end);
    }
    let both = with(ACTION, "valid_end", "\"2029-01-01 23:59:59\"")
        .replace("}", ",\"validEnd\":\"2029-01-01 23:59:59\"}");
    assert_eq!(
        refusal(ACTION, &both),
        "parameter valid_end must not be given as validEnd too"
    );
    let backwards = with(ACTION, "valid_end", "\"2026-01-01 00:00:00\"")
        .replace("}", ",\"validStart\":\"2026-01-01 00:00:00\"}");
    assert_eq!(
        refusal(ACTION, &backwards),
        "parameter valid_end must be after validStart"
    );
}

#[test]
fn the_partner_is_known_before_anything_else() {
    let body = without(ACTION, "bin");
    let document = Document::decode(body.as_bytes()).ok().unwrap();
    assert_eq!(ActiveByPartNo::partner_id(&document), Ok("1504".to_owned()));
}

#[test]
fn no_value_may_look_like_another_member() {
    for (name, json) in [
        ("remark", "\"x&valid_end=2030-01-01 00:00:00\""),
        ("remark", "\"&validEnd=\""),
        ("number&bin", "1"),
        ("a=b", "\"c\""),
        ("remark", "[\"&bin=1\"]"),
    ] {
        let error = read(ACTION, &with(ACTION, name, json)).err().unwrap();
        assert_eq!(error.field(), name.replace(['&', '='], ""), "{json}");
    }
    for json in [
        "\"a=b&c=d\"",
        "\"&\"",
        "\"&bin\"",
        "\"bin=1\"",
        "\"& bin=1\"",
    ] {
        assert_eq!(
            message(&with(ACTION, "remark", json)),
            message(sample(ACTION)),
            "{json}"
        );
    }
}

#[test]
fn replies_say_how_an_order_stands() {
    let at = CivilTime::parse_digits("20200212100234").unwrap();
    for (status, text) in [
        (
            StatusCode::Created,
            r#"{"createTime":"20200212100234","message":"SUCCESS","statusCode":100,"ver":2,"sign":"skip"}"#,
        ),
        (
            StatusCode::InProgress,
            r#"{"createTime":"20200212100234","message":"处理中","statusCode":80,"ver":2,"sign":"skip"}"#,
        ),
        (
            StatusCode::Done,
            r#"{"createTime":"20200212100234","message":"处理完成","statusCode":81,"ver":2,"sign":"skip"}"#,
        ),
    ] {
        let reply = PartNoReply::standing(status, at, Locale::Zh);
        assert_eq!(reply.encode(Signer::Skip).as_deref(), Ok(text));
        let read = Reply::decode(ACTION, text.as_bytes()).ok().unwrap();
        assert!(read == Reply::PartNo(reply));
    }
    let refused = PartNoReply::refused(StatusCode::BadField, "parameter bin is missing or empty");
    assert_eq!(
        refused.encode(Signer::Skip).as_deref(),
        Ok(
            r#"{"message":"parameter bin is missing or empty","statusCode":400,"ver":2,"sign":"skip"}"#
        )
    );
}
