//! The file with codes: written for the printer, read from elsewhere. Whoever reads it can use the
//! codes, so nobody but its owner may, and half a file never has its name.

use crate::cli::CommandError;
use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
};

/// The columns.
pub(super) const HEADER: &str = "boxId,pkgId,reelId,code";

/// A file that is being written under another name.
pub(super) struct PrintedFile {
    path: PathBuf,
    partial: PathBuf,
    out: Option<BufWriter<File>>,
}

impl PrintedFile {
    /// Begins the file `path`, which must not be there yet.
    pub(super) fn create(path: &Path) -> Result<Self, CommandError> {
        if path.exists() {
            return Err(there(path));
        }
        let partial = path.with_added_extension("partial");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial).map_err(|error| {
            let name = partial.display();
            format!("{name}: {error}; if it is left from an earlier try, remove it")
        })?;
        let mut out = BufWriter::new(file);
        writeln!(out, "{HEADER}")?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            out: Some(out),
        })
    }

    /// Adds rows of a box: lines of package, reel and code. Says how many.
    pub(super) fn push(&mut self, carton: &str, lines: &str) -> Result<u32, CommandError> {
        let mut count = 0;
        if let Some(out) = &mut self.out {
            for line in lines.lines() {
                writeln!(out, "{carton},{line}")?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// Brings the file to the disk, and gives it its name for good. A file of that name that
    /// somebody made meanwhile stays.
    pub(super) fn finish(mut self) -> Result<(), CommandError> {
        if let Some(out) = self.out.take() {
            let file = out
                .into_inner()
                .map_err(std::io::IntoInnerError::into_error)?;
            file.sync_all()?;
        }
        match fs::hard_link(&self.partial, &self.path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(there(&self.path));
            }
            linked => linked?,
        }
        let dir = self.path.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(dir.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(())
    }
}

impl Drop for PrintedFile {
    fn drop(&mut self) {
        // With its name given this takes away the other one; without, what is useless.
        let _ = fs::remove_file(&self.partial);
    }
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
}
