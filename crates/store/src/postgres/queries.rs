//! The readers' statements.

use super::columns::Stored;
use crate::contract::PaymentFilter;
use domain::{notification::Notification, payment::Payment, refund::Refund};

/// Work due at or before `$1`, and whom it asks, which stands in its payment; not what asks one of
/// `$3`, where -1 is the provider of top-ups.
pub(super) const DUE_JOBS: &str = "SELECT tenant, subject, asks FROM (
        SELECT tenant, subject, due_at, coalesce(
            (SELECT channel FROM payments
                WHERE payments.tenant = jobs.tenant AND serial = subject),
            (SELECT channel FROM refunds JOIN payments
                ON payments.tenant = refunds.tenant AND payments.serial = refunds.payment
                WHERE refunds.tenant = jobs.tenant AND refunds.serial = subject)) AS asks
        FROM jobs WHERE due_at <= $1) AS due
    WHERE coalesce(asks, -1) <> ALL ($3::smallint[])
    ORDER BY due_at, tenant, subject LIMIT $2";

/// Payments open or ending, with serial `$1` or a later one.
pub(super) const OPEN_PAYMENTS: &str =
    "SELECT count(*) FROM jobs WHERE kind IN (1, 2) AND subject >= $1";

/// Values under names that begin with `$1`.
pub(super) const VALUES: &str = "SELECT name, value FROM settings
    WHERE starts_with(name, $1) ORDER BY name COLLATE \"C\" DESC LIMIT $2";

/// Counts, and what has waited longest.
pub(super) const FIGURES: &str = "SELECT (SELECT count(*) FROM jobs),
    (SELECT min(due_at) FROM jobs),
    (SELECT count(*) FROM notifications WHERE state = 0),
    (SELECT count(*) FROM notifications WHERE state = 2),
    (SELECT min(at) FROM notifications WHERE state = 0),
    (SELECT min(due_at) FROM cards),
    (SELECT count(*) FROM work_items)";

/// What PostgreSQL says about its care, on a session with the settings writers have as well.
pub(super) const DURABILITY: &str = "SELECT name, setting FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') ORDER BY name";

/// The row of a tenant with a number.
pub(super) fn by_key<T: Stored>() -> String {
    let (columns, table, key) = (T::COLUMNS, T::TABLE, T::KEY);
    format!("SELECT {columns} FROM {table} WHERE tenant = $1 AND {key} = $2")
}

/// The payment of a tenant that holds a claim.
pub(super) fn payment_by_claim() -> String {
    let columns = Payment::COLUMNS;
    format!("SELECT {columns} FROM payments WHERE tenant = $1 AND claim = $2")
}

/// The payment with a serial, whoever's it is.
pub(super) fn payment_of_any() -> String {
    let columns = Payment::COLUMNS;
    format!("SELECT {columns} FROM payments WHERE serial = $1 ORDER BY tenant LIMIT 1")
}

/// The payments of tenants `$1` with serials `$2`, pair by pair.
pub(super) fn payments_by_serial() -> String {
    let columns = Payment::COLUMNS;
    format!(
        "SELECT {columns} FROM unnest($1::bigint[], $2::bigint[]) AS named (tenant, serial) \
        JOIN payments USING (tenant, serial)"
    )
}

/// Notifications due at or before `$1`, but not those of tenants `$3` to merchants `$4`, pair by
/// pair.
pub(super) fn due_notifications() -> String {
    let columns = Notification::COLUMNS;
    format!(
        "SELECT {columns} FROM notifications WHERE state = 0 AND at <= $1 \
            AND (tenant, merchant) NOT IN (SELECT * FROM unnest($3::bigint[], $4::bigint[])) \
        ORDER BY at, tenant, subject LIMIT $2"
    )
}

/// The refunds of a payment, oldest first.
pub(super) fn refunds_of() -> String {
    let columns = Refund::COLUMNS;
    format!("SELECT {columns} FROM refunds WHERE tenant = $1 AND payment = $2 ORDER BY serial")
}

/// Notifications that were given up, newest first.
pub(super) fn dead_notifications() -> String {
    let columns = Notification::COLUMNS;
    format!(
        "SELECT {columns} FROM notifications WHERE state = 2 \
        ORDER BY subject DESC, tenant LIMIT $1"
    )
}

/// Payments below serial `$1`, newest first, at most `$2`, of tenant `$3` and merchant `$4`
/// where these are not null.
pub(super) fn payments(filter: &PaymentFilter) -> String {
    if filter.undecided || filter.cancel_requested {
        undecided(filter)
    } else {
        newest()
    }
}

fn newest() -> String {
    let columns = Payment::COLUMNS;
    format!(
        "SELECT {columns} FROM payments WHERE serial < $1 \
            AND ($3::bigint IS NULL OR tenant = $3) AND ($4::bigint IS NULL OR merchant = $4) \
        ORDER BY serial DESC, tenant LIMIT $2"
    )
}

/// An open or ending payment always has a job, and one that waits for an operator's decision a
/// row in `cancel_requests`: few rows, whatever the number of payments.
fn undecided(filter: &PaymentFilter) -> String {
    let columns = Payment::COLUMNS;
    let named = if filter.cancel_requested {
        "SELECT tenant, serial, true AS asked FROM cancel_requests"
    } else {
        "SELECT tenant, serial, bool_or(asked) AS asked FROM (\
            SELECT tenant, subject AS serial, false AS asked FROM jobs WHERE kind IN (1, 2, 3) \
            UNION ALL SELECT tenant, serial, true FROM cancel_requests) AS either \
        GROUP BY tenant, serial"
    };
    format!(
        "SELECT {columns} FROM ({named}) AS named JOIN payments USING (tenant, serial) \
        WHERE serial < $1 AND ($3::bigint IS NULL OR tenant = $3) \
            AND ($4::bigint IS NULL OR merchant = $4) AND (asked OR state IN (0, 2)) \
        ORDER BY serial DESC, tenant LIMIT $2"
    )
}
