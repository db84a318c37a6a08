//! The file with codes: written for the printer, read from elsewhere. Whoever reads it can use the
//! codes, so nobody but its owner may, and half a file never has its name.

use crate::cli::CommandError;
use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufWriter, ErrorKind, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The columns.
pub(super) const HEADER: &str = "boxId,pkgId,reelId,code";

/// A file that is being written under another name.
pub(super) struct PrintedFile {
    path: PathBuf,
    partial: PathBuf,
    out: Option<BufWriter<File>>,
    /// Tells others that somebody is writing it, until it has lost its other name.
    _lock: File,
}

impl PrintedFile {
    /// Begins the file `path`, which must not be there yet. What a command that was killed left of
    /// it is taken away.
    pub(super) fn create(path: &Path) -> Result<Self, CommandError> {
        if path.exists() {
            return Err(there(path));
        }
        let partial = path.with_added_extension("partial");
        take_away(&partial)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(&partial).map_err(named(&partial))?;
        // A file system without locks does without: nothing is taken away there.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(busy(&partial));
        }
        let lock = file.try_clone()?;
        let mut file = Self {
            path: path.to_owned(),
            partial,
            out: Some(BufWriter::new(file)),
            _lock: lock,
        };
        file.write(format_args!("{HEADER}"))?;
        Ok(file)
    }

    fn write(&mut self, line: fmt::Arguments<'_>) -> Result<(), CommandError> {
        match &mut self.out {
            Some(out) => Ok(writeln!(out, "{line}").map_err(named(&self.path))?),
            None => Ok(()),
        }
    }

    /// Adds rows of a box: lines of package, reel and code. Says how many.
    pub(super) fn push(&mut self, carton: &str, lines: &str) -> Result<u32, CommandError> {
        let mut count = 0;
        for line in lines.lines() {
            self.write(format_args!("{carton},{line}"))?;
            count += 1;
        }
        Ok(count)
    }

    /// Brings the file to the disk, and gives it its name for good. A file of that name that
    /// somebody made meanwhile stays.
    pub(super) fn finish(mut self) -> Result<(), CommandError> {
        if let Some(out) = self.out.take() {
            let file = out.into_inner().map_err(io::IntoInnerError::into_error);
            let synced = file.and_then(|file| file.sync_all());
            synced.map_err(named(&self.path))?;
        }
        match fs::hard_link(&self.partial, &self.path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(there(&self.path));
            }
            linked => linked.map_err(named(&self.path))?,
        }
        let dir = self.path.parent().filter(|it| !it.as_os_str().is_empty());
        let dir = File::open(dir.unwrap_or(Path::new(".")));
        let synced = dir.and_then(|dir| dir.sync_all());
        synced.map_err(|error| {
            // Nobody knows whether it would stay; whoever is told of a failure finds no file.
            let _ = fs::remove_file(&self.path);
            named(&self.path)(error)
        })
    }
}

impl Drop for PrintedFile {
    fn drop(&mut self) {
        // With its name given this takes away the other one; without, what is useless.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Takes away what a command that was killed left under this name. Only who holds the file's lock
/// removes it, so it is nobody's who still writes.
fn take_away(partial: &Path) -> Result<(), CommandError> {
    let left = match fs::symlink_metadata(partial) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.map_err(named(partial))?,
    };
    if !left.is_file() {
        return Err(strange(partial));
    }
    let file = File::open(partial).map_err(named(partial))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(busy(partial)),
        Err(TryLockError::Error(_)) => return Err(strange(partial)),
    }
    let which = |it: &fs::Metadata| (it.dev(), it.ino());
    let named_so = fs::symlink_metadata(partial).map_err(named(partial))?;
    if which(&named_so) != which(&file.metadata()?) {
        return Err(busy(partial));
    }
    let mut begin = Vec::new();
    let header = u64::try_from(HEADER.len())?;
    (&file).take(header).read_to_end(&mut begin)?;
    if !HEADER.as_bytes().starts_with(&begin) {
        return Err(strange(partial));
    }
    fs::remove_file(partial).map_err(named(partial))?;
    Ok(())
}

/// An error with the file's name.
fn named(path: &Path) -> impl Fn(io::Error) -> CommandError {
    move |error| format!("{}: {error}", path.display()).into()
}

fn busy(partial: &Path) -> CommandError {
    let name = partial.display();
    format!("{name}: another command is writing it").into()
}

fn strange(partial: &Path) -> CommandError {
    let name = partial.display();
    format!("{name} is in the way; if it is left from an earlier try, remove it").into()
}

fn there(path: &Path) -> CommandError {
    format!("{} is there already; choose another name", path.display()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_finished_file_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("codes.csv");
        let mut file = PrintedFile::create(&path).unwrap();
        assert_eq!(file.push("X", "B,R,c\nB,R,d\n").unwrap(), 2);
        assert!(!path.exists(), "not before it is whole");
        file.finish().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "boxId,pkgId,reelId,code\nX,B,R,c\nX,B,R,d\n");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(PrintedFile::create(&path).is_err(), "never overwritten");
    }

    #[test]
    fn a_file_that_is_given_up_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        drop(PrintedFile::create(&dir.path().join("codes.csv")).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_came_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("codes.csv");
        let file = PrintedFile::create(&path).unwrap();
        fs::write(&path, "mine").unwrap();
        assert!(file.finish().is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn what_a_killed_command_left_is_taken_away_unless_somebody_writes_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("codes.csv");
        let partial = dir.path().join("codes.csv.partial");
        let refused = || PrintedFile::create(&path).err().unwrap().to_string();

        let first = PrintedFile::create(&path).unwrap();
        assert!(refused().contains("another command"), "{}", refused());
        assert!(partial.exists(), "it is the first one's");
        drop(first);

        for left in ["", "boxId,pkgId", "boxId,pkgId,reelId,code\nX,B,R,c\nX,B"] {
            fs::write(&partial, left).unwrap();
            let again = PrintedFile::create(&path).unwrap();
            again.finish().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(text, "boxId,pkgId,reelId,code\n");
            fs::remove_file(&path).unwrap();
        }

        fs::write(&partial, "mine").unwrap();
        assert!(refused().contains("in the way"), "{}", refused());
        assert_eq!(fs::read_to_string(&partial).unwrap(), "mine");
        fs::remove_file(&partial).unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &partial).unwrap();
        assert!(refused().contains("in the way"), "{}", refused());
    }
}
