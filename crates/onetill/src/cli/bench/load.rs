//! The load generator: threads, connections, schedule.
//!
//! With a rate, request number *n* is due at *start + n / rate*, whatever the gateway does, and
//! its latency counts from then: a stalled gateway shows as long latencies, not as fewer
//! requests. Whichever connection is free takes the next number, and waits for its moment as finely
//! as [`Pacer`] does, always late and never early.

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
use super::mix::Kind;
use super::pacer::Pacer;
use super::source::{Errand, Source};
use super::tally::{Tally, Window};
use super::till::Promise;
use super::wire_client::WireClient;
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
    acknowledged: Option<Acknowledged>,
    threads: u32,
    keeps_samples: bool,
    rate: u32,
    /// Where a rate is kept.
    pacer: Option<Arc<Pacer>>,
    requests_max: u64,
    pub(super) window: Window,
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
        keeps_samples: bool,
    ) -> Result<Arc<Self>, BenchError> {
        let address = address(args).await?;
        let acknowledged = args
            .acknowledged
            .as_deref()
            .map(Acknowledged::open)
            .transpose()?;
        let started = Instant::now();
        let from = started + seconds("warmup", args.warmup)?;
        let window = Window {
            from,
            to: from + seconds("duration", args.duration)?,
        };
        Ok(Arc::new(Self {
            address,
            acknowledged,
            threads: args.threads,
            keeps_samples,
            rate: args.rate,
            pacer: (args.rate > 0).then(Pacer::start).transpose()?,
            requests_max: args.requests.unwrap_or(u64::MAX),
            window,
            started,
            started_ms: Timestamp::now().as_millisecond(),
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
        let Some(pacer) = &self.pacer else {
            return Some(now);
        };
        let due = self.started + self.offset(number);
        if due >= self.window.to {
            return None;
        }
        pacer.wait(due).await;
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

/// Checks the settings that stand for themselves.
pub(super) fn check(args: &BenchArgs) -> Result<(), BenchError> {
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

/// What a run brought, and who asked. Those who never heard back are missing.
pub(super) type Ran = (Tally, Vec<Source>);

/// Runs the load to its end, or until the user interrupts it; each of `sources` has a connection.
pub(super) async fn run(plan: Arc<Plan>, sources: Vec<Source>) -> Result<Ran, BenchError> {
    let mut shares: Vec<Vec<Source>> = (0..plan.threads).map(|_| Vec::new()).collect();
    for (index, source) in sources.into_iter().enumerate() {
        let thread = index % shares.len().max(1);
        if let Some(share) = shares.get_mut(thread) {
            share.push(source);
        }
    }
    let threads: Vec<_> = (0..)
        .zip(shares)
        .map(|(thread, sources)| start(&plan, thread, sources))
        .collect::<Result<_, _>>()?;
    watch(&plan, &threads).await;
    let mut tally = Tally::new(plan.window)?;
    let mut left = Vec::new();
    for thread in threads {
        let ended = thread.join();
        let (its_tally, its_sources) =
            ended.map_err(|_| io::Error::other("a thread broke off"))??;
        tally.merge(its_tally);
        left.extend(its_sources);
    }
    if plan.rate > 0 && !plan.is_stopped() {
        let asked = tally.successes() + tally.failures();
        tally.missed = plan.scheduled().saturating_sub(asked);
    }
    Ok((tally, left))
}

/// Shows progress on a terminal until all threads are done.
async fn watch(plan: &Plan, threads: &[JoinHandle<io::Result<Ran>>]) {
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
fn start(
    plan: &Arc<Plan>,
    thread: u32,
    sources: Vec<Source>,
) -> io::Result<JoinHandle<io::Result<Ran>>> {
    let plan = Arc::clone(plan);
    let name = format!("bench-{thread}");
    thread::Builder::new().name(name).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut tally = Tally::new(plan.window)?;
        tally.samples = plan.keeps_samples.then(Vec::new);
        let tally = Rc::new(RefCell::new(tally));
        let all = drive(Arc::clone(&plan), sources, Rc::clone(&tally));
        let (unanswered, left) = LocalSet::new().block_on(&runtime, all);
        drop(runtime);
        let mut tally = Rc::into_inner(tally).ok_or_else(|| io::Error::other("task left"))?;
        tally.get_mut().unanswered += unanswered;
        Ok((tally.into_inner(), left))
    })
}

/// Runs one thread's connections; says how many never heard back.
async fn drive(
    plan: Arc<Plan>,
    sources: Vec<Source>,
    tally: Rc<RefCell<Tally>>,
) -> (u64, Vec<Source>) {
    let mut tasks = JoinSet::new();
    for source in sources {
        let connection = Connection {
            client: WireClient::new(plan.address, source.headers()),
            source,
            plan: Arc::clone(&plan),
            tally: Rc::clone(&tally),
        };
        tasks.spawn_local(connection.run());
    }
    let deadline = plan.window.to + PATIENCE;
    let mut left = Vec::new();
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            left.extend(ended);
        }
    };
    let _ = tokio::time::timeout_at(deadline.into(), all).await;
    let unanswered = u64::try_from(tasks.len()).unwrap_or(u64::MAX);
    tasks.shutdown().await;
    (unanswered, left)
}

/// One connection with who asks behind it.
struct Connection {
    plan: Arc<Plan>,
    client: WireClient,
    source: Source,
    tally: Rc<RefCell<Tally>>,
}

impl Connection {
    async fn run(mut self) -> Source {
        while let Some(due) = self.plan.next_due().await {
            match self.source.next(self.plan.now_ms()) {
                Ok(errand) => self.ask(&errand, due).await,
                Err((kind, why)) => {
                    self.tally.borrow_mut().add_wrong(kind, why);
                    break;
                }
            }
        }
        self.source
    }

    async fn ask(&mut self, errand: &Errand, due: Instant) {
        self.tally.borrow_mut().connects += u64::from(self.client.is_closed());
        let source = &mut self.source;
        let heard = self
            .client
            .exchange(&errand.call, |reply| source.hear(errand, reply));
        match heard.await {
            Ok(Ok(promise)) => self.add(errand.kind, due, promise),
            Ok(Err(code)) => self.tally.borrow_mut().add_wrong(errand.kind, code),
            Err(error) => {
                self.source.miss();
                let code = format!("IO_{:?}", error.kind());
                self.tally.borrow_mut().add_wrong(errand.kind, code);
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }

    fn add(&self, kind: Kind, due: Instant, promise: Option<Promise>) {
        let mut tally = self.tally.borrow_mut();
        tally.add_right(kind, due, Instant::now());
        self.plan.answered.fetch_add(1, Ordering::Relaxed);
        if let (Some(file), Some(promise)) = (&self.plan.acknowledged, promise)
            && file.add(&promise).is_err()
        {
            tally.add_wrong(kind, "ACKNOWLEDGED_FILE".to_owned());
        }
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
