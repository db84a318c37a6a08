//! A disk under one gateway that fails when it is told to, and that a power can be cut of.

use crate::support::process::Recipe;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Stands between the gateway and its C library: see there.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/faults/bad_disk.c");
/// The embedded store's file.
pub const STORE: &str = "onetill.db";
/// Its write-ahead log.
pub const LOG: &str = "onetill.db-wal";
/// The input/output error.
pub const EIO: i32 = 5;
/// The error of a file system that became read-only.
pub const EROFS: i32 = 30;

/// What can fail.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    Sync,
    Write,
    Read,
    /// Opening to write.
    Open,
}

/// The disk of one gateway's store.
pub struct BadDisk {
    dir: PathBuf,
}

impl BadDisk {
    /// A disk that works, for now.
    pub fn new(dir: &Path) -> Self {
        let dir = dir.join("bad_disk");
        fs::create_dir_all(dir.join("platter")).unwrap();
        let disk = Self { dir };
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(disk.library());
        let status = cc.arg(SOURCE).arg("-ldl").status();
        assert!(status.expect("a C compiler").success());
        disk
    }

    fn library(&self) -> PathBuf {
        self.dir.join("bad_disk.so")
    }

    /// The recipe of a gateway on this disk.
    pub fn under(&self, mut recipe: Recipe) -> Recipe {
        let set = |name: &str, value: &Path| format!("{name}={}", value.display()).into();
        recipe.wrapper = vec![
            "env".into(),
            set("LD_PRELOAD", &self.library()),
            set("BAD_DISK", &self.dir),
            set("BAD_DISK_FILE", Path::new(STORE)),
        ];
        recipe
    }

    /// From now on `call` on the file named `file` fails with `errno`.
    pub fn fail(&self, call: Call, file: &str, errno: i32) {
        self.tell(call, file, &errno.to_string());
    }

    /// The next `call` on the file named `file` fails with `errno`, and no other after it.
    pub fn fail_once(&self, call: Call, file: &str, errno: i32) {
        self.tell(call, file, &format!("{errno} once"));
    }

    /// From now on `call` on the file named `file` does not return, until all works again.
    pub fn hang(&self, call: Call, file: &str) {
        self.tell(call, file, "hang");
    }

    /// From now on each `call` on the file named `file` takes a millisecond.
    pub fn slow(&self, call: Call, file: &str) {
        self.tell(call, file, "slow");
    }

    fn tell(&self, call: Call, file: &str, text: &str) {
        // It appears whole.
        let draft = self.dir.join("draft");
        fs::write(&draft, text).unwrap();
        fs::rename(draft, self.rule(call, file)).unwrap();
    }

    fn rule(&self, call: Call, file: &str) -> PathBuf {
        let call = format!("{call:?}").to_lowercase();
        self.dir.join(format!("{call}-{file}"))
    }

    /// Whether a failure that was to happen once has happened.
    pub fn has_failed(&self, call: Call, file: &str) -> bool {
        !self.rule(call, file).exists()
    }

    /// All works again.
    pub fn work_again(&self) {
        for call in [Call::Sync, Call::Write, Call::Read, Call::Open] {
            for file in [STORE, LOG] {
                // Most were never told to fail.
                drop(fs::remove_file(self.rule(call, file)));
            }
        }
    }

    /// Leaves in the data directory `data`, of a gateway that was killed or of none, what a power cut
    /// leaves.
    pub fn cut_power(&self, data: &Path) {
        drop(fs::remove_file(data.join("onetill.db-shm")));
        for file in [STORE, LOG] {
            let (kept, lost) = (self.dir.join("platter").join(file), data.join(file));
            if kept.exists() {
                fs::copy(kept, lost).unwrap();
            } else {
                drop(fs::remove_file(lost));
            }
        }
    }
}
