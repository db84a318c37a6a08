//! Whatever is changed, taken back, cut off or read back: each code is as it was left last, for the
//! writer, for readers beside it with and without its memory, and for whoever reads it all.

use super::*;
use crate::sqlite::{
    SqliteStore,
    indexes::{InStep, ending::End},
};
use domain::{ids::TenantId, time::UnixMs, voucher::code_use::CodeAct};
use proptest::prelude::*;
use std::{collections::BTreeMap, path::Path};

/// Small enough that rounds end within a test.
const TEST_MAX: usize = 8;
const CODES: u32 = 40;

#[derive(Clone, Debug)]
enum Step {
    /// A transaction that changes these codes, and how it ends.
    Change(Vec<(u32, Change)>, End),
    /// The process dies and starts again.
    Restart,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Hold,
    Spend,
    GiveBack,
}

/// The store under test, and what it has to say.
struct Rig {
    store: SqliteStore,
    connection: Connection,
    beside: Connection,
    uses: CodeUses,
    wanted: BTreeMap<CodeNo, CodeUse>,
    subject: i64,
}

/// Codes of two boxes.
const fn code(n: u32) -> CodeNo {
    CodeNo {
        carton: Serial(20_779_000_000_000_001 + n as i64 % 2),
        index: n / 2,
    }
}

fn changed(mut it: CodeUse, change: Change, subject: i64) -> CodeUse {
    let act = match change {
        Change::Hold => {
            it.reserved += 1;
            it.newest = Some(Serial(subject));
            return it;
        }
        Change::Spend => {
            it.reserved = it.reserved.saturating_sub(1);
            it.used += 1;
            CodeAct::Used
        }
        Change::GiveBack => {
            it.used = it.used.saturating_sub(1);
            CodeAct::GivenBack
        }
    };
    // Events are not looked at here.
    drop(it.keep(act, UnixMs(subject), Serial(subject)));
    it
}

fn open(store: &SqliteStore, connection: &Connection) -> CodeUses {
    let mut uses = CodeUses::open(connection, &store.shared.uses).unwrap();
    uses.late().keep_at_most(TEST_MAX);
    uses
}

impl Rig {
    fn new(dir: &Path) -> Self {
        let store = SqliteStore::open(&dir.join("uses.db")).unwrap();
        let connection = store.connect_to_write().unwrap();
        let beside = store.connect_to_read().unwrap();
        let uses = open(&store, &connection);
        Self {
            store,
            connection,
            beside,
            uses,
            wanted: BTreeMap::new(),
            subject: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Change(changes, end) => self.change(changes, *end),
            Step::Restart => {
                self.connection = self.store.connect_to_write().unwrap();
                self.uses = open(&self.store, &self.connection);
            }
        }
        self.check();
    }

    fn change(&mut self, changes: &[(u32, Change)], end: End) {
        self.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        self.uses.resolve(&self.connection).unwrap();
        let mut wanted = self.wanted.clone();
        for (n, change) in changes {
            let code = code(*n);
            let found = self.found(code);
            assert_eq!(found.as_ref(), wanted.get(&code));
            self.subject += 1;
            let is_new = found.is_none();
            let it = found.unwrap_or_else(|| CodeUse::untouched(TenantId(1), code));
            let it = changed(it, *change, self.subject);
            let write = if is_new { add } else { overwrite };
            write(&Statements::new(&self.connection), &mut self.uses, &it).unwrap();
            wanted.insert(code, it);
        }
        if end.reach(&self.connection, &mut self.uses) {
            self.wanted = wanted;
        }
    }

    fn found(&mut self, code: CodeNo) -> Option<CodeUse> {
        let found = self.uses.find(&Statements::new(&self.connection), &code);
        found.unwrap().map(Arc::unwrap_or_clone)
    }

    fn wanted_in(&self, range: &CodeRange) -> Vec<CodeUse> {
        let wanted = self.wanted.range(range.codes());
        wanted.map(|(_, it)| it.clone()).collect()
    }

    fn check(&mut self) {
        self.uses.resolve(&self.connection).unwrap();
        for n in 0..CODES {
            let found = self.found(code(n));
            let wanted = self.wanted.get(&code(n));
            assert_eq!(found.as_ref(), wanted);
            for recent in [&self.store.shared.uses, &Recent::default()] {
                let found = of_code(&self.beside, recent, code(n)).unwrap();
                assert_eq!(found.as_ref(), wanted);
            }
        }
        let carton = code(0).carton;
        for (first, last, limit) in [(0, u32::MAX, 9), (3, 12, 99), (5, 9, 2), (7, 7, 1)] {
            let range = CodeRange {
                carton,
                first,
                last,
            };
            self.check_range(&range, limit);
        }
        self.check_pages();
    }

    fn check_range(&self, range: &CodeRange, limit: u32) {
        let wanted = self.wanted_in(range);
        let first = wanted.iter().take(limit as usize);
        let first: Vec<CodeUse> = first.cloned().collect();
        for recent in [&self.store.shared.uses, &Recent::default()] {
            let found = in_range(&self.beside, recent, range, limit).unwrap();
            assert_eq!(found, first);
        }
        let in_use = wanted.iter().filter(|it| it.is_busy()).cloned();
        let in_use: Vec<CodeUse> = in_use.take(BUSY_MAX as usize + 1).collect();
        assert_eq!(busy(&self.connection, &self.uses, range).unwrap(), in_use);
        let of = |count: fn(&CodeUse) -> u32| wanted.iter().map(|it| i64::from(count(it))).sum();
        let expected = UseSum {
            used: of(|it| it.used),
            reserved: of(|it| it.reserved),
        };
        assert_eq!(
            sum(&Statements::new(&self.connection), &self.uses, range).unwrap(),
            expected
        );
    }

    /// As a snapshot reads them.
    fn check_pages(&self) {
        let logged = logged(&self.beside).unwrap();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = behind(&self.beside, &logged, after, 7).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.code);
            found.extend(page);
        }
        assert!(found.iter().eq(self.wanted.values()));
    }

    fn logged_len(&self) -> usize {
        let mut len = 0;
        let count = |_: &mut Said, _: &str| {
            len += 1;
            Ok(())
        };
        late_log::each::<UsesTable>(&self.beside, count).unwrap();
        len
    }
}

fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        3 => Just(Change::Hold),
        3 => Just(Change::Spend),
        1 => Just(Change::GiveBack),
    ];
    let changes = prop::collection::vec((0..CODES, change), 0..6);
    prop_oneof![
        8 => (changes, End::any()).prop_map(|(changes, end)| Step::Change(changes, end)),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_code_is_as_it_was_left(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let mut rig = Rig::new(dir.path());
        steps.iter().for_each(|step| rig.step(step));
    }
}

#[test]
fn rounds_end_and_leave_little_to_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    for n in 0..400 {
        rig.change(&[(n, Change::Hold)], End::Commit);
        rig.change(&[(n, Change::Spend)], End::Commit);
        assert!(rig.uses.late().kept_len() <= TEST_MAX + 1);
        assert!(rig.logged_len() <= 8 * TEST_MAX, "{}", rig.logged_len());
    }
    rig.check();
}

/// However often one code is used and given back: the others' rows in the log are not in its way.
#[test]
fn few_codes_leave_a_short_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.change(&[(1, Change::Hold), (3, Change::Hold)], End::Commit);
    for _ in 0..500 {
        rig.change(&[(2, Change::Spend)], End::Commit);
        rig.change(&[(2, Change::GiveBack)], End::Commit);
        assert!(rig.logged_len() <= 8 * TEST_MAX, "{}", rig.logged_len());
    }
    rig.check();
    rig.step(&Step::Restart);
}

/// Codes' rows as a row of their log has them.
fn written(uses: &[CodeUse]) -> Vec<String> {
    let mut said = Said::default();
    let write = |it: &CodeUse| {
        let mut text = String::new();
        UsesTable::write(
            &it.code,
            None,
            Some(&it.clone().into()),
            &mut said,
            &mut text,
        )
        .unwrap();
        text
    };
    uses.iter().map(write).collect()
}

fn read(texts: &[impl AsRef<str>]) -> Vec<CodeUse> {
    let mut said = Said::default();
    let read = |it: &_| logged_use(&mut said, AsRef::as_ref(it)).unwrap().read();
    texts.iter().map(read).collect::<Result<_, _>>().unwrap()
}

#[test]
fn changes_are_read_as_they_were_written() {
    let untouched = CodeUse::untouched(TenantId(20_779_000_000_000_000), code(10));
    let held = Some(Serial(20_780_000_000_000_000));
    let mut once = untouched.clone();
    drop(once.keep(CodeAct::GivenBack, UnixMs(9), Serial(3)));
    let mut twice = once.clone();
    drop(twice.keep(CodeAct::Used, UnixMs(9), Serial(-3)));
    let elsewhere = CodeUse {
        kept: None,
        code: code(11),
        ..twice.clone()
    };
    let mut all = Vec::new();
    for of in [&untouched, &once, &twice, &elsewhere] {
        for newest in [None, held, Some(Serial(-3)), Some(Serial(i64::MIN))] {
            all.push(CodeUse {
                newest,
                ..of.clone()
            });
        }
    }
    for at in 0..all.len() {
        all.rotate_left(at);
        assert_eq!(read(&written(&all)), all);
    }
}

#[test]
fn the_log_is_short_and_former_logs_are_read() {
    let untouched = CodeUse::untouched(TenantId(20_779_000_000_000_000), code(10));
    let held = Some(Serial(20_780_000_000_000_000));
    let it = CodeUse {
        used: 2,
        events: 1,
        newest: held,
        last: held,
        ..untouched
    };
    let mut next = it.clone();
    next.code.index = 6;
    drop(next.keep(CodeAct::Used, UnixMs(7), Serial(20_780_000_000_000_009)));
    let short = [
        "=20779000000000001 -1 5 2 0 1 20780000000000000",
        "=0 0 6 2 0 2 0 9 1 7 0",
    ];
    assert_eq!(written(&[it.clone(), next]), short);
    let less_box = "+20779000000000001 -1 5 2 0 1 999999999999";
    let long = "20779000000000000 20779000000000001 5 2 0 1 20780000000000000 20780000000000000";
    assert_eq!(read(&[less_box, long]), [it.clone(), it.clone()]);
    let mut used = it.clone();
    drop(used.keep(
        CodeAct::Used,
        UnixMs(1_795_000_000_007),
        Serial(20_780_000_000_000_009),
    ));
    let kept_elsewhere = CodeUse {
        last: used.last,
        ..it
    };
    let formerly = [
        "+20779000000000001 -1 5 2 0 1 999999999999 1000000000008",
        "+20779000000000001 -1 5 2 0 2 999999999999 1000000000008 1 1795000000007 999999999999",
    ];
    assert_eq!(read(&formerly), [kept_elsewhere, used]);
}

#[test]
fn no_other_text_is_a_change() {
    for broken in [
        "",
        "=",
        "=1 2 3 4 5 6",
        "=1 2 3 4 5 6 7 8 9",
        "=1 - 3 4 5 6 7",
        "=1 2 3 4 5 6 7 9223372036854775808",
        "+",
        "+1 2 3 4 5 6",
        "1 2 3 4 5 6 7",
        "+1 2 3 4 5 6 7 8 9",
        "1 2 3 4 5 6 7 8 9 10 11",
        "+1 2 3 4 5 6 7 8 9 10 11 12",
        "+1 2 3 4 5 6 7 8 65536 10 11",
        "+1 - 3 4 5 6 7",
        "+1 2 3 4 5 6 7 7x",
        "+1 2 3 4 5 6 7 9223372036854775808",
    ] {
        assert!(
            logged_use(&mut Said::default(), broken).is_none(),
            "{broken}"
        );
    }
}
