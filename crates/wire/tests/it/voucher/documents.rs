//! Bodies that are none of this dialect, whatever they ask.

use super::{accepted, refusal, sample, with};
use wire::voucher::request::Request;
use wire::voucher::{Action, Document, DocumentError};

const ACTION: Action = Action::DelVoucher;

fn error(body: &[u8]) -> DocumentError {
    Document::decode(body).err().unwrap()
}

#[test]
fn a_body_is_one_json_object() {
    for body in [
        "", " ", "[]", "1", "\"x\"", "null", "{", "{}x", "{\"a\":}", "{'a':1}", "a=1",
    ] {
        assert_eq!(error(body.as_bytes()), DocumentError::Malformed, "{body}");
    }
    assert_eq!(error(b"{\"a\":\"\xFF\"}"), DocumentError::NotUtf8);
    assert!(Document::decode(b" \r\n{ } \n").is_ok());
}

#[test]
fn a_body_is_bounded() {
    let filled = |len: usize| format!("{{\"x\":\"{}\"}}", "a".repeat(len - 8));
    assert!(Document::decode(filled(256 * 1024).as_bytes()).is_ok());
    let large = filled(256 * 1024 + 1);
    assert_eq!(error(large.as_bytes()), DocumentError::TooLarge);
    let of = |members: usize| {
        let members = (0..members).map(|number| format!("\"m{number}\":1"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    };
    assert!(Document::decode(of(64).as_bytes()).is_ok());
    assert_eq!(error(of(65).as_bytes()), DocumentError::TooLarge);
    let nested = |depth: usize| format!("{{\"x\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(Document::decode(nested(11).as_bytes()).is_ok());
    assert_eq!(error(nested(12).as_bytes()), DocumentError::TooDeep);
    assert_eq!(error(nested(100_000).as_bytes()), DocumentError::TooDeep);
}

#[test]
fn a_member_is_there_once() {
    let twice = sample(ACTION).replace(
        "{\"traceNo\"",
        "{\"qrcode\":\"10014030013500006014\",\"traceNo\"",
    );
    assert_eq!(refusal(ACTION, &twice), "parameter qrcode is given twice");
    // The same name, spelled otherwise.
    let escaped = twice.replace("{\"qrcode\"", "{\"qr\\u0063ode\"");
    assert_eq!(refusal(ACTION, &escaped), "parameter qrcode is given twice");
    let unknown = sample(ACTION).replace("{\"traceNo\"", "{\"x\":1,\"x\":2,\"traceNo\"");
    assert_eq!(refusal(ACTION, &unknown), "parameter x is given twice");
}

#[test]
fn what_is_unknown_is_ignored() {
    for json in ["1", "\"x\"", "null", "true", "[[1]]", "{\"traceNo\":[]}"] {
        let body = with(ACTION, "unknown", json);
        assert!(
            accepted(ACTION, &body) == accepted(ACTION, sample(ACTION)),
            "{json}"
        );
    }
}

#[test]
fn a_body_at_fault_is_named() {
    for (body, desc) in [
        ("", "parameter body is no JSON object"),
        ("[[[[[[[[[[[[[", "parameter body is nested too deeply"),
    ] {
        assert_eq!(refusal(ACTION, body), desc);
    }
}

#[test]
fn a_refusal_repeats_what_was_sound() {
    let echo = |action: Action, body: &str| {
        let document = Document::decode(body.as_bytes()).ok().unwrap();
        wire::voucher::request::echo(action, &document)
    };
    let bad = with(ACTION, "qrcode", "\"\"");
    assert_eq!(
        echo(ACTION, &bad).as_deref(),
        Some("9900000910001010920150201")
    );
    let worse = with(ACTION, "traceNo", "\"a b\"");
    assert_eq!(echo(ACTION, &worse), None);
    let trace = r#"{"requestId":1754016596841}"#;
    assert_eq!(
        echo(Action::QueryCodeTrace, trace).as_deref(),
        Some("1754016596841")
    );
    assert_eq!(
        echo(Action::ActiveByPartNo, sample(Action::ActiveByPartNo)),
        None
    );
}

#[test]
fn a_message_has_one_content() {
    let content = |action: Action, body: &str| accepted(action, body).content();
    let sent = sample(Action::ActiveVoucher);
    let spelled = sent
        .replace("\"3000\"", "3000")
        .replace("12,", "\"12\",\"unknown\":1,")
        .replace("\"R156A001-0000491-0505\"", "\" R156A001-0000491-0505 \"");
    assert!(content(Action::ActiveVoucher, sent) == content(Action::ActiveVoucher, &spelled));
    for other in [
        with(Action::ActiveVoucher, "totalAmount", "3001"),
        with(Action::ActiveVoucher, "qrcode", "\"R156A001-0000491-0506\""),
        with(Action::ActiveVoucher, "businessType", "1"),
        with(Action::ActiveVoucher, "extendData", "{\"shopNo\":\"t\"}"),
    ] {
        assert!(content(Action::ActiveVoucher, sent) != content(Action::ActiveVoucher, &other));
    }
    assert!(content(Action::ActiveVoucher, sent) != content(Action::ReelActiveVoucher, sent));
    assert!(matches!(
        accepted(Action::ActiveVoucher, sent),
        Request::ActiveVoucher(_)
    ));
}
