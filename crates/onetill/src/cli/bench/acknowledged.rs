//! The file of what the gateway promised, for audits after a kill.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::till::Promise;
use super::{BenchError, file_error};

/// An append-only list. Each line is written at once and whole, so that it outlives the
/// generator too.
pub(super) struct Acknowledged(File);

impl Acknowledged {
    pub(super) fn open(path: &Path) -> Result<Self, BenchError> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        Ok(Self(file.map_err(file_error(path))?))
    }

    /// Adds `merchant,merchant serial,gateway serial`.
    pub(super) fn add(&self, promise: &Promise) -> io::Result<()> {
        let Promise {
            merchant,
            merchant_serial,
            gateway_serial,
        } = promise;
        let line = format!("{merchant},{merchant_serial},{gateway_serial}\n");
        (&self.0).write_all(line.as_bytes())
    }
}
