//! `onetill call voucher redeem` and `undo`: the gateway's own API, as a merchant without a wallet.

use crate::{
    app::compose::system_clock,
    cli::{
        CommandError,
        call::{CommonArgs, Http, ReachArgs, SendError, base_url, fresh_serial, http::Answer},
        output::{self, Shape},
        prompt,
    },
    inbound::redemption::message::{
        Done, Failed, MERCHANT, Outcome, PATH, Redeem, Request, SIGN, Undo,
    },
};
use clap::{Args, Subcommand};
use std::{process::ExitCode, time::Duration};
use wire::opengateway::sign;
use zeroize::Zeroizing;

/// What a merchant asks of vouchers.
#[derive(Subcommand)]
pub(super) enum RedeemCommand {
    /// Use a code once, without a wallet
    Redeem(RedeemArgs),
    /// Give a use back that was redeemed so
    Undo(UndoArgs),
}

/// Use a code once, without a wallet.
///
/// Signed with the merchant's key. The serial is one of the merchant's payments: used once, for
/// ever; sent again with the same words it is answered as the first time.
#[derive(Args)]
#[command(after_help = "Examples, against `onetill serve --demo`:
  onetill call voucher redeem 1001901070000000258-M4DEDSfV
  onetill call voucher redeem - --shop museum --terminal gate-1 --serial G1-0042
      asks for the code

Over HTTP: POST /api/v1/redemptions with the headers
  Onetill-Merchant: 0010000001
  Onetill-Sign: (as of any body of dialect 1; see `onetill sign`)
and the body
  {\"action\":\"redeem\",\"serial\":\"G1-0042\",\"code\":\"…\",\"shop\":\"museum\",\"terminal\":\"gate-1\"}")]
pub(super) struct RedeemArgs {
    /// The code; - asks for it, or reads it from stdin. Others on this machine can see it here
    #[arg(value_name = "CODE")]
    code: String,
    /// Your own number of it; made up and printed when absent
    #[arg(long)]
    serial: Option<String>,
    /// The shop
    #[arg(long)]
    shop: Option<String>,
    /// The terminal
    #[arg(long, default_value = "onetill-cli")]
    terminal: String,
}

/// Give a use back that was redeemed without a wallet.
///
/// Where nothing was redeemed under the serial, nothing will be: the redemption is refused if it
/// comes later.
#[derive(Args)]
#[command(after_help = "Example:
  onetill call voucher undo G1-0042")]
pub(super) struct UndoArgs {
    /// The serial under which the code was redeemed
    #[arg(value_name = "SERIAL")]
    serial: String,
}

/// Sends the request and prints the reply.
pub(super) async fn run(
    command: RedeemCommand,
    reach: &ReachArgs,
    common: &CommonArgs,
    shape: Shape,
) -> Result<ExitCode, CommandError> {
    let url = base_url(&reach.url)?;
    let key = common.key(&url)?;
    let (request, if_lost) = command.request()?;
    let body = Zeroizing::new(serde_json::to_string(&request)?);
    let now = system_clock()().0.to_string();
    let timestamp = common.timestamp.as_deref().unwrap_or(&now);
    let sign = sign::sign(&key, timestamp, body.as_bytes());
    let target = format!("{}{PATH}", reach.url.trim_end_matches('/'));
    if reach.verbose {
        output::note(&format!("> POST {target}"));
        output::note(&format!("> {}", output::plain(&body)));
    }
    let timeout = Duration::from_secs(reach.timeout);
    let http = Http::new(&url, timeout, reach.ca.as_deref())?;
    let headers = [(MERCHANT, common.merchant.as_str()), (SIGN, sign.as_str())];
    let waiting = output::spinner("waiting for the gateway {elapsed}");
    let answer = http.post_signed(&target, &headers, &body).await;
    waiting.finish_and_clear();
    match answer {
        Ok(answer) => show(&answer, &if_lost, shape),
        Err(SendError::NotSent(why)) => Err(format!("{why}. Nothing was sent").into()),
        Err(SendError::Lost(why)) => {
            Err(format!("{why}. The outcome is not known: {if_lost}").into())
        }
    }
}

impl RedeemCommand {
    /// The request, and what to do when its reply is lost.
    fn request(self) -> Result<(Request, String), CommandError> {
        match self {
            Self::Redeem(args) => {
                let serial = match args.serial {
                    Some(serial) => serial,
                    None => {
                        let serial = fresh_serial(system_clock()())?;
                        output::note(&format!("serial {serial}"));
                        serial
                    }
                };
                let if_lost = format!("send the same again with --serial {serial}");
                let redeem = Redeem {
                    serial,
                    code: prompt::code(&args.code)?.to_string(),
                    shop: args.shop,
                    terminal: args.terminal,
                };
                Ok((Request::Redeem(redeem), if_lost))
            }
            Self::Undo(UndoArgs { serial }) => {
                let if_lost = "send the same again".to_owned();
                Ok((Request::Undo(Undo { serial }), if_lost))
            }
        }
    }
}

fn show(answer: &Answer, if_lost: &str, shape: Shape) -> Result<ExitCode, CommandError> {
    let done = serde_json::from_slice::<Done>(&answer.body);
    let failed = serde_json::from_slice::<Failed>(&answer.body);
    let code = if done.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    };
    let text = match (done, failed) {
        (Ok(done), _) => text(&done),
        (Err(_), Ok(failed)) => failed.message,
        (Err(_), Err(_)) => {
            let status = answer.status;
            return Err(format!(
                "HTTP {status}: that is no reply of this API; if a gateway answered, the outcome \
                 is not known: {if_lost}"
            )
            .into());
        }
    };
    match shape {
        Shape::Json => output::print(String::from_utf8_lossy(&answer.body).trim())?,
        Shape::Text => output::print(&text)?,
    }
    Ok(code)
}

fn text(done: &Done) -> String {
    let result = match done.result {
        Outcome::Redeemed => "redeemed",
        Outcome::Undone => "undone: the use is back",
        Outcome::Waiting => "an operator decides: onetill order approve",
    };
    let mut lines = vec![
        ("result", result.to_owned()),
        ("serial", done.serial.clone()),
        ("gateway serial", done.gateway_serial.clone()),
        ("at", done.at.clone()),
    ];
    if let Some(voucher) = &done.voucher {
        let (left, uses) = (voucher.uses_left, voucher.uses);
        lines.push(("voucher", format!("{} {}", voucher.ticket, voucher.name)));
        lines.push(("worth", format!("{} yuan", voucher.face_value)));
        lines.push(("uses left", format!("{left} of {uses}")));
    }
    output::fields(&lines)
}
