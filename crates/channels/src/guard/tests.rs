use super::*;
use domain::{
    channel::{ChannelNo, Decline},
    money::Fen,
    payment::Flow,
    time::UnixMs,
};
use std::sync::{
    Mutex,
    atomic::{AtomicI64, AtomicU32, Ordering},
};

/// Answers what it is told to; `None` never answers.
struct Puppet {
    answer: Mutex<Option<PayOutcome>>,
    calls: AtomicU32,
}

impl Puppet {
    fn answer<T: Send + 'static>(&self, of: fn(PayOutcome) -> T) -> BoxFuture<'_, T> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let answer = self.answer.lock().unwrap().clone();
        Box::pin(async move {
            match answer {
                Some(answer) => of(answer),
                None => std::future::pending().await,
            }
        })
    }

    fn set(&self, answer: Option<PayOutcome>) {
        *self.answer.lock().unwrap() = answer;
    }
}

impl Channel for Puppet {
    fn name(&self) -> &str {
        "puppet"
    }

    fn pay(&self, _: PayRequest) -> BoxFuture<'_, PayOutcome> {
        self.answer(|answer| answer)
    }

    fn prepare(&self, _: PrepareRequest) -> BoxFuture<'_, PrepareOutcome> {
        self.answer(|_| PrepareOutcome::Declined(Decline::ByChannel))
    }

    fn query(&self, _: PaymentAt) -> BoxFuture<'_, QueryOutcome> {
        self.answer(|_| QueryOutcome::Waiting)
    }

    fn reverse(&self, _: PaymentAt) -> BoxFuture<'_, ReverseOutcome> {
        self.answer(|_| ReverseOutcome::Reversed(None))
    }

    fn refund(&self, _: RefundRequest) -> BoxFuture<'_, RefundOutcome> {
        self.answer(|_| RefundOutcome::Done)
    }
}

#[derive(Default)]
struct Log(Mutex<Vec<(String, &'static str, &'static str, Duration)>>);

impl Observer for Log {
    fn call(&self, channel: &str, op: &'static str, outcome: &'static str, took: Duration) {
        let entry = (channel.to_owned(), op, outcome, took);
        self.0.lock().unwrap().push(entry);
    }
}

struct Rig {
    puppet: Arc<Puppet>,
    guard: Guard,
    log: Arc<Log>,
    now_ms: Arc<AtomicI64>,
}

fn rig(answer: Option<PayOutcome>) -> Rig {
    let puppet = Arc::new(Puppet {
        answer: Mutex::new(answer),
        calls: AtomicU32::new(0),
    });
    let log = Arc::new(Log::default());
    let now_ms = Arc::new(AtomicI64::new(0));
    let time = Arc::clone(&now_ms);
    let clock: Clock = Arc::new(move || UnixMs(time.load(Ordering::Relaxed)));
    let config = GuardConfig::default();
    let inner = Arc::clone(&puppet) as Arc<dyn Channel>;
    let guard = Guard::new(inner, config, clock, Arc::clone(&log) as Arc<dyn Observer>);
    Rig {
        puppet,
        guard,
        log,
        now_ms,
    }
}

fn pay() -> PayRequest {
    PayRequest {
        serial: Serial(1),
        channel: ChannelNo(2),
        amount: Fen::new(1),
        payer_code: "130000000000000099".into(),
        subject: String::new(),
        operator_id: String::new(),
        device_id: String::new(),
        store_id: None,
        expires_at: UnixMs(80_000),
    }
}

fn prepare() -> PrepareRequest {
    PrepareRequest {
        serial: Serial(1),
        channel: ChannelNo(2),
        flow: Flow::MerchantCode,
        amount: Fen::new(1),
        subject: String::new(),
        expires_at: UnixMs(80_000),
        payer_open_id: None,
        payer_app_id: None,
    }
}

const AT: PaymentAt = PaymentAt {
    serial: Serial(1),
    channel: ChannelNo(2),
    amount: Fen::new(1),
    created_at: UnixMs(0),
};

fn refund() -> RefundRequest {
    RefundRequest {
        refund: Serial(2),
        payment: Serial(1),
        channel: ChannelNo(2),
        payment_amount: Fen::new(1),
        amount: Fen::new(1),
        reason: None,
    }
}

const DEAD: Option<PayOutcome> = Some(PayOutcome::NotSent(NotSent::Connect));

#[tokio::test(start_paused = true)]
async fn a_silent_channel_is_unknown_at_the_deadline() {
    let rig = rig(None);
    let started = Instant::now();
    assert_eq!(rig.guard.pay(pay()).await, PayOutcome::Unknown);
    assert_eq!(started.elapsed(), Duration::from_secs(10));
    assert_eq!(rig.guard.prepare(prepare()).await, PrepareOutcome::Unknown);
    assert_eq!(rig.guard.query(AT).await, QueryOutcome::Unknown);
    assert_eq!(rig.guard.reverse(AT).await, ReverseOutcome::Unknown);
    assert_eq!(rig.guard.refund(refund()).await, RefundOutcome::Unknown);
    let log = rig.log.0.lock().unwrap();
    let first = (
        "puppet".to_owned(),
        "pay",
        "timeout",
        Duration::from_secs(10),
    );
    assert_eq!(log[0], first);
    assert_eq!(log.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn twenty_dead_calls_open_the_circuit_for_five_seconds() {
    let rig = rig(DEAD);
    for _ in 0..20 {
        let answer = rig.guard.pay(pay()).await;
        assert_eq!(answer, PayOutcome::NotSent(NotSent::Connect));
    }
    let refused = PayOutcome::NotSent(NotSent::Unavailable);
    assert_eq!(rig.guard.pay(pay()).await, refused);
    let refused = PrepareOutcome::NotSent(NotSent::Unavailable);
    assert_eq!(rig.guard.prepare(prepare()).await, refused);
    assert_eq!(rig.puppet.calls.load(Ordering::Relaxed), 20);
    assert_eq!(rig.log.0.lock().unwrap()[20].2, "circuit_open");

    rig.puppet.set(Some(PayOutcome::Waiting));
    rig.now_ms.store(5_000, Ordering::Relaxed);
    assert_eq!(rig.guard.pay(pay()).await, PayOutcome::Waiting);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_lets_outcomes_be_chased_and_closes_on_an_answer() {
    let rig = rig(None);
    for _ in 0..20 {
        rig.guard.query(AT).await;
    }
    let refused = PayOutcome::NotSent(NotSent::Unavailable);
    assert_eq!(rig.guard.pay(pay()).await, refused);
    rig.puppet.set(Some(PayOutcome::Waiting));
    assert_eq!(rig.guard.refund(refund()).await, RefundOutcome::Done);
    assert_eq!(rig.guard.pay(pay()).await, PayOutcome::Waiting);
}

#[tokio::test(start_paused = true)]
async fn what_the_channel_itself_does_not_know_is_still_an_answer() {
    let rig = rig(Some(PayOutcome::Unknown));
    for _ in 0..100 {
        assert_eq!(rig.guard.pay(pay()).await, PayOutcome::Unknown);
    }
    assert_eq!(rig.puppet.calls.load(Ordering::Relaxed), 100);
}

#[tokio::test(start_paused = true)]
async fn a_dead_channel_does_not_delay_another() {
    let (dead, healthy) = (rig(None), rig(Some(PayOutcome::Waiting)));
    let started = Instant::now();
    let waiting = tokio::spawn(async move { dead.guard.pay(pay()).await });
    assert_eq!(healthy.guard.pay(pay()).await, PayOutcome::Waiting);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(waiting.await.unwrap(), PayOutcome::Unknown);
}

#[test]
fn a_payers_code_is_never_printed() {
    assert!(!format!("{:?}", pay()).contains("130000000000000099"));
}

/// Panics, before there is a future or inside it.
struct Faulty {
    inside: bool,
}

impl Faulty {
    fn answer<T: Send + 'static>(&self) -> BoxFuture<'_, T> {
        assert!(self.inside, "a channel's own mistake");
        Box::pin(async move { panic!("a channel's own mistake, later") })
    }
}

impl Channel for Faulty {
    fn name(&self) -> &str {
        "faulty"
    }

    fn pay(&self, _: PayRequest) -> BoxFuture<'_, PayOutcome> {
        self.answer()
    }

    fn prepare(&self, _: PrepareRequest) -> BoxFuture<'_, PrepareOutcome> {
        self.answer()
    }

    fn query(&self, _: PaymentAt) -> BoxFuture<'_, QueryOutcome> {
        self.answer()
    }

    fn reverse(&self, _: PaymentAt) -> BoxFuture<'_, ReverseOutcome> {
        self.answer()
    }

    fn refund(&self, _: RefundRequest) -> BoxFuture<'_, RefundOutcome> {
        self.answer()
    }
}

#[tokio::test]
async fn a_call_that_panics_is_unknown_and_counts_as_a_failure() {
    for inside in [false, true] {
        let log = Arc::new(Log::default());
        let guard = Guard::new(
            Arc::new(Faulty { inside }),
            GuardConfig::default(),
            Arc::new(|| UnixMs(0)),
            Arc::clone(&log) as Arc<dyn Observer>,
        );
        for _ in 0..4 {
            assert_eq!(guard.pay(pay()).await, PayOutcome::Unknown);
            assert_eq!(guard.prepare(prepare()).await, PrepareOutcome::Unknown);
            assert_eq!(guard.query(AT).await, QueryOutcome::Unknown);
            assert_eq!(guard.reverse(AT).await, ReverseOutcome::Unknown);
            assert_eq!(guard.refund(refund()).await, RefundOutcome::Unknown);
        }
        let refused = PayOutcome::NotSent(NotSent::Unavailable);
        assert_eq!(guard.pay(pay()).await, refused);
        let log = log.0.lock().unwrap();
        assert!(log[..20].iter().all(|it| it.2 == "panicked"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_answers_nobody_is_silent_until_it_answers() {
    let rig = rig(None);
    for _ in 0..20 {
        assert!(!rig.guard.is_silent());
        rig.guard.query(AT).await;
    }
    assert!(rig.guard.is_silent());
    rig.now_ms.store(60_000, Ordering::Relaxed);
    assert!(rig.guard.is_silent(), "time alone changes nothing");
    rig.puppet.set(Some(PayOutcome::Waiting));
    rig.guard.query(AT).await;
    assert!(!rig.guard.is_silent());
}
