//! The tally for people and as JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::machine::Spent;
use super::tally::{Tally, float};
use super::{BenchArgs, BenchError};

/// How many seconds at each end of a run are compared, to show decay.
const END_SECONDS: usize = 2;

/// Everything that was measured. Units last.
#[derive(Serialize)]
struct Report<'a> {
    url: &'a str,
    connections: u32,
    threads: u32,
    rate_per_s: u32,
    duration_s: f64,
    seed: u64,
    requests: u64,
    throughput_per_s: f64,
    latency_us: Latency,
    first_2s_per_s: Option<f64>,
    last_2s_per_s: Option<f64>,
    last_over_first: Option<f64>,
    per_second: &'a [u64],
    outcomes: Vec<Outcome<'a>>,
    failures: u64,
    missed: u64,
    /// Terminals whose settlement differed from the gateway's; nothing where there are none.
    unbalanced: Option<usize>,
    connects: u64,
    generator_cpu_us_per_request: Option<f64>,
    gateway_cpu_us_per_request: Option<f64>,
    steal_percent: Option<f64>,
    other_cpu_percent: Option<f64>,
}

#[derive(Serialize)]
struct Latency {
    p50: u64,
    p90: u64,
    p99: u64,
    p999: u64,
    max: u64,
}

#[derive(Serialize)]
struct Outcome<'a> {
    kind: &'static str,
    code: &'a str,
    count: u64,
    right: bool,
}

/// Prints what was measured.
pub(super) fn print(
    args: &BenchArgs,
    tally: &Tally,
    spent: Spent,
    unbalanced: Option<usize>,
) -> Result<(), BenchError> {
    let report = Report {
        unbalanced,
        ..Report::new(args, tally, spent)
    };
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        report.write(&mut out)?;
    }
    Ok(())
}

impl<'a> Report<'a> {
    fn new(args: &'a BenchArgs, tally: &'a Tally, spent: Spent) -> Self {
        let duration_s = tally.window.length_s();
        let (first, last) = ends(&tally.per_second, duration_s);
        let per_request = |cpu_s| tally.per_request_us(cpu_s);
        Self {
            url: &args.url,
            connections: args.connections,
            threads: args.threads,
            rate_per_s: args.rate,
            duration_s,
            seed: args.seed,
            requests: tally.requests(),
            throughput_per_s: tally.throughput_per_s(),
            latency_us: Latency::new(tally),
            first_2s_per_s: first,
            last_2s_per_s: last,
            last_over_first: first.zip(last).map(|(first, last)| last / first.max(1e-9)),
            per_second: &tally.per_second,
            outcomes: outcomes(tally),
            failures: tally.failures(),
            missed: tally.missed,
            unbalanced: None,
            connects: tally.connects,
            generator_cpu_us_per_request: per_request(spent.own_cpu_s),
            gateway_cpu_us_per_request: per_request(spent.peer_cpu_s),
            steal_percent: spent.steal_percent,
            other_cpu_percent: spent.other_percent,
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Latency {
            p50,
            p90,
            p99,
            p999,
            max,
        } = &self.latency_us;
        writeln!(
            out,
            "{:.0} a second over {:.1} s",
            self.throughput_per_s, self.duration_s
        )?;
        writeln!(
            out,
            "latency in µs: p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max}"
        )?;
        if let (Some(first), Some(last)) = (self.first_2s_per_s, self.last_2s_per_s) {
            writeln!(out, "first 2 s: {first:.0} a second, last 2 s: {last:.0}")?;
        }
        self.write_costs(out)?;
        for Outcome {
            kind,
            code,
            count,
            right,
        } in &self.outcomes
        {
            let mark = if *right { "" } else { "  (wrong)" };
            writeln!(out, "{kind:>10} {code:<24} {count:>10}{mark}")?;
        }
        if self.missed > 0 {
            writeln!(
                out,
                "{} were due and never sent: no connection was free",
                self.missed
            )?;
        }
        Ok(())
    }

    fn write_costs(&self, out: &mut impl Write) -> io::Result<()> {
        if let Some(own) = self.generator_cpu_us_per_request {
            write!(out, "CPU a request: generator {own:.1} µs")?;
            if let Some(gateway) = self.gateway_cpu_us_per_request {
                write!(out, ", gateway {gateway:.1} µs")?;
            }
            writeln!(out)?;
        }
        match self.steal_percent {
            Some(steal) if steal > 0.05 => writeln!(out, "CPU steal: {steal:.1} %"),
            Some(_) | None => Ok(()),
        }
    }
}

impl Latency {
    fn new(tally: &Tally) -> Self {
        let at = |quantile| tally.latency_us.value_at_quantile(quantile);
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: tally.latency_us.max(),
        }
    }
}

fn outcomes(tally: &Tally) -> Vec<Outcome<'_>> {
    let right = tally.right.iter().map(|(kind, count)| Outcome {
        kind: kind.as_str(),
        code: kind.right_code(),
        count: *count,
        right: true,
    });
    let wrong = tally.wrong.iter().map(|((kind, code), count)| Outcome {
        kind: kind.as_str(),
        code,
        count: *count,
        right: false,
    });
    right.chain(wrong).collect()
}

/// Throughput of the first and of the last two whole seconds, if the run had both.
fn ends(per_second: &[u64], duration_s: f64) -> (Option<f64>, Option<f64>) {
    let whole = per_second.iter().enumerate();
    let whole: Vec<u64> = whole
        .take_while(|(index, _)| float(*index as u64 + 1) <= duration_s + 1e-6)
        .map(|(_, count)| *count)
        .collect();
    if whole.len() < 2 * END_SECONDS {
        return (None, None);
    }
    let mean = |counts: &[u64]| float(counts.iter().sum()) / float(END_SECONDS as u64);
    let first = whole.get(..END_SECONDS).map(mean);
    let last = whole.get(whole.len() - END_SECONDS..).map(mean);
    (first, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_the_ends_of_whole_seconds() {
        assert_eq!(ends(&[10, 20, 30, 40, 7], 4.3), (Some(15.0), Some(35.0)));
        assert_eq!(ends(&[10, 20, 30], 3.0), (None, None));
    }
}
