//! A reader that fails now and then, and answers on the spot.

use super::{pulse::Pulse, world::World};
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
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};
use store::{
    Reader, StoreError,
    contract::{
        BoxFuture, DocumentMark, DueJob, FoundCode, Named, PaymentFilter, Sight, Snapshot,
        SpanMark, StoreFigures, StoredCode, TreePage, VoucherReader,
    },
};

/// A reader with faults.
pub struct Seen {
    inner: Arc<dyn Reader>,
    world: Arc<World>,
    pulse: Arc<Pulse>,
}

impl Seen {
    /// `inner` as the process of `pulse` finds it.
    pub fn new(inner: Arc<dyn Reader>, world: &Arc<World>, pulse: &Arc<Pulse>) -> Self {
        Self {
            inner,
            world: Arc::clone(world),
            pulse: Arc::clone(pulse),
        }
    }

    fn look<'a, T: Send + 'a>(
        &'a self,
        look: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            self.pulse.live().await;
            if self.world.strikes(self.world.mix.read_fails) {
                self.world.log(self.pulse.name(), "store: a look fails");
                return Err(StoreError::Down("a look failed".to_owned()));
            }
            on_the_spot(look)
        })
    }
}

/// What `work` comes to, before anything else happens in this thread. A look on another thread
/// would come back at a time that no seed knows.
pub fn on_the_spot<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(tokio::task::unconstrained(work));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match work.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

macro_rules! looks {
    ($trait:ident: $($name:ident($($arg:ident: $kind:ty),*) -> $found:ty;)+) => {
        impl $trait for Seen { $(
            fn $name(&self, $($arg: $kind),*) -> BoxFuture<'_, Result<$found, StoreError>> {
                self.look(self.inner.$name($($arg),*))
            }
        )+ }
    };
}

looks! {
    Reader:
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
    merchants() -> Vec<Merchant>;
    figures() -> StoreFigures;
    durability() -> Vec<String>;
    snapshot() -> Box<dyn Snapshot>;
    backup(to: PathBuf) -> ();
}

looks! {
    VoucherReader:
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
