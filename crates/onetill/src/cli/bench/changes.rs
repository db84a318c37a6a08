//! `onetill bench --activate`: how fast boxes of voucher codes are activated and voided, and what
//! that does to payments beside it.
//!
//! While tills pay on their schedule, each box is activated, and half a turn later voided. A change
//! is accepted when it was answered, and done when the activation's result says so and the box's
//! first and last codes stand as they should.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use wire::voucher::request::{Activate, Codes as Names, ExtendData, ResultQuery};
use wire::voucher::{Request, ReturnCode};

use super::beside::{Latency, Stretch, longest_ms};
use super::codes::{CodeBox, Codes};
use super::load::{self, Plan};
use super::machine::{Reading, Spent};
use super::partner::{Partner, quoted};
use super::source::Source;
use super::tally::{Sample, Tally, Window};
use super::{BenchArgs, BenchError, desk, judge};

/// How long a change may take until it shows.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two looks at it.
const TICK: Duration = Duration::from_millis(1);
const STATUS: &str = "\"status\":\"";
const ACTIVE: &str = "03";
const VOID: &str = "05";

/// What was measured. Units last.
#[derive(Serialize)]
struct Report {
    boxes: usize,
    activation_accepted_max_ms: f64,
    activation_done_max_ms: f64,
    void_accepted_max_ms: f64,
    void_done_max_ms: f64,
    others_per_s: f64,
    apart: Latency,
    beside_activation: Latency,
    beside_void: Latency,
    failures: u64,
    missed: u64,
    generator_cpu_us_per_request: Option<f64>,
    gateway_cpu_us_per_request: Option<f64>,
    steal_percent: Option<f64>,
    other_cpu_percent: Option<f64>,
}

/// What is done to a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Activate,
    Void,
}

/// A change that was made.
struct Changed {
    act: Act,
    /// Until it was answered.
    accepted: Stretch,
    /// Until it showed.
    done: Stretch,
}

/// Measures with the boxes of `codes`, and payments from `tills` beside them.
///
/// # Errors
/// When a change was refused, or does not show.
pub(super) async fn run(
    args: &BenchArgs,
    tills: Vec<Source>,
    codes: &Codes,
) -> Result<(), BenchError> {
    let partner = Partner::new(args).await?;
    let plan = Plan::new(args, true).await?;
    let (window, before) = (plan.window, Reading::take(args.pid));
    let changing = change_all(&partner, codes.boxes(), window);
    let (ran, changed) = tokio::join!(load::run(plan, tills), changing);
    let spent = Reading::take(args.pid).since(&before);
    let ((tally, _), changed) = (ran?, changed?);
    let report = Report::new(&tally, &changed, spent)?;
    report.print(args.json)?;
    judge(&tally, 0)
}

/// Activates and voids one box after the other, spread over the window.
async fn change_all(
    partner: &Partner,
    boxes: &[CodeBox],
    window: Window,
) -> Result<Vec<Changed>, BenchError> {
    let acts = boxes
        .iter()
        .flat_map(|it| [(it, Act::Activate), (it, Act::Void)]);
    let parts = u32::try_from(boxes.len() * 2).unwrap_or(u32::MAX);
    let part = window.to.saturating_duration_since(window.from) / parts;
    let mut due = window.from + part / 2;
    let mut changed = Vec::new();
    for (carton, act) in acts {
        tokio::time::sleep_until(due.into()).await;
        changed.push(change(partner, carton, act).await?);
        due += part;
    }
    Ok(changed)
}

async fn change(partner: &Partner, carton: &CodeBox, act: Act) -> Result<Changed, BenchError> {
    let number = format!("{:x}", Timestamp::now().as_microsecond());
    let (request, right, status) = match act {
        Act::Activate => (activation(carton, &number), ReturnCode::Activating, ACTIVE),
        Act::Void => (void(carton, &number), ReturnCode::Voided, VOID),
    };
    let request =
        request.ok_or_else(|| BenchError::Partner(format!("{} is no box", carton.name)))?;
    let from = Instant::now();
    partner.ask(&request, right).await?;
    let accepted = Stretch {
        from,
        to: Instant::now(),
    };
    if act == Act::Activate {
        let result = Request::ActiveResultQuery(ResultQuery {
            trace_no: number.clone(),
            original_trace_no: number,
            business_type: None,
        });
        partner.expect(&result, ReturnCode::AllActive).await?;
    }
    for code in &carton.ends {
        until(partner, code, status).await?;
    }
    let done = Stretch {
        from,
        to: Instant::now(),
    };
    Ok(Changed {
        act,
        accepted,
        done,
    })
}

fn activation(carton: &CodeBox, number: &str) -> Option<Request> {
    Some(Request::ActiveVoucher(Activate {
        items: desk::items(&carton.name)?,
        trace_no: number.to_owned(),
        total_amount_fen: 0,
        business_type: None,
        extend_data: ExtendData::default(),
    }))
}

fn void(carton: &CodeBox, number: &str) -> Option<Request> {
    Some(Request::DelVoucher(Names {
        items: desk::items(&carton.name)?,
        trace_no: number.to_owned(),
        business_type: None,
    }))
}

/// Asks how a code stands until it stands so.
async fn until(partner: &Partner, code: &str, status: &str) -> Result<(), BenchError> {
    let look = desk::look(code).ok_or_else(|| BenchError::Partner("not a code".to_owned()))?;
    let patience = Instant::now() + PATIENCE;
    loop {
        let text = partner.ask(&look, ReturnCode::Found).await?;
        match quoted(&text, STATUS) {
            Some(found) if found == status => return Ok(()),
            Some(_) | None if Instant::now() < patience => tokio::time::sleep(TICK).await,
            found => {
                let found = found.unwrap_or("nothing");
                let text = format!("a code stands at {found} where {status} is right");
                return Err(BenchError::Partner(text));
            }
        }
    }
}

/// The changes of a kind.
fn made(changed: &[Changed], act: Act) -> impl Iterator<Item = &Changed> {
    changed.iter().filter(move |it| it.act == act)
}

impl Report {
    fn new(tally: &Tally, changed: &[Changed], spent: Spent) -> io::Result<Self> {
        let samples = tally.samples.as_deref().unwrap_or_default();
        let beside = |due, act| made(changed, act).any(|it| it.done.is_beside(due));
        let is_activation = |it: &&Sample| beside(it.due, Act::Activate);
        let is_void = |it: &&Sample| beside(it.due, Act::Void);
        let is_apart = |it: &&Sample| !is_activation(it) && !is_void(it);
        let accepted = |act| longest_ms(made(changed, act).map(|it| &it.accepted));
        let done = |act| longest_ms(made(changed, act).map(|it| &it.done));
        let per_request = |cpu_s| tally.per_request_us(cpu_s);
        Ok(Self {
            boxes: made(changed, Act::Activate).count(),
            activation_accepted_max_ms: accepted(Act::Activate),
            activation_done_max_ms: done(Act::Activate),
            void_accepted_max_ms: accepted(Act::Void),
            void_done_max_ms: done(Act::Void),
            others_per_s: tally.throughput_per_s(),
            apart: Latency::of(samples.iter().filter(is_apart))?,
            beside_activation: Latency::of(samples.iter().filter(is_activation))?,
            beside_void: Latency::of(samples.iter().filter(is_void))?,
            failures: tally.failures(),
            missed: tally.missed,
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
        writeln!(
            out,
            "{} boxes, activated and voided beside {:.0} payments a second:",
            self.boxes, self.others_per_s
        )?;
        writeln!(
            out,
            "activations accepted within {:.1} ms and done within {:.1}, voids {:.1} and {:.1}",
            self.activation_accepted_max_ms,
            self.activation_done_max_ms,
            self.void_accepted_max_ms,
            self.void_done_max_ms
        )?;
        for (name, latency) in [
            ("apart from changes", &self.apart),
            ("beside activations", &self.beside_activation),
            ("beside voids", &self.beside_void),
        ] {
            writeln!(out, "{}", latency.line(name))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_due_until_a_change_showed_is_beside_it() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let stretch = |from, to| Stretch {
            from: at(from),
            to: at(to),
        };
        let changed = |act, from, accepted, done| Changed {
            act,
            accepted: stretch(from, accepted),
            done: stretch(from, done),
        };
        let changed = [
            changed(Act::Activate, 100, 105, 130),
            changed(Act::Void, 1_000, 1_004, 1_010),
        ];
        let window = Window {
            from: start,
            to: at(2_000),
        };
        let mut tally = Tally::new(window).unwrap();
        let samples = [99, 100, 229, 230, 999, 1_109, 1_110].map(|due_ms| Sample {
            due: at(due_ms),
            latency_us: due_ms,
        });
        tally.samples = Some(samples.to_vec());
        let report = Report::new(&tally, &changed, Spent::default()).unwrap();
        let counted = [
            &report.apart,
            &report.beside_activation,
            &report.beside_void,
        ];
        assert_eq!(counted.map(|it| it.requests), [4, 2, 1]);
        let took = [
            report.activation_accepted_max_ms,
            report.activation_done_max_ms,
            report.void_accepted_max_ms,
            report.void_done_max_ms,
        ];
        let took = took.map(|ms| ms.round());
        assert!(took.into_iter().eq([5.0, 30.0, 4.0, 10.0]), "{took:?}");
    }
}
