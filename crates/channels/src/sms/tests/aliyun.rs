//! Alibaba Cloud's service, pretended on this machine: what its answers, its nonsense and its
//! silence teach.

use super::{
    pretended::{KEY_ID, Pretended, SECRET, Says},
    *,
};
use crate::{
    guard::{GuardConfig, Unobserved},
    sms::{
        Doubt, Refusal, ReplyText,
        aliyun::{AccessKeySecret, Aliyun, AliyunConfig, AliyunError, Endpoint, Nonce},
    },
};
use domain::channel::NotSent;
use std::{
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};
use tokio::net::TcpSocket;

const SIGN_NAME: &str = "一点 便利*店~";

pub(super) fn config(endpoint: &str) -> AliyunConfig {
    let secret = AccessKeySecret::new(SECRET);
    AliyunConfig {
        endpoint: Endpoint::parse(endpoint).unwrap(),
        ..AliyunConfig::new(
            KEY_ID.into(),
            secret,
            SIGN_NAME.into(),
            "SMS_154950909".into(),
        )
    }
}

/// Counts, so that no two are the same.
pub(super) fn nonce() -> Nonce {
    let count = AtomicU8::new(0);
    Arc::new(move || Some([count.fetch_add(1, Ordering::Relaxed); 16]))
}

fn at(port: u16) -> AliyunConfig {
    config(&format!("http://127.0.0.1:{port}"))
}

fn client(config: AliyunConfig) -> Aliyun {
    Aliyun::new(config, clock(), nonce()).unwrap()
}

fn text(text: &str) -> ReplyText {
    ReplyText::parse(text).unwrap()
}

fn accepted() -> SmsOutcome {
    let provider_id = text("9006197469364984400^0");
    SmsOutcome::Accepted { provider_id }
}

fn refused(why: Refusal, code: &str) -> SmsOutcome {
    let code = text(code);
    SmsOutcome::Refused { why, code }
}

fn unreadable(status: u16) -> SmsOutcome {
    SmsOutcome::Unknown(Doubt::Unreadable { status })
}

#[tokio::test]
async fn a_message_arrives_signed_and_whole() {
    let mut service = Pretended::saying(Says::Ok).await;
    assert_eq!(
        client(at(service.port)).send_code(message()).await,
        accepted()
    );
    let asked = service.asked.recv().await.unwrap();
    let sent: Vec<_> = asked
        .query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        sent,
        [
            ("PhoneNumbers", MOBILE),
            ("SignName", SIGN_NAME),
            ("TemplateCode", "SMS_154950909"),
            ("TemplateParam", r#"{"code":"012345"}"#),
        ]
    );
}

#[tokio::test]
async fn the_template_names_the_field_of_the_code() {
    let mut service = Pretended::saying(Says::Ok).await;
    let template_field = r#"a "b""#.to_owned();
    let config = AliyunConfig {
        template_field,
        ..at(service.port)
    };
    assert_eq!(client(config).send_code(message()).await, accepted());
    let asked = service.asked.recv().await.unwrap();
    assert_eq!(asked.query["TemplateParam"], r#"{"a \"b\"":"012345"}"#);
}

#[tokio::test]
async fn each_answer_has_its_outcome_and_none_repeats_the_message() {
    let redirect = "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
    let page = "HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n<html>012345</html>";
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"Code\":\"OK\"";
    let lost = SmsOutcome::Unknown(Doubt::Unanswered);
    for (says, outcome) in [
        (
            Says::Code("isv.BUSINESS_LIMIT_CONTROL"),
            refused(Refusal::FlowControl, "isv.BUSINESS_LIMIT_CONTROL"),
        ),
        (
            Says::Code("isv.MOBILE_NUMBER_ILLEGAL"),
            refused(Refusal::BadNumber, "isv.MOBILE_NUMBER_ILLEGAL"),
        ),
        (Says::TooMuch, unreadable(200)),
        (Says::Raw(redirect), unreadable(302)),
        (Says::Raw(page), unreadable(200)),
        (Says::Raw(broken), unreadable(200)),
        (Says::Raw("no HTTP at all\r\n\r\n"), lost.clone()),
        (Says::Raw(""), lost),
    ] {
        let mut service = Pretended::saying(says).await;
        let told = client(at(service.port)).send_code(message()).await;
        assert!(service.was_asked());
        let shown = format!("{told:?} {told}");
        assert!(!shown.contains(CODE) && !shown.contains(MOBILE), "{shown}");
        assert_eq!(told, outcome);
    }
}

#[tokio::test]
async fn a_wrong_secret_and_a_wrong_clock_are_the_operators_to_mend() {
    let mut service = Pretended::saying(Says::Ok).await;
    let access_key_secret = AccessKeySecret::new("another secret");
    let stranger = client(AliyunConfig {
        access_key_secret,
        ..at(service.port)
    });
    let told = stranger.send_code(message()).await;
    assert_eq!(
        told,
        refused(Refusal::Configuration, "SignatureDoesNotMatch")
    );

    let an_hour_late: Clock = Arc::new(|| NOW.plus_s(3600));
    let late = Aliyun::new(at(service.port), an_hour_late, nonce()).unwrap();
    let told = late.send_code(message()).await;
    assert_eq!(
        told,
        refused(Refusal::Configuration, "InvalidTimeStamp.Expired")
    );
    assert!(!service.was_asked());
}

#[tokio::test]
async fn every_message_has_a_nonce_and_a_connection_of_its_own() {
    let mut service = Pretended::saying(Says::Ok).await;
    let client = client(at(service.port));
    for count in 0..5_u8 {
        assert_eq!(client.send_code(message()).await, accepted());
        let asked = service.asked.recv().await.unwrap();
        assert_eq!(asked.nonce, format!("{count:02x}").repeat(16));
        assert_eq!(asked.connection, usize::from(count));
    }
}

#[tokio::test]
async fn a_nonce_seen_before_is_no_refusal() {
    let service = Pretended::saying(Says::Ok).await;
    let same: Nonce = Arc::new(|| Some([7; 16]));
    let client = Aliyun::new(at(service.port), clock(), same).unwrap();
    assert_eq!(client.send_code(message()).await, accepted());
    let code = text("SignatureNonceUsed");
    let doubt = SmsOutcome::Unknown(Doubt::Provider { code });
    assert_eq!(client.send_code(message()).await, doubt);
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_nobody_knows() {
    let mut service = Pretended::saying(Says::Nothing).await;
    let an_hour = Duration::from_secs(3600);
    let config = GuardConfig {
        call_timeout: an_hour,
        ..GuardConfig::default()
    };
    let client = Arc::new(client(at(service.port)));
    let guard = SmsGuard::new(client, config, clock(), Arc::new(Unobserved));
    let mut told = tokio::spawn(async move { guard.send_code(message()).await });
    tokio::select! {
        asked = service.asked.recv() => assert!(asked.is_some()),
        told = &mut told => panic!("told before any time passed: {told:?}"),
    }
    // The service has the message, and only now time passes: no slow machine changes the outcome.
    tokio::time::pause();
    tokio::time::advance(an_hour).await;
    assert_eq!(told.await.unwrap(), SmsOutcome::Unknown(Doubt::Unanswered));
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_left_alone_for_a_while() {
    // Bound, so that nobody else takes the port, but not listening.
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = GuardConfig {
        failures_max: 2,
        ..GuardConfig::default()
    };
    let client = Arc::new(client(at(port)));
    let guard = SmsGuard::new(client, config, clock(), Arc::new(Unobserved));
    for why in [NotSent::Connect, NotSent::Connect, NotSent::Unavailable] {
        let told = guard.send_code(message()).await;
        assert_eq!(told, SmsOutcome::NotSent(why));
    }
}

#[tokio::test]
async fn without_a_nonce_or_a_date_nothing_is_sent() {
    let mut service = Pretended::saying(Says::Ok).await;
    let no_nonce: Nonce = Arc::new(|| None);
    let end_of_time: Clock = Arc::new(|| UnixMs(i64::MAX));
    for (clock, nonce) in [(clock(), no_nonce), (end_of_time, nonce())] {
        let client = Aliyun::new(at(service.port), clock, nonce).unwrap();
        let told = client.send_code(message()).await;
        assert_eq!(told, SmsOutcome::NotSent(NotSent::Write));
    }
    assert!(!service.was_asked());
}

#[test]
fn settings_that_cannot_be_right_are_refused_at_start() {
    let base = || at(1);
    let secret = AccessKeySecret::new;
    let new = |config| Aliyun::new(config, clock(), nonce()).err();
    assert_eq!(new(base()), None);
    #[rustfmt::skip]
    let refused = [
        (AliyunConfig { access_key_id: " ".into(), ..base() }, AliyunError::Empty("access_key_id")),
        (AliyunConfig { access_key_id: "a,b".into(), ..base() }, AliyunError::AccessKeyId),
        (AliyunConfig { access_key_secret: secret(""), ..base() }, AliyunError::Empty("access_key_secret")),
        (AliyunConfig { sign_name: String::new(), ..base() }, AliyunError::Empty("sign_name")),
        (AliyunConfig { template_code: String::new(), ..base() }, AliyunError::Empty("template_code")),
        (AliyunConfig { template_field: String::new(), ..base() }, AliyunError::Empty("template_field")),
        (AliyunConfig { extra_authorities: Some(b"no PEM".to_vec()), ..base() }, AliyunError::Authorities),
    ];
    for (config, why) in refused {
        assert_eq!(new(config), Some(why));
    }
}
