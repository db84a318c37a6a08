//! A channel that does what it is told, call by call, behind a guard as every channel is.

use super::{eventually, house::START};
use channels::{
    BoxFuture, Channel, Channels, Guard, GuardConfig, PayRequest, PaymentAt, PrepareOutcome,
    PrepareRequest, RefundRequest, Unobserved,
};
use domain::{
    channel::{
        ChannelNo, Decline, FundBill, FundSource, PayOutcome, Receipt, RefundOutcome,
        ReverseOutcome,
    },
    command::QueryOutcome,
    money::Fen,
    payment::Credential,
};
use onetill::app::Gateway;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

/// What a call does.
#[derive(Clone)]
pub enum Does<T> {
    /// Answers.
    Says(T),
    /// Never answers.
    Hangs,
    /// Panics.
    Panics,
    /// Answers once there is a permit.
    Waits(Arc<Semaphore>, T),
}

/// What each kind of call does from now on.
#[derive(Clone)]
pub struct Manners {
    /// "Charge this."
    pub pay: Does<PayOutcome>,
    /// "Open an order."
    pub prepare: Does<PrepareOutcome>,
    /// "What became of it?"
    pub query: Does<QueryOutcome>,
    /// "Undo it."
    pub reverse: Does<ReverseOutcome>,
    /// "Give this back."
    pub refund: Does<RefundOutcome>,
}

impl Manners {
    /// A wallet whose payer has not confirmed yet.
    pub fn waiting() -> Self {
        Self {
            pay: Does::Says(PayOutcome::Waiting),
            prepare: Does::Says(PrepareOutcome::Prepared(Credential::Link("x://y".into()))),
            query: Does::Says(QueryOutcome::Waiting),
            reverse: Does::Says(ReverseOutcome::Reversed(None)),
            refund: Does::Says(RefundOutcome::Done),
        }
    }

    /// A wallet that charges at once.
    pub fn paying(fen: i64) -> Self {
        Self {
            pay: Does::Says(PayOutcome::Paid(receipt("4200", fen))),
            query: Does::Says(QueryOutcome::Paid(receipt("4200", fen))),
            ..Self::waiting()
        }
    }

    /// A wallet that knows nothing of any payment.
    pub fn ignorant() -> Self {
        Self {
            pay: Does::Says(PayOutcome::Declined(Decline::ByChannel)),
            query: Does::Says(QueryOutcome::NotFound),
            ..Self::waiting()
        }
    }

    /// No call gets an answer.
    pub fn hanging() -> Self {
        Self {
            pay: Does::Hangs,
            prepare: Does::Hangs,
            query: Does::Hangs,
            reverse: Does::Hangs,
            refund: Does::Hangs,
        }
    }

    /// No answer can be read.
    pub fn garbled() -> Self {
        Self {
            pay: Does::Says(PayOutcome::Unknown),
            prepare: Does::Says(PrepareOutcome::Unknown),
            query: Does::Says(QueryOutcome::Unknown),
            reverse: Does::Says(ReverseOutcome::Unknown),
            refund: Does::Says(RefundOutcome::Unknown),
        }
    }

    /// Every call panics.
    pub fn panicking() -> Self {
        Self {
            pay: Does::Panics,
            prepare: Does::Panics,
            query: Does::Panics,
            reverse: Does::Panics,
            refund: Does::Panics,
        }
    }
}

/// The wallet's word that it took `fen`, under its own number.
pub fn receipt(channel_serial: &str, fen: i64) -> Receipt {
    Receipt {
        channel_serial: channel_serial.to_owned(),
        paid_at: START,
        bills: vec![FundBill {
            source: FundSource(11),
            amount: Fen::new(fen),
        }],
        buyer_id: None,
        channel_result: None,
    }
}

/// The channel.
pub struct Wallet {
    manners: Mutex<Manners>,
    refunds_asked: AtomicUsize,
    asked: Arc<AtomicUsize>,
}

/// A call under way.
struct Call(Arc<AtomicUsize>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Wallet {
    /// A wallet that does this until told otherwise.
    pub fn new(manners: Manners) -> Arc<Self> {
        Arc::new(Self {
            manners: Mutex::new(manners),
            refunds_asked: AtomicUsize::new(0),
            asked: Arc::default(),
        })
    }

    /// Puts it in the place of one of the gateway's channels. A call that hangs is unknown after
    /// `call_timeout` of real time.
    pub fn serve(self: &Arc<Self>, gateway: &mut Gateway, number: u8, call_timeout: Duration) {
        let config = GuardConfig {
            call_timeout,
            ..GuardConfig::default()
        };
        let (inner, clock) = (Arc::clone(self) as Arc<dyn Channel>, gateway.clock.clone());
        let guard = Guard::new(inner, config, clock, Arc::new(Unobserved));
        let channels = std::mem::replace(&mut gateway.channels, Channels::new());
        gateway.channels = channels.with(ChannelNo(number), Arc::new(guard));
    }

    /// What it does from now on; calls under way end as they began.
    pub fn becomes(&self, manners: Manners) {
        *self.manners.lock().unwrap() = manners;
    }

    /// Waits until it was asked for so many refunds.
    pub async fn until_refunds_asked(&self, count: usize) {
        eventually(&format!("{count} refunds asked for"), async || {
            let asked = self.refunds_asked.load(Ordering::SeqCst);
            (asked >= count).then_some(())
        })
        .await;
    }

    /// How many calls are under way.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn call<T: Clone + Send + 'static>(
        &self,
        what: impl FnOnce(&Manners) -> Does<T>,
    ) -> BoxFuture<'_, T> {
        let does = what(&self.manners.lock().unwrap());
        self.asked.fetch_add(1, Ordering::SeqCst);
        let call = Call(Arc::clone(&self.asked));
        Box::pin(async move {
            let _call = call;
            match does {
                Does::Says(answer) => answer,
                Does::Hangs => std::future::pending().await,
                Does::Panics => panic!("a channel's own mistake"),
                Does::Waits(permits, answer) => {
                    permits.acquire().await.unwrap().forget();
                    answer
                }
            }
        })
    }
}

impl Channel for Wallet {
    fn name(&self) -> &'static str {
        "wallet"
    }

    fn pay(&self, _: PayRequest) -> BoxFuture<'_, PayOutcome> {
        self.call(|it| it.pay.clone())
    }

    fn prepare(&self, _: PrepareRequest) -> BoxFuture<'_, PrepareOutcome> {
        self.call(|it| it.prepare.clone())
    }

    fn query(&self, _: PaymentAt) -> BoxFuture<'_, QueryOutcome> {
        self.call(|it| it.query.clone())
    }

    fn reverse(&self, _: PaymentAt) -> BoxFuture<'_, ReverseOutcome> {
        self.call(|it| it.reverse.clone())
    }

    fn refund(&self, _: RefundRequest) -> BoxFuture<'_, RefundOutcome> {
        self.refunds_asked.fetch_add(1, Ordering::SeqCst);
        self.call(|it| it.refund.clone())
    }
}
