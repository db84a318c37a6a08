//! The file in which a terminal remembers: read and written by one call at a time, replaced as a
//! whole, and for its owner's eyes, since it holds the working keys.

use super::options::TillArgs;
use crate::{cli::CommandError, till::Till};
use reqwest::Url;
use rustix::fs::{FlockOperation, flock};
use std::{
    env,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// A terminal's file, held as long as this lives.
pub(super) struct Memory {
    path: PathBuf,
    _held: File,
}

impl Memory {
    /// Takes a terminal's file, which need not be there yet.
    ///
    /// # Errors
    /// When it has no place, or another call holds it.
    pub fn take(args: &TillArgs, url: &Url) -> Result<Self, CommandError> {
        let path = match &args.state {
            Some(path) => path.clone(),
            None => default_path(args, url)?,
        };
        let name = path.display();
        let broken = |error: std::io::Error| format!("the terminal's file {name}: {error}");
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(broken)?;
        }
        let held = private().open(beside(&path, ".lock")).map_err(broken)?;
        flock(&held, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            format!("another call of this terminal is under way ({name}); wait for its end")
        })?;
        Ok(Self { path, _held: held })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the terminal remembers; a new one if there is no file.
    ///
    /// # Errors
    /// When the file is another terminal's, is damaged, or others may read it.
    pub fn load(&self, args: &TillArgs) -> Result<Till, CommandError> {
        let name = self.path.display();
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Till::new(&args.store_no, &args.terminal_no));
            }
            Err(error) => return Err(format!("the terminal's file {name}: {error}").into()),
        };
        let mode = fs::metadata(&self.path)?.permissions().mode();
        if mode & 0o077 != 0 {
            let text = format!("{name} holds keys and others may read it; run: chmod 600 {name}");
            return Err(text.into());
        }
        let till: Till = serde_json::from_slice(&text).map_err(|error| {
            format!("{name} is damaged ({error}); remove it and check in again")
        })?;
        if (&till.store_no, &till.terminal_no) != (&args.store_no, &args.terminal_no) {
            let text = format!(
                "{name} is the memory of terminal {} of store {}; name another file with --state",
                till.terminal_no, till.store_no
            );
            return Err(text.into());
        }
        Ok(till)
    }

    /// Replaces what the terminal remembers.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, till: &Till) -> Result<(), CommandError> {
        let written = self.write(till);
        written
            .map_err(|error| format!("the terminal's file {}: {error}", self.path.display()).into())
    }

    fn write(&self, till: &Till) -> std::io::Result<()> {
        let partial = beside(&self.path, ".partial");
        let mut file = private().truncate(true).open(&partial)?;
        file.write_all(&serde_json::to_vec_pretty(till)?)?;
        // A number that was sent must never be used again, whatever ends the machine.
        file.sync_all()?;
        fs::rename(partial, &self.path)
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// A file of each terminal at each gateway.
fn default_path(args: &TillArgs, url: &Url) -> Result<PathBuf, CommandError> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|it| !it.is_empty())
            .map(PathBuf::from)
    };
    let home = || set("HOME").map(|home| home.join(".local/state"));
    let state = set("XDG_STATE_HOME").or_else(home);
    let state = state.ok_or("there is no HOME to remember in; name a file with --state")?;
    let host = url.host_str().unwrap_or("gateway");
    let port = url.port_or_known_default().unwrap_or(0);
    let name = format!("{host}_{port}-{}-{}.json", args.store_no, args.terminal_no);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    Ok(state.join("onetill/tills").join(name))
}
