//! The one connection that writes. Prepared statements in a loop: on SQLite that beats wide
//! multi-row statements.

use super::{
    admin,
    claims::Claims,
    from_sqlite,
    indexes::{InStep, Indexes},
    loyalty, rows,
    statements::Statements,
    voucher,
    wal::Wal,
};
use crate::{
    contract::{AdminOp, AdminReply, StoreError, Writer},
    flat::{
        FlatJob, FlatNotification, FlatPayment, FlatPosting, FlatRecharge, FlatRefund, FlatState,
    },
};
use domain::{
    ids::{Serial, TenantId},
    payment::Payment,
    rows::{Changes, Claim, Plan, Rows},
    voucher::paying::PayingCodes,
};
use rusqlite::{Connection, Params, Row, ToSql, params};
use std::sync::LazyLock;

/// Writes, one transaction at a time. Blocks its thread; give it one of its own.
pub struct SqliteWriter {
    /// None between closing it and opening it again.
    connection: Option<Connection>,
    wal: Wal,
    pub(super) indexes: Indexes,
}

impl Drop for SqliteWriter {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            roll_back(connection);
            self.wal.close(connection);
        }
    }
}

impl SqliteWriter {
    pub(super) const fn new(connection: Connection, wal: Wal, indexes: Indexes) -> Self {
        Self {
            connection: Some(connection),
            wal,
            indexes,
        }
    }

    /// Runs `work`; when it fails, takes the open transaction back.
    fn or_roll_back<T>(
        &mut self,
        work: impl FnOnce(&Statements<'_>, &Wal, &mut Indexes) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.wal.is_distrusted() {
            // What is done then may bring back a commit that was in doubt.
            self.indexes.doubt();
        }
        let connection = self.wal.trusted(&mut self.connection)?;
        let result = work(&Statements::new(connection), &self.wal, &mut self.indexes);
        if result.is_err() {
            roll_back(connection);
            self.indexes.taken_back();
        }
        result
    }

    /// As [`SqliteWriter::or_roll_back`], for work that ends with a commit.
    fn commit_or_roll_back<T>(
        &mut self,
        work: impl FnOnce(&Statements<'_>, &Wal, &mut Indexes) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let result = self.or_roll_back(work);
        if let (Some(connection), Ok(_)) = (&self.connection, &result) {
            self.wal.checkpoint(connection);
        }
        result
    }
}

pub(super) fn roll_back(connection: &Connection) {
    if connection.is_autocommit() {
        return;
    }
    if let Err(error) = connection.execute_batch("ROLLBACK") {
        tracing::error!(%error, "a transaction could not be taken back");
    }
}

impl Writer for SqliteWriter {
    async fn load(&mut self, plan: Plan<'_>) -> Result<Rows, StoreError> {
        self.or_roll_back(|statements, _, indexes| load(statements, indexes, &plan))
    }

    async fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        self.commit_or_roll_back(|statements, wal, indexes| {
            write(statements, indexes, changes)?;
            indexes.move_on(statements)?;
            wal.commit(statements).inspect_err(|_| indexes.doubt())?;
            indexes.committed();
            Ok(())
        })
    }

    async fn abandon(&mut self) {
        self.connection.iter().for_each(roll_back);
        self.indexes.taken_back();
    }

    async fn admin(&mut self, op: &AdminOp) -> Result<AdminReply, StoreError> {
        self.commit_or_roll_back(|statements, wal, indexes| {
            begin(statements)?;
            let reply = admin::run(statements, op)?;
            wal.commit(statements).inspect_err(|_| indexes.doubt())?;
            Ok(reply)
        })
    }
}

fn begin(statements: &Statements<'_>) -> Result<(), StoreError> {
    execute(statements, "BEGIN IMMEDIATE", []).map(drop)
}

fn load(
    statements: &Statements<'_>,
    indexes: &mut Indexes,
    plan: &Plan<'_>,
) -> Result<Rows, StoreError> {
    begin(statements)?;
    indexes.resolve(statements)?;
    let mut loaded = Rows::with_room_for(plan);
    let mut codes = PayingCodes::default();
    for claim in &plan.claims {
        record_claim(statements, indexes, *claim, &mut codes, &mut loaded)?;
    }
    loaded.voucher = codes.rows;
    load_payments(statements, &mut indexes.claims, plan, &mut loaded)?;
    load_refunds(statements, plan, &mut loaded)?;
    load_recharges(statements, plan, &mut loaded)?;
    load_work(statements, plan, &mut loaded)?;
    let (known, events) = (&mut indexes.documents, &mut indexes.events);
    let of_members = &mut loaded.loyalty;
    loyalty::load(statements, known, events, &plan.loyalty, of_members)?;
    let held = loaded.codes_held(&plan.voucher.cards);
    let uses = &mut indexes.uses;
    voucher::load(statements, uses, &plan.voucher, &held, &mut loaded.voucher)?;
    Ok(loaded)
}

/// Records a payment if its key is free and its code pays; loads the payment that has the key
/// otherwise.
fn record_claim(
    statements: &Statements<'_>,
    indexes: &mut Indexes,
    claim: Claim<'_>,
    codes: &mut PayingCodes,
    rows: &mut Rows,
) -> Result<(), StoreError> {
    let new = claim.payment;
    if let Some(holder) = indexes.claims.find(statements, &new.key)? {
        return load_payment(statements, new.tenant, holder, rows);
    }
    if let Some(digest) = claim.code {
        voucher::look_up(statements, indexes, new.tenant, digest, codes)?;
    }
    let payment = match codes.admit(claim)? {
        Ok(payment) => payment,
        Err(why) => {
            rows.add_refused(new.serial, why);
            return Ok(());
        }
    };
    record(statements, &payment)?;
    indexes.claims.add(statements, new.key, new.serial)?;
    rows.add_claimed(new.serial);
    if payment.details.voucher.is_some() {
        rows.add_payment(payment.into_owned());
    }
    Ok(())
}

fn record(statements: &Statements<'_>, payment: &Payment) -> Result<(), StoreError> {
    let flat = FlatPayment::of(payment)?;
    let sql = "INSERT INTO payments (tenant, serial, merchant, claim, merchant_serial, flow, \
         channel, amount, created_at, expires_at, details, state, flags, refunded, refunding) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, 0)";
    let values = params![
        flat.tenant,
        flat.serial,
        flat.merchant,
        flat.claim,
        flat.merchant_serial,
        flat.flow,
        flat.channel,
        flat.amount,
        flat.created_at,
        flat.expires_at,
        flat.details,
        flat.state.state,
        flat.state.flags,
    ];
    execute(statements, sql, values).map(drop)
}

fn load_payment(
    statements: &Statements<'_>,
    tenant: TenantId,
    serial: Serial,
    loaded: &mut Rows,
) -> Result<(), StoreError> {
    static SELECT: LazyLock<String> =
        LazyLock::new(|| format!("SELECT {} FROM payments WHERE serial = ?1", rows::PAYMENT));
    let row = rows::payment;
    if let Some(found) = one(statements, &SELECT, serial.0, tenant, row, |it| it.tenant)? {
        loaded.add_payment(found.read()?);
    }
    Ok(())
}

fn load_payments(
    statements: &Statements<'_>,
    claims: &mut Claims,
    plan: &Plan<'_>,
    loaded: &mut Rows,
) -> Result<(), StoreError> {
    for (tenant, serial) in &plan.payments {
        load_payment(statements, *tenant, *serial, loaded)?;
    }
    for (tenant, key) in &plan.payment_keys {
        if let Some(serial) = claims.find(statements, key)? {
            load_payment(statements, *tenant, serial, loaded)?;
        }
    }
    Ok(())
}

fn load_refunds(
    statements: &Statements<'_>,
    plan: &Plan<'_>,
    loaded: &mut Rows,
) -> Result<(), StoreError> {
    static BY_SERIAL: LazyLock<String> =
        LazyLock::new(|| format!("SELECT {} FROM refunds WHERE serial = ?1", rows::REFUND));
    static BY_CLAIM: LazyLock<String> =
        LazyLock::new(|| format!("SELECT {} FROM refunds WHERE claim = ?1", rows::REFUND));
    let (row, of) = (rows::refund, |it: &FlatRefund| it.tenant);
    let mut add = |found: Option<FlatRefund>| {
        if let Some(found) = found {
            loaded.add_refund(found.read()?);
        }
        Ok::<_, StoreError>(())
    };
    for (tenant, serial) in &plan.refunds {
        add(one(statements, &BY_SERIAL, serial.0, *tenant, row, of)?)?;
    }
    for (tenant, key) in &plan.refund_keys {
        add(one(statements, &BY_CLAIM, key.0, *tenant, row, of)?)?;
    }
    Ok(())
}

fn load_recharges(
    statements: &Statements<'_>,
    plan: &Plan<'_>,
    loaded: &mut Rows,
) -> Result<(), StoreError> {
    static BY_SERIAL: LazyLock<String> =
        LazyLock::new(|| format!("SELECT {} FROM recharges WHERE serial = ?1", rows::RECHARGE));
    static BY_CLAIM: LazyLock<String> =
        LazyLock::new(|| format!("SELECT {} FROM recharges WHERE claim = ?1", rows::RECHARGE));
    let (row, of) = (rows::recharge, |it: &FlatRecharge| it.tenant);
    let mut add = |found: Option<FlatRecharge>| {
        if let Some(found) = found {
            loaded.add_recharge(found.read()?);
        }
        Ok::<_, StoreError>(())
    };
    for (tenant, serial) in &plan.recharges {
        add(one(statements, &BY_SERIAL, serial.0, *tenant, row, of)?)?;
    }
    for (tenant, key) in &plan.recharge_keys {
        add(one(statements, &BY_CLAIM, key.0, *tenant, row, of)?)?;
    }
    Ok(())
}

/// Loads what is to be done about payments, refunds and top-ups, and who is to be told.
fn load_work(
    statements: &Statements<'_>,
    plan: &Plan<'_>,
    loaded: &mut Rows,
) -> Result<(), StoreError> {
    static JOB: LazyLock<String> =
        LazyLock::new(|| format!("SELECT {} FROM jobs WHERE subject = ?1", rows::JOB));
    static NOTIFICATION: LazyLock<String> = LazyLock::new(|| {
        let columns = rows::NOTIFICATION;
        format!("SELECT {columns} FROM notifications WHERE subject = ?1")
    });
    for (tenant, subject) in &plan.jobs {
        let found = one(statements, &JOB, subject.0, *tenant, rows::job, |it| {
            it.tenant
        })?;
        if let Some(found) = found {
            loaded.add_job(found.read()?);
        }
    }
    for (tenant, subject) in &plan.notifications {
        let row = rows::notification;
        if let Some(found) = one(statements, &NOTIFICATION, subject.0, *tenant, row, |it| {
            it.tenant
        })? {
            loaded.add_notification(found.read()?);
        }
    }
    Ok(())
}

/// The row that `sql` finds by `key`, if it is this tenant's.
fn one<T>(
    statements: &Statements<'_>,
    sql: &'static str,
    key: impl ToSql,
    tenant: TenantId,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    tenant_of: impl Fn(&T) -> i64,
) -> Result<Option<T>, StoreError> {
    let found = statements.find(sql, [key], read).map_err(from_sqlite)?;
    Ok(found.filter(|row| tenant_of(row) == tenant.0))
}

fn write(
    statements: &Statements<'_>,
    indexes: &mut Indexes,
    changes: Changes,
) -> Result<(), StoreError> {
    for payment in &changes.payments {
        update_payment(statements, payment)?;
    }
    for refund in &changes.refunds {
        put_refund(statements, &FlatRefund::of(refund))?;
    }
    for recharge in &changes.recharges {
        put_recharge(statements, &FlatRecharge::of(recharge))?;
    }
    for (_, subject) in &changes.jobs_removed {
        remove_job(statements, *subject)?;
    }
    for job in &changes.jobs {
        put_job(statements, FlatJob::of(job))?;
    }
    for notification in &changes.notifications {
        put_notification(statements, FlatNotification::of(notification))?;
    }
    let (known, events) = (&mut indexes.documents, &mut indexes.events);
    loyalty::write(statements, known, events, changes.loyalty)?;
    voucher::write(statements, &mut indexes.uses, &changes.voucher)?;
    changes
        .postings
        .iter()
        .try_for_each(|it| post(statements, FlatPosting::of(it)))
}

fn execute(
    statements: &Statements<'_>,
    sql: &'static str,
    values: impl Params,
) -> Result<usize, StoreError> {
    statements.execute(sql, values).map_err(from_sqlite)
}

fn update_payment(statements: &Statements<'_>, payment: &Payment) -> Result<(), StoreError> {
    let state = FlatState::of(payment)?;
    let sql = "UPDATE payments SET state = ?2, end_code = ?3, ended_at = ?4, flags = ?5, \
         refunded = ?6, refunding = ?7, receipt = ?8, credential = ?9 WHERE serial = ?1";
    let changed = execute(
        statements,
        sql,
        params![
            payment.serial.0,
            state.state,
            state.end_code,
            state.ended_at,
            state.flags,
            state.refunded,
            state.refunding,
            state.receipt,
            state.credential,
        ],
    )?;
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::Corrupt(format!(
        "payment {} is not there",
        payment.serial
    )))
}

fn put_refund(statements: &Statements<'_>, refund: &FlatRefund) -> Result<(), StoreError> {
    let sql = "INSERT INTO refunds (tenant, serial, payment, merchant, origin, claim, \
         merchant_serial, amount, voucher_back, created_at, state, ended_at, failure, \
         first_answer) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
         ON CONFLICT (serial) DO UPDATE SET state = excluded.state, \
         ended_at = excluded.ended_at, failure = excluded.failure, \
         first_answer = excluded.first_answer";
    let values = params![
        refund.tenant,
        refund.serial,
        refund.payment,
        refund.merchant,
        refund.origin,
        refund.claim,
        refund.merchant_serial,
        refund.amount,
        refund.voucher_back,
        refund.created_at,
        refund.state,
        refund.ended_at,
        refund.failure,
        refund.first_answer,
    ];
    execute(statements, sql, values).map(drop)
}

fn put_recharge(statements: &Statements<'_>, recharge: &FlatRecharge) -> Result<(), StoreError> {
    let sql = "INSERT INTO recharges (tenant, serial, merchant, claim, phone, data_mb, reach, \
         notify_url, created_at, state, provider_serial, ended_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
         ON CONFLICT (serial) DO UPDATE SET state = excluded.state, \
         provider_serial = excluded.provider_serial, ended_at = excluded.ended_at";
    let values = params![
        recharge.tenant,
        recharge.serial,
        recharge.merchant,
        recharge.claim,
        recharge.phone,
        recharge.data_mb,
        recharge.reach,
        recharge.notify_url,
        recharge.created_at,
        recharge.state,
        recharge.provider_serial,
        recharge.ended_at,
    ];
    execute(statements, sql, values).map(drop)
}

fn remove_job(statements: &Statements<'_>, subject: Serial) -> Result<(), StoreError> {
    execute(
        statements,
        "DELETE FROM jobs WHERE subject = ?1",
        [subject.0],
    )
    .map(drop)
}

fn put_job(statements: &Statements<'_>, job: FlatJob) -> Result<(), StoreError> {
    let sql = "INSERT INTO jobs (tenant, subject, kind, due_at, attempts) \
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (subject) DO UPDATE SET \
         kind = excluded.kind, due_at = excluded.due_at, attempts = excluded.attempts";
    let values = params![job.tenant, job.subject, job.kind, job.due_at, job.attempts];
    execute(statements, sql, values).map(drop)
}

fn put_notification(statements: &Statements<'_>, it: FlatNotification) -> Result<(), StoreError> {
    let sql = "INSERT INTO notifications (tenant, subject, merchant, topic, attempts, state, at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (subject) DO UPDATE SET \
         attempts = excluded.attempts, state = excluded.state, at = excluded.at";
    let values = params![
        it.tenant,
        it.subject,
        it.merchant,
        it.topic,
        it.attempts,
        it.state,
        it.at
    ];
    execute(statements, sql, values).map(drop)
}

fn post(statements: &Statements<'_>, it: FlatPosting) -> Result<(), StoreError> {
    let sql = "INSERT INTO postings (tenant, number, debit, credit, amount, unit, at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![
        it.tenant, it.number, it.debit, it.credit, it.amount, it.unit, it.at
    ];
    execute(statements, sql, values).map(drop)
}
