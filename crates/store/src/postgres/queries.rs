//! The readers' statements.

use super::columns::Stored;
use crate::contract::PaymentFilter;
use domain::{notification::Notification, payment::Payment, refund::Refund};

/// Work due at or before `$1`.
pub(super) const DUE_JOBS: &str = "SELECT tenant, subject FROM jobs WHERE due_at <= $1
    ORDER BY due_at, tenant, subject LIMIT $2";

/// Notifications due at or before `$1`.
pub(super) const DUE_NOTIFICATIONS: &str = "SELECT tenant, subject FROM notifications
    WHERE state = 0 AND at <= $1 ORDER BY at, tenant, subject LIMIT $2";

/// Counts, and what has waited longest.
pub(super) const FIGURES: &str = "SELECT (SELECT count(*) FROM jobs),
    (SELECT min(due_at) FROM jobs),
    (SELECT count(*) FROM notifications WHERE state = 0),
    (SELECT count(*) FROM notifications WHERE state = 2),
    (SELECT min(at) FROM notifications WHERE state = 0)";

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
    let (with, columns) = (tenants_in("payments"), Payment::COLUMNS);
    format!(
        "{with} SELECT {columns} FROM payments WHERE tenant IN (SELECT held FROM holders) \
        AND serial = $1 LIMIT 1"
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
        newest(filter)
    }
}

/// Each tenant's newest, then the newest of these: every key starts with the tenant.
fn newest(filter: &PaymentFilter) -> String {
    let columns = Payment::COLUMNS;
    let (with, holders) = if filter.tenant.is_some() {
        (String::new(), "(SELECT $3::bigint AS held) AS holders")
    } else {
        (tenants_in("payments"), "holders")
    };
    format!(
        "{with} SELECT found.* FROM {holders} CROSS JOIN LATERAL (\
            SELECT {columns} FROM payments WHERE tenant = held AND serial < $1 \
            AND ($4::bigint IS NULL OR merchant = $4) ORDER BY serial DESC LIMIT $2) AS found \
        WHERE ($3::bigint IS NULL OR found.tenant = $3) ORDER BY serial DESC, tenant LIMIT $2"
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

/// `WITH … holders (held)`: the tenants that have rows in `table`, found by skipping from one to
/// the next in its index. The table `tenants` is not asked: rows of a tenant that is missing
/// there are what an audit has to see.
pub(super) fn tenants_in(table: &str) -> String {
    format!(
        "WITH RECURSIVE skip (held) AS (\
            (SELECT tenant FROM {table} ORDER BY tenant LIMIT 1) UNION ALL \
            SELECT (SELECT tenant FROM {table} WHERE tenant > held ORDER BY tenant LIMIT 1) \
            FROM skip WHERE held IS NOT NULL), \
        holders AS (SELECT held FROM skip WHERE held IS NOT NULL)"
    )
}
