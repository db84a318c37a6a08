//! Whatever is recorded, taken back, cut off or read back: each claim leads to the one payment
//! that has it, and to no other.

use super::*;
use crate::sqlite::{
    SqliteStore,
    claims::{ASTRAY, Claims},
    indexes::{InStep, ending::End},
};
use domain::ids::ClaimKey;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Small enough that rounds end within a test.
const TEST_MAX: usize = 8;

#[derive(Clone, Debug)]
enum Step {
    /// A transaction that records these, and how it ends.
    Record(Vec<(u8, i16)>, End),
    /// The process dies and starts again.
    Restart,
}

/// The store under test, and what it has to say.
struct Rig {
    store: SqliteStore,
    connection: Connection,
    claims: Claims,
    recorded: BTreeMap<ClaimKey, Serial>,
    clock: i64,
}

fn key(number: u8) -> ClaimKey {
    // Spread over the whole order.
    ClaimKey(
        u128::from(number)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
            .to_be_bytes(),
    )
}

impl Rig {
    fn new(dir: &std::path::Path) -> Self {
        let store = SqliteStore::open(&dir.join("claims.db")).unwrap();
        let connection = store.connect_to_write().unwrap();
        let claims = open(&store, &connection);
        let recorded = BTreeMap::new();
        Self {
            store,
            connection,
            claims,
            recorded,
            clock: 1_000_000,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Record(payments, end) => self.record(payments, *end),
            Step::Restart => self.restart(),
        }
        self.check();
    }

    fn record(&mut self, payments: &[(u8, i16)], end: End) {
        self.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        self.claims.resolve(&self.connection).unwrap();
        let mut wanted = self.recorded.clone();
        for (number, lag) in payments {
            let key = key(*number);
            let found = self
                .claims
                .find(&Statements::new(&self.connection), &key)
                .unwrap();
            assert_eq!(found, wanted.get(&key).copied(), "{number}");
            if found.is_some() {
                continue;
            }
            self.clock += 1_000;
            // Clocks go back now and then.
            let serial = Serial(self.clock - i64::from(*lag) * 1_000 - i64::from(*number));
            if wanted.values().any(|taken| *taken == serial) {
                continue;
            }
            insert(&self.connection, key, serial);
            self.claims
                .add(&Statements::new(&self.connection), key, serial)
                .unwrap();
            wanted.insert(key, serial);
        }
        if end.reach(&self.connection, &mut self.claims) {
            self.recorded = wanted;
        }
    }

    fn restart(&mut self) {
        self.connection = self.store.connect_to_write().unwrap();
        self.claims = open(&self.store, &self.connection);
    }

    fn check(&mut self) {
        self.claims.resolve(&self.connection).unwrap();
        for number in 0..=u8::MAX {
            let key = key(number);
            let found = self
                .claims
                .find(&Statements::new(&self.connection), &key)
                .unwrap();
            assert_eq!(found, self.recorded.get(&key).copied(), "{number}");
        }
        let mut astray = self.connection.prepare(ASTRAY).unwrap();
        let astray = astray.query_map([100], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(astray.count(), 0);
    }
}

fn open(store: &SqliteStore, connection: &Connection) -> Claims {
    let mut claims = Claims::open(connection, &store.shared.claims).unwrap();
    claims.keep_at_most(TEST_MAX);
    claims
}

fn insert(connection: &Connection, key: ClaimKey, serial: Serial) {
    let sql = "INSERT INTO payments (tenant, serial, merchant, claim, merchant_serial, flow, \
         channel, amount, created_at, expires_at, details, state, flags, refunded, refunding) \
         VALUES (1, ?1, 1, ?2, 'A', 1, 1, 1, 0, 0, '{}', 0, 0, 0, 0)";
    connection.execute(sql, (serial.0, key.0)).unwrap();
}

fn step() -> impl Strategy<Value = Step> {
    let lag = prop_oneof![6 => Just(0_i16), 1 => 0..40_i16];
    let payments = prop::collection::vec((any::<u8>(), lag), 0..6);
    prop_oneof![
        8 => (payments, End::any()).prop_map(|(payments, end)| Step::Record(payments, end)),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_claim_leads_to_its_payment(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let mut rig = Rig::new(dir.path());
        steps.iter().for_each(|step| rig.step(step));
    }
}

#[test]
fn rounds_end_and_leave_little_to_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    for number in 0..=u8::MAX {
        rig.record(&[(number, 0)], End::Commit);
    }
    rig.check();
    let settled =
        "SELECT count(*) FROM payments WHERE serial > (SELECT serial FROM claims_settled)";
    let left: i64 = rig
        .connection
        .query_row(settled, [], |row| row.get(0))
        .unwrap();
    assert!(left <= 4 * TEST_MAX as i64, "{left}");
    assert!(rig.claims.kept_len() <= TEST_MAX + 1);
}

#[test]
fn two_payments_with_one_claim_are_noticed_when_they_are_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::new(dir.path());
    insert(&rig.connection, key(1), Serial(1));
    insert(&rig.connection, key(1), Serial(2));
    let opened = Claims::open(&rig.connection, &Recent::default());
    assert!(matches!(opened, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_reader_finds_every_claim_with_and_without_the_writer() {
    use crate::contract::Reader;
    use domain::{ids::TenantId, rows::PaymentRef};
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    for number in 0..60 {
        rig.record(&[(number, 0)], End::Commit);
    }
    let beside = SqliteStore::open_existing(&dir.path().join("claims.db")).unwrap();
    for reader in [rig.store.reader(), beside.reader()] {
        for number in 0..60 {
            let by = PaymentRef::Key(TenantId(1), key(number));
            // The rows of this test are no whole payments: being read at all means found.
            assert!(reader.payment(by).await != Ok(None), "{number}");
        }
        let by = PaymentRef::Key(TenantId(1), key(61));
        assert_eq!(reader.payment(by).await, Ok(None));
    }
}

#[tokio::test]
async fn the_audit_finds_claims_that_lead_astray() {
    use crate::contract::Reader;
    let plants = [
        // A settled payment is not in the table, or the table leads to another one.
        "DELETE FROM claims WHERE serial = (SELECT min(serial) FROM claims)",
        "UPDATE claims SET serial = serial + 1 WHERE serial = (SELECT min(serial) FROM claims)",
        // A recent payment repeats a settled claim, or another recent one.
        "UPDATE payments SET claim = (SELECT claim FROM payments ORDER BY serial LIMIT 1) \
         WHERE serial = (SELECT max(serial) FROM payments)",
        "UPDATE payments SET claim = (SELECT claim FROM payments ORDER BY serial DESC LIMIT 1 \
         OFFSET 1) WHERE serial = (SELECT max(serial) FROM payments)",
        // A claim of nobody.
        "INSERT INTO claims VALUES (x'00', 5)",
    ];
    for plant in plants {
        let dir = tempfile::tempdir().unwrap();
        let mut rig = Rig::new(dir.path());
        for number in 0..60 {
            rig.record(&[(number, 0)], End::Commit);
        }
        rig.check();
        assert_eq!(rig.connection.execute(plant, []), Ok(1), "{plant}");
        let mut snapshot = rig.store.reader().snapshot().await.unwrap();
        let astray = snapshot.keys_astray(10).await.unwrap();
        assert!(!astray.is_empty(), "{plant}");
    }
}
