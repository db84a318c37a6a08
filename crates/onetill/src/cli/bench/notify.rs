//! `onetill bench --notify`: how fast merchants learn that they were paid.
//!
//! Orders with a notification address are opened and paid through the sandbox. First as a backlog:
//! the receiver holds its answers back until all are owed, and then how fast they are delivered is
//! measured. Then one by one at an easy pace: how long after the payer's click the receiver has
//! the news, the sandbox's own event and the commit included.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use jiff::Timestamp;
use serde::Serialize;
use tokio::task::JoinSet;
use wire::opengateway::call::{Call, Caller};
use wire::opengateway::request::TradeType;
use wire::opengateway::{ChannelType, Encryption, Format, Operation, Order};

use super::machine::{Reading, Spent};
use super::merchants::Merchant;
use super::receiver::Receiver;
use super::wire_client::{JSON, Reply, WireClient, content_type};
use super::{BenchArgs, BenchError, load};

/// How many orders are paid one by one, for the delays.
const PROMPT: usize = 500;
/// The pause between two of them.
const PROMPT_PAUSE: Duration = Duration::from_millis(5);
/// How long nothing may arrive before the run is given up. Longer than an attempt and the wait
/// for the next one.
const PATIENCE: Duration = Duration::from_secs(30);
/// Delays above this are recorded as this, in microseconds.
const DELAY_US_MAX: u64 = 600_000_000;
/// How often progress is looked at.
const TICK: Duration = Duration::from_millis(2);
/// How often the gateway's metrics are looked at; it renews them every two seconds.
const METRICS_TICK: Duration = Duration::from_millis(500);
const OWED: &str = "onetill_notifications_due ";

/// What was measured. Units last.
#[derive(Serialize)]
struct Report {
    notifications: usize,
    merchants: usize,
    throughput_per_s: f64,
    delay_us: Delay,
    repeated: u64,
    generator_cpu_us_per_request: Option<f64>,
    gateway_cpu_us_per_request: Option<f64>,
    steal_percent: Option<f64>,
    other_cpu_percent: Option<f64>,
}

/// From the payer's click to the receiver's acknowledgement.
#[derive(Serialize)]
struct Delay {
    p50: u64,
    p99: u64,
    max: u64,
}

/// Those who order and those who pay.
struct Desk {
    address: SocketAddr,
    merchants: Vec<Merchant>,
    receiver: Receiver,
    connections: usize,
    run: String,
    /// The gateway's serials of the orders, by number.
    serials: Vec<OnceLock<String>>,
}

/// Measures with a backlog of `backlog` notifications.
///
/// # Errors
/// When an order was refused, or nothing arrived for 30 s.
pub(super) async fn run(
    args: &BenchArgs,
    merchants: Vec<Merchant>,
    backlog: usize,
) -> Result<(), BenchError> {
    let all = backlog + PROMPT;
    let desk = Arc::new(Desk {
        address: load::address(args).await?,
        merchants,
        receiver: Receiver::start(all)?,
        connections: args.connections as usize,
        run: format!("{:x}", Timestamp::now().as_millisecond()),
        serials: (0..all).map(|_| OnceLock::new()).collect(),
    });
    desk.open(0..all).await?;
    desk.receiver.set_open(false);
    desk.pay(0..backlog).await?;
    desk.until_owed(backlog).await?;
    let (before, started) = (Reading::take(args.pid), Instant::now());
    desk.receiver.set_open(true);
    desk.until_arrived(backlog).await?;
    let took = started.elapsed();
    let spent = Reading::take(args.pid).since(&before);
    let delay = desk.delays(backlog..all).await?;
    print(args.json, &report(&desk, backlog, took, delay, spent))
}

impl Desk {
    /// Opens the orders `numbers`.
    async fn open(self: &Arc<Self>, numbers: Range<usize>) -> Result<(), BenchError> {
        let look = |desk: &Self, number: usize, reply: &Reply<'_>| {
            let serial = reply.gateway_serial()?.to_owned();
            desk.serials.get(number)?.set(serial).ok()
        };
        self.ask_all(numbers, Self::order, look).await
    }

    /// Has the orders `numbers` paid.
    async fn pay(self: &Arc<Self>, numbers: Range<usize>) -> Result<(), BenchError> {
        let look = |_: &Self, _: usize, reply: &Reply<'_>| reply.is_ok().then_some(());
        self.ask_all(numbers, Self::click, look).await
    }

    /// Sends one request for each number over all connections; `look` finds nothing in a reply
    /// that is wrong.
    async fn ask_all(
        self: &Arc<Self>,
        numbers: Range<usize>,
        make: fn(&Self, usize) -> Call,
        look: fn(&Self, usize, &Reply<'_>) -> Option<()>,
    ) -> Result<(), BenchError> {
        let next = Arc::new(AtomicUsize::new(numbers.start));
        let mut connections: JoinSet<Result<(), BenchError>> = JoinSet::new();
        for _ in 0..self.connections {
            let (desk, next) = (Arc::clone(self), Arc::clone(&next));
            connections.spawn(async move {
                let mut client = WireClient::new(desk.address, content_type(JSON));
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        return Ok(());
                    }
                    desk.ask(&mut client, number, make, look).await?;
                }
            });
        }
        while let Some(done) = connections.join_next().await {
            done.map_err(io::Error::other)??;
        }
        Ok(())
    }

    async fn ask(
        &self,
        client: &mut WireClient,
        number: usize,
        make: fn(&Self, usize) -> Call,
        look: fn(&Self, usize, &Reply<'_>) -> Option<()>,
    ) -> Result<(), BenchError> {
        let call = make(self, number);
        let seen = client
            .exchange(&call, |reply| look(self, number, reply).ok_or(reply.code()))
            .await?;
        let wrong = |code| BenchError::Setting(format!("{} was answered {code}", call.target));
        seen.map_err(wrong)
    }

    fn order(&self, number: usize) -> Call {
        let Some(merchant) = self.merchants.get(number % self.merchants.len().max(1)) else {
            return get("/");
        };
        let order = Order {
            busi_id: None,
            oper_id: "001".to_owned(),
            dev_id: "T0001".to_owned(),
            merchant_para: None,
            register_id: None,
            amount_yuan: "0.01".to_owned(),
            time_expire_s: None,
            channel_type: ChannelType::Alipay,
            trade_type: TradeType::Native,
            sub_appid: None,
            sub_openid: None,
            charge_code: format!("N-{}-{number:08}", self.run),
            notify_url: Some(self.receiver.url(number)),
            pay_subject: "Groceries".to_owned(),
            goods: Vec::new(),
            verify_code: None,
        };
        let caller = Caller {
            busi_code: &merchant.code,
            key: &merchant.key,
            timestamp: &Timestamp::now().as_millisecond().to_string(),
            format: Format::Json,
            encryption: Encryption::None,
        };
        caller.post(Operation::Order, order.to_json().as_bytes())
    }

    /// The payer's click on the page behind the order's code.
    fn click(&self, number: usize) -> Call {
        let serial = self.serials.get(number).and_then(OnceLock::get);
        Call {
            method: "POST",
            target: format!("/sandbox/pay/{}", serial.map_or("", String::as_str)),
            body: b"action=pay".to_vec(),
        }
    }

    /// Waits until the gateway says that it owes `count` notifications.
    async fn until_owed(&self, count: usize) -> Result<(), BenchError> {
        let mut client = WireClient::new(self.address, content_type(JSON));
        let (mut owed, mut since) = (0, Instant::now());
        while owed < count {
            tokio::time::sleep(METRICS_TICK).await;
            let now = client.exchange(&get("/metrics"), owed_of).await?;
            if now > owed {
                (owed, since) = (now, Instant::now());
            }
            give_up_after(since, || format!("{owed} of {count} orders are paid"))?;
        }
        Ok(())
    }

    /// Waits until `count` different messages were acknowledged.
    async fn until_arrived(&self, count: usize) -> Result<(), BenchError> {
        let (mut arrived, mut since) = (0, Instant::now());
        loop {
            let now = self.receiver.distinct();
            if now >= count {
                return Ok(());
            }
            if now > arrived {
                (arrived, since) = (now, Instant::now());
            }
            give_up_after(since, || format!("{arrived} of {count} arrived"))?;
            tokio::time::sleep(TICK).await;
        }
    }

    /// Pays the orders `numbers` one by one and measures how long the news takes.
    async fn delays(&self, numbers: Range<usize>) -> Result<Delay, BenchError> {
        let look = |_: &Self, _: usize, reply: &Reply<'_>| reply.is_ok().then_some(());
        let mut client = WireClient::new(self.address, content_type(JSON));
        let mut clicked = Vec::with_capacity(numbers.len());
        for number in numbers.clone() {
            clicked.push(Instant::now());
            self.ask(&mut client, number, Self::click, look).await?;
            tokio::time::sleep(PROMPT_PAUSE).await;
        }
        self.until_arrived(numbers.end).await?;
        let mut delays =
            Histogram::<u64>::new_with_bounds(1, DELAY_US_MAX, 3).map_err(io::Error::other)?;
        for (number, clicked) in numbers.zip(clicked) {
            let arrived = self.receiver.arrived(number).unwrap_or(clicked);
            let delay = arrived.saturating_duration_since(clicked);
            delays.saturating_record(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX));
        }
        Ok(Delay {
            p50: delays.value_at_quantile(0.5),
            p99: delays.value_at_quantile(0.99),
            max: delays.max(),
        })
    }
}

fn get(target: &str) -> Call {
    Call {
        method: "GET",
        target: target.to_owned(),
        body: Vec::new(),
    }
}

fn give_up_after(since: Instant, what: impl Fn() -> String) -> Result<(), BenchError> {
    if since.elapsed() < PATIENCE {
        return Ok(());
    }
    let text = format!("{} and no more for {} s", what(), PATIENCE.as_secs());
    Err(BenchError::Setting(text))
}

/// How many notifications the metrics say are owed.
fn owed_of(reply: &Reply<'_>) -> usize {
    let line = reply.body.lines().find_map(|line| line.strip_prefix(OWED));
    line.and_then(|count| count.trim().parse().ok())
        .unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn report(desk: &Desk, count: usize, took: Duration, delay_us: Delay, spent: Spent) -> Report {
    let each = |cpu_s: Option<f64>| cpu_s.map(|cpu_s| cpu_s * 1e6 / count as f64);
    Report {
        notifications: count,
        merchants: desk.merchants.len(),
        throughput_per_s: count as f64 / took.as_secs_f64().max(1e-9),
        delay_us,
        repeated: desk.receiver.repeated(),
        generator_cpu_us_per_request: each(spent.own_cpu_s),
        gateway_cpu_us_per_request: each(spent.peer_cpu_s),
        steal_percent: spent.steal_percent,
        other_cpu_percent: spent.other_percent,
    }
}

fn print(as_json: bool, report: &Report) -> Result<(), BenchError> {
    let mut out = io::stdout().lock();
    if as_json {
        serde_json::to_writer(&mut out, report).map_err(io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    let Delay { p50, p99, max } = report.delay_us;
    writeln!(
        out,
        "{:.0} notifications a second: {} to {} merchants, {} of them more than once",
        report.throughput_per_s, report.notifications, report.merchants, report.repeated
    )?;
    writeln!(
        out,
        "from the payer's click to the acknowledgement in µs: p50 {p50}, p99 {p99}, max {max}"
    )?;
    if let (Some(own), Some(gateway)) = (
        report.generator_cpu_us_per_request,
        report.gateway_cpu_us_per_request,
    ) {
        writeln!(
            out,
            "CPU a notification: receiver {own:.1} µs, gateway {gateway:.1} µs"
        )?;
    }
    Ok(())
}
