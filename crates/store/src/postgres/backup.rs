//! A copy of the whole store, made by `pg_dump` while the store is in use.

use crate::{contract::StoreError, file::publish};
use std::{
    ffi::OsString,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
use tokio_postgres::{Config, config::Host};

/// Writes a dump in PostgreSQL's own format to `to`; `pg_restore` reads it. It appears there
/// whole or not at all.
pub(super) async fn dump(config: Arc<Config>, to: PathBuf) -> Result<(), StoreError> {
    tokio::task::spawn_blocking(move || dump_blocking(&config, &to))
        .await
        .map_err(|error| StoreError::Down(format!("the backup was stopped: {error}")))?
}

fn dump_blocking(config: &Config, to: &Path) -> Result<(), StoreError> {
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let result = run(config, &partial).and_then(|()| publish(&partial, to));
    if result.is_err() {
        // There may be nothing to remove.
        drop(std::fs::remove_file(&partial));
    }
    result
}

fn run(config: &Config, to: &Path) -> Result<(), StoreError> {
    let output = Command::new("pg_dump")
        .args(["--format=custom", "--no-password", "--file"])
        .arg(to)
        .envs(environment(config))
        .output()
        .map_err(|error| StoreError::Down(format!("pg_dump cannot be started: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let text = text.trim().to_owned();
    Err(StoreError::Down(format!(
        "pg_dump failed, {}: {text}",
        output.status
    )))
}

/// Where and as whom to connect. The password goes the same way: other users of the machine can
/// read a command line, not an environment.
fn environment(config: &Config) -> Vec<(&'static str, OsString)> {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => OsString::from(name),
        Host::Unix(path) => path.clone().into_os_string(),
    });
    let ports = config
        .get_ports()
        .iter()
        .map(|port| port.to_string().into());
    let mut environment = vec![("PGSSLMODE", "disable".into())];
    environment.extend(join(hosts).map(|it| ("PGHOST", it)));
    environment.extend(join(ports).map(|it| ("PGPORT", it)));
    environment.extend(config.get_user().map(|it| ("PGUSER", it.into())));
    environment.extend(config.get_dbname().map(|it| ("PGDATABASE", it.into())));
    let password = config.get_password().map(std::ffi::OsStr::from_bytes);
    environment.extend(password.map(|it| ("PGPASSWORD", it.to_owned())));
    environment
}

fn join(parts: impl Iterator<Item = OsString>) -> Option<OsString> {
    parts.reduce(|mut all, part| {
        all.push(",");
        all.push(part);
        all
    })
}
