//! A sandbox on a clock that tests turn.

use crate::{
    contract::{Channel, Clock, PayRequest, PaymentAt, PrepareRequest, RefundRequest},
    sandbox::{InMemory, Memory, Sandbox, SandboxConfig},
};
use domain::{
    channel::{ChannelNo, PayOutcome, RefundOutcome, ReverseOutcome},
    command::QueryOutcome,
    ids::Serial,
    money::Fen,
    payment::Flow,
    time::UnixMs,
};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

pub const START: UnixMs = UnixMs(1_795_276_800_000);
pub const AMOUNT: Fen = Fen::new(1_000);

pub struct Rig {
    pub sandbox: Sandbox,
    now_ms: Arc<AtomicI64>,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(Arc::new(InMemory::default()))
    }

    pub fn with(memory: Arc<dyn Memory>) -> Self {
        let now_ms = Arc::new(AtomicI64::new(START.0));
        let time = Arc::clone(&now_ms);
        let clock: Clock = Arc::new(move || UnixMs(time.load(Ordering::Relaxed)));
        let config = SandboxConfig {
            base_url: "https://till.example/".into(),
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::new(clock, config, memory).unwrap();
        Self { sandbox, now_ms }
    }

    pub fn advance_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub fn now(&self) -> UnixMs {
        UnixMs(self.now_ms.load(Ordering::Relaxed))
    }

    pub async fn pay(&self, n: i64, code_end: &str) -> PayOutcome {
        let request = PayRequest {
            serial: serial(n),
            channel: ChannelNo(2),
            amount: AMOUNT,
            payer_code: format!("1300000000000000{code_end}"),
            subject: "tea".into(),
            operator_id: "oper01".into(),
            device_id: "dev01".into(),
            store_id: None,
            expires_at: START.plus_s(80),
        };
        self.sandbox.pay(request).await
    }

    pub async fn query(&self, n: i64) -> QueryOutcome {
        Channel::query(&self.sandbox, at(n)).await
    }

    pub async fn reverse(&self, n: i64) -> ReverseOutcome {
        self.sandbox.reverse(at(n)).await
    }

    pub async fn refund(&self, n: i64, refund: i64, fen: i64) -> RefundOutcome {
        let request = RefundRequest {
            refund: serial(refund),
            payment: serial(n),
            channel: ChannelNo(2),
            payment_amount: AMOUNT,
            amount: Fen::new(fen),
            reason: None,
        };
        self.sandbox.refund(request).await
    }

    /// What was taken and given back for payment `n`, in fen.
    pub fn held(&self, n: i64) -> Option<(i64, i64)> {
        let held = self.sandbox.held(serial(n))?;
        Some((held.charged.get(), held.given_back.get()))
    }
}

pub fn serial(n: i64) -> Serial {
    Serial(Serial::floor(START, 8 * 3600).0 + n)
}

pub fn at(n: i64) -> PaymentAt {
    PaymentAt {
        serial: serial(n),
        channel: ChannelNo(2),
        amount: AMOUNT,
        created_at: START,
    }
}

pub fn order(n: i64, channel: u8, flow: Flow) -> PrepareRequest {
    PrepareRequest {
        serial: serial(n),
        channel: ChannelNo(channel),
        flow,
        amount: AMOUNT,
        subject: "tea".into(),
        expires_at: START.plus_s(7_200),
        payer_open_id: None,
        payer_app_id: None,
    }
}
