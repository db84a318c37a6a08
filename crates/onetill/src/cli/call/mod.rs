//! `onetill call`: asks a gateway as a merchant's till does, signed and, if wanted, sealed.
//!
//! | module | holds |
//! |---|---|
//! | [`pay`], [`order`], [`refund`], [`query`], [`cancel`], [`recharge`] | one operation each |
//! | [`sale`] | what pay and order have in common |
//! | [`till`] | the operations of dialect 2, as a terminal |
//! | [`mod@voucher`] | the operations of dialect 3, as a partner |
//! | `http` | sends, and says whether anything can have reached the gateway |
//! | `reply` | the reply for people and as JSON |

mod cancel;
mod http;
mod order;
mod pay;
mod query;
mod recharge;
mod refund;
mod reply;
mod sale;
#[cfg(test)]
mod tests;
mod till;
mod voucher;

pub use http::{Http, SendError};

use super::{
    CommandError,
    output::{self, Shape},
    secret::{self, KeyArgs},
};
use crate::{admin::demo, app::compose::system_clock};
use clap::{Args, Subcommand, ValueEnum};
use domain::time::UnixMs;
use jiff::Timestamp;
use reqwest::Url;
use std::{path::PathBuf, process::ExitCode, time::Duration};
use wire::opengateway::{
    Encryption, Format, MerchantKey, Operation, call::Call, call::Caller, query::QueryString,
};

/// Ask a gateway as a merchant's till does, and print its reply.
///
/// Exits with 0 only if the reply's CODE is SUCCESS.
#[derive(Args)]
#[command(after_help = "Examples, against `onetill serve --demo`:
  onetill call pay --amount 0.01 --code 284214903060794755
      charge a customer who shows a code
  onetill call order --amount 0.01 --channel 2
      get a code for the customer to scan
  onetill call query 20261122T081500123a1b2c3d4
      what became of a payment, by your own serial
  onetill call refund --serial 20261122T081500123a1b2c3d4 --amount 0.01
      give it back
  onetill call cancel 20261122T081500123a1b2c3d4
      take it back, paid or not
  onetill call recharge --phone 13800001234 --mb 100
      top up mobile data

As a terminal for member cards, against the same demo:
  onetill call checkin
      open the batch and get working keys
  onetill call card 9999999999025288
  onetill call consume --card 9999999999025288 --cash 12.50 --points 1.00
  onetill call reverse
      undo what was sent last, as after a lost answer
  onetill call settle
      compare the batch's totals and close it

As a partner who sells vouchers, against the same demo:
  onetill call voucher activate 1001901070000000258-M4DEDSfV
  onetill call voucher trace 1001901070000000258-M4DEDSfV

As a merchant without a wallet, such as a museum's gate:
  onetill call voucher redeem 1001901070000000258-M4DEDSfV

Against another gateway:
  ONETILL_KEY=… onetill call --url https://pay.example.com --merchant 0020000007 query S1")]
pub struct CallArgs {
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    operation: OperationArgs,
}

/// How the gateway is reached.
#[derive(Args)]
#[command(next_help_heading = "Options of every call")]
struct ReachArgs {
    /// Where the gateway is
    #[arg(
        long,
        env = "ONETILL_URL",
        default_value = "http://127.0.0.1:8080",
        global = true
    )]
    url: String,
    /// How long to wait for the reply, in seconds
    #[arg(long, value_name = "S", default_value_t = 100, global = true)]
    timeout: u64,
    /// Extra certificate authorities for https (PEM)
    #[arg(long, value_name = "FILE", global = true)]
    ca: Option<PathBuf>,
    /// Show what is sent
    #[arg(long, short, global = true)]
    verbose: bool,
}

/// What all calls of a merchant have in common.
#[derive(Args)]
#[command(
    next_help_heading = "Options of a merchant's calls (pay, order, refund, query, cancel, recharge, voucher redeem, voucher undo)"
)]
struct CommonArgs {
    /// The merchant who asks
    #[arg(long, value_name = "CODE", default_value = demo::MERCHANT, global = true)]
    merchant: String,
    #[command(flatten)]
    key: KeyArgs,
    /// The reply's format on the wire
    #[arg(long, value_enum, default_value = "json", global = true)]
    format: FormatArg,
    /// Seal the request with 3DES and have the reply sealed
    #[arg(long, global = true)]
    encrypt: bool,
    /// Sign with this timestamp (10 digits of seconds or 13 of milliseconds) instead of the
    /// present; repeats a refund without number or a top-up without moving anything twice
    #[arg(long, value_name = "T", global = true)]
    timestamp: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    Json,
    Xml,
}

#[derive(Subcommand)]
enum OperationArgs {
    #[command(flatten)]
    Merchant(MerchantOperation),
    #[command(flatten)]
    Till(till::TillCommand),
    /// Prepaid vouchers: as a partner activate, void and look them up; as a merchant redeem them
    Voucher(voucher::VoucherArgs),
}

/// What a merchant's till asks in dialect 1.
#[derive(Subcommand)]
enum MerchantOperation {
    /// Charge a customer who shows a code (preOrder)
    Pay(pay::PayArgs),
    /// Get a code or link for the customer to pay by (order)
    Order(order::OrderArgs),
    /// Give a payment back, whole or in part (refund)
    Refund(refund::RefundArgs),
    /// Ask what became of a payment (query)
    Query(query::QueryArgs),
    /// Take a payment back, paid or not (cancelTrade)
    Cancel(cancel::CancelArgs),
    /// Top up mobile data (flowRecharge)
    Recharge(recharge::RechargeArgs),
}

/// What its sender should know of a request, by name.
type Notes = Vec<(&'static str, String)>;

/// A request ready to be sent, and what its sender should know.
struct Prepared {
    operation: Operation,
    call: Call,
    /// The body before sealing; empty for GET.
    plaintext: String,
    /// What was made up because it was not given.
    generated: Notes,
    /// What to do when the reply is lost.
    if_lost: String,
}

/// What a request is made with.
struct Maker<'a> {
    caller: Caller<'a>,
    now: UnixMs,
}

/// Sends the request and prints the reply.
///
/// # Errors
/// When it could not be made or sent, or the reply was lost; the text says what to do.
pub async fn run(args: CallArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let CallArgs {
        reach,
        common,
        operation,
    } = args;
    let operation = match operation {
        OperationArgs::Till(command) => return till::run(command, &reach, shape).await,
        OperationArgs::Voucher(args) => return voucher::run(args, &reach, &common, shape).await,
        OperationArgs::Merchant(operation) => operation,
    };
    let url = base_url(&reach.url)?;
    let key = common.key(&url)?;
    let now = system_clock()();
    let timestamp = common.timestamp.clone();
    let timestamp = timestamp.unwrap_or_else(|| now.0.to_string());
    let maker = Maker {
        caller: common.caller(&key, &timestamp),
        now,
    };
    let prepared = operation.prepare(&maker)?;
    for (name, value) in &prepared.generated {
        output::note(&format!("{name} {value}"));
    }
    let target = format!(
        "{}{}",
        reach.url.trim_end_matches('/'),
        prepared.call.target
    );
    if reach.verbose {
        show(&target, &prepared);
    }
    let timeout = Duration::from_secs(reach.timeout);
    let http = Http::new(&url, timeout, reach.ca.as_deref())?;
    let waiting = output::spinner("waiting for the gateway {elapsed}");
    let answer = http.send(&target, &prepared.call).await;
    waiting.finish_and_clear();
    match answer {
        Ok(answer) => reply::show(&answer, &key, &prepared, shape),
        Err(error) => Err(explain(&error, &prepared)),
    }
}

impl CommonArgs {
    /// The key that was given. The demo's is public, but no key is ever assumed for a gateway
    /// elsewhere.
    fn key(&self, url: &Url) -> Result<MerchantKey, CommandError> {
        if let Some(key) = self.key.given()? {
            return Ok(key);
        }
        let demo = secret::demo_key(&self.merchant).filter(|_| is_loopback(url));
        demo.ok_or_else(|| {
            format!(
                "the key of merchant {} is needed: set ONETILL_KEY, or give --key-file FILE",
                self.merchant
            )
            .into()
        })
    }

    const fn caller<'a>(&'a self, key: &'a MerchantKey, timestamp: &'a str) -> Caller<'a> {
        Caller {
            busi_code: self.merchant.as_str(),
            key,
            timestamp,
            format: match self.format {
                FormatArg::Json => Format::Json,
                FormatArg::Xml => Format::Xml,
            },
            encryption: if self.encrypt {
                Encryption::TripleDes
            } else {
                Encryption::None
            },
        }
    }
}

impl MerchantOperation {
    fn prepare(self, maker: &Maker<'_>) -> Result<Prepared, CommandError> {
        match self {
            Self::Pay(args) => args.prepare(maker),
            Self::Order(args) => args.prepare(maker),
            Self::Refund(args) => args.prepare(maker),
            Self::Query(args) => Ok(args.prepare(maker)),
            Self::Cancel(args) => Ok(args.prepare(maker)),
            Self::Recharge(args) => Ok(args.prepare(maker)),
        }
    }
}

impl Maker<'_> {
    /// A POST of `plaintext`.
    fn post(&self, operation: Operation, plaintext: String, if_lost: String) -> Prepared {
        Prepared {
            operation,
            call: self.caller.post(operation, plaintext.as_bytes()),
            plaintext,
            generated: Vec::new(),
            if_lost,
        }
    }

    /// `given`, or a new serial that is unique and sorts by time; the flag says whether it is
    /// new.
    fn serial(&self, given: Option<String>) -> Result<(String, bool), CommandError> {
        match given {
            Some(serial) => Ok((serial, false)),
            None => Ok((fresh_serial(self.now)?, true)),
        }
    }
}

/// A serial such as `20261122T081500123a1b2c3d4`: the time (UTC) to the millisecond, then 32
/// random bits.
fn fresh_serial(now: UnixMs) -> Result<String, CommandError> {
    let mut random = [0; 4];
    getrandom::fill(&mut random)?;
    let time = Timestamp::from_millisecond(now.0)?.strftime("%Y%m%dT%H%M%S%3f");
    Ok(format!("{time}{:08x}", u32::from_be_bytes(random)))
}

pub(in crate::cli) fn base_url(text: &str) -> Result<Url, CommandError> {
    let wrong = |why: &str| format!("--url {text}: {why}; write it like http://127.0.0.1:8080");
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("not an http or https address").into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("only the part before /openGateway").into());
    }
    Ok(url)
}

/// Whether the gateway is on this machine.
pub(in crate::cli) fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
            address.is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}

fn show(target: &str, prepared: &Prepared) {
    output::note(&format!("> {} {target}", prepared.call.method));
    if prepared.plaintext.is_empty() {
        return;
    }
    output::note(&format!("> {}", output::plain(&prepared.plaintext)));
    let query = target.split_once('?').map_or("", |(_, query)| query);
    if QueryString::parse(query).is_ok_and(|it| it.encryption == Encryption::TripleDes) {
        output::note(&format!(
            "> (sent sealed: {} bytes)",
            prepared.call.body.len()
        ));
    }
}

fn explain(error: &SendError, prepared: &Prepared) -> CommandError {
    match error {
        SendError::NotSent(why) => format!("{why}. Nothing was sent").into(),
        SendError::Lost(why) => {
            format!("{why}. The outcome is not known: {}", prepared.if_lost).into()
        }
    }
}
