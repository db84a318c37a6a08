//! What a caller hears whose message was not carried out.

use super::sample;
use wire::Locale;
use wire::voucher::reply::{self, Reply, ReplyError};
use wire::voucher::{Action, CivilTime, MemberError};

fn refused(action: Action, echo: Option<&str>) -> Option<String> {
    let at = CivilTime::parse_digits("20161231120533").unwrap();
    let desc = reply::not_admitted(Locale::En);
    let echo = echo.map(str::to_owned);
    reply::refusal(action, desc, echo, at, 1_483_185_933_000)
}

#[test]
fn a_stranger_hears_the_actions_other_error() {
    const DESC: &str = "the caller is not admitted";
    for (action, text) in [
        (Action::ActiveVoucher, change("A03")),
        (Action::ReelActiveVoucher, change("A03")),
        (Action::ActiveResultQuery, change("R03")),
        (Action::DelVoucher, change("V02")),
        (Action::ReelDelVoucher, change("V02")),
        (Action::QueryVerifyInfo, lookup("H02")),
        (Action::QueryVoucher, lookup("P01")),
        (
            Action::QueryCodeTrace,
            format!(
                r#"{{"returnCode":"02","transTime":1483185933000,"returnData":[],"returnDesc":"{DESC}"}}"#
            ),
        ),
    ] {
        assert_eq!(refused(action, None), Some(text.clone()));
        let read = Reply::decode(action, text.as_bytes());
        assert!(read.is_ok(), "{text}");
    }
    assert_eq!(refused(Action::ActiveByPartNo, None), None);
}

fn change(code: &str) -> String {
    format!(
        r#"{{"transDate":"20161231120533","returnCode":"{code}","returnDesc":"the caller is not admitted"}}"#
    )
}

fn lookup(code: &str) -> String {
    format!(
        r#"{{"transDate":"20161231120533","returnDesc":"the caller is not admitted","returnCode":"{code}"}}"#
    )
}

#[test]
fn a_refusal_repeats_the_messages_number() {
    for action in Action::ALL
        .iter()
        .filter(|it| **it != Action::ActiveByPartNo)
    {
        let text = refused(*action, Some("42")).unwrap();
        match Reply::decode(*action, text.as_bytes()) {
            Ok(Reply::Codes { reply, tree }) => {
                assert_eq!(reply.trace_no.as_deref(), Some("42"));
                assert_eq!((reply.order_no, reply.bill), (None, None));
                assert!(tree.is_none());
            }
            Ok(Reply::Trace(reply)) => assert_eq!(reply.request_id.as_deref(), Some("42")),
            Ok(Reply::PartNo(_)) | Err(_) => panic!("{text}"),
        }
    }
}

#[test]
fn what_is_no_reply_is_told_apart() {
    let error = |action: Action, bytes: &[u8]| Reply::decode(action, bytes).err().unwrap();
    let missing = |member| ReplyError::Member(MemberError::Missing(member));
    let invalid = |member| ReplyError::Member(MemberError::Invalid(member));
    for (text, expected) in [
        ("", ReplyError::NotJson),
        ("[]", ReplyError::NotJson),
        ("{\"returnCode\":}", ReplyError::NotJson),
        ("{}", missing("returnCode")),
        ("{\"returnCode\":\"V00\"}", invalid("returnCode")),
        ("{\"returnCode\":\"A00\"}", missing("transDate")),
        (
            "{\"returnCode\":\"A00\",\"returnCode\":\"A00\"}",
            invalid("returnCode"),
        ),
        (
            "{\"returnCode\":\"A00\",\"transDate\":\"2016\"}",
            invalid("transDate"),
        ),
        (
            "{\"returnCode\":\"A00\",\"transDate\":\"20161231120533\",\"voucherPkg\":1}",
            invalid("voucherPkg"),
        ),
        (
            "{\"returnCode\":\"A00\",\"transDate\":\"20161231120533\",\"voucherBox\":[{\"voucherPkg\":[1]}]}",
            invalid("voucherPkg"),
        ),
    ] {
        assert_eq!(
            error(Action::ActiveVoucher, text.as_bytes()),
            expected,
            "{text}"
        );
    }
    assert_eq!(
        error(Action::ActiveVoucher, b"{\"a\":\"\xFF\"}"),
        ReplyError::NotJson
    );
    assert_eq!(
        error(Action::ActiveVoucher, &vec![b' '; 32 * 1024 * 1024 + 1]),
        ReplyError::TooLarge
    );
    assert_eq!(
        error(Action::ActiveByPartNo, b"{\"ver\":1}"),
        invalid("ver")
    );
    // A request is no reply.
    for action in Action::ALL {
        assert!(Reply::decode(*action, sample(*action).as_bytes()).is_err());
    }
}
