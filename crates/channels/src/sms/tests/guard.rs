//! What the guard tells whoever counts calls.

use super::*;
use crate::{
    guard::{GuardConfig, Observer},
    sms::sandbox::{SandboxSms, SandboxSmsConfig},
};
use std::{sync::Mutex, time::Duration};

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Observer for Log {
    fn call(&self, channel: &str, operation: &'static str, outcome: &'static str, _: Duration) {
        let line = format!("{channel} {operation} {outcome}");
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_is_counted_by_its_outcome() {
    let log = Arc::new(Log::default());
    let sandbox = Arc::new(SandboxSms::new(clock(), SandboxSmsConfig::default()));
    let observer = Arc::clone(&log) as Arc<dyn Observer>;
    let guard = SmsGuard::new(sandbox, GuardConfig::default(), clock(), observer);
    for (mobile, counted) in [
        (MOBILE, "accepted"),
        ("13800000001", "flow_control"),
        ("13800000002", "bad_number"),
        ("13800000003", "configuration"),
        ("13800000004", "unknown"),
        ("13800000006", "not_sent"),
    ] {
        guard.send_code(message_to(mobile)).await;
        let line = log.0.lock().unwrap().pop().unwrap();
        assert_eq!(line, format!("sandbox send_code {counted}"), "{mobile}");
    }
    assert!(log.0.lock().unwrap().is_empty());
}
