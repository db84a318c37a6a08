//! The store: reachable, schema, durability, work left over.

use super::Finding;
use crate::{
    app::{
        contradictions::{self, Note},
        directory::Directory,
    },
    cli::{CommandError, admin_client::reader_of},
    config::{Config, StoreUrl},
    vault::{MASTER_KEY_FILE, MASTER_KEY_VARIABLE, Vault},
};
use domain::time::UnixMs;
use std::sync::Arc;
use store::{
    Reader,
    contract::{PaymentFilter, StoreFigures},
};

/// Work that has been due for longer than this wants a look, in milliseconds.
const OVERDUE_MS: i64 = 10 * 60_000;
/// So many notes of contradictions are looked at.
const NOTES_MAX: u32 = 1_000;
/// Notes of contradictions are told for 30 days, in milliseconds.
const RECENT_MS: i64 = 30 * 86_400_000;
/// Clocks may differ by this much, in milliseconds.
const SKEW_MS: i64 = 5_000;

/// Everything about the store.
pub(super) async fn examine(config: &Config, now: UnixMs) -> Vec<Finding> {
    let name = match &config.store {
        StoreUrl::Sqlite(path) if !path.exists() => {
            return vec![Finding::warn(
                format!("store: there is none at {} yet", path.display()),
                "`onetill serve` makes it; or name the right one with --data or --store",
            )];
        }
        StoreUrl::Sqlite(path) => path.display().to_string(),
        // The address may hold a password.
        StoreUrl::Postgres(_) => "PostgreSQL".to_owned(),
    };
    let (reader, pending) = match reader_of(&config.store).await {
        Ok(found) => found,
        Err(error) => {
            let advice = "check its address, who may read it, and the server's log";
            return vec![Finding::fail(format!("store: {name}: {error}"), advice)];
        }
    };
    if !pending.is_empty() {
        let what = format!("store: {name} lacks schema steps: {}", pending.join(", "));
        return vec![Finding::fail(
            what,
            "run `onetill migrate`, or start a gateway",
        )];
    }
    let mut findings = vec![Finding::ok(format!(
        "store: {name}, reachable, with this program's schema"
    ))];
    findings.push(durability(reader.as_ref()).await);
    match look(config, &reader, now).await {
        Ok(found) => findings.extend(found),
        Err(error) => findings.push(Finding::fail(
            format!("store: {error}"),
            "run `onetill audit`",
        )),
    }
    findings
}

async fn durability(reader: &dyn Reader) -> Finding {
    match reader.durability().await {
        Ok(settings) => Finding::ok(format!("durability: {}", settings.join(", "))),
        Err(error) => Finding::fail(
            format!("durability: {error}"),
            "set it back: an acknowledged payment could be lost in a power cut",
        ),
    }
}

async fn look(
    config: &Config,
    reader: &Arc<dyn Reader>,
    now: UnixMs,
) -> Result<Vec<Finding>, CommandError> {
    let newest = reader.payments(PaymentFilter::default(), 1).await?;
    let newest = newest.first().map(|payment| payment.created_at);
    let figures = reader.figures().await?;
    let mut findings = vec![latest(newest, now)];
    findings.extend(work(&figures, now));
    let notes = contradictions::notes(reader.as_ref(), None, NOTES_MAX).await?;
    findings.extend(contradicted(&notes, now));
    findings.extend(keys(config, reader.as_ref()).await?);
    Ok(findings)
}

/// Whether the master key opens the merchants' keys. A key that is missing or ill-shaped is told
/// with the data directory, and opening a vault would make one.
async fn keys(config: &Config, reader: &dyn Reader) -> Result<Option<Finding>, CommandError> {
    let is_set = std::env::var_os(MASTER_KEY_VARIABLE).is_some();
    if !is_set && !config.data.join(MASTER_KEY_FILE).exists() {
        return Ok(None);
    }
    let Ok(vault) = Vault::open(&config.data) else {
        return Ok(None);
    };
    let merchants = reader.merchants().await?;
    let directory = Directory::of(vault, merchants.clone());
    let closed = merchants
        .iter()
        .filter(|it| directory.find(&it.code).is_none())
        .count();
    if closed == 0 {
        return Ok(None);
    }
    let what = format!(
        "master key: it does not open the keys of {closed} of {} merchants",
        merchants.len()
    );
    let advice = "bring back the master key that belongs to this store";
    Ok(Some(Finding::fail(what, advice)))
}

/// What channels said against the books lately. Older notes stay with their payments.
fn contradicted(notes: &[Note], now: UnixMs) -> Option<Finding> {
    let is_recent = |note: &&Note| note.at_ms >= now.0 - RECENT_MS;
    let recent: Vec<_> = notes.iter().filter(is_recent).collect();
    let serial = &recent.first()?.serial;
    let count = recent.len();
    Some(Finding::warn(
        format!("channels: {count} words against the books in 30 days, the newest about {serial}"),
        "see `onetill order show SERIAL`, and clear it up with the channel",
    ))
}

/// A payment of the future means that this clock is slow, or another was fast.
fn latest(newest: Option<UnixMs>, now: UnixMs) -> Finding {
    match newest {
        Some(at) if at.0 > now.0 + SKEW_MS => {
            let ahead_s = (at.0 - now.0) / 1000;
            let what = format!("clock: the newest payment is {ahead_s} s ahead of it");
            Finding::warn(
                what,
                "compare this machine's clock with the other gateways'",
            )
        }
        Some(_) => Finding::ok("clock: not behind the newest payment"),
        None => Finding::ok("store: no payments yet"),
    }
}

fn work(figures: &StoreFigures, now: UnixMs) -> Vec<Finding> {
    let late = |due: Option<UnixMs>| due.is_some_and(|due| due.0 < now.0 - OVERDUE_MS);
    let mut findings = Vec::new();
    let jobs = figures.jobs;
    if late(figures.oldest_job_due_at) {
        findings.push(Finding::warn(
            format!("work: {jobs} unfinished, some due for more than 10 minutes"),
            "start a gateway, or see in its log why a channel does not answer",
        ));
    } else {
        findings.push(Finding::ok(format!("work: {jobs} unfinished, none late")));
    }
    if late(figures.oldest_notification_due_at) {
        let due = figures.notifications_due;
        let what = format!("notifications: {due} due, some for more than 10 minutes");
        findings.push(Finding::warn(what, "is a gateway running?"));
    }
    if figures.notifications_dead > 0 {
        findings.push(Finding::warn(
            format!("notifications: {} given up", figures.notifications_dead),
            "when their receivers are well again: onetill order renotify --dead",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    const NOW: UnixMs = UnixMs(1_795_300_000_000);

    #[test]
    fn late_work_and_dead_notifications_are_told() {
        let mut figures = StoreFigures {
            jobs: 3,
            oldest_job_due_at: Some(NOW),
            ..StoreFigures::default()
        };
        let levels = |figures: &StoreFigures| {
            let found = work(figures, NOW);
            found.iter().map(|it| it.level).collect::<Vec<_>>()
        };
        assert_eq!(levels(&figures), [Level::Ok]);
        figures.oldest_job_due_at = Some(UnixMs(NOW.0 - OVERDUE_MS - 1));
        figures.notifications_dead = 1;
        assert_eq!(levels(&figures), [Level::Warn, Level::Warn]);
    }

    #[test]
    fn words_against_the_books_are_told_for_a_while() {
        let note = |at_ms| Note {
            serial: "20261122000000000742".to_owned(),
            at_ms,
            channel: None,
            said: "never charged".to_owned(),
        };
        assert!(contradicted(&[], NOW).is_none());
        assert!(contradicted(&[note(NOW.0 - RECENT_MS - 1)], NOW).is_none());
        let finding = contradicted(&[note(NOW.0), note(0)], NOW).unwrap();
        assert_eq!(finding.level, Level::Warn);
        assert!(finding.what.contains("1 words"), "{}", finding.what);
    }

    #[test]
    fn a_payment_of_the_future_is_told() {
        assert_eq!(latest(Some(UnixMs(NOW.0 + 60_000)), NOW).level, Level::Warn);
        assert_eq!(latest(Some(NOW), NOW).level, Level::Ok);
    }
}
