//! What is known after something broke.

use super::{
    fixture::{
        NOW, TENANT, claiming, clock, item, noting, paying, payment, read_again, record,
        record_again, settling, store, store_at,
    },
    proxy::{Mode, Proxy},
};
use crate::{
    contract::{AdminOp, AdminReply, Reader, StoreError, Writer},
    postgres::{PostgresReader, PostgresStore, PostgresWriter},
    testing::{self, TestCluster},
};
use domain::{
    ids::Serial,
    loyalty::document::{Document, DocumentKey},
    payment::Payment,
    rows::{PaymentRef, Plan},
};
use std::time::{Duration, Instant};
use tokio_postgres::NoTls;

/// A store behind a proxy, and one beside it to see what is stored.
struct Broken {
    proxy: Proxy,
    writer: PostgresWriter,
    /// Beside the proxy; it knows nothing of the writer.
    reader: PostgresReader,
    /// Of the same gateway as the writer.
    own: PostgresReader,
}

impl Broken {
    async fn new() -> Self {
        let url = testing::database().unwrap();
        let direct = store_at(&url).await;
        let rest = url.strip_prefix("postgres://postgres@127.0.0.1:").unwrap();
        let (port, database) = rest.split_once('/').unwrap();
        let proxy = Proxy::to(port.parse().unwrap()).await;
        let url = format!("postgres://postgres@{}/{database}", proxy.addr);
        let store = PostgresStore::connect(&url, clock()).await.unwrap();
        Self {
            proxy,
            writer: store.writer().await.unwrap(),
            reader: direct.reader(),
            own: store.reader(),
        }
    }

    async fn stored(&self, payment: &Payment) -> Option<Payment> {
        self.reader.payment_of_any(payment.serial).await.unwrap()
    }
}

/// A document that only these tests write.
fn item_key() -> DocumentKey {
    DocumentKey::work_item(TENANT, Serial(7))
}

async fn kill_writers(url: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    client.query(kill, &[]).await.unwrap();
}

#[tokio::test]
async fn a_backend_killed_before_commit_recorded_nothing() {
    let url = testing::database().unwrap();
    let store = store_at(&url).await;
    let mut writer = store.writer().await.unwrap();
    let of = payment(10, "A");
    writer.load(claiming([&of])).await.unwrap();
    kill_writers(&url).await;
    let down = writer.commit(paying(&of)).await;
    assert!(matches!(down, Err(StoreError::Down(_))), "{down:?}");
    assert_eq!(
        store.reader().payment_of_any(of.serial).await.unwrap(),
        None
    );
    record(&mut writer, &of).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_to_commit_is_found_in_the_store() {
    let mut it = Broken::new().await;
    for (serial, number) in [(10, "A"), (11, "B")] {
        let of = payment(serial, number);
        it.writer.load(claiming([&of])).await.unwrap();
        it.proxy.next(Mode::LoseAnswer);
        it.writer.commit(settling(&of)).await.unwrap();
        assert_eq!(it.stored(&of).await, Some(of));
    }
}

#[tokio::test]
async fn a_lost_commit_recorded_nothing() {
    let mut it = Broken::new().await;
    let of = payment(10, "A");
    record(&mut it.writer, &payment(9, "earlier"))
        .await
        .unwrap();
    it.writer.load(claiming([&of])).await.unwrap();
    it.proxy.next(Mode::LoseRequest);
    let down = it.writer.commit(settling(&of)).await;
    assert!(matches!(down, Err(StoreError::Down(_))), "{down:?}");
    assert_eq!(it.stored(&of).await, None);
    record(&mut it.writer, &of).await.unwrap();
}

#[tokio::test]
async fn a_commit_that_arrives_after_it_was_called_lost_is_refused() {
    for earlier in [false, true] {
        let mut it = Broken::new().await;
        if earlier {
            record(&mut it.writer, &payment(9, "earlier"))
                .await
                .unwrap();
        }
        let of = payment(10, "A");
        it.writer.load(claiming([&of])).await.unwrap();
        it.proxy.next(Mode::DelayRequest);
        let down = it.writer.commit(settling(&of)).await;
        assert!(matches!(down, Err(StoreError::Down(_))), "{down:?}");
        it.proxy.release();
        // Waits for the late transaction's locks, so that its end is certain.
        let twin = payment(11, "A");
        let rows = it.writer.load(claiming([&twin])).await.unwrap();
        assert!(rows.was_claimed(twin.serial));
        it.writer.abandon().await;
        assert_eq!(it.stored(&of).await, None);
    }
}

/// The server is out of reach for as long as anybody looks for the commit.
async fn unknown_after(mode: Mode) -> (Broken, Payment, PaymentRef) {
    let mut it = Broken::new().await;
    let of = payment(10, "A");
    it.writer.load(claiming([&of])).await.unwrap();
    it.proxy.next(mode);
    it.proxy.refuse(true);
    let unknown = it.writer.commit(settling(&of)).await;
    assert!(
        matches!(unknown, Err(StoreError::Unknown(_))),
        "{unknown:?}"
    );
    it.proxy.refuse(false);
    let by = PaymentRef::Key(of.tenant, of.key);
    (it, of, by)
}

#[tokio::test]
async fn while_a_commit_is_unknown_nobody_is_told_that_there_is_none() {
    let (mut it, of, by) = unknown_after(Mode::DelayRequest).await;
    let unknown = it.own.payment(by).await;
    assert!(
        matches!(unknown, Err(StoreError::Unknown(_))),
        "{unknown:?}"
    );
    it.writer.load(Plan::default()).await.unwrap();
    it.writer.abandon().await;
    assert_eq!(it.own.payment(by).await, Ok(None));
    // Known now: it comes too late.
    it.proxy.release();
    let twin = payment(11, "A");
    record_again(&mut it.writer, &twin).await;
    assert_eq!(it.own.payment(by).await, Ok(Some(twin)));
    assert_eq!(it.stored(&of).await, None);
}

#[tokio::test]
async fn a_commit_that_was_told_as_unknown_is_found_when_it_is_there() {
    let (mut it, of, by) = unknown_after(Mode::LoseAnswer).await;
    assert_eq!(it.own.payment(by).await, Ok(Some(of.clone())));
    let other = PaymentRef::Key(of.tenant, payment(12, "C").key);
    let unknown = it.own.payment(other).await;
    assert!(
        matches!(unknown, Err(StoreError::Unknown(_))),
        "{unknown:?}"
    );
    record(&mut it.writer, &payment(11, "B")).await.unwrap();
    assert_eq!(it.own.payment(other).await, Ok(None));
}

#[tokio::test]
async fn provisioning_survives_a_lost_answer() {
    let mut it = Broken::new().await;
    let until = NOW.plus_s(9);
    let lease = AdminOp::LeaseNode {
        now: NOW,
        until,
        owner: 1,
    };
    it.writer.admin(&lease).await.unwrap();
    let renew = AdminOp::RenewNode {
        node: 0,
        owner: 1,
        until,
    };
    // The first request prepares the statement, the second one runs and commits it.
    it.proxy.after(1, Mode::LoseAnswer);
    let reply = it.writer.admin(&renew).await.unwrap();
    assert_eq!(reply, AdminReply::Renewed(true));
}

#[tokio::test]
async fn a_dropped_load_does_not_spoil_the_next() {
    let store = store().await;
    let (mut one, mut two) = (store.writer().await.unwrap(), store.writer().await.unwrap());
    let of = payment(10, "A");
    one.load(claiming([&of])).await.unwrap();
    let twin = payment(11, "A");
    let waiting = two.load(claiming([&twin]));
    assert!(
        tokio::time::timeout(Duration::from_millis(200), waiting)
            .await
            .is_err()
    );
    // A transaction that was loaded and then forgotten is taken back as well.
    one.load(Plan::default()).await.unwrap();
    one.abandon().await;
    let rows = two.load(claiming([&twin])).await.unwrap();
    assert!(rows.was_claimed(twin.serial));
}

#[tokio::test]
async fn the_store_comes_back_with_its_server() {
    let mut cluster = TestCluster::start().unwrap();
    let store = store_at(&cluster.url).await;
    let (mut writer, reader) = (store.writer().await.unwrap(), store.reader());
    let (before, after) = (payment(10, "A"), payment(11, "B"));
    record(&mut writer, &before).await.unwrap();
    assert!(
        reader
            .payment_of_any(before.serial)
            .await
            .unwrap()
            .is_some()
    );
    cluster.stop().unwrap();
    let started = Instant::now();
    for _ in 0..3 {
        let down = writer.load(claiming([&after])).await;
        assert!(matches!(down, Err(StoreError::Down(_))), "{down:?}");
        let down = reader.payment_of_any(before.serial).await;
        assert!(matches!(down, Err(StoreError::Down(_))), "{down:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(5));
    cluster.start_again().unwrap();
    record_again(&mut writer, &after).await;
    for of in [before, after] {
        assert_eq!(read_again(&reader, &of).await, Some(of));
    }
}

#[tokio::test]
async fn a_commit_cut_off_by_a_power_cut_is_looked_up_afterwards() {
    let mut cluster = TestCluster::start().unwrap();
    let store = store_at(&cluster.url).await;
    let mut writer = store.writer().await.unwrap();
    let of = payment(10, "A");
    writer.load(claiming([&of])).await.unwrap();
    cluster.stop().unwrap();
    let restart = tokio::task::spawn_blocking(move || cluster.start_again().map(|()| cluster));
    let lost = writer.commit(settling(&of)).await;
    // A server that takes long to start cannot be asked in time.
    let is_lost = matches!(lost, Err(StoreError::Down(_) | StoreError::Unknown(_)));
    assert!(is_lost, "{lost:?}");
    let _cluster = restart.await.unwrap().unwrap();
    for _ in 0..50 {
        match record(&mut writer, &of).await {
            Err(StoreError::Down(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
            result => return result.unwrap(),
        }
    }
    panic!("the store did not come back");
}

#[tokio::test]
async fn a_lost_answer_to_a_commit_of_documents_alone_is_found_in_the_store() {
    let mut it = Broken::new().await;
    it.writer.load(Plan::default()).await.unwrap();
    it.proxy.next(Mode::LoseRequest);
    let down = it.writer.commit(noting(7)).await;
    assert!(matches!(down, Err(StoreError::Down(_))), "{down:?}");
    assert_eq!(it.reader.document(item_key()).await, Ok(None));
    it.writer.load(Plan::default()).await.unwrap();
    it.proxy.next(Mode::LoseAnswer);
    it.writer.commit(noting(7)).await.unwrap();
    let stored = Document::WorkItem(Box::new(item(7)));
    assert_eq!(it.reader.document(item_key()).await, Ok(Some(stored)));
}

#[tokio::test]
async fn while_a_commit_is_unknown_no_document_or_event_is_told_not_to_be_there() {
    let (mut it, ..) = unknown_after(Mode::LoseAnswer).await;
    let document = it.own.document(item_key()).await;
    assert!(
        matches!(document, Err(StoreError::Unknown(_))),
        "{document:?}"
    );
    let trans = it.own.trans(TENANT, Serial(7)).await;
    assert!(matches!(trans, Err(StoreError::Unknown(_))), "{trans:?}");
    it.writer.load(Plan::default()).await.unwrap();
    it.writer.abandon().await;
    assert_eq!(it.own.document(item_key()).await, Ok(None));
    assert_eq!(it.own.trans(TENANT, Serial(7)).await, Ok(None));
}
