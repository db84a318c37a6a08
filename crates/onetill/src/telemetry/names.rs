//! The metrics' names, each with its labels. Units come last; a counter ends in `_total`.

/// Requests answered: `dialect`, `operation`, `code`.
pub const REQUESTS: &str = "onetill_requests_total";
/// Time from a request's head to its reply, seconds: `operation`, `code`.
pub const REQUEST_SECONDS: &str = "onetill_request_seconds";
/// Commands carried by one commit.
pub const BATCH_COMMANDS: &str = "onetill_batch_commands";
/// Loading, deciding, writing and committing one batch, seconds.
pub const BATCH_SECONDS: &str = "onetill_batch_seconds";
/// The commit alone, seconds.
pub const COMMIT_SECONDS: &str = "onetill_commit_seconds";
/// One call to a payment channel, seconds: `channel`, `operation`, `outcome`.
pub const CHANNEL_CALL_SECONDS: &str = "onetill_channel_call_seconds";
/// Words of channels against the books: `channel`.
pub const CHANNEL_CONTRADICTIONS: &str = "onetill_channel_contradictions_total";
/// Commands waiting for the engine.
pub const QUEUE_COMMANDS: &str = "onetill_queue_commands";
/// Age of the oldest message due and not yet sent, seconds.
pub const OUTBOX_LAG_SECONDS: &str = "onetill_outbox_lag_seconds";
/// Notifications due now.
pub const NOTIFICATIONS_DUE: &str = "onetill_notifications_due";
/// Notifications given up, which an operator may send again.
pub const NOTIFICATIONS_DEAD: &str = "onetill_notifications_dead";
/// Payments without a final outcome: `age`.
pub const OPEN_PAYMENTS: &str = "onetill_open_payments";
/// Jobs stored and not done.
pub const JOBS: &str = "onetill_jobs";
/// How long the oldest job has been due, seconds.
pub const JOBS_LAG_SECONDS: &str = "onetill_jobs_lag_seconds";
/// How long points or tickets that have expired wait to be written off, seconds.
pub const EXPIRY_LAG_SECONDS: &str = "onetill_expiry_lag_seconds";
/// What waits for an operator's eyes.
pub const WORK_ITEMS: &str = "onetill_work_items";
/// Connections open.
pub const CONNECTIONS: &str = "onetill_connections";
/// Connections closed at once: `reason` (`total`, `address`).
pub const CONNECTIONS_REFUSED: &str = "onetill_connections_refused_total";
/// Silent connections closed to make room for newcomers.
pub const CONNECTIONS_SENT_AWAY: &str = "onetill_connections_sent_away_total";
/// Memory this process holds, bytes.
pub const PROCESS_MEMORY_BYTES: &str = "process_resident_memory_bytes";
/// When this process started, seconds since 1970.
pub const PROCESS_START_SECONDS: &str = "process_start_time_seconds";
