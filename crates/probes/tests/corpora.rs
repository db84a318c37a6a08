//! The fuzz corpora stay clean: every kept input, and every input that ever failed, through the
//! same functions as the fuzzer's, on the stable compiler.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use probes::PROBES;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn folder(kind: &str, target: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    root.join(kind).join(target)
}

fn inputs(kind: &str, target: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder(kind, target)) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn fuzz_corpora_stay_clean() {
    for (target, probe) in PROBES {
        let corpus = inputs("corpus", target);
        assert!(!corpus.is_empty(), "no corpus for {target}");
        for path in corpus.into_iter().chain(inputs("crashes", target)) {
            let bytes = fs::read(&path).unwrap();
            let clean = std::panic::catch_unwind(|| probe(&bytes));
            assert!(clean.is_ok(), "{target} fails on {}", path.display());
        }
    }
}

#[test]
fn every_probe_is_a_fuzz_target() {
    let found = folder("fuzz_targets", "");
    let mut files: Vec<_> = fs::read_dir(found)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut names: Vec<_> = PROBES.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.sort();
    assert_eq!(files, names);
}
