//! What every use case works with.

use super::{
    contradictions::Contradictions, directory::Directory, loyalty::Loyalty, payer_code::PayerCodes,
    serials::SerialIssuer, settlements::Settlements, voucher::Vouchers,
};
use crate::outbound::TargetPolicy;
use channels::{
    Channel, Channels, RechargeProvider,
    sandbox::{RemoteSandbox, Sandbox},
};
use domain::{
    channel::ChannelNo,
    command::Command,
    ids::Serial,
    payment::{Payment, PaymentState},
    time::UnixMs,
};
use jiff::{Timestamp, tz::TimeZone};
use std::sync::Arc;
use store::{Clock, Engine, EngineError, Reader, StoreError};
use tokio::sync::Notify;

/// The rules an operator may set for all merchants.
#[derive(Clone)]
pub struct Rules {
    /// The zone of every date and time on the wire.
    pub zone: TimeZone,
    /// How long a payer's code is waited for at most, in seconds.
    pub window_s: u32,
    /// How long an order waits for its payer unless the request says otherwise, in seconds.
    pub order_window_s: u32,
    /// Which channel a payer's code belongs to.
    pub payer_codes: PayerCodes,
    /// Whom notifications may reach.
    pub targets: TargetPolicy,
    /// What the paths of the voucher dialect begin with; empty, or `/` and a name.
    pub voucher_prefix: String,
}

/// The gateway: everything a use case works with.
pub struct Gateway {
    /// Changes rows.
    pub engine: Engine,
    /// Looks at rows.
    pub reader: Arc<dyn Reader>,
    /// The channels, each behind its guard.
    pub channels: Channels,
    /// The top-up provider, if there is one.
    pub recharge: Option<Arc<dyn RechargeProvider>>,
    /// The sandbox behind the channels, for its payer's page, if it is on.
    pub sandbox: Option<Arc<Sandbox>>,
    /// The sandbox behind the channels, for its news, if it is a process of its own.
    pub remote_sandbox: Option<Arc<RemoteSandbox>>,
    /// The merchants.
    pub directory: Directory,
    /// Member cards: stores, programs, keys, PINs and codes.
    pub loyalty: Loyalty,
    /// Prepaid vouchers: codes and partners.
    pub vouchers: Vouchers,
    /// Issues gateway serials.
    pub serials: SerialIssuer,
    /// Wakes requests that wait for a payment.
    pub settlements: Settlements,
    /// Wakes who delivers notifications: one may be owed now.
    pub owed: Notify,
    /// Notes what channels say against the books.
    pub contradictions: Contradictions,
    /// Tells the present.
    pub clock: Clock,
    /// The operator's rules.
    pub rules: Rules,
}

/// Why a use case could not be carried out. Each dialect says it in its own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppError {
    /// The merchant has no contract for the channel, or is suspended.
    #[error("no valid contract")]
    NoContract,
    /// Too many requests are waiting; nothing was recorded.
    #[error("overloaded")]
    Overloaded,
    /// The store is down; nothing was recorded.
    #[error("the store is down")]
    StoreDown,
    /// It is not known whether the request was recorded.
    #[error("the outcome is not known")]
    OutcomeUnknown,
    /// This part of the service is switched off or unreachable; nothing was recorded.
    #[error("unavailable")]
    Unavailable,
    /// Something unforeseen; it is in the log.
    #[error("unforeseen")]
    Unforeseen,
}

impl AppError {
    /// What a failure means once the request itself is recorded: the workers finish it, and
    /// nobody can say yet how.
    pub(super) fn after_recording(self) -> Self {
        tracing::warn!(error = %self, "a recorded request is left to the workers");
        Self::OutcomeUnknown
    }
}

impl From<EngineError> for AppError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::QueueFull => Self::Overloaded,
            EngineError::Stopped => Self::StoreDown,
            EngineError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Down(_) | StoreError::Full(_) | StoreError::Conflict(_) => Self::StoreDown,
            StoreError::Unknown(_) => Self::OutcomeUnknown,
            StoreError::Corrupt(_) | StoreError::Refused(_) => {
                tracing::error!(%error, "a request met rows that cannot be");
                Self::Unforeseen
            }
        }
    }
}

impl Gateway {
    /// The present.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        (self.clock)()
    }

    /// Carries out one command.
    ///
    /// # Errors
    /// When the queue is full or the store failed.
    pub async fn run<C: Command>(&self, command: C) -> Result<C::Reply, AppError> {
        Ok(self.engine.run(command).await?)
    }

    /// A fresh serial.
    ///
    /// # Errors
    /// When this node holds no lease on its number.
    pub fn next_serial(&self) -> Result<Serial, AppError> {
        self.serials.next(self.now()).ok_or(AppError::StoreDown)
    }

    /// The channel numbered `number`.
    ///
    /// # Errors
    /// When no such channel is configured.
    pub fn channel(&self, number: ChannelNo) -> Result<Arc<dyn Channel>, AppError> {
        self.channels.get(number).ok_or(AppError::Unavailable)
    }

    /// Tells whoever waits for `payment`, and whoever tells its merchant, if it has settled.
    pub fn announce(&self, payment: &Payment) {
        match payment.state {
            PaymentState::Open { .. } => return,
            PaymentState::Paid(_) if payment.details.notify_url.is_some() => {
                self.owed.notify_one();
            }
            PaymentState::Paid(_) | PaymentState::Ending(_) | PaymentState::Ended { .. } => {}
        }
        self.settlements.tell(payment);
    }

    /// `at` as the wire writes times: `yyyy-MM-dd HH:mm:ss` in the gateway's zone.
    #[must_use]
    pub fn wire_time(&self, at: UnixMs) -> String {
        wire_time(at, &self.rules.zone)
    }
}

/// `at` as `yyyy-MM-dd HH:mm:ss` in `zone`.
#[must_use]
pub fn wire_time(at: UnixMs, zone: &TimeZone) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}
