//! Whatever is added, changed, removed, taken back, cut off or read back: each document is as it was left
//! last, for the writer, for readers beside it with and without its memory, and for whoever lists them.

use super::*;
use crate::sqlite::{
    SqliteStore,
    documents::Documents,
    indexes::{InStep, ending::End},
    loyalty,
};
use domain::{
    ids::Serial,
    loyalty::{
        card::{Card, CardNo, CardStatus, DayUse, Holder, Lot},
        points::Points,
        store::{Store, StoreNo},
        terminal::{Profile, Terminal, TerminalNo},
    },
    time::UnixMs,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, path::Path};

/// Small enough that rounds end within a test.
const TEST_MAX: usize = 5;
const DOCUMENTS: u32 = 24;
const TENANTS: i64 = 2;

#[derive(Clone, Debug)]
enum Step {
    /// A transaction that does this, and how it ends.
    Change(BTreeMap<u32, Change>, End),
    /// The process dies and starts again.
    Restart,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    /// It is added or overwritten.
    Put,
    Remove,
}

/// The store under test, and what it has to say.
struct Rig {
    store: SqliteStore,
    connection: Connection,
    beside: Connection,
    documents: Documents,
    wanted: BTreeMap<DocumentKey, Document>,
    versions: i64,
}

/// Cards, terminals and stores of two tenants; stores enter their table at once. A card is due by its
/// version, in no order. Some versions differ in what lasts.
fn document(n: u32, version: i64) -> Document {
    let tenant = TenantId(1 + i64::from(n) % TENANTS);
    let lasting = version / 32;
    if n.is_multiple_of(5) {
        return Document::Terminal(Box::new(terminal(tenant, n, lasting, version)));
    }
    if n % 5 == 1 {
        return Document::Store(Box::new(Store {
            tenant,
            number: StoreNo::parse(&format!("S{n}")).unwrap(),
            account: version,
            name: String::new(),
            networks: Vec::new(),
            certificates: Vec::new(),
            updated_at: UnixMs(version),
        }));
    }
    Document::Card(Box::new(Card {
        tenant,
        number: CardNo::parse(&format!("{n:08}")).unwrap(),
        account: Serial(lasting),
        status: CardStatus::Active,
        expires_at: None,
        expiry_yymm: None,
        holder: Holder::default().into(),
        grade: 0,
        pin: None,
        lots: vec![Lot {
            points: Points::new(version),
            available_at: UnixMs(0),
            expires_at: Some(UnixMs(version * 7 % 4)),
        }],
        owed: Points::ZERO,
        tickets: Vec::new(),
        today: DayUse::default(),
        codes: Vec::new(),
        spending: Vec::new(),
    }))
}

fn terminal(tenant: TenantId, n: u32, lasting: i64, version: i64) -> Terminal {
    Terminal {
        tenant,
        store: StoreNo::parse("S1").unwrap(),
        number: TerminalNo::parse(&format!("T{n}")).unwrap(),
        index: i64::from(n),
        blocked: false,
        profile: Profile::default(),
        master_key: None,
        keys: None,
        keys_before: None,
        key_count: 0,
        mac_failures: 0,
        check_in: None,
        batch: None,
        trans_count: version,
        today: DayUse::default(),
        codes_sent_at: Vec::new(),
        updated_at: UnixMs(lasting),
    }
}

fn open(store: &SqliteStore, connection: &Connection) -> Documents {
    let mut documents = Documents::open(connection, &store.shared.documents).unwrap();
    documents.late().late().keep_at_most(TEST_MAX);
    documents
}

fn load(documents: &mut Documents, connection: &Connection, key: &DocumentKey) -> Option<Document> {
    let found = documents.find(&Statements::new(connection), key).unwrap();
    found.map(|stored| Document::clone(&stored.document))
}

impl Rig {
    fn new(dir: &Path) -> Self {
        let store = SqliteStore::open(&dir.join("documents.db")).unwrap();
        let connection = store.connect_to_write().unwrap();
        let beside = store.connect_to_read().unwrap();
        let documents = open(&store, &connection);
        Self {
            store,
            connection,
            beside,
            documents,
            wanted: BTreeMap::new(),
            versions: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Change(changes, end) => self.change(changes, *end),
            Step::Restart => {
                self.connection = self.store.connect_to_write().unwrap();
                self.documents = open(&self.store, &self.connection);
            }
        }
        self.check();
    }

    fn change(&mut self, changes: &BTreeMap<u32, Change>, end: End) {
        self.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        self.documents.resolve(&self.connection).unwrap();
        let mut wanted = self.wanted.clone();
        for (n, change) in changes {
            self.versions += 1;
            let document = document(*n, self.versions);
            let key = document.key();
            let found = load(&mut self.documents, &self.connection, &key);
            assert_eq!(found.as_ref(), wanted.get(&key));
            match (change, found) {
                (Change::Put, None) => {
                    wanted.insert(key, document.clone());
                    self.documents.add(&self.connection, document).unwrap();
                }
                (Change::Put, Some(_)) => {
                    wanted.insert(key, document.clone());
                    let overwritten = self
                        .documents
                        .overwrite(&Statements::new(&self.connection), document);
                    overwritten.unwrap();
                }
                (Change::Remove, Some(_)) => {
                    self.documents.remove(&self.connection, &key).unwrap();
                    wanted.remove(&key);
                }
                (Change::Remove, None) => {}
            }
        }
        if end.reach(&self.connection, &mut self.documents) {
            self.wanted = wanted;
        }
    }

    fn check(&mut self) {
        self.documents.resolve(&self.connection).unwrap();
        let keys: Vec<_> = (0..DOCUMENTS).map(|n| document(n, 0).key()).collect();
        let wanted: Vec<_> = keys
            .iter()
            .map(|key| self.wanted.get(key).cloned())
            .collect();
        for (key, wanted) in keys.iter().zip(&wanted) {
            let found = load(&mut self.documents, &self.connection, key);
            assert_eq!(&found, wanted);
        }
        self.documents.taken_back();
        for recent in [&self.store.shared.documents, &Recent::default()] {
            for (key, wanted) in keys.iter().zip(&wanted) {
                assert_eq!(&of_key(&self.beside, recent, key).unwrap(), wanted);
            }
            assert_eq!(of_keys(&self.beside, recent, &keys).unwrap(), wanted);
            for kind in KINDS {
                self.check_lists(recent, kind);
            }
            self.check_due(recent);
        }
    }

    fn check_lists(&self, recent: &Recent<DocumentsTable>, kind: DocumentKind) {
        let logged = logged(&self.beside).unwrap();
        for tenant in [None, Some(TenantId(1)), Some(TenantId(TENANTS))] {
            let is_listed =
                |key: &DocumentKey| key.kind == kind && tenant.is_none_or(|it| it == key.tenant);
            let wanted = self.wanted.iter().filter(|(key, _)| is_listed(key));
            let wanted: Vec<_> = wanted.map(|(_, it)| it.clone()).collect();
            let look = |after| list(&self.beside, recent, kind, tenant, after, 3).unwrap();
            assert_eq!(pages(look), wanted);
            if tenant.is_none() {
                let look = |after| behind(&self.beside, &logged, kind, after, 4).unwrap();
                assert_eq!(pages(look), wanted);
            }
        }
    }

    fn check_due(&self, recent: &Recent<DocumentsTable>) {
        let now = UnixMs(2);
        let wanted = self.wanted.values();
        let due = |it: &&Document| it.due_at().is_some_and(|at| at <= now);
        let mut wanted: Vec<_> = wanted.filter(due).cloned().collect();
        wanted.sort_by_key(|it| (it.due_at(), it.key()));
        let found = loyalty::due(&self.beside, recent, DocumentKind::Card, now, 99);
        assert_eq!(found.unwrap(), wanted);
    }

    fn logged_len(&self) -> usize {
        let mut len = 0;
        let count = |(): &mut (), _: &str| {
            len += 1;
            Ok(())
        };
        late_log::each::<DocumentsTable>(&self.beside, count).unwrap();
        len
    }
}

/// All that a listing finds, page by page.
fn pages(look: impl Fn(Option<DocumentMark>) -> Vec<Document>) -> Vec<Document> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = look(after);
        let Some(last) = page.last() else {
            return found;
        };
        let DocumentKey { tenant, key, .. } = last.key();
        after = Some((tenant, key));
        found.extend(page);
    }
}

fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        8 => Just(Change::Put),
        1 => Just(Change::Remove),
    ];
    let changes = prop::collection::btree_map(0..DOCUMENTS, change, 0..8);
    prop_oneof![
        8 => (changes, End::any()).prop_map(|(changes, end)| Step::Change(changes, end)),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_document_is_as_it_was_left(steps in prop::collection::vec(step(), 1..50)) {
        let dir = tempfile::tempdir().unwrap();
        let mut rig = Rig::new(dir.path());
        steps.iter().for_each(|step| rig.step(step));
    }
}

/// A till that sells all day: neither the log nor the memory grows with its sales.
#[test]
fn few_documents_that_change_often_leave_a_short_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    for n in 0..600 {
        let changes = [(0, Change::Put), (2 + n % 3, Change::Put)];
        rig.change(&changes.into_iter().collect(), End::Commit);
        assert!(rig.documents.late().late().kept_len() <= TEST_MAX);
        assert!(rig.logged_len() <= 9 * TEST_MAX, "{}", rig.logged_len());
    }
    rig.check();
    rig.step(&Step::Restart);
}

/// What the log says was changed, and nobody has: a store that was tampered with is not served.
#[test]
fn a_changed_document_that_is_not_there_is_corruption() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.change(&[(2, Change::Put)].into(), End::Commit);
    rig.change(&[(2, Change::Put)].into(), End::Commit);
    let removed = rig.connection.execute("DELETE FROM cards", []);
    assert_eq!(removed, Ok(1));
    let opened = Documents::open(&rig.connection, &rig.store.shared.documents);
    let text = match opened {
        Err(StoreError::Corrupt(text)) => text,
        Ok(_) | Err(_) => "opened".to_owned(),
    };
    assert_eq!(text, "cards 00000002 was changed and is not there");
}

/// The log of a former version holds whole bodies only.
#[test]
fn documents_run_on_from_the_last_whole_body_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.change(&[(2, Change::Put)].into(), End::Commit);
    let whole = document(2, 41);
    let key = whole.key();
    let text = format!("cards 1 8 {}{}", key.key, body(&whole).unwrap());
    let changes = format!("{} {text}", text.len());
    let sql = "INSERT INTO document_log (number, changes) VALUES (1, ?1)";
    rig.connection.execute(sql, [changes]).unwrap();
    rig.wanted.insert(key, whole);
    rig.step(&Step::Restart);
    rig.versions = 41;
    for _ in 0..3 {
        rig.change(&[(2, Change::Put)].into(), End::Commit);
        rig.step(&Step::Restart);
    }
    assert_eq!(rig.logged_len(), 4);
}

/// The round meets each card in a transaction that changes it, where it runs on from a body that is about
/// to leave the log.
#[test]
fn cards_that_change_in_each_transaction_are_moved_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let changes: BTreeMap<_, _> = [2, 3, 4, 7, 8, 9, 12, 13].map(|n| (n, Change::Put)).into();
    for n in 1..=60 {
        rig.change(&changes, End::Commit);
        if n % 7 == 0 {
            rig.step(&Step::Restart);
        }
    }
}
