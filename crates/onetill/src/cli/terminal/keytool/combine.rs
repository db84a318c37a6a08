//! `onetill terminal keytool combine`.

use super::{Found, kcv, key};
use crate::{
    cli::{CommandError, prompt, secret},
    vault::encode_hex,
};
use clap::Args;
use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use wire::jpos::Key;
use zeroize::Zeroizing;

/// Join the two parts of a terminal's master key.
///
/// Two people hold a part each, so that neither has the key. Without --out only the check value
/// is shown, which both compare with the one on paper.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal keytool combine --expect 5A2B91
      asks for both parts, one after the other
  onetill terminal keytool combine --part-file alice.key --part-file bob.key --out tmk.key")]
pub struct CombineArgs {
    /// File with a part, given twice; - for stdin
    #[arg(long, value_name = "FILE", num_args = 1)]
    part_file: Vec<PathBuf>,
    /// A part, given twice; others on this machine can see it here
    #[arg(long, value_name = "HEX", num_args = 1, conflicts_with = "part_file")]
    part: Vec<String>,
    /// The check value that the key should have: 6 or 8 digits
    #[arg(long, value_name = "KCV")]
    expect: Option<String>,
    /// Write the key there, for `onetill terminal inject-key`; only its owner may read it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl CombineArgs {
    pub fn run(&self) -> Result<Found, CommandError> {
        let first = key::parse(&self.text(0)?, "first part")?;
        let second = key::parse(&self.text(1)?, "second part")?;
        let key = Key::from_parts(&first, &second)?;
        let found = kcv::compared(
            Found::new(kcv::described(&key)),
            &key,
            self.expect.as_deref(),
        );
        // A key that is not the expected one is of no use to anybody.
        if let (Some(path), None | Some((true, _))) = (&self.out, &found.verdict) {
            write(path, &key)?;
        }
        Ok(found)
    }

    fn text(&self, index: usize) -> Result<Zeroizing<String>, CommandError> {
        let given = self.part_file.len().max(self.part.len());
        if given > 2 {
            return Err("a master key has two parts".into());
        }
        if let Some(path) = self.part_file.get(index) {
            return secret::read_line(path);
        }
        if let Some(text) = self.part.get(index) {
            return Ok(Zeroizing::new(text.clone()));
        }
        let which = ["first part", "second part"].get(index);
        prompt::ask(which.copied().unwrap_or("part"))
    }
}

/// Writes a key into a file that is not there yet.
fn write(path: &Path, key: &Key) -> Result<(), CommandError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            format!("{} exists; remove it, or name another file", path.display())
        } else {
            format!("{}: {error}", path.display())
        }
    })?;
    let mut line = Zeroizing::new(encode_hex(key.bytes()));
    line.make_ascii_uppercase();
    line.push('\n');
    file.write_all(line.as_bytes())?;
    Ok(file.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::find;
    use std::{fs, os::unix::fs::PermissionsExt};

    /// Two parts of the demo's master key.
    const PARTS: [&str; 2] = [
        "0123456789ABCDEFFEDCBA9876543210",
        "CB7ED73E0461852174 90CCAE6CC65BF9",
    ];

    #[test]
    fn two_parts_are_one_key_in_a_file_of_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("tmk.key");
        let words = [
            "combine",
            "--part",
            PARTS[0],
            "--part",
            PARTS[1],
            "--out",
            out.to_str().unwrap(),
        ];
        let found = find(&words).unwrap();
        let demo = find(&["kcv", "--key", "CA5D92598DCA48CE8A4C76361A9269E9"]).unwrap();
        assert_eq!(found, demo);
        assert_eq!(
            fs::read_to_string(&out).unwrap(),
            "CA5D92598DCA48CE8A4C76361A9269E9\n"
        );
        assert_eq!(
            fs::metadata(&out).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(find(&words).unwrap_err().contains("exists"));
    }

    #[test]
    fn parts_may_stand_in_files() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["one", "other"].map(|name| dir.path().join(name));
        for (path, part) in paths.iter().zip(PARTS) {
            fs::write(path, format!("{part}\n")).unwrap();
        }
        let [one, other] = paths.each_ref().map(|path| path.to_str().unwrap());
        let found = find(&["combine", "--part-file", one, "--part-file", other]).unwrap();
        assert_eq!(found["bytes"], "16");
    }

    #[test]
    fn a_key_that_is_not_the_expected_one_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("tmk.key");
        let words = [
            "combine", "--part", PARTS[0], "--part", PARTS[1], "--expect", "000000",
        ];
        let found = find(&[&words[..], &["--out", out.to_str().unwrap()]].concat()).unwrap();
        assert_eq!(found["matches"], false);
        assert!(!out.exists());
        let short = find(&["combine", "--part", PARTS[0], "--part", "0123456789ABCDEF"]);
        assert!(short.unwrap_err().contains("same length"));
    }
}
