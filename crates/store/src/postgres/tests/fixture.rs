//! Stores and rows for tests.

use crate::{
    contract::{Reader, StoreError, Writer},
    engine::Clock,
    postgres::{PostgresReader, PostgresStore, PostgresWriter},
    testing,
};
use domain::{
    channel::{ChannelNo, Receipt},
    ids::{ClaimKey, ClaimSpace, MerchantNo, Serial, TenantId},
    job::{Job, JobKind},
    ledger::Posting,
    loyalty::{
        document::Document,
        rows::LoyaltyChanges,
        terminal::BatchNo,
        work_item::{Matter, WorkItem},
    },
    money::Fen,
    payment::{Details, Flow, Paid, Payment, PaymentState},
    rows::{Changes, Claim, Plan},
    time::UnixMs,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub(super) const NOW: UnixMs = UnixMs(1_795_276_800_000);
pub(super) const TENANT: TenantId = TenantId(1);
/// How long a store may take to come back after its server did.
pub(super) const BACK: Duration = Duration::from_secs(30);

pub(super) fn clock() -> Clock {
    Arc::new(|| NOW)
}

/// A migrated store in a database of its own.
pub(super) async fn store() -> PostgresStore {
    store_at(&testing::database().unwrap()).await
}

pub(super) async fn store_at(url: &str) -> PostgresStore {
    let store = PostgresStore::connect(url, clock()).await.unwrap();
    store.migrate().await.unwrap();
    store
}

pub(super) fn payment(serial: i64, number: &str) -> Payment {
    payment_of(TENANT, serial, number)
}

pub(super) fn payment_of(tenant: TenantId, serial: i64, number: &str) -> Payment {
    let merchant = MerchantNo(7);
    Payment {
        tenant,
        serial: Serial(serial),
        merchant,
        key: ClaimKey::of(tenant, merchant, ClaimSpace::Payment, number),
        merchant_serial: number.to_owned(),
        flow: Flow::PayerCode,
        channel: ChannelNo(2),
        amount: Fen::new(1999),
        created_at: NOW,
        expires_at: NOW.plus_s(60),
        details: Details {
            subject: "tea 茶 \"quoted\", {braces}, NULL".to_owned(),
            ..Details::default()
        },
        credential: None,
        state: PaymentState::Open {
            cancel_requested: false,
        },
    }
}

pub(super) fn paid(mut payment: Payment) -> Payment {
    payment.state = PaymentState::Paid(Paid::new(Receipt {
        channel_serial: format!("c{}", payment.serial.0),
        paid_at: NOW,
        bills: Vec::new(),
        buyer_id: None,
        channel_result: None,
    }));
    payment
}

/// A new payment that names no code.
const fn claim(payment: &Payment) -> Claim<'_> {
    Claim {
        payment,
        code: None,
    }
}

/// A plan that claims `payments`.
pub(super) fn claiming<'a>(payments: impl IntoIterator<Item = &'a Payment>) -> Plan<'a> {
    let mut plan = Plan {
        claims: payments.into_iter().map(claim).collect(),
        ..Plan::default()
    };
    plan.normalise();
    plan
}

/// What changes when `payment` was made: its state, its ledger, and no job is left.
pub(super) fn paying(payment: &Payment) -> Changes {
    Changes {
        payments: vec![paid(payment.clone())],
        jobs_removed: vec![(payment.tenant, payment.serial)],
        postings: vec![Posting::payment(payment, NOW)],
        ..Changes::default()
    }
}

pub(super) fn settling(payment: &Payment) -> Changes {
    let (tenant, serial) = (payment.tenant, payment.serial);
    let job = Job::new(tenant, serial, JobKind::SettlePayment, NOW);
    Changes {
        jobs: vec![job],
        ..Changes::default()
    }
}

/// Claims `payment` and stores its job.
pub(super) async fn record(
    writer: &mut PostgresWriter,
    payment: &Payment,
) -> Result<(), StoreError> {
    writer.load(claiming([payment])).await?;
    writer.commit(settling(payment)).await
}

/// Reads until reading works again.
pub(super) async fn read_again(reader: &PostgresReader, of: &Payment) -> Option<Payment> {
    let started = Instant::now();
    loop {
        match reader.payment_of_any(of.serial).await {
            Ok(found) => return found,
            Err(error) => assert!(started.elapsed() < BACK, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Records until recording works again.
pub(super) async fn record_again(writer: &mut PostgresWriter, of: &Payment) {
    let started = Instant::now();
    while let Err(error) = record(writer, of).await {
        assert!(started.elapsed() < BACK, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What waits for an operator's eyes since event `n`.
pub(super) fn item(n: i64) -> WorkItem {
    WorkItem {
        tenant: TENANT,
        subject: Serial(n),
        at: NOW,
        terminal: 3,
        matter: Matter::SettledWithDifferences {
            batch: BatchNo::FIRST,
            differing: 2,
        },
        done: None,
    }
}

/// What changes when it is noted.
pub(super) fn noting(n: i64) -> Changes {
    let loyalty = LoyaltyChanges {
        documents_added: vec![Document::WorkItem(Box::new(item(n)))],
        ..LoyaltyChanges::default()
    };
    Changes {
        loyalty,
        ..Changes::default()
    }
}
