//! The recorder, and every metric's meaning.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{channel::ChannelNo, time::UnixMs};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram};
use metrics::{gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use store::contract::StoreFigures;

use super::{TelemetryError, names};

/// Samples wait in memory until they are sorted into buckets, so this bounds how many there are.
const UPKEEP_EVERY: Duration = Duration::from_secs(1);

/// A payment may wait for its customer for 80 s and more.
const REQUEST_BUCKETS_S: [f64; 17] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0, 90.0,
];
/// One fsync takes from a tenth of a millisecond to a few seconds on a disk in trouble.
const COMMIT_BUCKETS_S: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];
const CHANNEL_BUCKETS_S: [f64; 12] = [
    0.001, 0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
const COMMAND_BUCKETS: [f64; 13] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0,
];

static INSTALLED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// All metrics in Prometheus's text format, for our own `/metrics`; empty before
/// [`init_metrics`].
pub fn render() -> String {
    if let Some(bytes) = resident_bytes() {
        gauge!(names::PROCESS_MEMORY_BYTES).set(bytes);
    }
    let handle = INSTALLED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    handle.map(|handle| handle.render()).unwrap_or_default()
}

/// Installs the recorder for the whole process; a second call changes nothing. What is recorded
/// before the first is lost.
///
/// # Errors
/// [`TelemetryError::Metrics`], [`TelemetryError::Upkeep`].
pub fn init_metrics(started: UnixMs) -> Result<(), TelemetryError> {
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if installed.is_some() {
        return Ok(());
    }
    let handle = recorder().map_err(|error| TelemetryError::Metrics {
        reason: error.to_string(),
    })?;
    describe_requests();
    describe_engine();
    describe_server();
    show_from_the_start(started);
    start_upkeep(handle.clone()).map_err(TelemetryError::Upkeep)?;
    *installed = Some(handle);
    Ok(())
}

fn recorder() -> Result<PrometheusHandle, BuildError> {
    let full = |name: &str| Matcher::Full(name.to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(full(names::REQUEST_SECONDS), &REQUEST_BUCKETS_S)?
        .set_buckets_for_metric(full(names::BATCH_COMMANDS), &COMMAND_BUCKETS)?
        .set_buckets_for_metric(full(names::BATCH_SECONDS), &COMMIT_BUCKETS_S)?
        .set_buckets_for_metric(full(names::COMMIT_SECONDS), &COMMIT_BUCKETS_S)?
        .set_buckets_for_metric(full(names::CHANNEL_CALL_SECONDS), &CHANNEL_BUCKETS_S)?
        .install_recorder()
}

/// A thread rather than a task: it needs no runtime and no owner to remember it.
fn start_upkeep(handle: PrometheusHandle) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("metrics-upkeep".into())
        .spawn(move || {
            loop {
                std::thread::sleep(UPKEEP_EVERY);
                handle.run_upkeep();
            }
        })
        .map(drop)
}

fn describe_requests() {
    describe_counter!(
        names::REQUESTS,
        "Requests answered, by dialect, operation and the dialect's return code"
    );
    describe_histogram!(
        names::REQUEST_SECONDS,
        Unit::Seconds,
        "From a request's head to its reply, waiting for the customer included"
    );
    describe_histogram!(
        names::CHANNEL_CALL_SECONDS,
        Unit::Seconds,
        "One call to a payment channel"
    );
    describe_counter!(
        names::CHANNEL_CONTRADICTIONS,
        "Words of channels against the books, by channel number; each needs a look"
    );
    describe_gauge!(
        names::OPEN_PAYMENTS,
        "Payments without a final outcome, by age; old ones need a look"
    );
}

fn describe_engine() {
    describe_histogram!(
        names::BATCH_COMMANDS,
        Unit::Count,
        "Commands carried by one commit"
    );
    describe_histogram!(
        names::BATCH_SECONDS,
        Unit::Seconds,
        "Loading, deciding, writing and committing one batch"
    );
    describe_histogram!(names::COMMIT_SECONDS, Unit::Seconds, "The commit alone");
    describe_gauge!(
        names::QUEUE_COMMANDS,
        Unit::Count,
        "Commands waiting for the engine; at its bound, requests get HTTP 503"
    );
    describe_gauge!(names::JOBS, Unit::Count, "Jobs stored and not done");
    describe_gauge!(
        names::JOBS_LAG_SECONDS,
        Unit::Seconds,
        "How long the oldest job has been due"
    );
    describe_gauge!(
        names::OUTBOX_LAG_SECONDS,
        Unit::Seconds,
        "Age of the oldest message due and not yet sent"
    );
    describe_gauge!(
        names::NOTIFICATIONS_DUE,
        Unit::Count,
        "Notifications due now"
    );
    describe_gauge!(
        names::NOTIFICATIONS_DEAD,
        Unit::Count,
        "Notifications given up; an operator may send them again"
    );
    describe_gauge!(
        names::EXPIRY_LAG_SECONDS,
        Unit::Seconds,
        "How long points or tickets that have expired wait to be written off; nobody can spend them"
    );
    describe_gauge!(
        names::WORK_ITEMS,
        Unit::Count,
        "Settlements and reversals that wait for an operator's eyes"
    );
}

fn describe_server() {
    describe_gauge!(names::CONNECTIONS, Unit::Count, "Connections open");
    describe_counter!(
        names::CONNECTIONS_REFUSED,
        "Connections closed at once: too many in all (total) or from one address (address)"
    );
    describe_counter!(
        names::CONNECTIONS_SENT_AWAY,
        "Silent connections closed to make room for newcomers"
    );
    describe_gauge!(
        names::PROCESS_MEMORY_BYTES,
        Unit::Bytes,
        "Memory this process holds"
    );
    describe_gauge!(
        names::PROCESS_START_SECONDS,
        Unit::Seconds,
        "When this process started, since 1970"
    );
}

/// Metrics without labels are there from the start: an alert can't watch what is absent.
fn show_from_the_start(started: UnixMs) {
    let zeroes = [
        names::QUEUE_COMMANDS,
        names::OUTBOX_LAG_SECONDS,
        names::NOTIFICATIONS_DUE,
        names::NOTIFICATIONS_DEAD,
        names::JOBS,
        names::JOBS_LAG_SECONDS,
        names::EXPIRY_LAG_SECONDS,
        names::WORK_ITEMS,
        names::CONNECTIONS,
    ];
    zeroes.into_iter().for_each(|name| gauge!(name).set(0.0));
    let started = Duration::from_millis(u64::try_from(started.0).unwrap_or(0));
    gauge!(names::PROCESS_START_SECONDS).set(started.as_secs_f64());
}

/// Counts one answered request. `code` is the dialect's return code, never free text: each
/// value is a time series of its own.
pub fn request(dialect: &'static str, operation: &'static str, code: &'static str, took: Duration) {
    counter!(names::REQUESTS, "dialect" => dialect, "operation" => operation, "code" => code)
        .increment(1);
    histogram!(names::REQUEST_SECONDS, "operation" => operation, "code" => code).record(took);
}

/// Counts one call to a payment channel.
pub fn channel_call(
    channel: &'static str,
    operation: &'static str,
    outcome: &'static str,
    took: Duration,
) {
    histogram!(
        names::CHANNEL_CALL_SECONDS,
        "channel" => channel, "operation" => operation, "outcome" => outcome
    )
    .record(took);
}

/// Counts a word of a channel against the books; no channel is the provider of top-ups.
pub fn channel_contradiction(channel: Option<ChannelNo>) {
    let channel = channel.map_or("top-ups".to_owned(), |it| it.0.to_string());
    counter!(names::CHANNEL_CONTRADICTIONS, "channel" => channel).increment(1);
}

/// Tells how many commands wait for the engine.
pub fn queue_len(commands: usize) {
    set_count(
        names::QUEUE_COMMANDS,
        u64::try_from(commands).unwrap_or(u64::MAX),
    );
}

/// Tells how many payments of about this age have no final outcome.
pub fn open_payments(age: &'static str, payments: u64) {
    let payments = u32::try_from(payments).unwrap_or(u32::MAX);
    gauge!(names::OPEN_PAYMENTS, "age" => age).set(f64::from(payments));
}

/// Tells what work the store holds, and how late it is at `now`.
pub fn store_figures(figures: &StoreFigures, now: UnixMs) {
    set_count(names::JOBS, figures.jobs);
    set_count(names::NOTIFICATIONS_DUE, figures.notifications_due);
    set_count(names::NOTIFICATIONS_DEAD, figures.notifications_dead);
    let jobs_lag = lag(figures.oldest_job_due_at, now);
    let outbox_lag = lag(figures.oldest_notification_due_at, now);
    gauge!(names::JOBS_LAG_SECONDS).set(jobs_lag.as_secs_f64());
    gauge!(names::OUTBOX_LAG_SECONDS).set(outbox_lag.as_secs_f64());
    let expiry_lag = lag(figures.oldest_card_due_at, now);
    gauge!(names::EXPIRY_LAG_SECONDS).set(expiry_lag.as_secs_f64());
    set_count(names::WORK_ITEMS, figures.work_items);
}

/// How long ago the oldest was due; nothing, when none is or its time is still to come.
fn lag(oldest_due: Option<UnixMs>, now: UnixMs) -> Duration {
    let lag_ms = oldest_due.map_or(0, |due| now.since_ms(due));
    Duration::from_millis(u64::try_from(lag_ms).unwrap_or(0))
}

/// A gauge is a float, exact for counts up to here; more is shown as this many.
fn set_count(name: &'static str, count: u64) {
    gauge!(name).set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
}

/// Resident memory, where the system tells (Linux).
fn resident_bytes() -> Option<f64> {
    parse_resident(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn parse_resident(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(f64::from(kib) * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        let status = "Name:\tonetill\nVmRSS:\t   51200 kB\nVmData:\t 1 kB\n";
        assert_eq!(parse_resident(status), Some(51_200.0 * 1024.0));
        assert_eq!(parse_resident("VmRSS: many\n"), None);
        assert_eq!(parse_resident(""), None);
    }

    #[test]
    fn lag_is_never_negative() {
        let now = UnixMs(10_000);
        assert_eq!(lag(Some(UnixMs(8_500)), now), Duration::from_millis(1_500));
        assert_eq!(lag(Some(UnixMs(10_001)), now), Duration::ZERO);
        assert_eq!(lag(None, now), Duration::ZERO);
    }

    #[test]
    fn buckets_rise() {
        let rises = |buckets: &[f64]| buckets.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(rises(&REQUEST_BUCKETS_S) && rises(&COMMIT_BUCKETS_S));
        assert!(rises(&CHANNEL_BUCKETS_S) && rises(&COMMAND_BUCKETS));
    }
}
