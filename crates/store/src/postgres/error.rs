//! What PostgreSQL's errors mean to a gateway.

use crate::contract::StoreError;
use tokio_postgres::{
    Error,
    error::{DbError, Severity, SqlState},
};

/// The unique constraints two honest writers can race for: whoever loses tries again and sees
/// the winner's row.
const CLAIMS: [&str; 18] = [
    "payments_claim",
    "refunds_claim",
    "recharges_claim",
    "stores_pkey",
    "terminals_pkey",
    "cards_pkey",
    "verify_codes_pkey",
    "work_items_pkey",
    "partners_pkey",
    "voucher_tickets_pkey",
    "activities_pkey",
    "cartons_pkey",
    "stock_changes_pkey",
    "code_uses_pkey",
    "code_events_pkey",
    "trans_pkey",
    "trans_place",
    "trans_number",
];

/// What a failure means when it is certain that nothing was recorded.
pub(super) fn classify(error: &Error) -> StoreError {
    let Some(db) = error.as_db_error() else {
        return StoreError::Down(describe(error));
    };
    let text = describe(error);
    if is_conflict(db) {
        return StoreError::Conflict(text);
    }
    match db.code().code() {
        "53100" => StoreError::Full(text),
        "XX001" | "XX002" => StoreError::Corrupt(text),
        "42P01" | "42703" => StoreError::Refused(format!("{text}; has the store been migrated?")),
        // 22: a value no column can hold, 23: a constraint.
        code if code.starts_with("22") || code.starts_with("23") => StoreError::Refused(text),
        _ => StoreError::Down(text),
    }
}

fn is_conflict(db: &DbError) -> bool {
    let code = db.code();
    *code == SqlState::T_R_SERIALIZATION_FAILURE
        || *code == SqlState::T_R_DEADLOCK_DETECTED
        || (*code == SqlState::UNIQUE_VIOLATION
            && db.constraint().is_some_and(|name| CLAIMS.contains(&name)))
}

/// Whether a failure of COMMIT itself leaves open what happened. An ordinary error means that
/// the transaction was taken back; a lost or ending connection means nothing.
pub(super) fn leaves_commit_unknown(error: &Error) -> bool {
    error.as_db_error().is_none_or(|db| {
        ends_connection(db) || *db.code() == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
    })
}

/// Whether the server closes the connection after this error.
pub(super) fn ends_connection(db: &DbError) -> bool {
    match db.parsed_severity() {
        Some(Severity::Fatal | Severity::Panic) | None => true,
        Some(
            Severity::Error
            | Severity::Warning
            | Severity::Notice
            | Severity::Debug
            | Severity::Info
            | Severity::Log,
        ) => false,
    }
}

/// The error for the log. The server's detail line is left out: it quotes stored values.
pub(super) fn describe(error: &Error) -> String {
    error.as_db_error().map_or_else(
        || chain(error),
        |db| format!("{} {}", db.code().code(), db.message()),
    )
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
