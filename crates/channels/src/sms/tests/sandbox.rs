//! The pretended provider: its special numbers, and what it shows the operator.

use super::*;
use crate::sms::{
    Doubt, Refusal,
    sandbox::{SandboxSms, SandboxSmsConfig},
};
use domain::channel::NotSent;
use std::sync::atomic::{AtomicI64, Ordering};

fn sandbox() -> SandboxSms {
    SandboxSms::new(clock(), SandboxSmsConfig::default())
}

#[tokio::test(start_paused = true)]
async fn special_numbers_fail_as_documented() {
    let refused = |outcome: SmsOutcome| match outcome {
        SmsOutcome::Refused { why, .. } => Some(why),
        SmsOutcome::Accepted { .. } | SmsOutcome::NotSent(_) | SmsOutcome::Unknown(_) => None,
    };
    for (mobile, why) in [
        ("13800000001", Refusal::FlowControl),
        ("13800000002", Refusal::BadNumber),
        ("13800000003", Refusal::Configuration),
    ] {
        let sandbox = sandbox();
        let outcome = sandbox.send_code(message_to(mobile)).await;
        assert_eq!(refused(outcome), Some(why), "{mobile}");
        assert!(sandbox.messages().is_empty(), "{mobile}");
    }
    let unanswered = SmsOutcome::Unknown(Doubt::Unanswered);
    for (mobile, outcome, sent) in [
        ("13800000004", unanswered.clone(), 1),
        ("13800000005", unanswered, 0),
        ("13800000006", SmsOutcome::NotSent(NotSent::Connect), 0),
    ] {
        let sandbox = sandbox();
        assert_eq!(
            sandbox.send_code(message_to(mobile)).await,
            outcome,
            "{mobile}"
        );
        assert_eq!(sandbox.messages().len(), sent, "{mobile}");
    }
}

#[tokio::test]
async fn the_operator_sees_the_last_messages_newest_first() {
    let now_ms = Arc::new(AtomicI64::new(0));
    let time = Arc::clone(&now_ms);
    let clock: Clock = Arc::new(move || UnixMs(time.load(Ordering::Relaxed)));
    let config = SandboxSmsConfig {
        messages_max: 3,
        ..SandboxSmsConfig::default()
    };
    let sandbox = SandboxSms::new(clock, config);
    for second in 1..=5 {
        now_ms.store(second * 1000, Ordering::Relaxed);
        let outcome = sandbox
            .send_code(message_to(&format!("1380013810{second}")))
            .await;
        assert_eq!(outcome.to_string(), format!("accepted as sandbox-{second}"));
    }
    let seen: Vec<_> = sandbox
        .messages()
        .into_iter()
        .map(|it| (it.mobile, it.code, it.sent_at.0))
        .collect();
    let line = |mobile: &str, at| (mobile.to_owned(), CODE.to_owned(), at);
    assert_eq!(
        seen,
        [
            line("13800138105", 5000),
            line("13800138104", 4000),
            line("13800138103", 3000)
        ]
    );
}

#[tokio::test]
async fn a_kept_message_shows_no_code_by_accident() {
    let sandbox = sandbox();
    sandbox.send_code(message()).await;
    let shown = format!("{:?}", sandbox.messages());
    assert!(!shown.contains(CODE) && !shown.contains(MOBILE), "{shown}");
}
