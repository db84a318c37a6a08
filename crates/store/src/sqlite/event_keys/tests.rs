//! Whatever is recorded, taken back or read back: an event is found by its place and by its number,
//! a batch's events lie in the order of their places, and the audit sees where that is not so.

use super::*;
use crate::sqlite::{SqliteStore, indexes::InStep};
use proptest::prelude::*;
use std::path::Path;

/// Small enough that keys are in both places within a test.
const TEST_MAX: usize = 8;
const TENANT: TenantId = TenantId(1);

/// A transaction that records events at these terminals and traces, and how it ends.
#[derive(Clone, Debug)]
struct Step {
    events: Vec<(u8, u8)>,
    is_committed: bool,
    is_restarted: bool,
}

struct Rig {
    store: SqliteStore,
    connection: Connection,
    events: EventKeys,
    /// Place to serial.
    recorded: BTreeMap<i64, Serial>,
    clock: i64,
}

fn place(terminal: u8, trace: u8) -> Place {
    Place::from_stored(i64::from(terminal) * 1_000 + i64::from(trace))
}

/// Each third event has a number, in no order of the places.
fn number(place: Place) -> Option<TransNo> {
    let is_numbered = place.get() % 3 == 0;
    is_numbered.then(|| TransNo::from_stored(9_000_000 - place.get()))
}

impl Rig {
    fn new(dir: &Path) -> Self {
        let store = SqliteStore::open(&dir.join("events.db")).unwrap();
        let connection = store.connect_to_write().unwrap();
        let events = open(&store, &connection);
        Self {
            store,
            connection,
            events,
            recorded: BTreeMap::new(),
            clock: 1_000,
        }
    }

    fn step(&mut self, step: &Step) {
        self.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut wanted = self.recorded.clone();
        for (terminal, trace) in &step.events {
            let place = place(*terminal, *trace);
            let key = EventKey::place(TENANT, place);
            let found = self
                .events
                .find(&Statements::new(&self.connection), &key)
                .unwrap();
            assert_eq!(found, wanted.get(&place.get()).copied());
            if found.is_none() {
                self.clock += 1;
                self.insert(place, Serial(self.clock));
                wanted.insert(place.get(), Serial(self.clock));
            }
        }
        self.events
            .move_on(&Statements::new(&self.connection))
            .unwrap();
        if step.is_committed {
            self.connection.execute_batch("COMMIT").unwrap();
            self.events.committed();
            self.recorded = wanted;
        } else {
            self.connection.execute_batch("ROLLBACK").unwrap();
            self.events.taken_back();
        }
        if step.is_restarted {
            self.connection = self.store.connect_to_write().unwrap();
            self.events = open(&self.store, &self.connection);
        }
    }

    fn insert(&mut self, place: Place, serial: Serial) {
        let number = number(place);
        let sql = "INSERT INTO trans (tenant, serial, place, number, body) \
             VALUES (1, ?1, ?2, ?3, '{}')";
        let values = (serial.0, place.get(), number.map(TransNo::get));
        self.connection.execute(sql, values).unwrap();
        let keys = [
            Some(EventKey::place(TENANT, place)),
            number.map(|it| EventKey::number(TENANT, it)),
        ];
        for key in keys.into_iter().flatten() {
            self.events
                .add(&Statements::new(&self.connection), key, serial)
                .unwrap();
        }
    }

    fn check(&mut self) {
        for (at, serial) in &self.recorded {
            let place = Place::from_stored(*at);
            let mut find = |key| {
                self.events
                    .find(&Statements::new(&self.connection), &key)
                    .unwrap()
            };
            assert_eq!(find(EventKey::place(TENANT, place)), Some(*serial));
            if let Some(number) = number(place) {
                assert_eq!(find(EventKey::number(TENANT, number)), Some(*serial));
            }
        }
        let missing = EventKey::number(TENANT, TransNo::from_stored(1));
        assert_eq!(
            self.events
                .find(&Statements::new(&self.connection), &missing),
            Ok(None)
        );
        // As the readers of this process see it, and as another process does.
        let beside = Recent::default();
        for recent in [&self.store.shared.event_keys, &beside] {
            for terminal in 0..4 {
                self.check_batch(recent, terminal, 5);
                self.check_batch(recent, terminal, 1_000);
            }
        }
        assert_eq!(self.astray(), 0);
    }

    fn check_batch(&self, recent: &Recent<EventKey>, terminal: u8, limit: u32) {
        let places = (place(terminal, 0), place(terminal, u8::MAX));
        let wanted = self.recorded.range(places.0.get()..=places.1.get());
        let wanted: Vec<Serial> = wanted.map(|it| *it.1).take(limit as usize).collect();
        let found = events_between(&self.connection, recent, TENANT, places, limit);
        assert_eq!(found, Ok(wanted));
    }

    fn astray(&self) -> usize {
        let mut astray = self.connection.prepare(ASTRAY).unwrap();
        let rows = astray.query_map([100], |row| row.get::<_, i64>(0)).unwrap();
        rows.count()
    }
}

fn open(store: &SqliteStore, connection: &Connection) -> EventKeys {
    let mut events = EventKeys::open(connection, &store.shared.event_keys).unwrap();
    events.keep_at_most(TEST_MAX);
    events
}

fn step() -> impl Strategy<Value = Step> {
    let events = prop::collection::vec((0..4_u8, any::<u8>()), 0..8);
    let (committed, restarted) = (prop::bool::weighted(0.8), prop::bool::weighted(0.1));
    (events, committed, restarted).prop_map(|(events, is_committed, is_restarted)| Step {
        events,
        is_committed,
        is_restarted,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn each_event_is_found_by_its_place_and_its_number(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut rig = Rig::new(dir.path());
        for step in &steps {
            rig.step(step);
            rig.check();
        }
    }
}

#[test]
fn the_audit_finds_events_that_their_keys_do_not_lead_to() {
    let plants = [
        // A settled event is not in the table, or the table leads to another one.
        "DELETE FROM trans_keys WHERE serial = (SELECT min(serial) FROM trans_keys)",
        "UPDATE trans_keys SET serial = serial + 1 WHERE value = (SELECT value FROM trans_keys \
         WHERE kind = 1 ORDER BY serial LIMIT 1) AND kind = 1",
        // A recent event repeats a settled place, or another recent one's.
        "UPDATE trans SET place = (SELECT place FROM trans ORDER BY serial LIMIT 1) \
         WHERE serial = (SELECT max(serial) FROM trans)",
        "UPDATE trans SET place = (SELECT place FROM trans ORDER BY serial DESC LIMIT 1 OFFSET 1) \
         WHERE serial = (SELECT max(serial) FROM trans)",
        // A key of nobody.
        "INSERT INTO trans_keys VALUES (1, 1, 77, 5)",
    ];
    for plant in plants {
        let dir = tempfile::tempdir().unwrap();
        let mut rig = Rig::new(dir.path());
        for trace in 0..60 {
            rig.step(&Step {
                events: vec![(trace % 4, trace)],
                is_committed: true,
                is_restarted: false,
            });
        }
        rig.check();
        assert!(rig.connection.execute(plant, []).unwrap() > 0, "{plant}");
        assert!(rig.astray() > 0, "{plant}");
    }
}
