//! `onetill partner token`.

use super::overlap;
use crate::{
    admin::{
        Request,
        voucher::{
            self,
            credentials::{NewToken, Who},
        },
    },
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape, text_of},
    },
};
use clap::Args;

/// Make a token and print it, this once. Those before it are void at once.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill partner token 1504
  onetill partner token 1504 --overlap 24h
      the one before stays good for a day
  onetill partner token 1504 --revoke
      nobody is let in with a token any more")]
pub struct TokenArgs {
    /// The partner's number
    #[arg(value_name = "PARTNER")]
    number: u32,
    /// How long those before it stay good: 30m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = overlap::read)]
    overlap: Option<i64>,
    /// Make none, and take all away
    #[arg(long, conflicts_with = "overlap")]
    revoke: bool,
}

pub(super) async fn run(
    settings: Settings,
    by: String,
    args: TokenArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let number = args.number;
    let who = Who { number, by };
    let request = if args.revoke {
        voucher::Request::RevokeTokens(who)
    } else {
        let overlap_s = args.overlap.unwrap_or(0);
        voucher::Request::MakeToken(NewToken { who, overlap_s })
    };
    let made = admin_request(settings, Request::Voucher(request)).await?;
    match shape {
        Shape::Json => output::print_json(&made),
        Shape::Text if args.revoke => {
            output::print(&format!("partner {number} has no token any more"))
        }
        Shape::Text => output::print(&format!(
            "token  {}\nKeep it: it is not shown again. Partner {number} sends it as\n\
             Authorization: Bearer {}",
            text_of(&made, "token"),
            text_of(&made, "token"),
        )),
    }
}
