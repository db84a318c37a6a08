//! What came of a day.

use super::books::{self, Balances};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use wire::jpos::{
    Operation, Status, TraceNo,
    reply::{Difference, EntryResult, Verdict},
};

/// Latencies above this are shown as this, in microseconds.
const LATENCY_US_MAX: u64 = 600_000_000;
/// How many disagreements are told in full.
const TOLD_MAX: usize = 20;

/// What one terminal counted, or all of them.
#[derive(Default)]
pub struct Tally {
    pub(super) terminal: String,
    /// Answers, by function and status.
    pub(super) answers: BTreeMap<(Operation, Status), u64>,
    /// Time to the answer in microseconds, by function.
    pub(super) latency_us: BTreeMap<Operation, Vec<u64>>,
    pub(super) transactions: u64,
    pub(super) approved: u64,
    pub(super) declined: u64,
    pub(super) answers_lost: u64,
    pub(super) requests_lost: u64,
    pub(super) broken: u64,
    pub(super) reversed: u64,
    pub(super) reversal_requests: u64,
    pub(super) repeated: u64,
    pub(super) late: u64,
    /// Whether its batch held others' messages in the morning.
    pub(super) found_open: bool,
    /// What its transactions did to the points of each card.
    pub(super) moved: Balances,
    disagreements: Vec<String>,
}

impl Tally {
    pub(super) fn timed(&mut self, operation: Operation, status: Status, took: Duration) {
        *self.answers.entry((operation, status)).or_default() += 1;
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.latency_us.entry(operation).or_default().push(took_us);
    }

    pub(super) fn disagree(&mut self, text: String) {
        self.disagreements.push(text);
    }

    fn absorb(&mut self, other: Self) {
        for (key, count) in other.answers {
            *self.answers.entry(key).or_default() += count;
        }
        for (operation, mut times) in other.latency_us {
            self.latency_us
                .entry(operation)
                .or_default()
                .append(&mut times);
        }
        for (card, moved) in other.moved {
            *self.moved.entry(card).or_default() += moved;
        }
        self.transactions += other.transactions;
        self.approved += other.approved;
        self.declined += other.declined;
        self.answers_lost += other.answers_lost;
        self.requests_lost += other.requests_lost;
        self.broken += other.broken;
        self.reversed += other.reversed;
        self.reversal_requests += other.reversal_requests;
        self.repeated += other.repeated;
        self.late += other.late;
        self.disagreements.extend(other.disagreements);
    }
}

/// How a batch ended.
pub enum Closing {
    /// All totals were equal.
    Balanced,
    /// They were not, and the journals were compared.
    Compared {
        /// The totals that differ.
        differences: Vec<Difference>,
        /// Each message of either journal.
        results: Vec<EntryResult>,
    },
}

/// A transaction that a terminal was made to forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    /// Whose.
    pub terminal: String,
    /// What it was.
    pub operation: Operation,
    /// Its number.
    pub trace_no: TraceNo,
}

/// What became of the planted difference.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Plant {
    Unwanted,
    Impossible,
    Made { planted: Planted, is_found: bool },
}

/// What came of the day.
pub struct Report {
    all: Tally,
    terminals: u64,
    balanced: u64,
    found_open: Vec<String>,
    plant: Plant,
    cards_compared: usize,
    /// How long the tills were at work.
    pub worked: Duration,
    /// How long all of it took.
    pub took: Duration,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            all: Tally::default(),
            terminals: 0,
            balanced: 0,
            found_open: Vec::new(),
            plant: Plant::Unwanted,
            cards_compared: 0,
            worked: Duration::ZERO,
            took: Duration::ZERO,
        }
    }

    /// Remembers what was planted, before the settlements.
    pub(super) fn plant(&mut self, planted: Option<Planted>) {
        self.plant = planted.map_or(Plant::Impossible, |planted| Plant::Made {
            planted,
            is_found: false,
        });
    }

    /// Adds a terminal's day.
    pub(super) fn add(&mut self, tally: Tally, closing: Closing) {
        self.terminals += 1;
        if tally.found_open {
            self.found_open.push(tally.terminal.clone());
        }
        match closing {
            Closing::Balanced => self.balanced += 1,
            Closing::Compared {
                differences,
                results,
            } => self.compared(&tally.terminal, &differences, &results),
        }
        self.all.absorb(tally);
    }

    fn compared(&mut self, terminal: &str, totals: &[Difference], results: &[EntryResult]) {
        let differing = || results.iter().filter(|it| it.verdict != Verdict::Matched);
        if let Plant::Made { planted, is_found } = &mut self.plant {
            let is_it = |it: &EntryResult| {
                it.verdict == Verdict::OnlyAtHost
                    && (it.operation, it.trace_no) == (planted.operation, planted.trace_no)
            };
            if planted.terminal == terminal && differing().count() == 1 && differing().all(is_it) {
                *is_found = true;
                return;
            }
        }
        let names: Vec<_> = totals.iter().map(|it| it.field.as_ref()).collect();
        let text = format!("{terminal}: settlement differs in {}", names.join(", "));
        self.all.disagree(text);
        if differing().next().is_none() {
            let text = format!("{terminal}: and yet each message agrees");
            self.all.disagree(text);
        }
        for it in differing() {
            let found = it.verdict.as_str();
            let (function, trace_no) = (it.operation.function(), it.trace_no);
            self.all
                .disagree(format!("{terminal}: {function} {trace_no}: {found}"));
        }
    }

    /// Compares what each card holds with what the tills were told.
    pub(super) fn compare_cards(&mut self, before: &Balances, after: &Balances) {
        self.cards_compared = before.len();
        for text in books::differences(before, &self.all.moved, after) {
            self.all.disagree(text);
        }
    }

    /// Whether everything agrees, and a planted difference was found exactly.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let is_found = match &self.plant {
            Plant::Unwanted => true,
            Plant::Impossible => false,
            Plant::Made { is_found, .. } => *is_found,
        };
        is_found && self.all.disagreements.is_empty()
    }

    /// What did not agree.
    #[must_use]
    pub fn disagreements(&self) -> &[String] {
        &self.all.disagreements
    }

    /// Transactions a second, while the tills were at work.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        // Counts of a day are far below 2^52.
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let count = self.all.transactions as f64;
        count / self.worked.as_secs_f64().max(0.001)
    }

    /// The figures as sentences.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let it = &self.all;
        let mut lines = vec![
            format!(
                "{} terminals, {} transactions in {:.1} s ({:.0}/s): {} approved, {} declined",
                self.terminals,
                it.transactions,
                self.worked.as_secs_f64(),
                self.per_second(),
                it.approved,
                it.declined,
            ),
            format!(
                "{} answers and {} requests lost, {} connections broken; {} messages reversed with \
                 {} reversals, {} asked again, {} arrived after their reversal",
                it.answers_lost,
                it.requests_lost,
                it.broken,
                it.reversed,
                it.reversal_requests,
                it.repeated,
                it.late,
            ),
        ];
        lines.extend(self.found_open.iter().map(|terminal| {
            format!("{terminal}: its batch held others' messages and was closed with differences")
        }));
        lines.push(format!(
            "{} of {} settlements balanced",
            self.balanced, self.terminals
        ));
        lines.extend(self.planted());
        lines.push(format!(
            "{} cards compared with the tills' books",
            self.cards_compared
        ));
        lines.extend(it.disagreements.iter().take(TOLD_MAX).cloned());
        let untold = it.disagreements.len().saturating_sub(TOLD_MAX);
        lines.extend((untold > 0).then(|| format!("and {untold} more disagreements")));
        lines
    }

    fn planted(&self) -> Option<String> {
        match &self.plant {
            Plant::Unwanted => None,
            Plant::Impossible => {
                Some("no terminal had a transaction that it could have forgotten".to_owned())
            }
            Plant::Made { planted, is_found } => Some(format!(
                "{} forgot {} {}: {}",
                planted.terminal,
                planted.operation.function(),
                planted.trace_no,
                if *is_found {
                    "the settlement named exactly it"
                } else {
                    "the settlement did NOT name exactly it"
                },
            )),
        }
    }

    /// Answers and times by function: name, count, p50, p99 and the longest, in milliseconds, and
    /// the statuses.
    #[must_use]
    pub fn functions(&self) -> Vec<(&'static str, u64, [f64; 3], String)> {
        let functions = self.all.latency_us.iter();
        let rows = functions.map(|(operation, times)| {
            let answers = self.all.answers.iter();
            let statuses = answers.filter(|((known, _), _)| known == operation);
            let statuses =
                statuses.map(|((_, status), count)| format!("{} {count}", status.code()));
            (
                operation.function(),
                times.len() as u64,
                percentiles_ms(times),
                statuses.collect::<Vec<_>>().join(", "),
            )
        });
        rows.collect()
    }

    /// Everything as one JSON document.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let it = &self.all;
        let functions = self.functions().into_iter();
        let functions = functions.map(|(function, count, [p50, p99, max], statuses)| {
            json!({
                "function": function, "count": count, "p50_ms": p50, "p99_ms": p99,
                "max_ms": max, "statuses": statuses,
            })
        });
        let planted = match &self.plant {
            Plant::Unwanted | Plant::Impossible => Value::Null,
            Plant::Made { planted, is_found } => json!({
                "terminal": planted.terminal,
                "function": planted.operation.function(),
                "traceNo": planted.trace_no.to_string(),
                "found": is_found,
            }),
        };
        json!({
            "agrees": self.agrees(),
            "terminals": self.terminals,
            "transactions": it.transactions,
            "approved": it.approved,
            "declined": it.declined,
            "answers_lost": it.answers_lost,
            "requests_lost": it.requests_lost,
            "broken": it.broken,
            "reversed": it.reversed,
            "reversal_requests": it.reversal_requests,
            "repeated": it.repeated,
            "late": it.late,
            "balanced": self.balanced,
            "planted": planted,
            "cards_compared": self.cards_compared,
            "per_s": self.per_second(),
            "worked_s": self.worked.as_secs_f64(),
            "took_s": self.took.as_secs_f64(),
            "functions": functions.collect::<Vec<_>>(),
            "disagreements": it.disagreements,
        })
    }
}

fn percentiles_ms(times_us: &[u64]) -> [f64; 3] {
    let Ok(mut histogram) = Histogram::<u64>::new_with_max(LATENCY_US_MAX, 3) else {
        return [0.0; 3];
    };
    for time in times_us {
        histogram.saturating_record(*time);
    }
    let quantiles = [0.5, 0.99, 1.0].map(|it| histogram.value_at_quantile(it));
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    quantiles.map(|us| us as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(trace: u32, verdict: Verdict) -> EntryResult {
        EntryResult {
            operation: Operation::Consume,
            trace_no: TraceNo::new(trace).unwrap(),
            serial_no: None,
            verdict,
        }
    }

    fn compared(results: Vec<EntryResult>) -> Closing {
        Closing::Compared {
            differences: Vec::new(),
            results,
        }
    }

    fn tally(terminal: &str) -> Tally {
        Tally {
            terminal: terminal.to_owned(),
            ..Tally::default()
        }
    }

    fn report(results: Vec<EntryResult>, planted: Option<u32>) -> Report {
        let mut report = Report::new();
        if let Some(trace) = planted {
            report.plant(Some(Planted {
                terminal: "1/7".to_owned(),
                operation: Operation::Consume,
                trace_no: TraceNo::new(trace).unwrap(),
            }));
        }
        report.add(tally("1/7"), compared(results));
        report.add(tally("1/8"), Closing::Balanced);
        report
    }

    #[test]
    fn a_planted_difference_must_be_named_exactly() {
        let named = vec![result(1, Verdict::Matched), result(2, Verdict::OnlyAtHost)];
        assert!(report(named.clone(), Some(2)).agrees());
        assert!(!report(named.clone(), Some(1)).agrees(), "another one");
        assert!(!report(named.clone(), None).agrees(), "nobody planted it");
        let more = [&named[..], &[result(3, Verdict::OnlyAtTerminal)]].concat();
        assert!(!report(more, Some(2)).agrees(), "and something else");
        let mut unnoticed = Report::new();
        unnoticed.plant(None);
        unnoticed.add(tally("1/7"), Closing::Balanced);
        assert!(!unnoticed.agrees());
    }

    #[test]
    fn times_are_told_in_milliseconds() {
        let times: Vec<u64> = (1..=100).map(|ms| ms * 1000).collect();
        let [p50, p99, max] = percentiles_ms(&times);
        let is_near = |it: f64, ms: f64| (it - ms).abs() < 0.2;
        assert!(
            is_near(p50, 50.0) && is_near(p99, 99.0) && is_near(max, 100.0),
            "{p50} {p99}"
        );
    }

    #[test]
    fn what_differs_is_told_by_terminal_function_and_number() {
        let report = report(vec![result(2, Verdict::OnlyAtHost)], None);
        let told = report.sentences().join("\n");
        assert!(
            told.contains("1/7: trans/consume 000002: hostOnly"),
            "{told}"
        );
        assert!(told.contains("1 of 2 settlements balanced"), "{told}");
    }
}
