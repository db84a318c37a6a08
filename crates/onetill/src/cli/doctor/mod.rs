//! `onetill doctor`: checks a gateway's surroundings and changes nothing.
//!
//! | module | checks |
//! |---|---|
//! | `place` | the data directory, the master key, the disk |
//! | `open_files` | how many connections the system leaves room for |
//! | `rows` | the store: reachable, schema, durability, work left over |
//! | `running` | the gateway, if one runs |

mod open_files;
mod place;
mod rows;
mod running;

use super::{
    CommandError, Place,
    output::{self, Shape, Tone},
};
use crate::{app::compose::system_clock, config::Config};
use clap::Args;
use domain::time::UnixMs;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Check a gateway's settings, store, keys, clock and disk.
///
/// Changes nothing, also beside a running gateway. Prints a line for each check, and what to do;
/// exits with 1 when one fails.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill doctor
  onetill doctor --config /etc/onetill.toml
  onetill doctor --store postgres://onetill@db/onetill --json")]
pub struct DoctorArgs {
    #[command(flatten)]
    place: Place,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    level: Level,
    what: String,
    /// What to do about it; empty when there is nothing to do.
    advice: String,
}

impl Finding {
    fn ok(what: impl Into<String>) -> Self {
        Self::new(Level::Ok, what, "")
    }

    fn warn(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Level::Warn, what, advice)
    }

    fn fail(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Level::Fail, what, advice)
    }

    fn new(level: Level, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            level,
            what: what.into(),
            advice: advice.into(),
        }
    }

    fn text(&self) -> String {
        let (word, tone) = match self.level {
            Level::Ok => ("ok  ", Tone::Good),
            Level::Warn => ("warn", Tone::Warning),
            Level::Fail => ("fail", Tone::Bad),
        };
        let word = output::paint(word, tone);
        let what = output::plain(&self.what);
        if self.advice.is_empty() {
            format!("{word}  {what}")
        } else {
            format!("{word}  {what}  → {}", output::plain(&self.advice))
        }
    }

    fn json(&self) -> Value {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "fail",
        };
        json!({ "level": level, "what": self.what, "advice": self.advice })
    }
}

/// Checks everything.
///
/// # Errors
/// When nothing can be printed.
pub async fn run(args: DoctorArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let findings = match args.place.settings.for_command() {
        Ok(config) => examine(&config, system_clock()()).await,
        Err(error) => vec![Finding::fail(
            format!("settings: {error}"),
            "correct it; nothing else was checked",
        )],
    };
    match shape {
        Shape::Json => output::print_json(&findings.iter().map(Finding::json).collect())?,
        Shape::Text => {
            let lines: Vec<_> = findings.iter().map(Finding::text).collect();
            output::print(&lines.join("\n"))?;
        }
    }
    let failed = findings.iter().any(|it| it.level == Level::Fail);
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn examine(config: &Config, now: UnixMs) -> Vec<Finding> {
    let mut findings = vec![settings(config), clock(now)];
    findings.extend(place::directory(config));
    findings.push(place::disk(config));
    findings.extend(rows::examine(config, now).await);
    let (gateway, running) = running::examine(config).await;
    findings.push(open_files::examine(config, gateway));
    findings.extend(running);
    findings
}

fn settings(config: &Config) -> Finding {
    let pretends = config.sandbox_latency_ms.is_some() || config.sandbox_url.is_some();
    if pretends && !config.demo {
        return Finding::warn(
            "settings: valid, with the sandbox on: payments are pretended",
            "leave --sandbox and --sandbox-url out where customers pay",
        );
    }
    Finding::ok("settings: valid")
}

/// 2024-01-01T00:00:00Z: this program is younger.
const YEAR_2024: UnixMs = UnixMs(1_704_067_200_000);

fn clock(now: UnixMs) -> Finding {
    let time = jiff::Timestamp::from_millisecond(now.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let shown = time.strftime("%Y-%m-%d %H:%M:%S UTC");
    if now < YEAR_2024 {
        let what = format!("clock: it says {shown}, which is past");
        return Finding::fail(
            what,
            "set the clock, best with NTP: serials are made of the time",
        );
    }
    Finding::ok(format!("clock: {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        let ok = Finding::ok("clock: fine");
        assert_eq!(ok.text(), "ok    clock: fine");
        let bad = Finding::fail("disk: full", "free some");
        assert_eq!(bad.text(), "fail  disk: full  → free some");
        assert_eq!(bad.json()["level"], "fail");
    }

    #[test]
    fn a_clock_that_was_never_set_fails() {
        assert_eq!(clock(UnixMs(0)).level, Level::Fail);
        assert_eq!(clock(UnixMs(1_795_300_000_000)).level, Level::Ok);
    }
}
