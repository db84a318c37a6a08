//! The one connection that writes. Prepared statements in a loop: on SQLite that beats wide
//! multi-row statements.

use super::{
    admin,
    claims::Claims,
    from_sqlite,
    indexes::{InStep, Indexes},
    loyalty,
    queries::one,
    rows, voucher,
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
use rusqlite::{Connection, params};
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
        work: impl FnOnce(&Connection, &Wal, &mut Indexes) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.wal.is_distrusted() {
            // What is done then may bring back a commit that was in doubt.
            self.indexes.doubt();
        }
        let connection = self.wal.trusted(&mut self.connection)?;
        let result = work(connection, &self.wal, &mut self.indexes);
        if result.is_err() {
            roll_back(connection);
            self.indexes.taken_back();
        }
        result
    }

    /// As [`SqliteWriter::or_roll_back`], for work that ends with a commit.
    fn commit_or_roll_back<T>(
        &mut self,
        work: impl FnOnce(&Connection, &Wal, &mut Indexes) -> Result<T, StoreError>,
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
        self.or_roll_back(|connection, _, indexes| load(connection, indexes, &plan))
    }

    async fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        self.commit_or_roll_back(|connection, wal, indexes| {
            write(connection, indexes, changes)?;
            indexes.move_on(connection)?;
            wal.commit(connection).inspect_err(|_| indexes.doubt())?;
            indexes.committed();
            Ok(())
        })
    }

    async fn abandon(&mut self) {
        self.connection.iter().for_each(roll_back);
        self.indexes.taken_back();
    }

    async fn admin(&mut self, op: &AdminOp) -> Result<AdminReply, StoreError> {
        self.commit_or_roll_back(|connection, wal, indexes| {
            run(connection, "BEGIN IMMEDIATE")?;
            let reply = admin::run(connection, op)?;
            wal.commit(connection).inspect_err(|_| indexes.doubt())?;
            Ok(reply)
        })
    }
}

fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut it| it.execute([]))
        .map_err(from_sqlite)?;
    Ok(())
}

fn load(
    connection: &Connection,
    indexes: &mut Indexes,
    plan: &Plan<'_>,
) -> Result<Rows, StoreError> {
    run(connection, "BEGIN IMMEDIATE")?;
    indexes.resolve(connection)?;
    let mut loaded = Rows::default();
    let mut codes = PayingCodes::default();
    for claim in &plan.claims {
        record_claim(connection, indexes, *claim, &mut codes, &mut loaded)?;
    }
    loaded.voucher = codes.rows;
    load_payments(connection, &mut indexes.claims, plan, &mut loaded)?;
    load_refunds(connection, plan, &mut loaded)?;
    load_recharges(connection, plan, &mut loaded)?;
    let sql = format!("SELECT {} FROM jobs WHERE subject = ?1", rows::JOB);
    for (tenant, subject) in &plan.jobs {
        if let Some(job) = one(connection, &sql, subject.0, *tenant, rows::job, |it| {
            it.tenant
        })? {
            loaded.add_job(job.read()?);
        }
    }
    let sql = format!(
        "SELECT {} FROM notifications WHERE subject = ?1",
        rows::NOTIFICATION
    );
    for (tenant, subject) in &plan.notifications {
        let row = rows::notification;
        if let Some(found) = one(connection, &sql, subject.0, *tenant, row, |it| it.tenant)? {
            loaded.add_notification(found.read()?);
        }
    }
    let (known, events) = (&mut indexes.documents, &mut indexes.events);
    let of_members = &mut loaded.loyalty;
    loyalty::load(connection, known, events, &plan.loyalty, of_members)?;
    let held = loaded.codes_held(&plan.voucher.cards);
    let uses = &mut indexes.uses;
    voucher::load(connection, uses, &plan.voucher, &held, &mut loaded.voucher)?;
    Ok(loaded)
}

/// Records a payment if its key is free and its code pays; loads the payment that has the key
/// otherwise.
fn record_claim(
    connection: &Connection,
    indexes: &mut Indexes,
    claim: Claim<'_>,
    codes: &mut PayingCodes,
    rows: &mut Rows,
) -> Result<(), StoreError> {
    let new = claim.payment;
    if let Some(holder) = indexes.claims.find(connection, &new.key)? {
        return load_payment(connection, new.tenant, holder, rows);
    }
    if let Some(digest) = claim.code {
        voucher::look_up(connection, indexes, new.tenant, digest, codes)?;
    }
    let payment = match codes.admit(claim)? {
        Ok(payment) => payment,
        Err(why) => {
            rows.add_refused(new.serial, why);
            return Ok(());
        }
    };
    record(connection, &payment)?;
    indexes.claims.add(connection, new.key, new.serial)?;
    rows.add_claimed(new.serial);
    if payment.details.voucher.is_some() {
        rows.add_payment(payment.into_owned());
    }
    Ok(())
}

fn record(connection: &Connection, payment: &Payment) -> Result<(), StoreError> {
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
    execute(connection, sql, values).map(drop)
}

fn load_payment(
    connection: &Connection,
    tenant: TenantId,
    serial: Serial,
    loaded: &mut Rows,
) -> Result<(), StoreError> {
    static SELECT: LazyLock<String> =
        LazyLock::new(|| format!("SELECT {} FROM payments WHERE serial = ?1", rows::PAYMENT));
    let row = rows::payment;
    if let Some(found) = one(connection, &SELECT, serial.0, tenant, row, |it| it.tenant)? {
        loaded.add_payment(found.read()?);
    }
    Ok(())
}

fn load_payments(
    connection: &Connection,
    claims: &mut Claims,
    plan: &Plan<'_>,
    loaded: &mut Rows,
) -> Result<(), StoreError> {
    for (tenant, serial) in &plan.payments {
        load_payment(connection, *tenant, *serial, loaded)?;
    }
    for (tenant, key) in &plan.payment_keys {
        if let Some(serial) = claims.find(connection, key)? {
            load_payment(connection, *tenant, serial, loaded)?;
        }
    }
    Ok(())
}

fn load_refunds(
    connection: &Connection,
    plan: &Plan<'_>,
    loaded: &mut Rows,
) -> Result<(), StoreError> {
    let by_serial = format!("SELECT {} FROM refunds WHERE serial = ?1", rows::REFUND);
    let by_claim = format!("SELECT {} FROM refunds WHERE claim = ?1", rows::REFUND);
    let tenant_of = |refund: &FlatRefund| refund.tenant;
    for (tenant, serial) in &plan.refunds {
        let found = one(
            connection,
            &by_serial,
            serial.0,
            *tenant,
            rows::refund,
            tenant_of,
        )?;
        found
            .map(FlatRefund::read)
            .transpose()?
            .into_iter()
            .for_each(|it| loaded.add_refund(it));
    }
    for (tenant, key) in &plan.refund_keys {
        let found = one(
            connection,
            &by_claim,
            key.0,
            *tenant,
            rows::refund,
            tenant_of,
        )?;
        found
            .map(FlatRefund::read)
            .transpose()?
            .into_iter()
            .for_each(|it| loaded.add_refund(it));
    }
    Ok(())
}

fn load_recharges(
    connection: &Connection,
    plan: &Plan<'_>,
    loaded: &mut Rows,
) -> Result<(), StoreError> {
    let by_serial = format!("SELECT {} FROM recharges WHERE serial = ?1", rows::RECHARGE);
    let by_claim = format!("SELECT {} FROM recharges WHERE claim = ?1", rows::RECHARGE);
    let tenant_of = |recharge: &FlatRecharge| recharge.tenant;
    for (tenant, serial) in &plan.recharges {
        let row = rows::recharge;
        if let Some(found) = one(connection, &by_serial, serial.0, *tenant, row, tenant_of)? {
            loaded.add_recharge(found.read()?);
        }
    }
    for (tenant, key) in &plan.recharge_keys {
        if let Some(found) = one(
            connection,
            &by_claim,
            key.0,
            *tenant,
            rows::recharge,
            tenant_of,
        )? {
            loaded.add_recharge(found.read()?);
        }
    }
    Ok(())
}

fn write(
    connection: &Connection,
    indexes: &mut Indexes,
    changes: Changes,
) -> Result<(), StoreError> {
    for payment in &changes.payments {
        update_payment(connection, payment)?;
    }
    for refund in &changes.refunds {
        put_refund(connection, &FlatRefund::of(refund))?;
    }
    for recharge in &changes.recharges {
        put_recharge(connection, &FlatRecharge::of(recharge))?;
    }
    for (_, subject) in &changes.jobs_removed {
        remove_job(connection, *subject)?;
    }
    for job in &changes.jobs {
        put_job(connection, FlatJob::of(job))?;
    }
    for notification in &changes.notifications {
        put_notification(connection, FlatNotification::of(notification))?;
    }
    let (known, events) = (&mut indexes.documents, &mut indexes.events);
    loyalty::write(connection, known, events, changes.loyalty)?;
    voucher::write(connection, &mut indexes.uses, &changes.voucher)?;
    changes
        .postings
        .iter()
        .try_for_each(|it| post(connection, FlatPosting::of(it)))
}

fn execute(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<usize, StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut it| it.execute(values))
        .map_err(from_sqlite)
}

fn update_payment(connection: &Connection, payment: &Payment) -> Result<(), StoreError> {
    let state = FlatState::of(payment)?;
    let sql = "UPDATE payments SET state = ?2, end_code = ?3, ended_at = ?4, flags = ?5, \
         refunded = ?6, refunding = ?7, receipt = ?8, credential = ?9 WHERE serial = ?1";
    let changed = execute(
        connection,
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

fn put_refund(connection: &Connection, refund: &FlatRefund) -> Result<(), StoreError> {
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
    execute(connection, sql, values).map(drop)
}

fn put_recharge(connection: &Connection, recharge: &FlatRecharge) -> Result<(), StoreError> {
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
    execute(connection, sql, values).map(drop)
}

fn remove_job(connection: &Connection, subject: Serial) -> Result<(), StoreError> {
    execute(
        connection,
        "DELETE FROM jobs WHERE subject = ?1",
        [subject.0],
    )
    .map(drop)
}

fn put_job(connection: &Connection, job: FlatJob) -> Result<(), StoreError> {
    let sql = "INSERT INTO jobs (tenant, subject, kind, due_at, attempts) \
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (subject) DO UPDATE SET \
         kind = excluded.kind, due_at = excluded.due_at, attempts = excluded.attempts";
    let values = params![job.tenant, job.subject, job.kind, job.due_at, job.attempts];
    execute(connection, sql, values).map(drop)
}

fn put_notification(connection: &Connection, it: FlatNotification) -> Result<(), StoreError> {
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
    execute(connection, sql, values).map(drop)
}

fn post(connection: &Connection, it: FlatPosting) -> Result<(), StoreError> {
    let sql = "INSERT INTO postings (tenant, number, debit, credit, amount, unit, at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![
        it.tenant, it.number, it.debit, it.credit, it.amount, it.unit, it.at
    ];
    execute(connection, sql, values).map(drop)
}
