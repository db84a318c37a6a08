//! What the pretended channel remembers when the gateway's process dies.

use super::{account::Account, top_up::TopUp};
use domain::ids::Serial;
use serde::{Deserialize, Serialize};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

/// One thing to remember: a payment or top-up as it stands now. A later record of the same
/// serial replaces an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A payment.
    #[serde(rename = "p")]
    Payment(Serial, Account),
    /// A data top-up.
    #[serde(rename = "t")]
    TopUp(Serial, TopUp),
}

/// Everything that is worth remembering at the moment.
pub trait Living: Send + Sync {
    /// Visits each record. Records that change meanwhile are visited before or after the change.
    fn each(&self, visit: &mut dyn FnMut(&Record));
}

/// Where the sandbox's records outlive the process. It stands in for somebody else's computer:
/// what it holds is not the gateway's data.
pub trait Memory: Send + Sync {
    /// Visits all that was remembered, oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    fn recall(&self, visit: &mut dyn FnMut(Record)) -> io::Result<()>;

    /// Starts to remember; `living` tells what is still worth it when the memory grows too long.
    ///
    /// # Errors
    /// When nothing can be written.
    fn begin(&self, living: Arc<dyn Living>) -> io::Result<()>;

    /// Remembers. Never waits.
    fn remember(&self, record: Record);
}

/// A memory that lasts as long as the value itself, for tests: it only grows.
#[derive(Debug, Default)]
pub struct InMemory {
    records: Mutex<Vec<Record>>,
}

impl Memory for InMemory {
    fn recall(&self, visit: &mut dyn FnMut(Record)) -> io::Result<()> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().cloned().for_each(visit);
        Ok(())
    }

    fn begin(&self, _: Arc<dyn Living>) -> io::Result<()> {
        Ok(())
    }

    fn remember(&self, record: Record) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.push(record);
    }
}
