//! What every store offers: a [`Writer`] that runs one transaction at a time, and a [`Reader`]
//! that looks without stopping it.

use domain::{
    channel::ChannelNo,
    ids::{MerchantNo, Serial, TenantId},
    job::Job,
    ledger::Posting,
    loyalty::{
        document::{Document, DocumentKey, DocumentKind},
        terminal::BatchNo,
        trans::{Place, Trans, TransNo},
    },
    merchant::{Merchant, Tenant},
    notification::Notification,
    payment::Payment,
    recharge::Recharge,
    refund::Refund,
    rows::{Changes, Inconsistent, PaymentRef, Plan, Rows},
    time::UnixMs,
    voucher::stock::Unit,
};
use std::{future::Future, pin::Pin};

mod voucher;

pub use voucher::{
    CodeEventKey, FoundCode, Named, Sight, SpanMark, StoredCode, StoredCounts, TreePage,
    VoucherReader, VoucherSnapshot,
};
pub(crate) use voucher::{follow_events, key_of_event};

/// A future that can be put behind a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why a store could not do its work. The text is for the log, never for a caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached or cannot write. Nothing was recorded.
    #[error("the store is down, nothing was recorded: {0}")]
    Down(String),
    /// There is no room left. Nothing was recorded; reading still works.
    #[error("the store is full, nothing was recorded: {0}")]
    Full(String),
    /// Another writer was in the way. Nothing was recorded; the same batch may be tried again.
    #[error("another writer was in the way: {0}")]
    Conflict(String),
    /// It is not known whether the change was recorded, and the store cannot be asked.
    #[error("it is not known whether the change was recorded: {0}")]
    Unknown(String),
    /// The stored rows cannot be read or contradict each other. Nothing was recorded.
    #[error("the stored rows are wrong: {0}")]
    Corrupt(String),
    /// The rows break a rule of the schema. Nothing was recorded.
    #[error("the change breaks a rule of the store: {0}")]
    Refused(String),
}

impl From<Inconsistent> for StoreError {
    fn from(rows: Inconsistent) -> Self {
        Self::Corrupt(rows.to_string())
    }
}

/// Runs transactions, one at a time. The calls alternate: [`Writer::load`] opens a transaction,
/// [`Writer::commit`] or [`Writer::abandon`] closes it. An error from either closes it as well.
pub trait Writer: Send + 'static {
    /// Opens a transaction, records the payments of `plan.claims` whose keys are free and whose codes
    /// pay ([`PayingCodes::admit`](domain::voucher::paying::PayingCodes::admit)), locks and loads everything the plan names, the payments that have
    /// its claims' keys, and the voucher codes that payments hold. The plan is normalised already.
    ///
    /// Ranges to be changed are locked against everybody, the ranges of codes against change. Where
    /// another writer has cut them meanwhile, that is [`StoreError::Conflict`].
    fn load(&mut self, plan: Plan<'_>) -> impl Future<Output = Result<Rows, StoreError>> + Send;

    /// Writes `changes` and commits. When this returns, the change is on disk.
    ///
    /// A document, an event, a code's row or its event that is to be added and whose key, serial,
    /// place or number is there already is another writer's: [`StoreError::Conflict`]. A store's or
    /// partner's number that any tenant has, or a terminal index that another terminal of the
    /// tenant has, is [`StoreError::Refused`].
    fn commit(&mut self, changes: Changes) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes the open transaction back.
    fn abandon(&mut self) -> impl Future<Output = ()> + Send;

    /// Runs one provisioning step in a transaction of its own, durable when it returns.
    fn admin(
        &mut self,
        op: &AdminOp,
    ) -> impl Future<Output = Result<AdminReply, StoreError>> + Send;
}

/// Provisioning: rare changes outside the payment path.
#[derive(Clone)]
pub enum AdminOp {
    /// Adds a tenant unless its name exists; answers [`AdminReply::Tenant`] with the stored one.
    AddTenant(Tenant),
    /// Adds or overwrites a merchant (identified by tenant and number). A code that another
    /// merchant has is [`StoreError::Refused`]. Answers [`AdminReply::Done`].
    PutMerchant(Box<Merchant>),
    /// Stores a value under a name unless the name has one; answers [`AdminReply::Value`] with
    /// the stored one.
    PutIfAbsent {
        /// The name.
        name: String,
        /// The value to store when there is none.
        value: Vec<u8>,
    },
    /// Takes a node number (0 to 99) whose lease has run out at `now`, until `until`; answers
    /// [`AdminReply::Lease`], or `Refused` when all are taken.
    LeaseNode {
        /// The present.
        now: UnixMs,
        /// When the lease ends unless it is renewed.
        until: UnixMs,
        /// Random number of this process, to tell its lease from a successor's.
        owner: i64,
    },
    /// Moves the end of a lease; answers [`AdminReply::Renewed`].
    RenewNode {
        /// The node number.
        node: i64,
        /// The random number given at [`AdminOp::LeaseNode`].
        owner: i64,
        /// When the lease now ends. At `now` or before to give it up.
        until: UnixMs,
    },
    /// Stores units of a box; answers [`AdminReply::Done`]. A name that another unit of the tenant
    /// has is [`StoreError::Refused`].
    AddUnits(Vec<Unit>),
    /// Stores codes of a box; answers [`AdminReply::Done`]. In the order of their indices they are
    /// stored fastest.
    AddCodes(Vec<StoredCode>),
    /// Stores by which digests codes are found; answers [`AdminReply::Done`]. In the order of the
    /// digests they are stored fastest. A digest that another code has is [`StoreError::Refused`].
    AddDigests(Vec<FoundCode>),
    /// Removes the units, codes and digests of a box, at most `limit` of each, and answers
    /// [`AdminReply::Removed`]; the caller makes sure that the box was never ready.
    RemoveStock {
        /// The box.
        carton: Serial,
        /// How many rows of each kind at most.
        limit: u32,
    },
}

/// The answer to an [`AdminOp`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminReply {
    /// Done.
    Done,
    /// The stored tenant.
    Tenant(Tenant),
    /// The stored value.
    Value(Vec<u8>),
    /// A node number, and the time its serials must start after: an earlier holder may have
    /// issued serials up to there.
    Lease {
        /// The node number.
        node: i64,
        /// Serials of this lease must be made of later milliseconds than this.
        issued_until: UnixMs,
    },
    /// Whether the lease was still ours.
    Renewed(bool),
    /// How many rows were removed; none when there are none left.
    Removed(u64),
}

/// Which payments to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct PaymentFilter {
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// Only this merchant's.
    pub merchant: Option<MerchantNo>,
    /// Only those that are open, are ending, or wait for an operator's decision.
    pub undecided: bool,
    /// Only those waiting for an operator's decision.
    pub cancel_requested: bool,
    /// Only serials below this one (exclusive): where the previous page ended.
    pub before: Option<Serial>,
}

/// A stored value and its name.
pub type NamedValue = (String, Vec<u8>);

/// Work that is due, and whom it will ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueJob {
    /// Whose.
    pub tenant: TenantId,
    /// The payment, refund or top-up.
    pub subject: Serial,
    /// The channel of the payment it is about; `None` is the provider of top-ups.
    pub asks: Option<ChannelNo>,
}

/// Figures for metrics and health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreFigures {
    /// Stored work not finished.
    pub jobs: u64,
    /// When the oldest unfinished work was first due, if there is any.
    pub oldest_job_due_at: Option<UnixMs>,
    /// Notifications to be delivered.
    pub notifications_due: u64,
    /// Notifications given up.
    pub notifications_dead: u64,
    /// When the longest waiting notification was due.
    pub oldest_notification_due_at: Option<UnixMs>,
    /// When points or tickets of a card expire first, or had to be written off.
    pub oldest_card_due_at: Option<UnixMs>,
    /// What waits for an operator's eyes.
    pub work_items: u64,
}

/// The last document of the page before: its tenant and key.
pub type DocumentMark = (TenantId, String);

/// Looks at stored rows without stopping the writer.
pub trait Reader: VoucherReader {
    /// A payment by serial or claim.
    fn payment(&self, by: PaymentRef) -> BoxFuture<'_, Result<Option<Payment>, StoreError>>;

    /// Those of the named payments that there are, in no order.
    fn payments_by_serial(
        &self,
        serials: Vec<(TenantId, Serial)>,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>>;

    /// A payment by gateway serial, whoever's it is: for operators and for channels' own news.
    fn payment_of_any(&self, serial: Serial) -> BoxFuture<'_, Result<Option<Payment>, StoreError>>;

    /// The payments that match, newest first, at most `limit`.
    fn payments(
        &self,
        filter: PaymentFilter,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>>;

    /// The refunds of a payment, oldest first.
    fn refunds_of(
        &self,
        tenant: TenantId,
        payment: Serial,
    ) -> BoxFuture<'_, Result<Vec<Refund>, StoreError>>;

    /// A refund.
    fn refund(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Refund>, StoreError>>;

    /// A top-up.
    fn recharge(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Recharge>, StoreError>>;

    /// Work that is due, longest due first, at most `limit`, without that which asks one of
    /// `except`.
    fn due_jobs(
        &self,
        now: UnixMs,
        limit: u32,
        except: Vec<Option<ChannelNo>>,
    ) -> BoxFuture<'_, Result<Vec<DueJob>, StoreError>>;

    /// Notifications that are due, longest due first, at most `limit`, without those to
    /// `except`.
    fn due_notifications(
        &self,
        now: UnixMs,
        limit: u32,
        except: Vec<(TenantId, MerchantNo)>,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>>;

    /// A notification.
    fn notification(
        &self,
        tenant: TenantId,
        subject: Serial,
    ) -> BoxFuture<'_, Result<Option<Notification>, StoreError>>;

    /// Notifications that were given up, newest first, at most `limit`.
    fn dead_notifications(
        &self,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>>;

    /// A document by its key.
    fn document(&self, key: DocumentKey) -> BoxFuture<'_, Result<Option<Document>, StoreError>>;

    /// The documents with these keys as they stood together at one moment; keys that nothing has
    /// are left out.
    fn documents_by_key(
        &self,
        keys: Vec<DocumentKey>,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>>;

    /// Documents of a kind, of one tenant or of all, by tenant and key, at most `limit`.
    fn documents(
        &self,
        kind: DocumentKind,
        tenant: Option<TenantId>,
        after: Option<DocumentMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>>;

    /// Documents of a kind that are due ([`Document::due_at`]), longest due first, at most `limit`.
    fn due_documents(
        &self,
        kind: DocumentKind,
        now: UnixMs,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>>;

    /// An event on a card by serial.
    fn trans(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>>;

    /// The event that a terminal's message made.
    fn trans_at(
        &self,
        tenant: TenantId,
        place: Place,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>>;

    /// An event by the number terminals know it by.
    fn trans_by_number(
        &self,
        tenant: TenantId,
        number: TransNo,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>>;

    /// The events of a batch in the order of their places, those behind `after`, at most `limit`;
    /// fewer only where there are no more.
    fn trans_of_batch(
        &self,
        tenant: TenantId,
        terminal: i64,
        batch: BatchNo,
        after: Option<Place>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Trans>, StoreError>>;

    /// All tenants.
    fn tenants(&self) -> BoxFuture<'_, Result<Vec<Tenant>, StoreError>>;

    /// All merchants.
    fn merchants(&self) -> BoxFuture<'_, Result<Vec<Merchant>, StoreError>>;

    /// Figures for metrics and health.
    fn figures(&self) -> BoxFuture<'_, Result<StoreFigures, StoreError>>;

    /// How many payments with this serial or a later one are open or ending. Counted among the
    /// jobs, since each of them has one, so it costs what is open and not what is stored.
    fn open_payments(&self, since: Serial) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// The values stored under names that begin with `prefix` (see [`AdminOp::PutIfAbsent`]), by
    /// name from last to first, at most `limit`.
    fn values(
        &self,
        prefix: String,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<NamedValue>, StoreError>>;

    /// The durability settings as the store itself reports them, one `name = value` each.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when a setting would let an acknowledged change be lost.
    fn durability(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>>;

    /// A consistent view of all rows as they are now, for the audit and exports.
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>>;

    /// Copies the whole store to a file while it is in use.
    fn backup(&self, to: std::path::PathBuf) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// A consistent view of all rows, read in pages by ascending number. `after` is the last number
/// seen (exclusive), or `None` for the first page; an empty page is the end.
pub trait Snapshot: VoucherSnapshot {
    /// Payments whose claim (the merchant's own number), and events whose place or number, does not
    /// lead to them alone, at most `limit` of each. None by itself where unique indexes hold them.
    fn keys_astray(&mut self, limit: u32) -> BoxFuture<'_, Result<Vec<Serial>, StoreError>> {
        let _ = limit;
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Payments by serial.
    fn payments(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>>;

    /// Refunds by serial.
    fn refunds(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Refund>, StoreError>>;

    /// Top-ups by serial.
    fn recharges(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Recharge>, StoreError>>;

    /// Events on cards by serial.
    fn trans(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Trans>, StoreError>>;

    /// Documents of a kind by tenant and key.
    fn documents(
        &mut self,
        kind: DocumentKind,
        after: Option<DocumentMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>>;

    /// Postings by their own number ([`Posting::number`]).
    fn postings(
        &mut self,
        after: Option<i64>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Posting>, StoreError>>;

    /// Jobs by subject.
    fn jobs(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Job>, StoreError>>;

    /// Notifications by subject.
    fn notifications(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>>;
}
