//! Messages as the gateway sends them: through the contract.

mod aliyun;
mod guard;
mod pretended;
mod sandbox;
mod tls;

use super::{CodeMessage, Mobile, SmsGuard, SmsOutcome, SmsProvider, VerifyCode};
use crate::contract::Clock;
use domain::time::UnixMs;
use std::sync::Arc;

/// 2026-11-22T00:00:00Z
const NOW: UnixMs = UnixMs(1_795_305_600_000);
const MOBILE: &str = "13800138000";
const CODE: &str = "012345";

fn clock() -> Clock {
    Arc::new(|| NOW)
}

fn message_to(mobile: &str) -> CodeMessage {
    CodeMessage {
        mobile: Mobile::parse(mobile).unwrap(),
        code: VerifyCode::parse(CODE).unwrap(),
    }
}

fn message() -> CodeMessage {
    message_to(MOBILE)
}

#[test]
fn numbers_and_codes_are_digits_of_a_length() {
    for (text, is_mobile, is_code) in [
        ("13800138000", true, false),
        ("85261234567", true, false),
        ("12345678", true, false),
        ("123456789012345", true, false),
        ("1234567890123456", false, false),
        ("1234567", false, false),
        ("1380013800a", false, false),
        ("+8613800138000", false, false),
        ("13800138000,1", false, false),
        ("１３８００１３８０００", false, false),
        ("000000", false, true),
        ("12345", false, false),
        ("12345a", false, false),
        ("", false, false),
    ] {
        assert_eq!(Mobile::parse(text).is_some(), is_mobile, "{text}");
        assert_eq!(VerifyCode::parse(text).is_some(), is_code, "{text}");
    }
}

#[test]
fn what_is_shown_of_a_message_opens_nothing() {
    let shown = format!("{:?}", message());
    assert_eq!(
        shown,
        "CodeMessage { mobile: Mobile(*8000), code: VerifyCode(..) }"
    );
}
