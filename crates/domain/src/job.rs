//! Work that outlives the request that caused it. A job is stored with the change that made it
//! necessary and removed with the change that made it unnecessary, so a crash loses neither.

use crate::{
    ids::{Serial, TenantId},
    time::UnixMs,
};

/// What is still to be done about a payment, refund or top-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Ask the channel about an open payment until it ends or its window does.
    SettlePayment,
    /// Have the channel undo a payment that was given up, until it confirms.
    ReversePayment,
    /// Ask once more, after a confirmed reversal, whether the payer was charged after all.
    ConfirmReversal,
    /// Have the channel finish a refund.
    FinishRefund,
    /// Have the provider finish a top-up.
    FinishRecharge,
}

/// A piece of stored work. It has the same number as the thing it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Whose.
    pub tenant: TenantId,
    /// The payment, refund or top-up.
    pub subject: Serial,
    /// What is to be done.
    pub kind: JobKind,
    /// Not before this.
    pub due_at: UnixMs,
    /// How often it has been tried.
    pub attempts: u32,
}

impl Job {
    /// New work, due at `due_at`.
    #[must_use]
    pub const fn new(tenant: TenantId, subject: Serial, kind: JobKind, due_at: UnixMs) -> Self {
        Self {
            tenant,
            subject,
            kind,
            due_at,
            attempts: 0,
        }
    }
}

/// How long a request may hold its own work before a worker takes it over, in milliseconds:
/// longer than any single channel call.
pub const HANDOVER_MS: i64 = 15_000;
/// How long a worker's claim on a job lasts, in milliseconds.
pub const LEASE_MS: i64 = 15_000;
/// When the channel is asked once more after a confirmed reversal, in milliseconds: by then any
/// call that crossed the reversal has ended.
pub const CONFIRM_AFTER_MS: i64 = HANDOVER_MS;

/// The wait before asking a channel again: 2 s for the first five times, then 5 s, and after
/// two minutes of silence ever longer, up to 5 minutes.
#[must_use]
pub const fn retry_after_ms(attempts: u32) -> i64 {
    match attempts {
        0..=4 => 2_000,
        5..=28 => 5_000,
        29..=60 => 30_000,
        _ => 300_000,
    }
}
