//! A copy of the whole store while it is in use.

use super::from_sqlite;
use crate::contract::StoreError;
use rusqlite::Connection;
use std::path::Path;

/// One read transaction copies a consistent, compact file while writing goes on.
pub(super) fn copy(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    let read_only = |is_on: bool| {
        let set = connection.pragma_update(None, "query_only", is_on);
        set.map_err(from_sqlite)
    };
    // To SQLite this is writing, though it writes to the copy alone.
    read_only(false)?;
    let copied = connection.execute("VACUUM INTO ?1", [to.display().to_string()]);
    read_only(true)?;
    copied.map(drop).map_err(from_sqlite)
}
