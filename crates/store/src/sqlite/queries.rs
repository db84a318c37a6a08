//! The readers' statements, and their rows that are nobody's own.

use super::{from_sqlite, rows};
use crate::contract::{DueJob, PaymentFilter, StoreError, StoreFigures};
use domain::{
    channel::ChannelNo,
    ids::{MerchantNo, Serial, TenantId},
    time::UnixMs,
};
use rusqlite::{Connection, Params, Row};

/// All rows that `sql` finds.
pub(super) fn all<F, T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    flat: impl FnMut(&Row<'_>) -> rusqlite::Result<F>,
    read: impl Fn(F) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let found = statement.query_map(values, flat).map_err(from_sqlite)?;
    found.map(|row| read(row.map_err(from_sqlite)?)).collect()
}

pub(super) fn payments_where(condition: &str) -> String {
    format!("SELECT {} FROM payments WHERE {condition}", rows::PAYMENT)
}

/// Which of the two narrow ways to undecided payments a listing takes.
pub(super) fn filter_sql(filter: &PaymentFilter) -> String {
    let mut conditions = vec![
        "(?1 IS NULL OR tenant = ?1)",
        "(?2 IS NULL OR merchant = ?2)",
        "serial < ?3",
    ];
    if filter.cancel_requested {
        conditions.push("flags & 1");
    } else if filter.undecided {
        // Every open or ending payment has a job, so only their few serials are looked up.
        conditions.push(
            "serial IN (SELECT subject FROM jobs WHERE kind IN (1, 2) \
             UNION SELECT serial FROM payments WHERE flags & 1)",
        );
    }
    format!(
        "{} ORDER BY serial DESC LIMIT ?4",
        payments_where(&conditions.join(" AND "))
    )
}

/// Jobs know their subject only; whom they ask stands in its payment. Nothing but numbers is
/// written into the text.
pub(super) fn due_jobs_sql(except: &[Option<ChannelNo>]) -> String {
    let except = except.iter().map(|asks| match asks {
        Some(ChannelNo(number)) => number.to_string(),
        None => "-1".to_owned(),
    });
    let except = except.collect::<Vec<_>>().join(", ");
    format!(
        "SELECT tenant, subject, asks FROM (SELECT tenant, subject, due_at, coalesce( \
             (SELECT channel FROM payments WHERE serial = subject), \
             (SELECT channel FROM refunds JOIN payments ON payments.serial = refunds.payment \
              WHERE refunds.serial = subject)) AS asks \
         FROM jobs WHERE due_at <= ?1) \
         WHERE coalesce(asks, -1) NOT IN ({except}) ORDER BY due_at LIMIT ?2"
    )
}

pub(super) fn due_job(row: &Row<'_>) -> rusqlite::Result<DueJob> {
    Ok(DueJob {
        tenant: TenantId(row.get(0)?),
        subject: Serial(row.get(1)?),
        asks: row.get::<_, Option<u8>>(2)?.map(ChannelNo),
    })
}

/// Nothing but numbers is written into the text.
pub(super) fn due_notifications_sql(except: &[(TenantId, MerchantNo)]) -> String {
    let columns = rows::NOTIFICATION;
    let except = except.iter().map(|(tenant, no)| {
        let (tenant, no) = (tenant.0, no.0);
        format!(" AND NOT (merchant = {no} AND tenant = {tenant})")
    });
    let except: String = except.collect();
    format!(
        "SELECT {columns} FROM notifications WHERE state = 0 AND at <= ?1{except} \
         ORDER BY at LIMIT ?2"
    )
}

pub(super) fn figures(row: &Row<'_>) -> rusqlite::Result<StoreFigures> {
    let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
    let time = |index| row.get::<_, Option<i64>>(index).map(|ms| ms.map(UnixMs));
    Ok(StoreFigures {
        jobs: count(0)?,
        oldest_job_due_at: time(1)?,
        notifications_due: count(2)?,
        notifications_dead: count(3)?,
        oldest_notification_due_at: time(4)?,
        oldest_card_due_at: time(5)?,
        work_items: count(6)?,
    })
}

/// Looks at the rows as they are at one moment: each statement by itself would take the log's locks, and
/// forget the pages it has read whenever somebody has written meanwhile.
///
/// The moment is that of the first statement: what is kept in memory may only be asked before it.
pub(super) fn at_one_moment<T>(
    connection: &Connection,
    look: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let whole = connection.unchecked_transaction().map_err(from_sqlite)?;
    look(&whole)
}
