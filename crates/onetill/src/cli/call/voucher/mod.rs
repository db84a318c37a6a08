//! Dialect 3 as a partner speaks it, and vouchers as a merchant redeems them.
//!
//! | module | holds |
//! |---|---|
//! | [`codes`] | activating, voiding and looking up what names lead to |
//! | [`part_no`] | activating a segment of card numbers, under a signature |
//! | [`redeem`] | a code used, and given back, without a wallet |
//! | [`reply`] | the reply, for people and as JSON |

mod codes;
mod part_no;
mod redeem;
mod reply;

use super::{CommonArgs, Http, ReachArgs, SendError, base_url, http::Answer, is_loopback};
use crate::{
    admin::voucher::demo,
    app::compose::system_clock,
    cli::{
        CommandError,
        output::{self, Shape},
        secret,
    },
};
use clap::{Args, Subcommand};
use jiff::{Timestamp, tz::TimeZone};
use std::{path::PathBuf, process::ExitCode, time::Duration};
use wire::voucher::Action;
use zeroize::Zeroizing;

/// Prepaid vouchers: as a partner activate, void and look them up; as a merchant redeem them.
///
/// Exits with 0 only if the reply says that it was done, or found.
#[derive(Args)]
#[command(after_help = "Examples, against `onetill serve --demo`:
  onetill call voucher info X22169-3141157-33475
  onetill call voucher activate R112102F-0000242-2585 --total 30.00
  onetill call voucher result 20261122150405123a1b2c3d4
      what became of an activation, by its trace number
  onetill call voucher trace 1001901070000000258-M4DEDSfV
      what happened to a code
  onetill call voucher void B1123-6430602-102F5
  onetill call voucher part-no --partner 1504 --merchant-id 10001 --type voucher --bin 7020 \\
      --from 41 --to 45 --list-price 20 --price 18 --skip
  onetill call voucher redeem 1001901070000000258-M4DEDSfV --shop museum --terminal gate-1
      as the demo's merchant, with its key: use the code once, without a wallet
  onetill call voucher undo 20261122T081500123a1b2c3d4
      give that use back, by the serial

Against another gateway:
  ONETILL_PARTNER_TOKEN=… onetill call --url https://pay.example.com voucher info R…")]
pub struct VoucherArgs {
    #[command(flatten)]
    token: TokenArgs,
    #[command(subcommand)]
    command: VoucherCommand,
}

/// What lets a partner in.
#[derive(Args)]
struct TokenArgs {
    /// The partner's token; others on this machine can see it here, so better in the environment
    /// or in --partner-token-file [default: the demo's, on this machine]
    #[arg(
        long,
        env = "ONETILL_PARTNER_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        global = true
    )]
    partner_token: Option<String>,
    /// File that holds the partner's token; - for stdin. Wins over --partner-token
    #[arg(long, value_name = "FILE", global = true)]
    partner_token_file: Option<PathBuf>,
    /// Send none: the gateway knows this address
    #[arg(long, global = true, conflicts_with_all = ["partner_token_file"])]
    no_token: bool,
}

#[derive(Subcommand)]
enum VoucherCommand {
    #[command(flatten)]
    Partner(PartnerCommand),
    #[command(flatten)]
    Merchant(redeem::RedeemCommand),
}

/// What a partner asks in dialect 3.
#[derive(Subcommand)]
enum PartnerCommand {
    /// Activate codes, reels, packages or boxes (activeVoucher)
    Activate(codes::ActivateArgs),
    /// What became of an activation (activeResultQuery)
    Result(codes::ResultArgs),
    /// Void codes, reels, packages or boxes that are unused (delVoucher)
    Void(codes::NamesArgs),
    /// How codes stand (queryVerifyInfo)
    Info(codes::NamesArgs),
    /// How codes stand, and what was paid for them (queryVoucher)
    Query(codes::NamesArgs),
    /// What happened to a code (queryCodeTrace)
    Trace(codes::TraceArgs),
    /// Activate a segment of card numbers, signed (activeByPartNo)
    PartNo(part_no::PartNoArgs),
}

/// A message ready to be sent.
struct Message {
    action: Action,
    body: Zeroizing<String>,
    /// What to do when the reply is lost.
    if_lost: String,
    /// The key that the reply must be signed with.
    server_key: Option<wire::voucher::VerifyingKey>,
}

/// Sends one message and prints its reply.
pub(super) async fn run(
    args: VoucherArgs,
    reach: &ReachArgs,
    common: &CommonArgs,
    shape: Shape,
) -> Result<ExitCode, CommandError> {
    let command = match args.command {
        VoucherCommand::Merchant(command) => {
            return redeem::run(command, reach, common, shape).await;
        }
        VoucherCommand::Partner(command) => command,
    };
    let url = base_url(&reach.url)?;
    let token = args.token.read(&url)?;
    let trace_no = fresh_trace_no()?;
    let message = command.message(trace_no)?;
    let path = message.action.path();
    let target = format!("{}{path}", reach.url.trim_end_matches('/'));
    if reach.verbose {
        output::note(&format!("> POST {target}"));
        output::note(&format!("> {}", output::plain(&message.body)));
    }
    let timeout = Duration::from_secs(reach.timeout);
    let http = Http::new(&url, timeout, reach.ca.as_deref())?;
    let waiting = output::spinner("waiting for the gateway {elapsed}");
    let token = token.as_ref().map(|it| it.as_str());
    let answer = http.post_json(&target, token, &message.body).await;
    waiting.finish_and_clear();
    match answer {
        Ok(answer) => show(&message, &answer, shape),
        Err(SendError::NotSent(why)) => Err(format!("{why}. Nothing was sent").into()),
        Err(SendError::Lost(why)) => {
            let if_lost = &message.if_lost;
            Err(format!("{why}. The outcome is not known: {if_lost}").into())
        }
    }
}

fn show(message: &Message, answer: &Answer, shape: Shape) -> Result<ExitCode, CommandError> {
    if let Some(key) = &message.server_key {
        reply::check_signature(&answer.body, key)?;
    }
    reply::show(message, answer, shape)
}

impl TokenArgs {
    /// The token that was given. The demo's is public, but none is ever assumed for a gateway
    /// elsewhere.
    fn read(&self, url: &reqwest::Url) -> Result<Option<Zeroizing<String>>, CommandError> {
        if self.no_token {
            return Ok(None);
        }
        match (&self.partner_token_file, &self.partner_token) {
            (Some(path), _) => Ok(Some(secret::read_line(path)?)),
            (None, Some(token)) => Ok(Some(Zeroizing::new(token.clone()))),
            (None, None) if is_loopback(url) => Ok(Some(Zeroizing::new(demo::TOKEN.to_owned()))),
            (None, None) => Err(
                "the partner's token is needed: set ONETILL_PARTNER_TOKEN, or give \
                 --partner-token-file FILE or --no-token"
                    .into(),
            ),
        }
    }
}

impl PartnerCommand {
    fn message(self, trace_no: String) -> Result<Message, CommandError> {
        match self {
            Self::Activate(args) => args.message(trace_no),
            Self::Result(args) => Ok(args.message(trace_no)),
            Self::Void(args) => args.void(trace_no),
            Self::Info(args) => args.look(Action::QueryVerifyInfo, trace_no),
            Self::Query(args) => args.look(Action::QueryVoucher, trace_no),
            Self::Trace(args) => args.message(trace_no),
            Self::PartNo(args) => args.message(&trace_no),
        }
    }
}

/// A number such as `20261122150405123a1b2c3d4`: the local time to the millisecond, since a
/// partner's numbers may have to begin with the day, then 32 random bits.
fn fresh_trace_no() -> Result<String, CommandError> {
    let mut random = [0; 4];
    getrandom::fill(&mut random)?;
    let now = Timestamp::from_millisecond(system_clock()().0)?;
    let zone = TimeZone::get("Asia/Shanghai")?;
    let time = now.to_zoned(zone).strftime("%Y%m%d%H%M%S%3f").to_string();
    Ok(format!("{time}{:08x}", u32::from_be_bytes(random)))
}
