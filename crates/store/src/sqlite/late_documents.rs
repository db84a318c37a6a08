//! Cards and terminals: each of a till's messages changes its terminal, and most change a card.
//!
//! Their rows lie apart, so each change would write a page of its own, twice. Therefore their bodies are
//! written late (see `late_table`), and meanwhile stand in a log (see `late_log`). New documents are
//! added to their table at once, and the columns that they are found by change there at once: a search
//! finds the right rows, of which some have a newer body.

#[cfg(test)]
mod tests;

use super::{
    documents::{Place, find, put},
    late_log::{self, LateLog, Logged},
    late_table::{ByKey, LateTable, ReadBack, Recall, Recent},
    queries::{all, at_one_moment},
    statements::Statements,
};
use crate::{
    contract::{DocumentMark, StoreError},
    flat::{FlatDocument, body, listing, table},
};
use domain::{
    ids::TenantId,
    loyalty::document::{Document, DocumentKey, DocumentKind},
};
use rusqlite::{Connection, Row};
use std::{
    collections::BTreeMap,
    ops::{Bound, RangeBounds},
    sync::Arc,
};

/// The writer's side.
pub(super) type LateDocuments = LateLog<DocumentsTable>;

/// The tables of cards and terminals.
#[derive(Clone, Copy, Debug)]
pub(super) struct DocumentsTable;

/// A document and its row. Shared, so that readers need not copy it under the lock.
pub(super) type Stored = Arc<(Document, Place)>;

/// The kinds that are written late.
const KINDS: [DocumentKind; 2] = [DocumentKind::Terminal, DocumentKind::Card];

/// Whether documents of a kind are written late.
pub(super) fn is_late(kind: DocumentKind) -> bool {
    KINDS.contains(&kind)
}

/// Whether documents of a kind are worth knowing without looking: others are seldom asked for twice.
pub(super) const fn is_known(kind: DocumentKind) -> bool {
    match kind {
        DocumentKind::Store
        | DocumentKind::Terminal
        | DocumentKind::Card
        | DocumentKind::Partner
        | DocumentKind::VoucherTicket
        | DocumentKind::Activity
        | DocumentKind::Carton => true,
        DocumentKind::VerifyCodes | DocumentKind::WorkItem | DocumentKind::Change => false,
    }
}

impl LateTable for DocumentsTable {
    type Key = DocumentKey;
    type Row = Stored;

    // They are larger than other rows, and are read back at start.
    const RECENT_MAX: usize = 16 * 1024;
    const KNOWN_MAX: usize = 8 * 1024;

    fn find(statements: &Statements<'_>, key: &DocumentKey) -> Result<Option<Stored>, StoreError> {
        Ok(find(statements, key)?.map(Arc::new))
    }

    fn put(statements: &Statements<'_>, key: &DocumentKey, row: &Stored) -> Result<(), StoreError> {
        let (document, place) = &**row;
        put(
            statements,
            key.kind,
            *place,
            FlatDocument::of(document)?.body,
        )
    }

    fn read_back(connection: &Connection) -> Result<ReadBack<Self>, StoreError> {
        let (settled, newest) = late_log::ends::<Self>(connection)?;
        let mut rows = ByKey::<Self>::new();
        for (key, document) in logged(connection)? {
            let Some(document) = document else { continue };
            let Some((_, place)) = find(connection, &key)? else {
                let DocumentKey { kind, key, .. } = key;
                let text = format!("{} {key} was changed and is not there", table(kind));
                return Err(StoreError::Corrupt(text));
            };
            rows.insert(key, Arc::new((document, place)));
        }
        Ok(ReadBack {
            rows,
            settled,
            newest,
        })
    }

    fn settle(
        connection: &Connection,
        settled: i64,
        complete: i64,
        rows: usize,
    ) -> Result<i64, StoreError> {
        late_log::settle::<Self>(connection, settled, complete, rows)
    }

    fn weight(settled: i64, newest: i64) -> usize {
        late_log::weight::<Self>(settled, newest)
    }
}

impl Logged for DocumentsTable {
    const LOG: &'static str = "document_log";
    // A card's row lies on a page of its own. The log grows to about 130 MB.
    const CHANGES_A_ROW: i64 = 12;

    fn write(key: &DocumentKey, row: Option<&Stored>, text: &mut String) -> Result<(), StoreError> {
        let DocumentKey { kind, tenant, key } = key;
        let head = [table(*kind), &tenant.0.to_string(), &key.len().to_string()];
        for part in head {
            text.push_str(part);
            text.push(' ');
        }
        text.push_str(key);
        if let Some(row) = row {
            text.push_str(&body(&row.0)?);
        }
        Ok(())
    }
}

/// Reads a change of the log: a document's key and body, none if it was removed.
fn logged_document(text: &str) -> Option<(DocumentKey, &str)> {
    let (name, text) = text.split_once(' ')?;
    let (tenant, text) = text.split_once(' ')?;
    let (len, text) = text.split_once(' ')?;
    let (key, body) = text.split_at_checked(len.parse().ok()?)?;
    let key = DocumentKey {
        kind: KINDS.into_iter().find(|it| table(*it) == name)?,
        tenant: TenantId(tenant.parse().ok()?),
        key: key.to_owned(),
    };
    Some((key, body))
}

/// Of each key the newest document that the log holds, nothing if it was removed.
pub(super) type Newest = BTreeMap<DocumentKey, Option<Document>>;

/// All that the log holds.
pub(super) fn logged(connection: &Connection) -> Result<Newest, StoreError> {
    logged_of(connection, |_| true)
}

/// What the log holds of the documents that are wanted.
fn logged_of(
    connection: &Connection,
    is_wanted: impl Fn(&DocumentKey) -> bool,
) -> Result<Newest, StoreError> {
    let mut newest = BTreeMap::new();
    late_log::each::<DocumentsTable>(connection, |text| {
        let (key, body) = logged_document(text).ok_or_else(late_log::unread::<DocumentsTable>)?;
        if is_wanted(&key) {
            newest.insert(key, body.to_owned());
        }
        Ok(())
    })?;
    let read = |(key, body): (DocumentKey, String)| {
        if body.is_empty() {
            return Ok((key, None));
        }
        let DocumentKey { kind, tenant, .. } = key;
        let document = FlatDocument::read(kind, tenant.0, key.key.clone(), &body)?;
        Ok((key, Some(document)))
    };
    newest.into_iter().map(read).collect()
}

/// The document with `key`. Log or memory are asked before the table: a row leaves the one after it has
/// entered the other.
pub(super) fn of_key(
    connection: &Connection,
    recent: &Recent<DocumentsTable>,
    key: &DocumentKey,
) -> Result<Option<Document>, StoreError> {
    look_up(connection, key, recall(recent, key))
}

/// The documents with these keys, in their order, each as [`of_key`] finds it. Those in the tables are read
/// [`at_one_moment`]; what is in memory may be of one before.
pub(super) fn of_keys(
    connection: &Connection,
    recent: &Recent<DocumentsTable>,
    keys: &[DocumentKey],
) -> Result<Vec<Option<Document>>, StoreError> {
    let recalled = keys.iter().map(|key| recall(recent, key));
    let recalled: Vec<_> = recalled.collect();
    let look = |connection: &Connection| {
        let all = keys.iter().zip(recalled);
        all.map(|(key, recalled)| look_up(connection, key, recalled))
            .collect()
    };
    at_one_moment(connection, look)
}

fn recall(recent: &Recent<DocumentsTable>, key: &DocumentKey) -> Recall<Stored> {
    if is_late(key.kind) {
        return recent.recall(key);
    }
    Recall::Settled
}

fn look_up(
    connection: &Connection,
    key: &DocumentKey,
    recalled: Recall<Stored>,
) -> Result<Option<Document>, StoreError> {
    match recalled {
        Recall::Row(stored) => return Ok(Some(stored.0.clone())),
        Recall::Settled => {}
        Recall::Unkept => {
            let logged = logged_of(connection, |it| it == key)?;
            if let Some(document) = logged.into_values().flatten().next() {
                return Ok(Some(document));
            }
        }
    }
    Ok(find(connection, key)?.map(|(document, _)| document))
}

/// Documents of `kind` by tenant and key.
pub(super) fn list(
    connection: &Connection,
    recent: &Recent<DocumentsTable>,
    kind: DocumentKind,
    tenant: Option<TenantId>,
    after: Option<DocumentMark>,
    limit: u32,
) -> Result<Vec<Document>, StoreError> {
    let from = listing(tenant, after);
    let newer = if is_late(kind) {
        // Each is in the table, too: no more than `limit` are among the first that are there.
        match recent.range(keys(kind, &from), limit as usize) {
            Some(kept) => {
                let kept = kept.into_iter();
                let newer = kept.map(|(key, stored)| (key, Some(stored.0.clone())));
                newer.collect()
            }
            None => logged_of(connection, |it| it.kind == kind)?,
        }
    } else {
        Newest::new()
    };
    page(connection, &newer, kind, &from, limit)
}

/// Documents of `kind` behind `after`, where the log holds `logged`.
pub(super) fn behind(
    connection: &Connection,
    logged: &Newest,
    kind: DocumentKind,
    after: Option<DocumentMark>,
    limit: u32,
) -> Result<Vec<Document>, StoreError> {
    page(connection, logged, kind, &listing(None, after), limit)
}

/// The keys of a listing.
fn keys(
    kind: DocumentKind,
    (from, key, last): &(i64, String, i64),
) -> impl RangeBounds<DocumentKey> {
    let after = DocumentKey {
        kind,
        tenant: TenantId(*from),
        key: key.clone(),
    };
    let end = DocumentKey {
        kind,
        tenant: TenantId(last.saturating_add(1)),
        key: String::new(),
    };
    (Bound::Excluded(after), Bound::Excluded(end))
}

/// A page of a table, with newer documents in the place of its own.
fn page(
    connection: &Connection,
    newer: &Newest,
    kind: DocumentKind,
    (from, key, last): &(i64, String, i64),
    limit: u32,
) -> Result<Vec<Document>, StoreError> {
    let sql = format!(
        "SELECT tenant, key, body FROM {} \
         WHERE (tenant, key) > (?1, ?2) AND tenant <= ?3 ORDER BY tenant, key LIMIT ?4",
        table(kind)
    );
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?));
    let read = |(tenant, key, body): (i64, String, String)| {
        let tenant = TenantId(tenant);
        let key = DocumentKey { kind, tenant, key };
        match newer.get(&key) {
            Some(Some(newer)) => Ok(newer.clone()),
            Some(None) | None => FlatDocument::read(kind, tenant.0, key.key, &body),
        }
    };
    all(connection, &sql, (from, key, last, limit), columns, read)
}
