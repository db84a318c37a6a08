//! `onetill simulate till`: a shop's day at the tills of a real gateway.

use crate::{
    cli::{
        CommandError,
        call::{Http, base_url, is_loopback},
        output::{self, Shape, Side, Table, Tone},
        secret,
    },
    simulate_till::{
        self, Day,
        report::Report,
        roster::{self, Roster},
    },
};
use clap::Args;
use reqwest::Url;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A shop's day at a gateway's tills, over HTTP.
#[derive(Args)]
#[command(after_help = "Examples, against `onetill serve --demo`:
  onetill simulate till
      the demo's two terminals, 200 transactions each
  onetill simulate till --transactions 2000 --jams 20
      a bad line: a fifth of all messages is lost
  onetill simulate till --plant-difference
      one terminal forgets one transaction; the settlement must name exactly it

Against another gateway:
  onetill simulate roster shop
      64 terminals and 10,000 cards, and who they are, in the new directory shop
  onetill simulate till --roster shop
  onetill terminal add 88001/1000 --count 50 --make-key --json > terminals.json
  onetill simulate till --url https://pos.example.com --terminals-file terminals.json \\
      --cards-file cards.csv")]
pub struct TillArgs {
    /// Where the gateway is
    #[arg(long, env = "ONETILL_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Terminals and cards as `onetill simulate roster` wrote them
    #[arg(long, value_name = "DIR", conflicts_with = "terminals_file")]
    roster: Option<PathBuf>,
    /// Terminals as `onetill terminal add --json` prints them, with their master keys: objects
    /// with store, terminal and master_key [default: the demo's, at a gateway on this machine].
    /// They should be used by nobody else: an open batch of theirs is closed first
    #[arg(long, value_name = "FILE", requires = "cards_file")]
    terminals_file: Option<PathBuf>,
    /// Active cards, a number a line, and behind a comma its PIN if it has one, or a file for
    /// `onetill member import`; - for stdin [default: the demo's]
    #[arg(long, value_name = "FILE", requires = "terminals_file")]
    cards_file: Option<PathBuf>,
    /// How many of the terminals take part [default: all]
    #[arg(long, value_name = "N")]
    terminals: Option<usize>,
    /// How many customers come to each
    #[arg(long, value_name = "N", default_value_t = 200)]
    transactions: u64,
    /// How many of a hundred messages are lost, on the way there or back
    #[arg(long, value_name = "PERCENT", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(..=90))]
    jams: u64,
    /// How many requests are under way at the same time, at most
    #[arg(long, value_name = "N", default_value_t = 64)]
    concurrency: usize,
    /// Chance; the same seed brings the same customers
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Let one terminal forget one transaction, to see that the settlement names it
    #[arg(long)]
    plant_difference: bool,
    /// Extra certificate authorities for https (PEM)
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// Plays the day and prints what came of it.
///
/// # Errors
/// When files cannot be read, a terminal cannot check in, or the gateway stays away.
pub async fn run(args: TillArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let day = args.day()?;
    let customers = args.transactions.saturating_mul(day.seats.len() as u64);
    let progress = output::bar(customers, "customers");
    let report = simulate_till::play(day, &progress).await;
    progress.finish_and_clear();
    let report = report?;
    match shape {
        Shape::Json => output::print_json(&report.as_json())?,
        Shape::Text => output::print(&text(&report))?,
    }
    Ok(ExitCode::from(u8::from(!report.agrees())))
}

impl TillArgs {
    fn day(&self) -> Result<Day, CommandError> {
        let url = base_url(&self.url)?;
        let Roster { mut seats, members } = self.roster(&url)?;
        seats.truncate(self.terminals.unwrap_or(usize::MAX));
        if seats.is_empty() || members.is_empty() {
            return Err("no terminals, or no cards, take part".into());
        }
        Ok(Day {
            base: self.url.trim_end_matches('/').to_owned(),
            http: Http::new(&url, TIMEOUT, self.ca.as_deref())?,
            seats,
            members,
            transactions: self.transactions,
            jams_per_mille: self.jams * 10,
            at_once: self.concurrency,
            seed: self.seed,
            plant: self.plant_difference,
        })
    }
}

impl TillArgs {
    fn roster(&self, url: &Url) -> Result<Roster, CommandError> {
        if let Some(directory) = &self.roster {
            return Ok(Roster::read(directory)?);
        }
        match (&self.terminals_file, &self.cards_file) {
            (Some(terminals), Some(cards)) => Ok(Roster {
                seats: named(terminals, roster::read_seats(&read(terminals)?))?,
                members: named(cards, roster::read_members(&read(cards)?))?,
            }),
            (Some(_) | None, _) if is_loopback(url) => Ok(Roster::demo()),
            (Some(_) | None, _) => Err("name the terminals and cards with --roster, or with \
                --terminals-file and --cards-file; the demo's are for a gateway on this machine"
                .into()),
        }
    }
}

/// A whole file, or stdin for `-`.
fn read(path: &Path) -> Result<String, CommandError> {
    if path == Path::new("-") {
        return Ok(secret::read_line(path)?.to_string());
    }
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn named<T>(path: &Path, read: Result<T, String>) -> Result<T, CommandError> {
    read.map_err(|error| format!("{}: {error}", path.display()).into())
}

fn text(report: &Report) -> String {
    let mut table = Table::new(&[
        ("function", Side::Left),
        ("answers", Side::Right),
        ("p50 ms", Side::Right),
        ("p99 ms", Side::Right),
        ("max ms", Side::Right),
        ("by status", Side::Left),
    ]);
    for (function, count, times, statuses) in report.functions() {
        let [p50, p99, max] = times.map(|ms| format!("{ms:.1}"));
        table.push([
            function.to_owned(),
            count.to_string(),
            p50,
            p99,
            max,
            statuses,
        ]);
    }
    let verdict = if report.agrees() {
        output::paint("all agrees", Tone::Good)
    } else {
        output::paint("it does not agree", Tone::Bad)
    };
    format!(
        "{}\n\n{}\n{verdict}",
        table.render(),
        report.sentences().join("\n")
    )
}
