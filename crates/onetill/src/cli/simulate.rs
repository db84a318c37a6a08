//! `onetill simulate`: the program in a seeded world of faults, and ([`till`]) a shop's day at the
//! tills of a real gateway, with whom [`roster`] added.

mod roster;
mod till;

use super::{
    CommandError,
    output::{self, Shape, Tone},
};
use crate::simulate::{
    self, Run, SetupError,
    rows::{MemoryRows, SqliteRows},
    world::Counts,
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Run the program in a seeded world of faults, or a shop's day at a real gateway's tills, and
/// hold it to what it said.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill simulate till
  onetill simulate till --transactions 2000 --jams 20 --plant-difference
  onetill simulate faults
  onetill simulate faults --seeds 10000 --jobs 4
  onetill simulate faults --seed 1234 --trace
  onetill simulate faults --store sqlite --seeds 50")]
pub struct SimulateArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Kills, lost answers, late money, jumping clocks and impatient tills, from seeds
    ///
    /// Each seed is a run of its own: the real decisions, engine, use cases, dialect and workers,
    /// with time, stores, wallet, receivers, tills, partners and terminals simulated around them.
    /// The same seed always gives the same run. Every reply must be explained by some order of what
    /// was asked; at the end everything must come to rest, the wallet's books must be the gateway's
    /// to the fen, each card must hold what its terminals were told, each voucher's code must have
    /// been used by those whose tills were told so, and every promise must have been kept. A seed
    /// that fails tells its story and how to run it again; the command then exits with 1.
    Faults(FaultsArgs),
    /// A shop's day at the tills of a running gateway: sales, lost answers, reversals, settlement
    ///
    /// Each terminal checks in, serves its customers (cash, points, PINs, vouchers, tickets,
    /// voids, returns), reverses what was not answered until that is through, and settles with its
    /// own totals. Where they differ it sends its journal, and what differs is named. At the end
    /// each card must hold what the tills were told. Exits with 1 if anything does not agree.
    Till(till::TillArgs),
    /// Add a store with terminals and cards, for `simulate till` and `bench`
    ///
    /// Beside a running gateway it goes through it, as `store`, `terminal` and `member` do.
    Roster(Box<roster::RosterArgs>),
}

#[derive(Args)]
#[command(after_help = "Examples:
  onetill simulate faults                             200 seeds in memory
  onetill simulate faults --seeds 10000 --jobs 4      more of them, side by side
  onetill simulate faults --from 5000 --seeds 100     others
  onetill simulate faults --seed 1234 --trace         one, with every event
  onetill simulate faults --store sqlite --seeds 50   over SQLite files")]
struct FaultsArgs {
    /// How many seeds to run
    #[arg(long, value_name = "N", default_value_t = 200)]
    seeds: u64,
    /// The first of them
    #[arg(long, value_name = "S", default_value_t = 1)]
    from: u64,
    /// Run this seed only
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Print every event of the seed
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Where the rows live
    #[arg(long, value_enum, default_value_t = Store::Memory)]
    store: Store,
    /// How many seeds run side by side
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Store {
    /// In memory
    Memory,
    /// In an SQLite file that is removed afterwards
    Sqlite,
}

/// Runs the simulation.
///
/// # Errors
/// When a run cannot be set up.
pub async fn run(args: SimulateArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let args = match args.what {
        What::Faults(args) => args,
        What::Till(args) => return till::run(args, shape).await,
        What::Roster(args) => {
            roster::run(*args, shape).await?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    // Every run blocks its thread and has a runtime of its own.
    let summary = tokio::task::spawn_blocking(move || run_all(&args)).await??;
    match shape {
        Shape::Json => output::print_json(&summary.as_json())?,
        Shape::Text => output::print(&summary.as_text())?,
    }
    Ok(if summary.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What all seeds came to.
#[derive(Default)]
struct Summary {
    seeds: u64,
    counts: Counts,
    failed: Vec<Run>,
    took: Duration,
    /// The only seed's digest.
    digest: Option<String>,
    /// The only seed's events.
    trace: Option<Vec<String>>,
}

fn run_all(args: &FaultsArgs) -> Result<Summary, CommandError> {
    let (from, seeds) = args.seed.map_or((args.from, args.seeds), |seed| (seed, 1));
    let started = Instant::now();
    let progress = output::bar(seeds, "seeds");
    let (next, broken) = (AtomicU64::new(0), AtomicBool::new(false));
    let summary = Mutex::new(Summary::default());
    let work = || -> Result<(), CommandError> {
        while !broken.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= seeds {
                break;
            }
            let run = run_one(from + index, args.store);
            broken.fetch_or(run.is_err(), Ordering::Relaxed);
            let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
            summary.add(run?, args.trace, seeds == 1);
            progress.inc(1);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..args.jobs.max(1)).map(|_| scope.spawn(work)).collect();
        let ended = threads.into_iter().map(|it| it.join());
        ended
            .map(|it| it.unwrap_or_else(|_| Err("a run ended early".into())))
            .collect::<Result<Vec<()>, _>>()
    })?;
    progress.finish_and_clear();
    let summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Summary {
        took: started.elapsed(),
        ..summary
    })
}

fn run_one(seed: u64, store: Store) -> Result<Run, CommandError> {
    match store {
        Store::Memory => Ok(simulate::run(seed, MemoryRows::default())?),
        Store::Sqlite => {
            let dir = TemporaryDir::new(seed)?;
            let rows = SqliteRows::create(&dir.0.join("rows.db")).map_err(SetupError::from)?;
            Ok(simulate::run(seed, rows)?)
        }
    }
}

/// A directory that is removed when dropped.
struct TemporaryDir(std::path::PathBuf);

impl TemporaryDir {
    fn new(seed: u64) -> std::io::Result<Self> {
        let name = format!("onetill-simulate-{}-{seed}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir(&dir)?;
        Ok(Self(dir))
    }
}

impl Drop for TemporaryDir {
    fn drop(&mut self) {
        // What cannot be removed stays in the system's own place for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Summary {
    fn add(&mut self, run: Run, trace: bool, is_only: bool) {
        let Counts {
            requests,
            duplicates,
            unanswered,
            kills,
            lost_answers,
            store_failures,
            late_successes,
            clock_jumps,
            notified,
            unfollowed,
            messages,
            reversals,
            settlements,
            changes,
            uses,
            virtual_ms,
        } = run.counts;
        let all = &mut self.counts;
        self.seeds += 1;
        all.requests += requests;
        all.duplicates += duplicates;
        all.unanswered += unanswered;
        all.kills += kills;
        all.lost_answers += lost_answers;
        all.store_failures += store_failures;
        all.late_successes += late_successes;
        all.clock_jumps += clock_jumps;
        all.notified += notified;
        all.unfollowed += unfollowed;
        all.messages += messages;
        all.reversals += reversals;
        all.settlements += settlements;
        all.changes += changes;
        all.uses += uses;
        all.virtual_ms += virtual_ms;
        self.digest = is_only.then(|| run.digest.clone());
        self.trace = trace.then(|| run.lines.clone());
        if run.failure.is_some() {
            self.failed.push(run);
            self.failed.sort_by_key(|it| it.seed);
        }
    }

    fn as_text(&self) -> String {
        let mut lines: Vec<String> = self.trace.iter().flatten().cloned().collect();
        lines.extend(self.failed.iter().map(ToString::to_string));
        let verdict = if self.failed.is_empty() {
            output::paint("every promise was kept", Tone::Good)
        } else {
            let text = format!("{} seeds failed", self.failed.len());
            output::paint(&text, Tone::Bad)
        };
        lines.push(format!("{}; {verdict}", self.figures()));
        if let Some(digest) = &self.digest {
            lines.push(format!("digest of the run: {digest}"));
        }
        lines.join("\n")
    }

    fn figures(&self) -> String {
        let it = &self.counts;
        format!(
            "{} seeds, {} requests ({} without a reply, {} sent again), {} kills, {} lost answers, \
             {} failures of the store, {} late successes, {} clock jumps, {} notifications, \
             {} sales or codes too busy to follow, {} messages of terminals ({} reversed, {} \
             settlements), {} changes of vouchers, {} uses of their codes, {} h simulated in {:.1} s",
            self.seeds,
            it.requests,
            it.unanswered,
            it.duplicates,
            it.kills,
            it.lost_answers,
            it.store_failures,
            it.late_successes,
            it.clock_jumps,
            it.notified,
            it.unfollowed,
            it.messages,
            it.reversals,
            it.settlements,
            it.changes,
            it.uses,
            it.virtual_ms / 3_600_000,
            self.took.as_secs_f64(),
        )
    }

    fn as_json(&self) -> Value {
        let it = &self.counts;
        let failed = self.failed.iter().map(|run| {
            let text = run.failure.as_ref().map(|it| it.text.as_str());
            json!({ "seed": run.seed, "text": text, "history": run.history() })
        });
        json!({
            "clean": self.failed.is_empty(),
            "seeds": self.seeds,
            "requests": it.requests,
            "unanswered": it.unanswered,
            "duplicates": it.duplicates,
            "kills": it.kills,
            "lost_answers": it.lost_answers,
            "store_failures": it.store_failures,
            "late_successes": it.late_successes,
            "clock_jumps": it.clock_jumps,
            "notified": it.notified,
            "unfollowed": it.unfollowed,
            "messages": it.messages,
            "reversals": it.reversals,
            "settlements": it.settlements,
            "voucher_changes": it.changes,
            "voucher_uses": it.uses,
            "virtual_s": it.virtual_ms / 1_000,
            "took_s": self.took.as_secs_f64(),
            "digest": self.digest,
            "trace": self.trace,
            "failed": failed.collect::<Vec<_>>(),
        })
    }
}
