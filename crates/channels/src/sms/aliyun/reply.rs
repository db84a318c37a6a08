//! Answers, and what their codes mean here.
//!
//! The service answers business with HTTP 200 and its gateway's refusals with others; both hold a
//! `Code`. Of the other fields only `BizId` is kept: `Message` is free text and may repeat the
//! number.

use crate::sms::{Doubt, Refusal, ReplyText, SmsOutcome};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    code: String,
    biz_id: Option<String>,
}

/// What the answer with this HTTP status and body says. Total: whatever cannot be read is
/// `Unknown`.
pub(super) fn outcome(status: u16, body: &[u8]) -> SmsOutcome {
    read(status, body).unwrap_or(SmsOutcome::Unknown(Doubt::Unreadable { status }))
}

fn read(status: u16, body: &[u8]) -> Option<SmsOutcome> {
    let reply: Reply = serde_json::from_slice(body).ok()?;
    if reply.code == "OK" {
        let provider_id = ReplyText::parse(&reply.biz_id?)?;
        return (status == 200).then_some(SmsOutcome::Accepted { provider_id });
    }
    let code = ReplyText::parse(&reply.code)?;
    Some(match refusal(code.as_str()) {
        Some(why) => SmsOutcome::Refused { why, code },
        None => SmsOutcome::Unknown(Doubt::Provider { code }),
    })
}

/// Why the service refuses with `code`; `None` for the codes that do not say that nothing was
/// sent (its own faults, a nonce seen before) and for those that are not known here.
fn refusal(code: &str) -> Option<Refusal> {
    match code {
        "isv.BUSINESS_LIMIT_CONTROL"
        | "isv.DAY_LIMIT_CONTROL"
        | "isv.MONTH_LIMIT_CONTROL"
        | "Throttling"
        | "Throttling.Api"
        | "Throttling.User" => Some(Refusal::FlowControl),
        "isv.MOBILE_NUMBER_ILLEGAL" | "isv.PHONE_NUMBER_ILLEGAL" => Some(Refusal::BadNumber),
        code if is_configuration(code) => Some(Refusal::Configuration),
        _ => None,
    }
}

fn is_configuration(code: &str) -> bool {
    is_account(code) || is_template(code) || is_request(code)
}

/// The account, its balance, its rights.
fn is_account(code: &str) -> bool {
    matches!(
        code,
        "isp.RAM_PERMISSION_DENY"
            | "isv.ACCOUNT_ABNORMAL"
            | "isv.ACCOUNT_NOT_EXISTS"
            | "isv.AMOUNT_NOT_ENOUGH"
            | "isv.DENY_IP_RANGE"
            | "isv.OUT_OF_SERVICE"
            | "isv.PRODUCT_UNSUBSCRIBE"
            | "isv.PRODUCT_UN_SUBSCRIPT"
    )
}

/// The signature name, the template, and what is put into it.
fn is_template(code: &str) -> bool {
    matches!(
        code,
        "isv.BLACK_KEY_CONTROL_LIMIT"
            | "isv.DOMESTIC_NUMBER_NOT_SUPPORTED"
            | "isv.EXTEND_CODE_ERROR"
            | "isv.INVALID_JSON_PARAM"
            | "isv.PARAM_LENGTH_LIMIT"
            | "isv.PARAM_NOT_SUPPORT_URL"
            | "isv.SIGN_NAME_ILLEGAL"
            | "isv.SMS_CONTENT_ILLEGAL"
            | "isv.SMS_SIGNATURE_ILLEGAL"
            | "isv.SMS_SIGNATURE_SCENE_ILLEGAL"
            | "isv.SMS_SIGN_ILLEGAL"
            | "isv.SMS_TEMPLATE_ILLEGAL"
            | "isv.TEMPLATE_MISSING_PARAMETERS"
            | "isv.TEMPLATE_PARAMS_ILLEGAL"
    )
}

/// The access key, the clock, and the shape of the request, which the service's gateway checks.
fn is_request(code: &str) -> bool {
    matches!(
        code,
        "Forbidden.RAM"
            | "IncompleteSignature"
            | "InvalidAccessKeyId.Inactive"
            | "InvalidAccessKeyId.NotFound"
            | "InvalidAction.NotFound"
            | "InvalidTimeStamp.Expired"
            | "InvalidTimeStamp.Format"
            | "InvalidVersion"
            | "NoPermission"
            | "SignatureDoesNotMatch"
            | "isv.INVALID_PARAMETERS"
            | "isv.MOBILE_COUNT_OVER_LIMIT"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with_code(status: u16, code: &str) -> SmsOutcome {
        let body = format!(r#"{{"Message":"m","RequestId":"r","Code":"{code}"}}"#);
        outcome(status, body.as_bytes())
    }

    #[test]
    fn refusals_say_what_they_mean_here() {
        use Refusal::{BadNumber, Configuration, FlowControl};
        for (status, code, why) in [
            (200, "isv.BUSINESS_LIMIT_CONTROL", FlowControl),
            (200, "isv.DAY_LIMIT_CONTROL", FlowControl),
            (503, "Throttling.User", FlowControl),
            (200, "isv.MOBILE_NUMBER_ILLEGAL", BadNumber),
            (200, "isv.SMS_SIGNATURE_ILLEGAL", Configuration),
            (200, "isv.SMS_TEMPLATE_ILLEGAL", Configuration),
            (200, "isv.AMOUNT_NOT_ENOUGH", Configuration),
            (400, "isp.RAM_PERMISSION_DENY", Configuration),
            (400, "SignatureDoesNotMatch", Configuration),
            (400, "InvalidTimeStamp.Expired", Configuration),
            (404, "InvalidAccessKeyId.NotFound", Configuration),
        ] {
            let code_text = ReplyText::parse(code).unwrap();
            let refused = SmsOutcome::Refused {
                why,
                code: code_text,
            };
            assert_eq!(with_code(status, code), refused, "{code}");
        }
    }

    #[test]
    fn what_does_not_say_that_nothing_was_sent_is_unknown() {
        for (status, code) in [
            (200, "isp.SYSTEM_ERROR"),
            (500, "InternalError"),
            (503, "ServiceUnavailable"),
            (400, "SignatureNonceUsed"),
            (200, "isv.INVENTED_TOMORROW"),
            (200, "ok"),
        ] {
            let code_text = ReplyText::parse(code).unwrap();
            let doubt = Doubt::Provider { code: code_text };
            assert_eq!(
                with_code(status, code),
                SmsOutcome::Unknown(doubt),
                "{code}"
            );
        }
    }

    #[test]
    fn only_a_whole_ok_is_accepted() {
        let ok = br#"{"Message":"OK","RequestId":"F655A8D5","Code":"OK","BizId":"9006^0"}"#;
        let provider_id = ReplyText::parse("9006^0").unwrap();
        assert_eq!(outcome(200, ok), SmsOutcome::Accepted { provider_id });

        let long = format!(r#"{{"Code":"OK","BizId":"{}"}}"#, "9".repeat(65));
        for (status, body) in [
            (500, &ok[..]),
            (200, br#"{"Code":"OK"}"#),
            (200, br#"{"Code":"OK","BizId":""}"#),
            (200, br#"{"Code":"OK","BizId":"line\nbreak"}"#),
            (200, br#"{"Code":"OK","BizId":"1","Code":"OK"}"#),
            (200, br#"{"Code":200,"BizId":"1"}"#),
            (200, br#"{"Code":"","BizId":"1"}"#),
            (200, br#"{"BizId":"1"}"#),
            (200, long.as_bytes()),
            (200, b"<html>captive portal</html>"),
            (302, b""),
            (200, "[".repeat(10_000).as_bytes()),
        ] {
            let unreadable = SmsOutcome::Unknown(Doubt::Unreadable { status });
            let text = String::from_utf8_lossy(body);
            assert_eq!(outcome(status, body), unreadable, "{text}");
        }
    }

    #[test]
    fn a_reply_cut_short_says_nothing() {
        let ok = br#"{"Message":"OK","RequestId":"F655A8D5","Code":"OK","BizId":"9006^0"}"#;
        let unreadable = SmsOutcome::Unknown(Doubt::Unreadable { status: 200 });
        for end in 0..ok.len() {
            assert_eq!(outcome(200, &ok[..end]), unreadable, "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_outcome(status in 100_u16..600, body: Vec<u8>) {
            let outcome = outcome(status, &body);
            prop_assert_eq!(outcome, SmsOutcome::Unknown(Doubt::Unreadable { status }));
        }

        #[test]
        fn no_text_of_a_reply_breaks_a_log_line(code: String, id: String) {
            let body = serde_json::json!({ "Code": code, "BizId": id }).to_string();
            let told = outcome(200, body.as_bytes()).to_string();
            prop_assert!(told.len() < 200 && told.is_ascii() && !told.contains(['\n', '\r']));
        }
    }
}
