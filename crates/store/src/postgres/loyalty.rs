//! Cards, terminals and their events: their part of a batch, and looking at them.
//!
//! No statement of a batch leaves the planner a choice. Rows are looked up one by one inside a
//! statement (a subquery that locks is never flattened) and overwritten by `ON CONFLICT`, so that
//! statistics which know nothing of a tenant cannot make it read all rows of that tenant.

use super::{
    columns::{Stored, get},
    error::classify,
    session::{Param, Session, Step, column},
};
use crate::{
    contract::StoreError,
    flat::{FlatDocument, FlatTrans, own_column, table},
};
use domain::{
    ids::TenantId,
    loyalty::{
        document::{Document, DocumentKey, DocumentKind},
        rows::{LoyaltyChanges, LoyaltyPlan},
        trans::Trans,
    },
};
use std::{collections::BTreeMap, mem::take, sync::Arc};
use tokio_postgres::{Client, Error, Row, Statement};

/// The statements of a batch, prepared on a writer's connection. Each touches one tenant and takes
/// any number of rows.
pub(super) struct Statements {
    stores: OfKind,
    terminals: OfKind,
    cards: OfKind,
    verify_codes: OfKind,
    work_items: OfKind,
    partners: OfKind,
    voucher_tickets: OfKind,
    activities: OfKind,
    cartons: OfKind,
    stock_changes: OfKind,
    lock_trans: Statement,
    add_trans: Statement,
    put_trans: Statement,
}

/// The statements of a kind of document.
struct OfKind {
    lock: Statement,
    add: Statement,
    put: Statement,
    remove: Statement,
}

impl OfKind {
    async fn prepare(client: &Client, kind: DocumentKind) -> Result<Self, Error> {
        let (lock, add) = (lock_sql(kind), add_sql(kind));
        let (put, remove) = (put_sql(kind), remove_sql(kind));
        let (lock, add, put, remove) = tokio::try_join!(
            client.prepare(&lock),
            client.prepare(&add),
            client.prepare(&put),
            client.prepare(&remove),
        )?;
        Ok(Self {
            lock,
            add,
            put,
            remove,
        })
    }
}

impl Statements {
    /// Prepares all in one round trip.
    pub(super) async fn prepare(session: &Session) -> Result<Self, StoreError> {
        let prepared = Self::try_prepare(&session.client).await;
        prepared.map_err(|error| classify(&error))
    }

    async fn try_prepare(client: &Client) -> Result<Self, Error> {
        // On the heap: so many at once outgrow a thread's stack.
        let of = |kind| Box::pin(OfKind::prepare(client, kind));
        let put_trans = put_trans_sql();
        let members = async {
            tokio::try_join!(
                of(DocumentKind::Store),
                of(DocumentKind::Terminal),
                of(DocumentKind::Card),
                of(DocumentKind::VerifyCodes),
                of(DocumentKind::WorkItem),
            )
        };
        let vouchers = async {
            tokio::try_join!(
                of(DocumentKind::Partner),
                of(DocumentKind::VoucherTicket),
                of(DocumentKind::Activity),
                of(DocumentKind::Carton),
                of(DocumentKind::Change),
            )
        };
        let (members, vouchers, lock_trans, add_trans, put_trans) = tokio::try_join!(
            members,
            vouchers,
            client.prepare(LOCK_TRANS),
            client.prepare(ADD_TRANS),
            client.prepare(&put_trans),
        )?;
        let (stores, terminals, cards, verify_codes, work_items) = members;
        let (partners, voucher_tickets, activities, cartons, stock_changes) = vouchers;
        Ok(Self {
            stores,
            terminals,
            cards,
            verify_codes,
            work_items,
            partners,
            voucher_tickets,
            activities,
            cartons,
            stock_changes,
            lock_trans,
            add_trans,
            put_trans,
        })
    }

    const fn of(&self, kind: DocumentKind) -> &OfKind {
        match kind {
            DocumentKind::Store => &self.stores,
            DocumentKind::Terminal => &self.terminals,
            DocumentKind::Card => &self.cards,
            DocumentKind::VerifyCodes => &self.verify_codes,
            DocumentKind::WorkItem => &self.work_items,
            DocumentKind::Partner => &self.partners,
            DocumentKind::VoucherTicket => &self.voucher_tickets,
            DocumentKind::Activity => &self.activities,
            DocumentKind::Carton => &self.cartons,
            DocumentKind::Change => &self.stock_changes,
        }
    }
}

/// Locks documents in the order in which they are named, and reads them.
pub(super) fn lock_sql(kind: DocumentKind) -> String {
    format!(
        "SELECT found.* FROM unnest($2::text[]) AS named (key) CROSS JOIN LATERAL (\
            SELECT tenant, key, body FROM {} WHERE tenant = $1 AND key = named.key FOR UPDATE) \
        AS found",
        table(kind)
    )
}

pub(super) fn add_sql(kind: DocumentKind) -> String {
    let table = table(kind);
    match own_column(kind) {
        Some(own) => format!(
            "INSERT INTO {table} (tenant, key, body, {own}) SELECT $1::bigint, new.* \
            FROM unnest($2::text[], $3::text[], $4::bigint[]) AS new"
        ),
        None => format!(
            "INSERT INTO {table} (tenant, key, body) SELECT $1::bigint, new.* \
            FROM unnest($2::text[], $3::text[]) AS new"
        ),
    }
}

/// Overwrites documents: the transaction loaded and locked them, so all are there.
pub(super) fn put_sql(kind: DocumentKind) -> String {
    let own = own_column(kind).map_or(String::new(), |own| format!(", {own} = excluded.{own}"));
    format!(
        "{} ON CONFLICT (tenant, key) DO UPDATE SET body = excluded.body{own}",
        add_sql(kind)
    )
}

pub(super) fn remove_sql(kind: DocumentKind) -> String {
    let table = table(kind);
    format!("DELETE FROM {table} WHERE tenant = $1 AND key = any($2::text[])")
}

/// Locks events named by serial, by place and by number in the order of serials, and reads them.
pub(super) const LOCK_TRANS: &str = "SELECT found.* FROM (
        SELECT unnest($2::bigint[]) AS serial
        UNION SELECT (SELECT serial FROM trans WHERE tenant = $1 AND place = named)
            FROM unnest($3::bigint[]) AS named
        UNION SELECT (SELECT serial FROM trans WHERE tenant = $1 AND number = named)
            FROM unnest($4::bigint[]) AS named
        ORDER BY 1) AS named
    CROSS JOIN LATERAL (SELECT tenant, serial, place, number, body FROM trans
        WHERE tenant = $1 AND serial = named.serial FOR UPDATE) AS found";

pub(super) const ADD_TRANS: &str = "INSERT INTO trans (tenant, serial, place, number, body)
    SELECT $1::bigint, new.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[])
        AS new";

/// Overwrites events, which are there as documents are.
pub(super) fn put_trans_sql() -> String {
    format!("{ADD_TRANS} ON CONFLICT (tenant, serial) DO UPDATE SET body = excluded.body")
}

/// What a step of [`locking`] reads.
#[derive(Clone, Copy)]
pub(super) enum Reads {
    Documents(DocumentKind),
    Trans,
}

/// Steps that lock what `plan` names, a kind and a tenant each, the events last: a message that
/// was recorded meanwhile held the lock of its terminal until it could be seen.
pub(super) fn locking(sql: &Statements, plan: &LoyaltyPlan) -> Vec<(Reads, Step)> {
    if plan.is_empty() {
        return Vec::new();
    }
    let mut steps = Vec::new();
    let same = |a: &DocumentKey, b: &DocumentKey| (a.kind, a.tenant) == (b.kind, b.tenant);
    for of in plan.documents.chunk_by(same) {
        let keys: Vec<String> = of.iter().map(|it| it.key.clone()).collect();
        if let Some(DocumentKey { kind, tenant, .. }) = of.first() {
            let params: Vec<Param> = vec![Box::new(tenant.0), Box::new(keys)];
            let step = Step::new(&sql.of(*kind).lock, params);
            steps.push((Reads::Documents(*kind), step));
        }
    }
    steps.extend(locking_trans(sql, plan));
    steps
}

fn locking_trans(sql: &Statements, plan: &LoyaltyPlan) -> Vec<(Reads, Step)> {
    let mut tenants: BTreeMap<TenantId, [Vec<i64>; 3]> = BTreeMap::new();
    for (tenant, serial) in &plan.trans {
        let [serials, ..] = tenants.entry(*tenant).or_default();
        serials.push(serial.0);
    }
    for (tenant, place) in &plan.places {
        let [_, places, _] = tenants.entry(*tenant).or_default();
        places.push(place.get());
    }
    for (tenant, number) in &plan.numbers {
        let [.., numbers] = tenants.entry(*tenant).or_default();
        numbers.push(number.get());
    }
    let steps = tenants
        .into_iter()
        .map(|(tenant, [serials, places, numbers])| {
            let params: Vec<Param> = vec![
                Box::new(tenant.0),
                Box::new(serials),
                Box::new(places),
                Box::new(numbers),
            ];
            (Reads::Trans, Step::new(&sql.lock_trans, params))
        });
    steps.collect()
}

/// Reads a row `tenant, key, body`.
pub(super) fn read_document(kind: DocumentKind, row: &Row) -> Result<Document, StoreError> {
    FlatDocument::read(kind, get(row, 0)?, get(row, 1)?, get(row, 2)?)
}

impl Stored for Trans {
    const TABLE: &'static str = "trans";
    const KEY: &'static str = "serial";
    const COLUMNS: &'static str = "tenant, serial, place, number, body";

    fn read(row: &Row) -> Result<Self, StoreError> {
        let flat = FlatTrans {
            tenant: get(row, 0)?,
            serial: get(row, 1)?,
            place: get(row, 2)?,
            number: get(row, 3)?,
            body: get(row, 4)?,
        };
        flat.read()
    }
}

/// Steps that write `changes`, a tenant each, and one of the tenants.
pub(super) fn changing(
    sql: &Statements,
    changes: &LoyaltyChanges,
) -> Result<(Vec<Step>, Option<TenantId>), StoreError> {
    let mut writing = Writing {
        sql,
        steps: Vec::new(),
        tenant: None,
    };
    writing.remove(&changes.documents_removed);
    writing.documents(&changes.documents, |it| &it.put)?;
    writing.documents(&changes.documents_added, |it| &it.add)?;
    writing.trans(&changes.trans, &sql.put_trans)?;
    writing.trans(&changes.trans_added, &sql.add_trans)?;
    Ok((writing.steps, writing.tenant))
}

struct Writing<'s> {
    sql: &'s Statements,
    steps: Vec<Step>,
    tenant: Option<TenantId>,
}

impl<'s> Writing<'s> {
    fn push(&mut self, tenant: TenantId, statement: &Statement, columns: Vec<Param>) {
        let mut params: Vec<Param> = vec![Box::new(tenant.0)];
        params.extend(columns);
        self.steps.push(Step::new(statement, params));
        self.tenant = Some(tenant);
    }

    fn remove(&mut self, keys: &[DocumentKey]) {
        let mut grouped: BTreeMap<(DocumentKind, TenantId), Vec<String>> = BTreeMap::new();
        for key in keys {
            let of = grouped.entry((key.kind, key.tenant)).or_default();
            of.push(key.key.clone());
        }
        for ((kind, tenant), keys) in grouped {
            self.push(tenant, &self.sql.of(kind).remove, vec![Box::new(keys)]);
        }
    }

    fn documents(
        &mut self,
        documents: &[Document],
        statement: impl Fn(&'s OfKind) -> &'s Statement,
    ) -> Result<(), StoreError> {
        let mut grouped: BTreeMap<(DocumentKind, TenantId), Vec<FlatDocument>> = BTreeMap::new();
        for document in documents {
            let key = document.key();
            let of = grouped.entry((key.kind, key.tenant)).or_default();
            of.push(FlatDocument::of(document)?);
        }
        for ((kind, tenant), mut rows) in grouped {
            let rows = &mut rows;
            let mut columns = vec![
                column(rows, |it| take(&mut it.key)),
                column(rows, |it| take(&mut it.body)),
            ];
            columns.extend(own_column(kind).map(|_| column(rows, |it| it.own)));
            self.push(tenant, statement(self.sql.of(kind)), columns);
        }
        Ok(())
    }

    fn trans(&mut self, trans: &[Arc<Trans>], statement: &Statement) -> Result<(), StoreError> {
        let mut grouped: BTreeMap<TenantId, Vec<FlatTrans>> = BTreeMap::new();
        for it in trans {
            grouped
                .entry(it.tenant)
                .or_default()
                .push(FlatTrans::of(it)?);
        }
        for (tenant, mut rows) in grouped {
            let rows = &mut rows;
            let columns = vec![
                column(rows, |it| it.serial),
                column(rows, |it| it.place),
                column(rows, |it| it.number),
                column(rows, |it| take(&mut it.body)),
            ];
            self.push(tenant, statement, columns);
        }
        Ok(())
    }
}

/// The document of tenant `$1` with key `$2`.
pub(super) fn by_key_sql(kind: DocumentKind) -> String {
    let table = table(kind);
    format!("SELECT tenant, key, body FROM {table} WHERE tenant = $1 AND key = $2")
}

/// One statement that finds the document of each kind by a tenant and a key: `$1` and `$2` for the
/// first, and so on. The last column says which it is, from 0.
pub(super) fn by_keys_sql(kinds: impl Iterator<Item = DocumentKind>) -> String {
    let parts = kinds.enumerate().map(|(which, kind)| {
        let (table, tenant, key) = (table(kind), 2 * which + 1, 2 * which + 2);
        format!(
            "SELECT tenant, key, body, {which} FROM {table} WHERE tenant = ${tenant} AND key = ${key}"
        )
    });
    parts.collect::<Vec<_>>().join(" UNION ALL ")
}

/// Documents behind tenant `$1` and key `$2` up to tenant `$3`.
pub(super) fn listing_sql(kind: DocumentKind) -> String {
    format!(
        "SELECT tenant, key, body FROM {} WHERE (tenant, key) > ($1, $2) AND tenant <= $3 \
        ORDER BY tenant, key LIMIT $4",
        table(kind)
    )
}

/// Documents due at or before `$1`.
pub(super) fn due_sql(kind: DocumentKind) -> String {
    format!(
        "SELECT tenant, key, body FROM {} WHERE due_at <= $1 \
        ORDER BY due_at, tenant, key LIMIT $2",
        table(kind)
    )
}

/// The event of tenant `$1` whose `column` is `$2`.
pub(super) fn trans_by_sql(column: &str) -> String {
    let columns = Trans::COLUMNS;
    format!("SELECT {columns} FROM trans WHERE tenant = $1 AND {column} = $2")
}

/// The events of tenant `$1` from place `$2` to `$3`, those behind `$4`.
pub(super) fn trans_between_sql() -> String {
    let columns = Trans::COLUMNS;
    format!(
        "SELECT {columns} FROM trans WHERE tenant = $1 AND place >= $2 AND place <= $3 \
            AND place > $4 ORDER BY place LIMIT $5"
    )
}
