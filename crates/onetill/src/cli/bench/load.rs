//! The load generator: threads, connections, schedule.
//!
//! With a rate, request number *n* is due at *start + n / rate*, whatever the gateway does, and
//! its latency counts from then: a stalled gateway shows as long latencies, not as fewer
//! requests. Whichever connection is free takes the next number. Waiting is as fine as tokio's
//! timer, one millisecond, always late and never early.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use tokio::task::{JoinSet, LocalSet};

use super::acknowledged::Acknowledged;
use super::merchants::Merchant;
use super::mix::Kind;
use super::tally::{Tally, Window};
use super::till::{Errand, Habits, Till};
use super::wire_client::{Reply, WireClient};
use super::{BenchArgs, BenchError};

/// How long replies are waited for after the last request. A payment may take 80 s, but not
/// one of the codes that are asked for here.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection rests after a transport error.
const RETRY_PAUSE: Duration = Duration::from_millis(20);
/// How often the progress bar moves.
const TICK: Duration = Duration::from_millis(100);
/// Most connections; beyond it the machine runs out of file descriptors first.
const CONNECTIONS_MAX: u32 = 9_000;

/// Everything the threads of one run share.
pub(super) struct Plan {
    address: SocketAddr,
    habits: Arc<Habits>,
    acknowledged: Option<Acknowledged>,
    connections: u32,
    threads: u32,
    seed: u64,
    rate: u32,
    requests_max: u64,
    window: Window,
    started: Instant,
    started_ms: i64,
    /// How many requests were handed out.
    taken: AtomicU64,
    /// How many were answered rightly, for the progress bar.
    answered: AtomicU64,
    stopped: AtomicBool,
}

impl Plan {
    /// Checks the settings; the clock starts here.
    pub(super) async fn new(
        args: &BenchArgs,
        merchants: Vec<Merchant>,
    ) -> Result<Arc<Self>, BenchError> {
        check(args)?;
        let address = address(args).await?;
        let acknowledged = args
            .acknowledged
            .as_deref()
            .map(Acknowledged::open)
            .transpose()?;
        let now = Timestamp::now().as_millisecond();
        let habits = Habits {
            merchants,
            mix: args.mix.clone(),
            duplicates: args.duplicates,
            run: format!("{now:x}"),
        };
        let started = Instant::now();
        let from = started + seconds("warmup", args.warmup)?;
        let window = Window {
            from,
            to: from + seconds("duration", args.duration)?,
        };
        Ok(Arc::new(Self {
            address,
            habits: Arc::new(habits),
            acknowledged,
            connections: args.connections,
            threads: args.threads,
            seed: args.seed,
            rate: args.rate,
            requests_max: args.requests.unwrap_or(u64::MAX),
            window,
            started,
            started_ms: now,
            taken: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        }))
    }

    /// When the next request is due, once that moment has come; `None` when there is no more.
    async fn next_due(&self) -> Option<Instant> {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        if number >= self.requests_max || now >= self.window.to || self.is_stopped() {
            return None;
        }
        if self.rate == 0 {
            return Some(now);
        }
        let due = self.started + self.offset(number);
        if due >= self.window.to {
            return None;
        }
        if due > now {
            tokio::time::sleep_until(due.into()).await;
        }
        (!self.is_stopped()).then_some(due)
    }

    fn offset(&self, number: u64) -> Duration {
        let nanos = u128::from(number) * 1_000_000_000 / u128::from(self.rate.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn now_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(0);
        self.started_ms.saturating_add(elapsed)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// How many requests were due on the schedule.
    fn scheduled(&self) -> u64 {
        let length = self.window.to.saturating_duration_since(self.started);
        let due = length.as_nanos() * u128::from(self.rate) / 1_000_000_000;
        u64::try_from(due)
            .unwrap_or(u64::MAX)
            .min(self.requests_max)
    }
}

fn check(args: &BenchArgs) -> Result<(), BenchError> {
    let fault = |text: &str| Err(BenchError::Setting(text.to_owned()));
    if args.connections == 0 || args.connections > CONNECTIONS_MAX {
        return fault("--connections must be between 1 and 9000");
    }
    if args.threads == 0 || args.threads > args.connections {
        return fault("--threads must be between 1 and --connections");
    }
    if args.duplicates > 100 {
        return fault("--duplicates is a percentage");
    }
    Ok(())
}

/// A length of time that was given as `--{name}`.
pub(super) fn seconds(name: &str, value: f64) -> Result<Duration, BenchError> {
    let duration = Duration::try_from_secs_f64(value).ok();
    let duration = duration.filter(|duration| duration.as_secs() <= 7 * 86_400);
    duration.ok_or_else(|| BenchError::Setting(format!("--{name} must be 0 s to 7 days")))
}

/// Where the gateway listens; another machine's address only where that is allowed.
pub(super) async fn address(args: &BenchArgs) -> Result<SocketAddr, BenchError> {
    let fault = || BenchError::Setting(format!("{:?} is not http://HOST:PORT", args.url));
    let host = args
        .url
        .strip_prefix("http://")
        .ok_or_else(fault)?
        .trim_end_matches('/');
    let mut found = tokio::net::lookup_host(host).await.map_err(|_| fault())?;
    let address = found.next().ok_or_else(fault)?;
    if address.ip().is_loopback() || args.allow_remote {
        Ok(address)
    } else {
        Err(BenchError::Remote(address))
    }
}

/// Runs the load to its end, or until the user interrupts it.
pub(super) async fn run(plan: Arc<Plan>) -> Result<Tally, BenchError> {
    let threads: Vec<_> = (0..plan.threads)
        .map(|thread| start(&plan, thread))
        .collect::<Result<_, _>>()?;
    watch(&plan, &threads).await;
    let mut tally = Tally::new(plan.window)?;
    for thread in threads {
        tally.merge(
            thread
                .join()
                .map_err(|_| io::Error::other("a thread broke off"))??,
        );
    }
    if plan.rate > 0 && !plan.is_stopped() {
        let asked = tally.successes() + tally.failures();
        tally.missed = plan.scheduled().saturating_sub(asked);
    }
    Ok(tally)
}

/// Shows progress on a terminal until all threads are done.
async fn watch(plan: &Plan, threads: &[JoinHandle<io::Result<Tally>>]) {
    let bar = ProgressBar::new(millis(
        plan.window.to.saturating_duration_since(plan.started),
    ));
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {msg}") {
        bar.set_style(style);
    }
    while !threads.iter().all(JoinHandle::is_finished) {
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = tokio::signal::ctrl_c() => plan.stopped.store(true, Ordering::Relaxed),
        }
        bar.set_position(millis(plan.started.elapsed()));
        bar.set_message(format!(
            "{} answered",
            plan.answered.load(Ordering::Relaxed)
        ));
    }
    bar.finish_and_clear();
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Starts one thread with its share of the connections.
fn start(plan: &Arc<Plan>, thread: u32) -> io::Result<JoinHandle<io::Result<Tally>>> {
    let plan = Arc::clone(plan);
    let name = format!("bench-{thread}");
    thread::Builder::new().name(name).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let tally = Rc::new(RefCell::new(Tally::new(plan.window)?));
        let all = drive(Arc::clone(&plan), thread, Rc::clone(&tally));
        let unanswered = LocalSet::new().block_on(&runtime, all);
        drop(runtime);
        let mut tally = Rc::into_inner(tally).ok_or_else(|| io::Error::other("task left"))?;
        tally.get_mut().unanswered += unanswered;
        Ok(tally.into_inner())
    })
}

/// Runs one thread's connections; says how many never heard back.
async fn drive(plan: Arc<Plan>, thread: u32, tally: Rc<RefCell<Tally>>) -> u64 {
    let mut tasks = JoinSet::new();
    for number in (0..plan.connections).filter(|number| number % plan.threads == thread) {
        let connection = Connection {
            client: WireClient::new(plan.address),
            till: Till::new(Arc::clone(&plan.habits), number, plan.seed),
            plan: Arc::clone(&plan),
            tally: Rc::clone(&tally),
        };
        tasks.spawn_local(connection.run());
    }
    let deadline = plan.window.to + PATIENCE;
    let all = async { while tasks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout_at(deadline.into(), all).await;
    let unanswered = u64::try_from(tasks.len()).unwrap_or(u64::MAX);
    tasks.shutdown().await;
    unanswered
}

/// One connection with the till behind it.
struct Connection {
    plan: Arc<Plan>,
    client: WireClient,
    till: Till,
    tally: Rc<RefCell<Tally>>,
}

/// What a reply said: nothing but that it was right, or the code that was wrong.
enum Verdict {
    Right { gateway_serial: Option<String> },
    Wrong(String),
}

impl Connection {
    async fn run(mut self) {
        while let Some(due) = self.plan.next_due().await {
            let errand = self.till.next(self.plan.now_ms());
            self.tally.borrow_mut().connects += u64::from(self.client.is_closed());
            let wants_serial = self.plan.acknowledged.is_some();
            let look = |reply: &Reply<'_>| judge(reply, errand.kind, wants_serial);
            match self.client.exchange(&errand.call, look).await {
                Ok(Verdict::Right { gateway_serial }) => self.settle(errand, due, gateway_serial),
                Ok(Verdict::Wrong(code)) => self.tally.borrow_mut().add_wrong(errand.kind, code),
                Err(error) => {
                    let code = format!("IO_{:?}", error.kind());
                    self.tally.borrow_mut().add_wrong(errand.kind, code);
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    fn settle(&mut self, errand: Errand, due: Instant, gateway_serial: Option<String>) {
        self.tally
            .borrow_mut()
            .add_right(errand.kind, due, Instant::now());
        self.plan.answered.fetch_add(1, Ordering::Relaxed);
        if errand.kind != Kind::Pay {
            return;
        }
        if let (Some(file), Some(gateway_serial)) = (&self.plan.acknowledged, gateway_serial) {
            let merchant = self.till.merchant_code(&errand.sale);
            if file
                .add(merchant, &errand.sale.merchant_serial, &gateway_serial)
                .is_err()
            {
                self.tally
                    .borrow_mut()
                    .add_wrong(Kind::Pay, "ACKNOWLEDGED_FILE".to_owned());
            }
        }
        self.till.remember(errand.sale);
    }
}

fn judge(reply: &Reply<'_>, kind: Kind, wants_serial: bool) -> Verdict {
    if !reply.has_code(kind.right_code()) {
        return Verdict::Wrong(reply.code());
    }
    let serial = reply.gateway_serial().filter(|_| wants_serial);
    Verdict::Right {
        gateway_serial: serial.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_bounded() {
        assert!(seconds("x", 0.5).is_ok());
        for wrong in [-1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert!(seconds("x", wrong).is_err());
        }
    }
}
