//! What survives the death of the gateway's process.

use super::rig::{Rig, order, serial};
use crate::{
    contract::{Channel, RechargeProvider, RechargeRequest},
    sandbox::{Journal, Memory, PayerAction, Record, SandboxState},
};
use domain::{
    channel::{RechargeOutcome, RefundOutcome},
    command::QueryOutcome,
    payment::Flow,
    recharge::Reach,
};
use std::{collections::BTreeSet, fs, path::Path, path::PathBuf, sync::Arc, time::Duration};

fn open(dir: &Path) -> Rig {
    Rig::with(Arc::new(Journal::open(dir).unwrap()))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn append(dir: &Path, text: &[u8]) {
    use std::io::Write;
    let last = files(dir).pop().unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(last).unwrap();
    file.write_all(text).unwrap();
}

/// One payment in every state, in the order of their numbers.
async fn fill(rig: &Rig) {
    for (n, code) in (1..).zip(["01", "02", "03", "04", "05", "06", "07", "08", "99"]) {
        rig.pay(n, code).await;
    }
    let request = order(10, 2, Flow::MerchantCode);
    rig.sandbox.prepare(request).await;
    rig.pay(11, "99").await;
    rig.refund(11, 90, 400).await;
    rig.pay(12, "99").await;
    rig.reverse(12).await;
    rig.reverse(13).await;
}

async fn check(rig: &Rig) {
    rig.advance_ms(6_000);
    for n in [1, 4, 9, 11] {
        let answer = rig.query(n).await;
        assert!(matches!(answer, QueryOutcome::Paid(_)), "{n} {answer:?}");
    }
    for n in [2, 6, 12, 13] {
        let answer = rig.query(n).await;
        assert!(
            matches!(answer, QueryOutcome::Declined(_)),
            "{n} {answer:?}"
        );
    }
    for n in [3, 8, 10] {
        assert_eq!(rig.query(n).await, QueryOutcome::Waiting, "{n}");
    }
    assert_eq!(rig.query(5).await, QueryOutcome::NotFound);
    assert_eq!(rig.query(7).await, QueryOutcome::Unknown);
    assert!(matches!(rig.query(7).await, QueryOutcome::Paid(_)));
    assert_eq!(rig.held(11), Some((1_000, 400)));
    assert_eq!(rig.refund(11, 90, 400).await, RefundOutcome::Done);
    assert_eq!(rig.held(11), Some((1_000, 400)));
    assert_eq!(rig.held(12), Some((1_000, 1_000)));
    let page = rig.sandbox.order(serial(10)).unwrap();
    assert_eq!(page.state, SandboxState::Unpaid);
    rig.sandbox.act(serial(10), PayerAction::Pay);
    assert_eq!(rig.held(10), Some((1_000, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_restart_forgets_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fill(&open(dir.path())).await;
    check(&open(dir.path())).await;
}

#[tokio::test(start_paused = true)]
async fn a_kill_in_the_middle_of_a_line_loses_only_that_line() {
    let dir = tempfile::tempdir().unwrap();
    fill(&open(dir.path())).await;
    append(dir.path(), br#"{"p":[20660000000000,{"c":2,"a":10"#);
    check(&open(dir.path())).await;
    // And what was appended after the torn line is not glued to it.
    let rig = open(dir.path());
    assert_eq!(rig.held(10), Some((1_000, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_kill_without_warning_keeps_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let rig = open(dir.path());
    fill(&rig).await;
    // The first process never gets to say goodbye: its files are copied while it lives.
    std::thread::sleep(Duration::from_millis(500));
    let copy = tempfile::tempdir().unwrap();
    for file in files(dir.path()) {
        fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    check(&open(copy.path())).await;
    drop(rig);
}

#[tokio::test(start_paused = true)]
async fn what_was_flushed_is_on_file_while_the_sandbox_lives() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Arc::new(Journal::open(dir.path()).unwrap());
    let rig = Rig::with(Arc::clone(&journal) as _);
    for n in 1..=1_000 {
        rig.pay(n, "99").await;
    }
    journal.flush();
    // A journal that has just begun may repeat the past.
    let mut known = BTreeSet::new();
    let read = Journal::open(dir.path()).unwrap();
    let recalled = read.recall(&mut |record| {
        if let Record::Payment(serial, _) = record {
            known.insert(serial);
        }
    });
    recalled.unwrap();
    assert_eq!((known.len(), journal.lost()), (1_000, 0));
    drop(rig);
}

#[tokio::test(start_paused = true)]
async fn a_start_compacts_what_earlier_ones_left() {
    let dir = tempfile::tempdir().unwrap();
    {
        let rig = open(dir.path());
        for n in 1..=100 {
            rig.pay(n, "01").await;
        }
        rig.advance_ms(6_000);
        for n in 1..=100 {
            rig.query(n).await;
        }
    }
    let lines = || -> usize {
        let read = |file: &PathBuf| fs::read_to_string(file).unwrap().lines().count();
        files(dir.path()).iter().map(read).sum()
    };
    assert!(lines() >= 200);
    drop(open(dir.path()));
    assert_eq!(files(dir.path()).len(), 1);
    assert_eq!(lines(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_grows_long_starts_again_and_keeps_what_is_open() {
    let dir = tempfile::tempdir().unwrap();
    {
        let rig = open(dir.path());
        rig.pay(0, "03").await;
        for n in 1..=210_000 {
            rig.pay(n, "99").await;
        }
    }
    let left = files(dir.path());
    assert_eq!(left.len(), 1);
    assert!(!left[0].ends_with("sandbox-00000001.jsonl"), "{left:?}");
    let rig = open(dir.path());
    assert_eq!(rig.query(0).await, QueryOutcome::Waiting);
    assert!(matches!(rig.query(210_000).await, QueryOutcome::Paid(_)));
}

#[tokio::test(start_paused = true)]
async fn top_ups_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let order = RechargeRequest {
        serial: serial(1),
        phone: "13800138000".into(),
        data_mb: 100,
        reach: Reach::National,
    };
    open(dir.path()).sandbox.recharge(order).await;
    let rig = open(dir.path());
    rig.advance_ms(1_000);
    let outcome = RechargeProvider::query(&rig.sandbox, serial(1)).await;
    assert!(matches!(outcome, RechargeOutcome::Done(_)));
}
