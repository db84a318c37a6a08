//! Cards and terminals: each of a till's messages changes its terminal, and most change a card.
//!
//! Their rows lie apart, so each change would write a page of its own, twice. Therefore their bodies are
//! written late (see `late_table`), and meanwhile stand in a log (see `late_log`). New documents are
//! added to their table at once, and the columns that they are found by change there at once: a search
//! finds the right rows, of which some have a newer body.
//!
//! Most changes are of the running part (see `flat::running`), and the log holds that part only. It runs on
//! from the last whole body that the log holds of the document; where that has left the log, from the
//! table's row, which had it by then.

#[cfg(test)]
mod tests;

use super::{
    documents::{Place, find, find_body, put},
    kept::{Recall, Recent},
    late_log::{self, LateLog, Logged},
    late_table::{ByKey, LateTable, ReadBack},
    queries::{all, at_one_moment},
    statements::Statements,
};
use crate::{
    contract::{DocumentMark, StoreError},
    flat::{FlatDocument, body, enter_running, listing, running_part, table},
};
use domain::{
    ids::TenantId,
    loyalty::document::{Document, DocumentKey, DocumentKind},
};
use rusqlite::{Connection, Row};
use std::{
    collections::BTreeMap,
    fmt::Write,
    ops::{Bound, RangeBounds},
    sync::Arc,
};

/// The writer's side.
pub(super) type LateDocuments = LateLog<DocumentsTable>;

/// The tables of cards and terminals.
#[derive(Clone, Copy, Debug)]
pub(super) struct DocumentsTable;

/// A document and its row.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// Shared: readers need not copy it under the lock, and batches that change others not at all.
    pub document: Arc<Document>,
    pub place: Place,
}

impl Stored {
    pub(super) fn new(document: Document, place: Place) -> Self {
        let document = Arc::new(document);
        Self { document, place }
    }
}

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
        find(statements, key)
    }

    fn put(statements: &Statements<'_>, key: &DocumentKey, row: &Stored) -> Result<(), StoreError> {
        put(statements, key.kind, row.place, body(&row.document)?)
    }

    fn read_back(connection: &Connection) -> Result<ReadBack<Self>, StoreError> {
        let (settled, newest) = late_log::ends::<Self>(connection)?;
        let mut rows = ByKey::<Self>::new();
        for (key, told) in logged(connection)? {
            let row = find_body(connection, &key)?;
            let (body, place) = row.ok_or_else(|| missing(&key))?;
            let document = told.over(key.clone(), &body)?;
            rows.insert(key, Stored::new(document, place));
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

    fn weight(complete: i64, newest: i64) -> usize {
        late_log::weight::<Self>(complete, newest)
    }
}

impl Logged for DocumentsTable {
    const LOG: &'static str = "document_log";
    // A card's row lies on a page of its own. The log grows to some 400,000 changes, about 75 MB of running
    // parts; whole bodies are seldom, and three times as long.
    const CHANGES_A_ROW: i64 = 24;

    type Said = ();

    fn write(
        key: &DocumentKey,
        before: Option<&Stored>,
        row: Option<&Stored>,
        (): &mut (),
        text: &mut String,
    ) -> Result<(), StoreError> {
        let DocumentKey { kind, tenant, key } = key;
        // Nothing fails that is written into a text.
        let _ = write!(text, "{} {} {} {key}", table(*kind), tenant.0, key.len());
        let Some(Stored { document, .. }) = row else {
            return Ok(());
        };
        let running = before.map(|it| running_part(&it.document, document));
        let running = running.transpose()?;
        if let Some(running) = running.flatten() {
            text.push(RUNNING);
            text.push_str(&running);
        } else {
            text.push_str(&body(document)?);
        }
        Ok(())
    }
}

/// Stands before what is a running part and no whole body.
const RUNNING: char = '+';

/// Reads a change of the log: a document's key, and its body or running part, none if it was removed.
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

/// What the log says of a document. Has no `Debug`: bodies hold sealed keys and hashed PINs.
#[derive(Default)]
pub(super) struct Told {
    /// Its last whole body; that of its table's row where there is none.
    body: Option<String>,
    /// Its running part, where that has changed since.
    running: Option<String>,
}

impl Told {
    /// The document, whose row in its table has `body`.
    fn over(&self, key: DocumentKey, body: &str) -> Result<Document, StoreError> {
        let DocumentKey { kind, tenant, key } = key;
        let body = self.body.as_deref().unwrap_or(body);
        let mut document = FlatDocument::read(kind, tenant.0, key, body)?;
        if let Some(running) = &self.running {
            enter_running(&mut document, running)?;
        }
        Ok(document)
    }
}

fn missing(DocumentKey { kind, key, .. }: &DocumentKey) -> StoreError {
    let text = format!("{} {key} was changed and is not there", table(*kind));
    StoreError::Corrupt(text)
}

/// What the log says of the documents that it changes. One that it removes is in the table if it was added
/// again.
pub(super) type Newest = BTreeMap<DocumentKey, Told>;

/// All that the log holds.
pub(super) fn logged(connection: &Connection) -> Result<Newest, StoreError> {
    logged_of(connection, |_| true)
}

/// What the log holds of the documents that are wanted.
fn logged_of(
    connection: &Connection,
    is_wanted: impl Fn(&DocumentKey) -> bool,
) -> Result<Newest, StoreError> {
    let mut newest = Newest::new();
    late_log::each::<DocumentsTable>(connection, |(), text| {
        let (key, body) = logged_document(text).ok_or_else(late_log::unread::<DocumentsTable>)?;
        if !is_wanted(&key) {
            return Ok(());
        }
        if body.is_empty() {
            newest.remove(&key);
        } else if let Some(running) = body.strip_prefix(RUNNING) {
            newest.entry(key).or_default().running = Some(running.to_owned());
        } else {
            let (body, running) = (Some(body.to_owned()), None);
            newest.insert(key, Told { body, running });
        }
        Ok(())
    })?;
    Ok(newest)
}

/// The document with `key`. The memory is asked before the table, since a row leaves the one after it has
/// entered the other; log and table are read at one moment.
pub(super) fn of_key(
    connection: &Connection,
    recent: &Recent<DocumentsTable>,
    key: &DocumentKey,
) -> Result<Option<Document>, StoreError> {
    let recalled = recall(recent, key);
    if matches!(recalled, Recall::Unkept) {
        return at_one_moment(connection, |it| look_up(it, key, recalled));
    }
    look_up(connection, key, recalled)
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
    let told = match recalled {
        Recall::Row(stored) => return Ok(Some(Document::clone(&stored.document))),
        Recall::Settled => None,
        Recall::Unkept => logged_of(connection, |it| it == key)?.remove(key),
    };
    match (find_body(connection, key)?, told) {
        (Some((body, _)), told) => {
            let told = told.unwrap_or_default();
            told.over(key.clone(), &body).map(Some)
        }
        (None, Some(_)) => Err(missing(key)),
        (None, None) => Ok(None),
    }
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
    if !is_late(kind) {
        return behind_listing(connection, &Newest::new(), kind, &from, limit);
    }
    // Each is in the table, too: no more than `limit` are among the first that are there.
    let Some(kept) = recent.range(keys(kind, &from), limit as usize) else {
        return at_one_moment(connection, |it| {
            let logged = logged_of(it, |key| key.kind == kind)?;
            behind_listing(it, &logged, kind, &from, limit)
        });
    };
    page(connection, kind, &from, limit, |key, body| {
        let stored = kept.get(&key);
        stored.map_or_else(
            || Told::default().over(key.clone(), body),
            |it| Ok(Document::clone(&it.document)),
        )
    })
}

/// Documents of `kind` behind `after`, where the log holds `logged`.
pub(super) fn behind(
    connection: &Connection,
    logged: &Newest,
    kind: DocumentKind,
    after: Option<DocumentMark>,
    limit: u32,
) -> Result<Vec<Document>, StoreError> {
    behind_listing(connection, logged, kind, &listing(None, after), limit)
}

/// As [`behind`], from where a listing starts.
fn behind_listing(
    connection: &Connection,
    logged: &Newest,
    kind: DocumentKind,
    from: &Listing,
    limit: u32,
) -> Result<Vec<Document>, StoreError> {
    page(connection, kind, from, limit, |key, body| {
        let unchanged = Told::default();
        logged.get(&key).unwrap_or(&unchanged).over(key, body)
    })
}

/// Where a listing starts, and its last tenant.
type Listing = (i64, String, i64);

/// The keys of a listing.
fn keys(kind: DocumentKind, (from, key, last): &Listing) -> impl RangeBounds<DocumentKey> {
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

/// A page of a table; `read` makes documents of their keys and the bodies in the table.
fn page(
    connection: &Connection,
    kind: DocumentKind,
    (from, key, last): &Listing,
    limit: u32,
    read: impl Fn(DocumentKey, &str) -> Result<Document, StoreError>,
) -> Result<Vec<Document>, StoreError> {
    let sql = format!(
        "SELECT tenant, key, body FROM {} \
         WHERE (tenant, key) > (?1, ?2) AND tenant <= ?3 ORDER BY tenant, key LIMIT ?4",
        table(kind)
    );
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?));
    let read = |(tenant, key, body): (i64, String, String)| {
        let tenant = TenantId(tenant);
        read(DocumentKey { kind, tenant, key }, &body)
    };
    all(connection, &sql, (from, key, last, limit), columns, read)
}
