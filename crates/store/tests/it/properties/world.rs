//! A gateway in small: clients, workers, an operator and a bank, over the engine and a store.

use super::{
    bank::{Bank, Luck, share},
    step::Step,
};
use crate::{
    fixture::{Answering, all_in_order},
    samples::{MERCHANT, NOW, TENANT, payment_named, recharge, serial},
};
use domain::{
    channel::{PayOutcome, RechargeOutcome, RefundOutcome, ReverseOutcome},
    command::{
        BeginPayment, BeginRecharge, BeginRefund, Cancel, ClaimJobs, ClaimNotifications, Command,
        DecideCancel, GiveUp, QueryOutcome, RecordDelivery, RecordPay, RecordQuery, RecordRecharge,
        RecordRefund, RecordReverse, RefundReply, Renotify,
    },
    ids::{ClaimKey, ClaimSpace, Serial},
    job::{CONFIRM_AFTER_MS, Job, JobKind},
    money::Fen,
    payment::{Flow, Payment, PaymentState},
    recharge::Recharge,
    refund::{Refund, RefundState},
    rows::PaymentRef,
    time::UnixMs,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use store::{
    Engine, Reader,
    audit::{AuditReport, audit},
    memory::Memory,
};

/// An answer on its way.
#[derive(Clone, Debug)]
enum Answer {
    Pay(Serial, PayOutcome),
    Query(Serial, QueryOutcome),
    Reverse(Serial, ReverseOutcome),
    Refund(Serial, Serial, RefundOutcome),
    TopUp(Serial, RechargeOutcome),
}

impl Answer {
    /// The same call, timed out.
    fn lost(self) -> Self {
        match self {
            Self::Pay(it, _) => Self::Pay(it, PayOutcome::Unknown),
            Self::Query(it, _) => Self::Query(it, QueryOutcome::Unknown),
            Self::Reverse(it, _) => Self::Reverse(it, ReverseOutcome::Unknown),
            Self::Refund(of, it, _) => Self::Refund(of, it, RefundOutcome::Unknown),
            Self::TopUp(it, _) => Self::TopUp(it, RechargeOutcome::Unknown),
        }
    }
}

/// No call lasts longer, in milliseconds.
const CALL_MS_MAX: i64 = CONFIRM_AFTER_MS;

/// The rows as they are stored.
#[derive(Clone, Default)]
pub struct Stored {
    pub payments: BTreeMap<Serial, Payment>,
    pub refunds: BTreeMap<Serial, Refund>,
    pub top_ups: BTreeMap<Serial, Recharge>,
    pub jobs: Vec<Job>,
}

/// What the client of a refund is told.
pub type RefundAnswer = (PaymentRef, Fen, RefundReply);

pub struct World {
    store: Memory,
    engine: Engine,
    now: Arc<AtomicI64>,
    serials: i64,
    pub bank: Bank,
    answers: Vec<(UnixMs, Answer)>,
    pub stored: Stored,
}

/// The one that number `n` chooses.
fn choose<V: Clone>(from: &BTreeMap<Serial, V>, n: u8) -> Option<V> {
    let n = usize::from(n).checked_rem(from.len())?;
    from.values().nth(n).cloned()
}

impl World {
    pub fn new() -> Self {
        let now = Arc::new(AtomicI64::new(NOW.0));
        let shown = Arc::clone(&now);
        let clock = Arc::new(move || UnixMs(shown.load(Ordering::Relaxed)));
        let (engine, queue) = Engine::new(clock);
        let store = Memory::new();
        tokio::spawn(queue.serve(store.clone()));
        Self {
            store,
            engine,
            now,
            serials: 0,
            bank: Bank::default(),
            answers: Vec::new(),
            stored: Stored::default(),
        }
    }

    fn now(&self) -> UnixMs {
        UnixMs(self.now.load(Ordering::Relaxed))
    }

    pub fn pass_ms(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::Relaxed);
    }

    fn new_serial(&mut self) -> Serial {
        self.serials += 1;
        serial(self.serials)
    }

    fn queued<C: Command>(&self, command: C) -> Answering<Option<RefundAnswer>> {
        let engine = self.engine.clone();
        Box::pin(async move { engine.run(command).await.map(|_| None) })
    }

    /// Lets `steps` happen at the same time: their commands are decided in one batch.
    pub async fn happen(&mut self, steps: &[Step]) -> Vec<RefundAnswer> {
        let mut commands = Vec::new();
        // Calls that start now know nothing of answers that are only being recorded.
        let (heard, started): (Vec<_>, Vec<_>) = steps
            .iter()
            .partition(|step| matches!(step, Step::Hear { .. }));
        for step in started.into_iter().chain(heard) {
            commands.extend(self.start(step).await);
        }
        let answers = all_in_order(commands).await;
        self.stored = self.read().await;
        answers.into_iter().filter_map(Result::unwrap).collect()
    }

    #[expect(clippy::too_many_lines, reason = "one arm a step, and nothing else")]
    async fn start(&mut self, step: &Step) -> Option<Answering<Option<RefundAnswer>>> {
        let payment = |n| choose(&self.stored.payments, n);
        match *step {
            Step::Begin {
                number,
                fen,
                by_code,
            } => Some(self.begin(number, fen, by_code)),
            Step::Charge { payment: n, luck } => {
                let payment = payment(n).filter(|it| !self.bank.was_asked_to_charge(it.serial))?;
                let outcome = self.bank.charge(&payment, luck, self.now());
                self.answer_later(Answer::Pay(payment.serial, outcome));
                None
            }
            Step::PayerActs { payment: n, pays } => {
                self.bank.payer_acts(payment(n)?.serial, pays);
                None
            }
            Step::Ask { payment: n, luck } => {
                self.ask(&payment(n)?, luck);
                None
            }
            Step::GiveUp { payment: n } => {
                let (tenant, serial) = (TENANT, payment(n)?.serial);
                Some(self.queued(GiveUp { tenant, serial }))
            }
            Step::Reverse { payment: n, luck } => {
                self.reverse(&payment(n)?, luck);
                None
            }
            Step::Cancel { payment: n, mode } => {
                let cancel = Cancel {
                    payment: PaymentRef::Key(TENANT, payment(n)?.key),
                    merchant: MERCHANT,
                    mode,
                    refund_serial: self.new_serial(),
                };
                Some(self.queued(cancel))
            }
            Step::Decide {
                payment: n,
                approve,
            } => {
                let decide = DecideCancel {
                    tenant: TENANT,
                    serial: payment(n)?.serial,
                    approve,
                    refund_serial: self.new_serial(),
                };
                Some(self.queued(decide))
            }
            Step::Refund {
                payment: n,
                number,
                percent,
            } => {
                let payment = payment(n)?;
                Some(self.refund(&payment, number, share(payment.amount, percent)))
            }
            Step::AskRefund { refund, luck } => {
                self.ask_refund(&choose(&self.stored.refunds, refund)?, luck);
                None
            }
            Step::TopUp { number } => Some(self.top_up(number)),
            Step::AskTopUp { top_up, luck } => {
                let top_up = choose(&self.stored.top_ups, top_up)?;
                self.ask_top_up(&top_up, luck);
                None
            }
            Step::Hear { answer } => {
                let n = usize::from(answer).checked_rem(self.answers.len())?;
                let (asked_at, answer) = self.answers.swap_remove(n);
                let is_late = self.now().since_ms(asked_at) > CALL_MS_MAX;
                Some(self.hear(if is_late { answer.lost() } else { answer }))
            }
            Step::Work { luck } => {
                self.work(luck).await;
                None
            }
            Step::Deliver { acknowledged } => self.deliver(acknowledged).await,
            Step::Renotify { payment: n } => {
                let (tenant, subject) = (TENANT, payment(n)?.serial);
                Some(self.queued(Renotify { tenant, subject }))
            }
            Step::Pass { s } => {
                self.pass_ms(i64::from(s) * 1_000);
                None
            }
        }
    }

    fn answer_later(&mut self, answer: Answer) {
        self.answers.push((self.now(), answer));
    }

    fn begin(&mut self, number: u8, fen: u16, by_code: bool) -> Answering<Option<RefundAnswer>> {
        let now = self.now();
        let mut payment = payment_named(0, &format!("M{number}"));
        payment.serial = self.new_serial();
        payment.amount = Fen::new(i64::from(fen) + 1);
        payment.flow = if by_code {
            Flow::PayerCode
        } else {
            Flow::MerchantCode
        };
        payment.created_at = now;
        payment.expires_at = now.plus_s(80);
        payment.details.notify_url = fen
            .is_multiple_of(2)
            .then(|| "http://shop.example/".to_owned());
        let payment = Box::new(payment);
        self.queued(BeginPayment {
            payment,
            code: None,
        })
    }

    fn refund(
        &mut self,
        payment: &Payment,
        number: u8,
        amount: Fen,
    ) -> Answering<Option<RefundAnswer>> {
        let number = format!("R{number}");
        let of = PaymentRef::Serial(TENANT, payment.serial);
        let begin = BeginRefund {
            tenant: TENANT,
            payment: of,
            merchant: MERCHANT,
            serial: self.new_serial(),
            key: ClaimKey::of(TENANT, MERCHANT, ClaimSpace::Refund, &number),
            merchant_serial: Some(number),
            amount,
        };
        let engine = self.engine.clone();
        Box::pin(async move {
            let reply = engine.run(begin).await?;
            Ok(Some((of, amount, reply)))
        })
    }

    fn top_up(&mut self, number: u8) -> Answering<Option<RefundAnswer>> {
        let mut recharge = Box::new(recharge(i64::from(number)));
        recharge.serial = self.new_serial();
        recharge.notify_url = number
            .is_multiple_of(2)
            .then(|| "http://shop.example/".to_owned());
        self.queued(BeginRecharge { recharge })
    }

    fn ask(&mut self, payment: &Payment, luck: Luck) {
        let outcome = self.bank.query(payment, luck);
        self.answer_later(Answer::Query(payment.serial, outcome));
    }

    fn reverse(&mut self, payment: &Payment, luck: Luck) {
        if matches!(payment.state, PaymentState::Ending(_)) {
            let outcome = self.bank.reverse(payment, luck, self.now());
            self.answer_later(Answer::Reverse(payment.serial, outcome));
        }
    }

    fn ask_refund(&mut self, refund: &Refund, luck: Luck) {
        if refund.state == RefundState::InProgress {
            self.forget_not_sent(refund.serial);
            let payment = self.stored.payments[&refund.payment].clone();
            let outcome = self.bank.refund(&payment, refund, luck);
            self.answer_later(Answer::Refund(payment.serial, refund.serial, outcome));
        }
    }

    fn ask_top_up(&mut self, top_up: &Recharge, luck: Luck) {
        if !top_up.is_over() {
            self.forget_not_sent(top_up.serial);
            let outcome = self.bank.top_up(top_up.serial, luck);
            self.answer_later(Answer::TopUp(top_up.serial, outcome));
        }
    }

    /// Whoever calls again no longer knows that an earlier call did not get through.
    fn forget_not_sent(&mut self, subject: Serial) {
        for (_, answer) in &mut self.answers {
            let is_not_sent = match answer {
                Answer::Refund(_, serial, RefundOutcome::NotSent(_))
                | Answer::TopUp(serial, RechargeOutcome::NotSent(_)) => *serial == subject,
                _ => false,
            };
            if is_not_sent {
                *answer = answer.clone().lost();
            }
        }
    }

    fn hear(&mut self, answer: Answer) -> Answering<Option<RefundAnswer>> {
        let tenant = TENANT;
        let refund_serial = self.new_serial();
        match answer {
            Answer::Pay(serial, outcome) => self.queued(RecordPay {
                tenant,
                serial,
                outcome,
                credential: None,
                refund_serial,
            }),
            Answer::Query(serial, outcome) => self.queued(RecordQuery {
                tenant,
                serial,
                outcome,
                refund_serial,
            }),
            Answer::Reverse(serial, outcome) => self.queued(RecordReverse {
                tenant,
                serial,
                outcome,
                refund_serial,
            }),
            Answer::Refund(payment, refund, outcome) => self.queued(RecordRefund {
                tenant,
                payment,
                refund,
                outcome,
            }),
            Answer::TopUp(serial, outcome) => self.queued(RecordRecharge {
                tenant,
                serial,
                outcome,
            }),
        }
    }

    /// A worker takes what is due and calls the bank about it.
    async fn work(&mut self, luck: Luck) {
        let due = self
            .store
            .due_jobs(self.now(), 3, Vec::new())
            .await
            .unwrap();
        let subjects = due.iter().map(|it| (it.tenant, it.subject)).collect();
        let jobs = self.engine.run(ClaimJobs { subjects }).await.unwrap();
        let rows = self.read().await;
        for job in jobs {
            match job.kind {
                JobKind::SettlePayment | JobKind::ConfirmReversal => {
                    let payment = &rows.payments[&job.subject];
                    let (tenant, serial) = (TENANT, job.subject);
                    if job.kind == JobKind::SettlePayment && payment.expires_at <= self.now() {
                        self.engine.run(GiveUp { tenant, serial }).await.unwrap();
                    } else {
                        self.ask(payment, luck);
                    }
                }
                JobKind::ReversePayment => self.reverse(&rows.payments[&job.subject], luck),
                JobKind::FinishRefund => self.ask_refund(&rows.refunds[&job.subject], luck),
                JobKind::FinishRecharge => self.ask_top_up(&rows.top_ups[&job.subject], luck),
            }
        }
    }

    async fn deliver(&mut self, acknowledged: bool) -> Option<Answering<Option<RefundAnswer>>> {
        let due = self.store.due_notifications(self.now(), 1, Vec::new());
        let due = due.await.unwrap();
        let subjects = due.iter().map(|it| (it.tenant, it.subject)).collect();
        let claim = ClaimNotifications { subjects };
        let taken = self.engine.run(claim).await.unwrap();
        let (tenant, subject) = (TENANT, taken.first()?.subject);
        Some(self.queued(RecordDelivery {
            tenant,
            subject,
            acknowledged,
        }))
    }

    /// Everybody finishes: answers arrive, workers work, calls go well, until nothing is left.
    pub async fn settle(&mut self) {
        for _ in 0..200 {
            while !self.answers.is_empty() {
                self.happen(&[Step::Hear { answer: 0 }]).await;
            }
            if self.stored.jobs.is_empty() {
                return;
            }
            self.pass_ms(10_000);
            self.work(Luck::Good).await;
            self.stored = self.read().await;
        }
        panic!("work never ends: {:?}", self.stored.jobs);
    }

    async fn read(&self) -> Stored {
        let mut snapshot = self.store.snapshot().await.unwrap();
        let payments = snapshot.payments(None, 1_000).await.unwrap();
        let refunds = snapshot.refunds(None, 1_000).await.unwrap();
        let top_ups = snapshot.recharges(None, 1_000).await.unwrap();
        Stored {
            payments: payments.into_iter().map(|it| (it.serial, it)).collect(),
            refunds: refunds.into_iter().map(|it| (it.serial, it)).collect(),
            top_ups: top_ups.into_iter().map(|it| (it.serial, it)).collect(),
            jobs: snapshot.jobs(None, 1_000).await.unwrap(),
        }
    }

    pub async fn audited(&self) -> AuditReport {
        let mut snapshot = self.store.snapshot().await.unwrap();
        audit(snapshot.as_mut(), &mut |_| {}).await.unwrap()
    }
}
