//! `onetill bench --settle`: how long the settlement of a large batch takes, and what it does to the
//! other terminals.
//!
//! Some terminals fill their batches first. Then the others ask on their schedule, and meanwhile
//! the full batches are settled one by one, in turn with totals that agree and with a sale
//! forgotten, so that the whole journal is compared.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::Serialize;
use tokio::task::JoinSet;
use wire::jpos::form;
use wire::jpos::reply::{EntryResult, Verdict};
use wire::opengateway::call::Call;

use super::beside::{Latency, Stretch, longest_ms};
use super::load::{self, Plan};
use super::machine::{Reading, Spent};
use super::mix::{MemberKind, Shares};
use super::tally::{Sample, Tally, Window};
use super::terminal::{self, Terminal};
use super::wire_client::{WireClient, content_type};
use super::{BenchArgs, BenchError, judge};
use crate::simulate_till::report::Closing;

/// How many batches are settled, half of them with a sale forgotten.
const BATCHES: usize = 6;
const APPROVED: &str = "00";

/// What was measured. Units last.
#[derive(Serialize)]
struct Report {
    sales_a_batch: u32,
    /// The longest settlement with equal totals.
    settle_max_ms: f64,
    /// The longest one with a sale forgotten, its journal included.
    journal_max_ms: f64,
    others_per_s: f64,
    apart: Latency,
    beside_settle: Latency,
    beside_journal: Latency,
    failures: u64,
    unbalanced: usize,
    generator_cpu_us_per_request: Option<f64>,
    gateway_cpu_us_per_request: Option<f64>,
    steal_percent: Option<f64>,
    other_cpu_percent: Option<f64>,
}

/// What a settlement finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Equal totals.
    Equal,
    /// A sale that the terminal forgot.
    Forgetful,
}

/// A settlement that was made.
struct Settled {
    manner: Manner,
    took: Stretch,
}

/// Measures with batches of `sales` sales.
///
/// # Errors
/// When a terminal could not be opened, a sale or a settlement was refused, or a settlement did
/// not find exactly what was forgotten.
pub(super) async fn run(
    args: &BenchArgs,
    shares: &Shares<MemberKind>,
    sales: u32,
) -> Result<(), BenchError> {
    let count = args.connections as usize + BATCHES;
    let mut full = terminal::open(args, shares, count).await?;
    let others = terminal::sources(full.split_off(BATCHES));
    fill(args, &mut full, sales).await?;
    let plan = Plan::new(args, true).await?;
    let (window, before) = (plan.window, Reading::take(args.pid));
    let (ran, settled) = tokio::join!(load::run(plan, others), settle_all(full, window));
    let spent = Reading::take(args.pid).since(&before);
    let ((tally, others), settled) = (ran?, settled?);
    let unbalanced = terminal::close(others).await?;
    let report = Report::new(sales, &tally, &settled, spent, unbalanced)?;
    report.print(args.json)?;
    judge(&tally, unbalanced)
}

/// Makes so many sales at each terminal, over all connections side by side.
async fn fill(args: &BenchArgs, terminals: &mut [Terminal], sales: u32) -> Result<(), BenchError> {
    let mut calls = Vec::new();
    for _ in 0..sales {
        for terminal in &mut *terminals {
            calls.push(terminal.sold().map_err(BenchError::Terminal)?);
        }
    }
    let (calls, next) = (Arc::<[Call]>::from(calls), Arc::new(AtomicUsize::new(0)));
    let address = load::address(args).await?;
    let mut connections = JoinSet::new();
    for _ in 0..args.connections {
        let (calls, next) = (Arc::clone(&calls), Arc::clone(&next));
        let client = WireClient::new(address, content_type(form::CONTENT_TYPE));
        connections.spawn(send(client, calls, next));
    }
    connections.join_all().await.into_iter().collect()
}

async fn send(
    mut client: WireClient,
    calls: Arc<[Call]>,
    next: Arc<AtomicUsize>,
) -> Result<(), BenchError> {
    while let Some(call) = calls.get(next.fetch_add(1, Ordering::Relaxed)) {
        let look = |reply: &super::wire_client::Reply<'_>| {
            let is_approved = reply.has_status(APPROVED);
            is_approved.then_some(()).ok_or_else(|| reply.status_code())
        };
        let answered = client.exchange(call, look).await?;
        let wrong = |code| BenchError::Terminal(format!("a sale was answered {code}"));
        answered.map_err(wrong)?;
    }
    Ok(())
}

/// Settles one terminal after the other, spread over the window.
async fn settle_all(terminals: Vec<Terminal>, window: Window) -> Result<Vec<Settled>, BenchError> {
    let parts = u32::try_from(terminals.len()).unwrap_or(1).max(1);
    let part = window.to.saturating_duration_since(window.from) / parts;
    let manners = [Manner::Equal, Manner::Forgetful].into_iter().cycle();
    let mut settled = Vec::new();
    let mut due = window.from + part / 2;
    for (terminal, manner) in terminals.into_iter().zip(manners) {
        tokio::time::sleep_until(due.into()).await;
        settled.push(settle(terminal, manner).await?);
        due += part;
    }
    Ok(settled)
}

async fn settle(mut terminal: Terminal, manner: Manner) -> Result<Settled, BenchError> {
    if manner == Manner::Forgetful {
        terminal.forget();
    }
    let from = Instant::now();
    let closing = terminal.close().await?;
    let to = Instant::now();
    if is_right(manner, &closing) {
        let took = Stretch { from, to };
        return Ok(Settled { manner, took });
    }
    let text = "a full batch's settlement found something else than what was forgotten";
    Err(BenchError::Terminal(text.to_owned()))
}

fn is_right(manner: Manner, closing: &Closing) -> bool {
    let is_missing = |it: &&EntryResult| it.verdict == Verdict::OnlyAtHost;
    match (manner, closing) {
        (Manner::Equal, Closing::Balanced) => true,
        (Manner::Forgetful, Closing::Compared { results, .. }) => {
            results.iter().filter(is_missing).count() == 1
        }
        (Manner::Equal, Closing::Compared { .. }) | (Manner::Forgetful, Closing::Balanced) => false,
    }
}

/// How long the settlements of a manner took.
fn took(settled: &[Settled], manner: Manner) -> impl Iterator<Item = &Stretch> {
    let made = settled.iter().filter(move |it| it.manner == manner);
    made.map(|it| &it.took)
}

impl Report {
    fn new(
        sales: u32,
        tally: &Tally,
        settled: &[Settled],
        spent: Spent,
        unbalanced: usize,
    ) -> io::Result<Self> {
        let samples = tally.samples.as_deref().unwrap_or_default();
        let beside = |due, manner| took(settled, manner).any(|it| it.is_beside(due));
        let is_equal = |it: &&Sample| beside(it.due, Manner::Equal);
        let is_forgetful = |it: &&Sample| beside(it.due, Manner::Forgetful);
        let is_apart = |it: &&Sample| !is_equal(it) && !is_forgetful(it);
        let per_request = |cpu_s| tally.per_request_us(cpu_s);
        Ok(Self {
            sales_a_batch: sales,
            settle_max_ms: longest_ms(took(settled, Manner::Equal)),
            journal_max_ms: longest_ms(took(settled, Manner::Forgetful)),
            others_per_s: tally.throughput_per_s(),
            apart: Latency::of(samples.iter().filter(is_apart))?,
            beside_settle: Latency::of(samples.iter().filter(is_equal))?,
            beside_journal: Latency::of(samples.iter().filter(is_forgetful))?,
            failures: tally.failures(),
            unbalanced,
            generator_cpu_us_per_request: per_request(spent.own_cpu_s),
            gateway_cpu_us_per_request: per_request(spent.peer_cpu_s),
            steal_percent: spent.steal_percent,
            other_cpu_percent: spent.other_percent,
        })
    }

    fn print(&self, as_json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if as_json {
            serde_json::to_writer(&mut out, self)?;
            return writeln!(out);
        }
        let (settle, journal) = (self.settle_max_ms, self.journal_max_ms);
        writeln!(
            out,
            "{BATCHES} batches of {} sales, settled beside {:.0} messages a second:",
            self.sales_a_batch, self.others_per_s
        )?;
        writeln!(
            out,
            "with equal totals up to {settle:.1} ms, with a sale forgotten {journal:.1} ms"
        )?;
        for (name, latency) in [
            ("apart from settlements", &self.apart),
            ("beside equal ones", &self.beside_settle),
            ("beside journals", &self.beside_journal),
        ] {
            writeln!(out, "{}", latency.line(name))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_what_was_due_around_a_settlement_is_beside_it() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let settled = [(Manner::Equal, 100, 110), (Manner::Forgetful, 1000, 1250)];
        let settled = settled.map(|(manner, from, to)| Settled {
            manner,
            took: Stretch {
                from: at(from),
                to: at(to),
            },
        });
        let window = Window {
            from: start,
            to: at(2000),
        };
        let mut tally = Tally::new(window).unwrap();
        let samples = [99, 100, 209, 210, 999, 1349, 1350].map(|due_ms| Sample {
            due: at(due_ms),
            latency_us: due_ms,
        });
        tally.samples = Some(samples.to_vec());
        let report = Report::new(10, &tally, &settled, Spent::default(), 0).unwrap();
        let counted = [&report.apart, &report.beside_settle, &report.beside_journal];
        assert_eq!(counted.map(|it| it.requests), [4, 2, 1]);
        assert_eq!(
            (report.beside_settle.max_us, report.settle_max_ms),
            (209, 10.0)
        );
        assert!((report.journal_max_ms - 250.0).abs() < 1e-6);
    }
}
