//! `onetill bench`: how fast is it, and how fast could it be.
//!
//! | module | holds |
//! |---|---|
//! | [`load`] | the load generator: threads, connections, schedule |
//! | [`mix`] | what is asked, and how often |
//! | [`source`] | one connection's requests: from a till or a partner |
//! | [`till`] | a till of dialect 1, and what it remembers of the answers |
//! | [`terminal`] | a terminal of dialect 2: opened with a batch of its own, settled at the end |
//! | [`settle`] | large batches settled beside a load |
//! | [`desk`] | a partner of dialect 3 who asks about codes |
//! | [`mod@codes`] | voucher codes to pay with and to ask about |
//! | [`changes`] | boxes of codes activated and voided beside a load |
//! | [`tree`] | the tree of a box, and the memory that it takes |
//! | [`partner`] | a partner's messages outside of the load |
//! | [`beside`] | latencies beside something large, and apart from it |
//! | [`wire_client`] | one keep-alive connection, with the least work a client can do |
//! | [`tally`] | what was counted and timed |
//! | [`report`] | the tally for people and as JSON |
//! | [`acknowledged`] | the file of what the gateway promised, for audits after a kill |
//! | [`merchants`] | who asks |
//! | [`ceiling`] | a server that does everything but remember |
//! | [`notify`], [`receiver`] | how fast merchants learn that they were paid |
//! | [`fsync_probe`] | how often this disk can make a write durable |
//! | [`machine`] | CPU time and steal, from `/proc` |
//!
//! Absent on purpose: judgement. It prints what it measured; `bench/run` compares.

mod acknowledged;
mod beside;
mod ceiling;
mod changes;
mod codes;
mod desk;
mod fsync_probe;
mod load;
mod machine;
mod merchants;
mod mix;
mod notify;
mod pacer;
mod partner;
mod receiver;
mod report;
mod settle;
mod source;
mod tally;
mod terminal;
mod till;
mod tree;
mod wire_client;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;

use self::codes::Codes;
use self::desk::Desk;
use self::load::Plan;
use self::machine::{Reading, Spent};
use self::merchants::Merchant;
use self::mix::{Dialect, Dice, MemberKind, Mix, PaymentKind, Shares, VoucherKind};
use self::source::Source;
use self::tally::Tally;
use self::till::{Habits, Till};
use crate::admin::voucher::demo;

/// Measures a gateway: a signed load, an open-loop schedule, latencies from the moment a
/// request was due.
#[derive(Args, Clone)]
#[command(after_help = "Examples, against `onetill serve --demo`:
  onetill bench
      payments, as many as the gateway answers
  onetill bench --mix pay=90,query=10 --rate 5000 --connections 256
      on a schedule: latencies count from the moment a request was due
  onetill bench --mix consume=1 --connections 2
      sales to members, in points and cash, at the demo's two terminals

With terminals and cards of your own (in the gateway's directory):
  onetill simulate roster shop
      64 terminals and 10,000 cards, and who they are, in the new directory shop
  onetill bench --roster shop --mix consume=90,card=10
  onetill bench --roster shop --mix consume=1 --rate 2000 --connections 56 --settle 10000
      what settlements of large batches do to the other terminals

With a box of voucher codes (`onetill voucher issue … --out codes.csv`):
  onetill bench --mix code=1 --codes codes.csv
      a partner's lookups of single codes
  onetill bench --mix pay=1 --rate 2000 --activate codes.csv
      what activating and voiding the box does to payments beside it
  onetill bench --mix redeem=1 --codes codes.csv
      payments that redeem a code each, once the box is active
  onetill bench --tree X22169-3141157-33475 --connections 1
      the tree of a box")]
pub struct BenchArgs {
    /// Where the gateway listens
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// The merchant who asks
    #[arg(long, value_name = "CODE", default_value = merchants::DEMO_CODE)]
    pub merchant: String,
    /// The merchant's key
    #[arg(long, default_value = merchants::DEMO_KEY, hide_default_value = true)]
    pub key: String,
    /// How many merchants of --merchants-file take turns; 0 for all
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        requires = "merchants_file"
    )]
    pub merchants: usize,
    /// Merchants as lines of `code,key`
    #[arg(long, value_name = "CSV")]
    pub merchants_file: Option<PathBuf>,
    /// Connections kept open
    #[arg(long, default_value_t = 64)]
    pub connections: u32,
    /// Threads of the generator
    #[arg(long, default_value_t = 1)]
    pub threads: u32,
    /// Requests a second, on a fixed schedule; 0 for as many as the gateway answers
    #[arg(long, default_value_t = 0)]
    pub rate: u32,
    /// How long is measured, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    pub duration: f64,
    /// How long is waited before measuring, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub warmup: f64,
    /// Stop after this many requests, warm-up included
    #[arg(long, value_name = "N")]
    pub requests: Option<u64>,
    /// Shares of pay, redeem (with a voucher code), order, query, refund and cancel; or, at member
    /// terminals, of consume, card (a query) and settle; or, of a partner, of code (a lookup)
    #[arg(long, default_value = "pay=100")]
    pub mix: Mix,
    /// Terminals and cards, as `onetill simulate roster` wrote them: DIR/terminals.json and
    /// DIR/cards.csv. Each connection is a terminal [default: the demo's]
    #[arg(long, value_name = "DIR")]
    pub roster: Option<PathBuf>,
    /// Also settle six batches of N sales beside the load, three of them with a sale forgotten,
    /// and tell how long that took and the others' latencies meanwhile
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub settle: Option<u32>,
    /// Voucher codes, as `onetill voucher issue` wrote them. redeem pays with each of them once, in no
    /// order; code asks about any
    #[arg(long, value_name = "CSV")]
    pub codes: Option<PathBuf>,
    /// The token of the partner they are for
    #[arg(long, value_name = "TOKEN", env = "ONETILL_PARTNER_TOKEN", default_value = demo::TOKEN,
          hide_default_value = true, hide_env_values = true)]
    pub partner_token: String,
    /// Also activate, and then void, each box of this file of voucher codes beside the payments, and
    /// tell how long that took and the payments' latencies meanwhile
    #[arg(long, value_name = "CSV")]
    pub activate: Option<PathBuf>,
    /// Instead, have the tree of this box sent over each connection at once
    #[arg(long, value_name = "BOX")]
    pub tree: Option<String>,
    /// Read the beginning of each tree only, and then nothing for as long as --duration says
    #[arg(long, requires = "tree")]
    pub stall: bool,
    /// Of the payments, how many percent repeat an earlier serial
    #[arg(long, value_name = "PERCENT", default_value_t = 0)]
    pub duplicates: u32,
    /// Decides the choices; serials are fresh in every run all the same
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Append `merchant,merchant serial,gateway serial` of every payment that was acknowledged
    #[arg(long, value_name = "FILE")]
    pub acknowledged: Option<PathBuf>,
    /// The gateway's process, to report the CPU time a request costs it
    #[arg(long)]
    pub pid: Option<u32>,
    /// Instead, have N orders paid and measure how fast their merchants are notified
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub notify: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Load another machine
    #[arg(long)]
    pub allow_remote: bool,
    /// Serve preOrder without a store: the ceiling of what HTTP and signatures allow
    #[arg(long, hide = true)]
    pub ceiling_server: bool,
    /// Where --ceiling-server listens
    #[arg(long, hide = true, default_value = "127.0.0.1:8089")]
    pub listen: SocketAddr,
    /// Count how often a second an appended 4 KiB block becomes durable in this directory
    #[arg(long, value_name = "DIR")]
    pub fsync_probe: Option<PathBuf>,
}

/// Why nothing, or nothing trustworthy, was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A setting that cannot be.
    #[error("{0}")]
    Setting(String),
    /// The address is not this machine's.
    #[error("{0} is not on this machine; --allow-remote if its owner agrees")]
    Remote(SocketAddr),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing could be printed, or no thread or runtime started.
    #[error(transparent)]
    System(#[from] io::Error),
    /// The ceiling server could not listen.
    #[error(transparent)]
    Server(#[from] crate::server::ServerError),
    /// A terminal could not be opened or settled.
    #[error("{0}")]
    Terminal(String),
    /// A partner was answered otherwise than it should be, or not at all.
    #[error("{0}")]
    Partner(String),
    /// The report was printed, and some replies were not what was asked for.
    #[error("{0} requests failed; the figures above do not count")]
    Failures(u64),
    /// The report was printed, and terminals and gateway do not agree.
    #[error("{0} terminals did not balance; the figures above do not count")]
    Unbalanced(usize),
}

/// Carries out `onetill bench`.
///
/// # Errors
/// [`BenchError`]; with [`BenchError::Failures`] and [`BenchError::Unbalanced`] the report has been
/// printed.
pub async fn run(args: BenchArgs) -> Result<(), BenchError> {
    if let Some(directory) = &args.fsync_probe {
        return fsync_probe::run(directory, args.duration, args.json);
    }
    load::check(&args)?;
    let merchants = merchants::read(&args)?;
    if args.ceiling_server {
        return ceiling::run(args.listen, merchants).await;
    }
    if let Some(orders) = args.notify {
        return notify::run(&args, merchants, orders as usize).await;
    }
    if let Some(name) = &args.tree {
        return tree::run(&args, name).await;
    }
    match (&args.mix.0, args.settle, &args.activate) {
        (Dialect::Payments(shares), None, None) => payments(&args, shares, merchants).await,
        (Dialect::Payments(shares), None, Some(boxes)) => {
            let boxes = Codes::read(boxes, args.seed)?;
            changes::run(&args, tills(&args, shares, merchants)?, &boxes).await
        }
        (Dialect::Members(shares), None, None) => members(&args, shares).await,
        (Dialect::Members(shares), Some(sales), None) => settle::run(&args, shares, sales).await,
        (Dialect::Vouchers(shares), None, None) => vouchers(&args, shares).await,
        (Dialect::Payments(_) | Dialect::Vouchers(_), Some(_), _) => Err(setting(
            "--settle goes with a mix of member terminals, such as --mix consume=1",
        )),
        (Dialect::Members(_) | Dialect::Vouchers(_), _, Some(_)) => Err(setting(
            "--activate goes with a mix of payments, such as --mix pay=1",
        )),
    }
}

fn setting(text: &str) -> BenchError {
    BenchError::Setting(text.to_owned())
}

async fn payments(
    args: &BenchArgs,
    shares: &Shares<PaymentKind>,
    merchants: Vec<Merchant>,
) -> Result<(), BenchError> {
    let (tally, _, spent) = measure(args, tills(args, shares, merchants)?).await?;
    report::print(args, &tally, spent, None)?;
    judge(&tally, 0)
}

fn tills(
    args: &BenchArgs,
    shares: &Shares<PaymentKind>,
    merchants: Vec<Merchant>,
) -> Result<Vec<Source>, BenchError> {
    let redeems = shares.has(PaymentKind::Redeem);
    let codes = redeems.then(|| codes(args)).transpose()?;
    let habits = Arc::new(Habits {
        merchants,
        mix: shares.clone(),
        duplicates: args.duplicates,
        codes,
        keeps_promises: args.acknowledged.is_some(),
        run: format!("{:x}", Timestamp::now().as_millisecond()),
    });
    let till = |number| Source::Till(Till::new(Arc::clone(&habits), number, args.seed));
    Ok((0..args.connections).map(till).collect())
}

async fn vouchers(args: &BenchArgs, shares: &Shares<VoucherKind>) -> Result<(), BenchError> {
    let (codes, mut dice) = (codes(args)?, Dice::new(args.seed));
    let desk = |_| {
        let dice = Dice::new(dice.roll());
        let desk = Desk::new(Arc::clone(&codes), shares.clone(), dice);
        Source::Desk(Box::new(desk), partner::headers(args))
    };
    let desks = (0..args.connections).map(desk).collect();
    let (tally, _, spent) = measure(args, desks).await?;
    report::print(args, &tally, spent, None)?;
    judge(&tally, 0)
}

fn codes(args: &BenchArgs) -> Result<Arc<Codes>, BenchError> {
    let path = args.codes.as_deref();
    let path = path.ok_or_else(|| setting("redeem and code need voucher codes: --codes CSV"))?;
    Codes::read(path, args.seed).map(Arc::new)
}

async fn members(args: &BenchArgs, shares: &Shares<MemberKind>) -> Result<(), BenchError> {
    let terminals = terminal::open(args, shares, args.connections as usize).await?;
    let (tally, sources, spent) = measure(args, terminal::sources(terminals)).await?;
    let unbalanced = terminal::close(sources).await?;
    report::print(args, &tally, spent, Some(unbalanced))?;
    judge(&tally, unbalanced)
}

/// Loads the gateway; says what that brought and cost, and who asked.
async fn measure(
    args: &BenchArgs,
    sources: Vec<Source>,
) -> Result<(Tally, Vec<Source>, Spent), BenchError> {
    let plan = Plan::new(args, false).await?;
    let before = Reading::take(args.pid);
    let (tally, sources) = load::run(plan, sources).await?;
    Ok((tally, sources, Reading::take(args.pid).since(&before)))
}

fn judge(tally: &Tally, unbalanced: usize) -> Result<(), BenchError> {
    match (tally.failures(), unbalanced) {
        (0, 0) => Ok(()),
        (0, unbalanced) => Err(BenchError::Unbalanced(unbalanced)),
        (failures, _) => Err(BenchError::Failures(failures)),
    }
}

/// A file's trouble with its name.
fn file_error(path: &std::path::Path) -> impl FnOnce(io::Error) -> BenchError {
    let path = path.to_owned();
    move |source| BenchError::File { path, source }
}
