//! Logs and metrics.
//!
//! | file | holds |
//! |---|---|
//! | this one | [`init`], [`init_logs`] |
//! | `metrics` | the recorder, every metric's meaning, [`render`] |
//! | [`names`] | the metrics' names |
//! | `request_id` | [`request_id()`]: what ties a reply to its log lines |
//! | `redact` | [`redact_target`], [`masked_card`]: a request's target and a card's number without what may be misused |
//!
//! # What never reaches a log
//!
//! Keys, PINs, track data, verify codes, voucher codes, signatures, tokens, and bodies of any
//! kind, ours or a provider's. Types that hold a secret have no `Debug`; a request line is logged
//! through [`redact_target`] only; headers are not logged. A failure is logged once, where it is
//! handled, by its kind and its serials.

mod metrics;
pub mod names;
mod redact;
mod request_id;

use std::io::IsTerminal;

use domain::time::UnixMs;
use tracing_subscriber::EnvFilter;

pub use self::metrics::{
    channel_call, channel_contradiction, init_metrics, open_payments, queue_len, render, request,
    store_figures,
};
pub use self::redact::{masked_card, redact_target};
pub use self::request_id::request_id;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One compact line an event, for people.
    #[default]
    Text,
    /// One JSON object an event, for collectors.
    Json,
}

/// Why logs or metrics can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter can't be read.
    #[error("log filter {filter:?}: {reason}; write it like info or info,onetill=debug")]
    Filter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something else in this process logs already.
    #[error("logging is already set up in this process")]
    LogsTaken,
    /// Something else in this process records metrics, or the recorder's settings are wrong.
    #[error("metrics cannot be set up: {reason}")]
    Metrics {
        /// What the recorder said.
        reason: String,
    },
    /// The thread that keeps metrics small can't start.
    #[error("metrics cannot be set up: no thread: {0}")]
    Upkeep(#[source] std::io::Error),
}

/// Sets up logs and metrics for the whole process; call it once, before any listener opens.
/// `filter` is in the form of `RUST_LOG`; `started` is the time now.
///
/// # Errors
/// [`TelemetryError`], for the operator.
pub fn init(format: LogFormat, filter: &str, started: UnixMs) -> Result<(), TelemetryError> {
    init_logs(format, filter)?;
    request_id::started(started);
    init_metrics(started)
}

/// Sets up logs alone, for commands that serve nobody. They go to stderr: stdout is for results.
///
/// # Errors
/// [`TelemetryError::Filter`], [`TelemetryError::LogsTaken`].
pub fn init_logs(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(parse_filter(filter)?)
        .with_writer(std::io::stderr);
    let done = match format {
        LogFormat::Text => lines.compact().with_ansi(wants_colour()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    done.map_err(|_| TelemetryError::LogsTaken)
}

fn parse_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|error| TelemetryError::Filter {
            filter: filter.into(),
            reason: error.to_string(),
        })
}

/// Colours for a person at a terminal, unless they said no (no-color.org).
fn wants_colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_is_read_or_explained() {
        assert!(parse_filter("info,onetill=debug").is_ok());
        let text = parse_filter("onetill=loud").err().unwrap().to_string();
        assert!(
            text.contains("onetill=loud") && text.contains("write it like"),
            "{text}"
        );
    }

    #[test]
    fn metrics_are_shown_with_their_meaning() {
        init_metrics(UnixMs(1_700_000_000_000)).unwrap();
        init_metrics(UnixMs(1_800_000_000_000)).unwrap();
        let took = std::time::Duration::from_millis(3);
        request("payments", "preOrder", "SUCCESS", took);
        channel_call("sandbox", "pay", "paid", took);
        let text = render();
        let shown = [
            "onetill_requests_total{dialect=\"payments\",operation=\"preOrder\",code=\"SUCCESS\"} 1",
            "onetill_request_seconds_bucket{operation=\"preOrder\",code=\"SUCCESS\",le=\"0.005\"} 1",
            "onetill_channel_call_seconds_count{",
            "# HELP onetill_connections Connections open",
            "onetill_notifications_dead 0",
            "process_start_time_seconds 1700000000",
        ];
        shown
            .iter()
            .for_each(|line| assert!(text.contains(line), "{line} is not in\n{text}"));
    }
}
