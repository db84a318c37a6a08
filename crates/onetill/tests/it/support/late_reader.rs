//! A reader whose look at the merchants takes as long as a test wants, while others look past it, and
//! which notes how it was asked about voucher codes.

use domain::{
    channel::ChannelNo,
    ids::{MerchantNo, Serial, TenantId},
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
    rows::PaymentRef,
    time::UnixMs,
    voucher::{
        code::{CodeDigest, CodeNo, CodeRange},
        code_use::{CodeEvent, CodeUse, EventLink},
        span::Span,
        stock::{Level, Unit},
    },
};
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use store::{
    Reader, StoreError,
    contract::{
        BoxFuture, DocumentMark, DueJob, FoundCode, Named, PaymentFilter, Sight, Snapshot,
        SpanMark, StoreFigures, StoredCode, TreePage, VoucherReader,
    },
};
use tokio::sync::Notify;

/// When the next look at the merchants is held up, and when it goes on.
#[derive(Default)]
pub struct Delay {
    is_next: AtomicBool,
    /// It has seen the merchants, and tells nobody.
    pub seen: Notify,
    /// It may tell what it saw.
    pub go_on: Notify,
    /// What was asked about voucher codes, but for what workers ask.
    asked: Mutex<Vec<&'static str>>,
}

impl Delay {
    /// Holds up the next look.
    pub fn hold_next(&self) {
        self.is_next.store(true, Ordering::SeqCst);
    }

    /// What was asked about voucher codes since this was asked before.
    pub fn take_asked(&self) -> Vec<&'static str> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.retain(|it| *it != "due_spans");
        asked
    }
}

/// The reader.
pub struct LateReader {
    inner: Arc<dyn Reader>,
    delay: Arc<Delay>,
}

impl LateReader {
    /// `inner`, with its looks at the merchants as `delay` says.
    pub fn new(inner: Arc<dyn Reader>, delay: &Arc<Delay>) -> Self {
        let delay = Arc::clone(delay);
        Self { inner, delay }
    }
}

macro_rules! passed_on {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $found:ty;)+) => {
        impl VoucherReader for LateReader {
            $(
                fn $name(&self, $($arg: $kind),*) -> BoxFuture<'_, Result<$found, StoreError>> {
                    self.delay.asked.lock().unwrap().push(stringify!($name));
                    self.inner.$name($($arg),*)
                }
            )+
        }
    };
}

passed_on! {
    unit(tenant: TenantId, id: String) -> Option<Unit>;
    units_in(range: CodeRange, level: Level, after: Option<u32>, limit: u32) -> Vec<Unit>;
    codes_by_digest(digests: Vec<CodeDigest>) -> Vec<FoundCode>;
    named(tenant: TenantId, names: Vec<(CodeDigest, String)>) -> Vec<Named>;
    sight(tenant: TenantId, digest: CodeDigest, name: String) -> Sight;
    tree_page(range: CodeRange, limit: u32) -> TreePage;
    stored_codes(range: CodeRange, limit: u32) -> Vec<StoredCode>;
    spans(range: CodeRange, after: Option<u32>, limit: u32) -> Vec<Span>;
    code_uses(range: CodeRange, limit: u32) -> Vec<CodeUse>;
    code_events(code: CodeNo, from: Option<EventLink>, limit: u32) -> Vec<CodeEvent>;
    due_spans(now: UnixMs, after: Option<SpanMark>, limit: u32) -> Vec<Span>;
}

macro_rules! looks {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $found:ty;)+) => {
        impl Reader for LateReader {
            fn merchants(&self) -> BoxFuture<'_, Result<Vec<Merchant>, StoreError>> {
                Box::pin(async move {
                    let is_late = self.delay.is_next.swap(false, Ordering::SeqCst);
                    let merchants = self.inner.merchants().await;
                    if is_late {
                        self.delay.seen.notify_one();
                        self.delay.go_on.notified().await;
                    }
                    merchants
                })
            }

            $(
                fn $name(&self, $($arg: $kind),*) -> BoxFuture<'_, Result<$found, StoreError>> {
                    self.inner.$name($($arg),*)
                }
            )+
        }
    };
}

looks! {
    payment(by: PaymentRef) -> Option<Payment>;
    payment_of_any(serial: Serial) -> Option<Payment>;
    payments(filter: PaymentFilter, limit: u32) -> Vec<Payment>;
    refunds_of(tenant: TenantId, payment: Serial) -> Vec<Refund>;
    refund(tenant: TenantId, serial: Serial) -> Option<Refund>;
    recharge(tenant: TenantId, serial: Serial) -> Option<Recharge>;
    payments_by_serial(serials: Vec<(TenantId, Serial)>) -> Vec<Payment>;
    due_jobs(now: UnixMs, limit: u32, except: Vec<Option<ChannelNo>>) -> Vec<DueJob>;
    due_notifications(now: UnixMs, limit: u32, except: Vec<(TenantId, MerchantNo)>)
        -> Vec<Notification>;
    open_payments(since: Serial) -> u64;
    values(prefix: String, limit: u32) -> Vec<(String, Vec<u8>)>;
    notification(tenant: TenantId, subject: Serial) -> Option<Notification>;
    dead_notifications(limit: u32) -> Vec<Notification>;
    document(key: DocumentKey) -> Option<Document>;
    documents_by_key(keys: Vec<DocumentKey>) -> Vec<Document>;
    documents(kind: DocumentKind, tenant: Option<TenantId>, after: Option<DocumentMark>, limit: u32)
        -> Vec<Document>;
    due_documents(kind: DocumentKind, now: UnixMs, limit: u32) -> Vec<Document>;
    trans(tenant: TenantId, serial: Serial) -> Option<Trans>;
    trans_at(tenant: TenantId, place: Place) -> Option<Trans>;
    trans_by_number(tenant: TenantId, number: TransNo) -> Option<Trans>;
    trans_of_batch(tenant: TenantId, terminal: i64, batch: BatchNo, after: Option<Place>, limit: u32)
        -> Vec<Trans>;
    tenants() -> Vec<Tenant>;
    figures() -> StoreFigures;
    durability() -> Vec<String>;
    snapshot() -> Box<dyn Snapshot>;
    backup(to: PathBuf) -> ();
}
