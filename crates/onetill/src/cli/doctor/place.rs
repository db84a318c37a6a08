//! The data directory, the master key, the disk.

use super::Finding;
use crate::{
    cli::output,
    config::{Config, StoreUrl},
    vault::{MASTER_KEY_FILE, MASTER_KEY_VARIABLE, Vault},
};
use rustix::fs::{Access, access, statvfs};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const MIB: u64 = 1024 * 1024;
/// Less free room than this is a failure, in bytes.
const FREE_FAIL: u64 = 100 * MIB;
/// Less free room than this wants a look, in bytes.
const FREE_WARN: u64 = 1024 * MIB;

/// The data directory and its key.
pub(super) fn directory(config: &Config) -> Vec<Finding> {
    let dir = &config.data;
    let shown = dir.display();
    let Ok(metadata) = fs::metadata(dir) else {
        return vec![Finding::warn(
            format!("data directory: {shown} does not exist"),
            "`onetill serve` makes it; or name the right one with --data",
        )];
    };
    let mode = metadata.permissions().mode();
    let directory = if !metadata.is_dir() {
        let advice = "name a directory with --data";
        Finding::fail(format!("data directory: {shown} is none"), advice)
    } else if access(dir, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let advice = "run this as the user that the gateway runs as, or give it to that user";
        Finding::fail(
            format!("data directory: {shown} cannot be written by this user"),
            advice,
        )
    } else if mode & 0o077 != 0 {
        let what = format!("data directory: others may look into {shown}");
        Finding::warn(what, format!("chmod 700 {shown}"))
    } else {
        Finding::ok(format!("data directory: {shown}"))
    };
    vec![directory, master_key(config)]
}

fn master_key(config: &Config) -> Finding {
    let file = config.data.join(MASTER_KEY_FILE);
    let is_set = std::env::var_os(MASTER_KEY_VARIABLE).is_some();
    // Opening a vault makes a key where there is none; so look first.
    if !is_set && !file.exists() {
        return no_master_key(config, &file);
    }
    let origin = if is_set {
        format!("from {MASTER_KEY_VARIABLE}")
    } else {
        file.display().to_string()
    };
    match Vault::open(&config.data) {
        Ok(_) => Finding::ok(format!("master key: {origin}")),
        Err(error) => Finding::fail(format!("master key: {error}"), ""),
    }
}

fn no_master_key(config: &Config, file: &Path) -> Finding {
    let what = format!("master key: there is none at {}", file.display());
    let advice = "bring it back from where you keep it: merchants' keys open with no other";
    match &config.store {
        StoreUrl::Sqlite(path) if path.exists() => Finding::fail(what, advice),
        StoreUrl::Sqlite(_) => Finding::warn(what, "`onetill serve` makes it"),
        StoreUrl::Postgres(_) => {
            let advice = format!(
                "for a new database `onetill serve` makes it; otherwise copy it from another \
                 gateway, or set {MASTER_KEY_VARIABLE}"
            );
            Finding::warn(what, advice)
        }
    }
}

/// The room that is left where the store, or else the data directory, is.
pub(super) fn disk(config: &Config) -> Finding {
    let wanted = match &config.store {
        StoreUrl::Sqlite(path) => path.clone(),
        StoreUrl::Postgres(_) => config.data.clone(),
    };
    let Some(place) = existing(&wanted) else {
        return Finding::warn("disk: it is not known where the data will be", "use --data");
    };
    match statvfs(&place) {
        Ok(disk) => room(disk.f_bavail.saturating_mul(disk.f_frsize), &place),
        Err(error) => Finding::warn(format!("disk: {}: {error}", place.display()), "look there"),
    }
}

fn room(free: u64, place: &Path) -> Finding {
    let what = format!("disk: {} free at {}", output::size(free), place.display());
    let advice = "make room: when it is full, payments are refused";
    if free < FREE_FAIL {
        Finding::fail(what, advice)
    } else if free < FREE_WARN {
        Finding::warn(what, advice)
    } else {
        Finding::ok(what)
    }
}

/// `path`, or the nearest of its parents that exists.
fn existing(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    let found = absolute.ancestors().find(|it| it.exists());
    found.map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};
    use crate::config::Options;

    fn config(dir: &Path) -> Config {
        let options = Options {
            data: Some(dir.to_owned()),
            ..Options::default()
        };
        options.check().unwrap()
    }

    #[test]
    fn looking_makes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("data");
        let findings = directory(&config(&missing));
        assert_eq!(findings.first().unwrap().level, Level::Warn);
        assert!(disk(&config(&missing)).what.contains("free at"));
        let _ = directory(&config(dir.path()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_store_without_its_key_fails() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("onetill.db"), "").unwrap();
        let found = master_key(&config(dir.path()));
        assert_eq!(found.level, Level::Fail);
        fs::write(dir.path().join(MASTER_KEY_FILE), "0f".repeat(32)).unwrap();
        let exposed = fs::Permissions::from_mode(0o644);
        fs::set_permissions(dir.path().join(MASTER_KEY_FILE), exposed).unwrap();
        assert!(master_key(&config(dir.path())).what.contains("chmod 600"));
    }

    #[test]
    fn little_room_is_told() {
        let level = |free| room(free, Path::new("/")).level;
        assert_eq!(level(99 * MIB), Level::Fail);
        assert_eq!(level(500 * MIB), Level::Warn);
        assert_eq!(level(2_000 * MIB), Level::Ok);
    }
}
