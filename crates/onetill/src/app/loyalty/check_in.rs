//! A terminal checks in: it gets its batch, and fresh keys under its master key.

use super::{Caller, keys::KeyError};
use crate::app::{AppError, Gateway};
use domain::{
    command::loyalty::CheckIn,
    loyalty::{terminal::BatchNo, trans::Refusal},
};

/// What a terminal is handed at check-in. Has no `Debug`.
pub struct CheckedIn {
    /// The open batch.
    pub batch: BatchNo,
    /// The store's name.
    pub store_name: String,
    /// Its working keys under its master key, as the wire lays them out.
    pub working_key: String,
}

impl Gateway {
    /// Checks a terminal in.
    ///
    /// # Errors
    /// When its keys do not open, or the store failed.
    pub async fn check_in(
        &self,
        caller: &Caller,
        operator: String,
    ) -> Result<Result<CheckedIn, Refusal>, AppError> {
        let terminal = &caller.terminal;
        let Some(master) = &terminal.master_key else {
            tracing::warn!(
                terminal = terminal.number.as_str(),
                "checks in, and has no master key: inject one"
            );
            return Ok(Err(Refusal::TerminalInvalid));
        };
        let keys = &self.loyalty.keys;
        let master = keys.master(terminal, master)?;
        let (working, sealed) = keys.fresh(terminal)?;
        let check_in = CheckIn {
            tenant: terminal.tenant,
            store: terminal.store.clone(),
            terminal: terminal.number.clone(),
            operator,
            keys: sealed,
            under: caller.under,
        };
        Ok(self.run(check_in).await?.map(|into| CheckedIn {
            batch: into.batch,
            store_name: caller.store.store.name.clone(),
            working_key: working.wrap(&master),
        }))
    }
}

impl From<KeyError> for AppError {
    fn from(error: KeyError) -> Self {
        tracing::error!(%error, "a terminal's keys");
        Self::Unforeseen
    }
}
