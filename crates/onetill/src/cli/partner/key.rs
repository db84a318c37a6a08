//! `onetill partner key`.

use super::overlap;
use crate::{
    admin::{
        Request,
        voucher::{
            self,
            credentials::{KeyChange, Who},
        },
    },
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape, text_of},
    },
};
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Take over the key a partner signs with; make the one that replies to it are signed with.
///
/// Keys are RSA of 2048 bits or more, in PEM. Only public halves are ever shown. A partner makes
/// its own key:
///   openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out partner.key.pem
///   openssl pkey -in partner.key.pem -pubout -out partner.pub.pem
#[derive(Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  onetill partner key 1504 --file partner.pub.pem --overlap 7d
      the key before stays good for a week
  onetill partner key 1504 --generate > ours.pub.pem
      makes the key for replies and prints its public half, for the partner
  onetill partner key 1504 --reply-key ours.key.pem
      takes over one that was made elsewhere
  onetill partner key 1504 --show-reply-key
      the public half once more
  onetill partner key 1504 --revoke"
)]
pub struct KeyArgs {
    /// The partner's number
    #[arg(value_name = "PARTNER")]
    number: u32,
    /// File with the partner's public key (BEGIN PUBLIC KEY)
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How long the partner's keys before stay good: 30m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = overlap::read, requires = "file")]
    overlap: Option<i64>,
    /// Take all of the partner's keys away, but the one of --file
    #[arg(long)]
    revoke: bool,
    /// File with the private key that replies are signed with (BEGIN PRIVATE KEY)
    #[arg(long, value_name = "FILE")]
    reply_key: Option<PathBuf>,
    /// Make the key that replies are signed with, and print its public half
    #[arg(long, conflicts_with_all = ["file", "revoke", "reply_key", "show_reply_key"])]
    generate: bool,
    /// Print the public half of the key that replies are signed with
    #[arg(long, conflicts_with_all = ["file", "revoke", "reply_key"])]
    show_reply_key: bool,
}

pub(super) async fn run(
    settings: Settings,
    by: String,
    args: KeyArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let number = args.number;
    let who = Who { number, by };
    let public_half = match (args.generate, args.show_reply_key) {
        (true, _) => Some(voucher::Request::MakeReplyKey(who.clone())),
        (false, true) => Some(voucher::Request::ShowReplyKey { number }),
        (false, false) => None,
    };
    if let Some(request) = public_half {
        let shown = admin_request(settings, Request::Voucher(request)).await?;
        return match shape {
            Shape::Json => output::print_json(&shown),
            Shape::Text => output::print(text_of(&shown, "public_pem").trim_end()),
        };
    }
    if args.file.is_none() && args.reply_key.is_none() && !args.revoke {
        return Err("name --file, --generate, --reply-key or --revoke; see --help".into());
    }
    let change = KeyChange {
        who,
        public_pem: args.file.as_deref().map(read).transpose()?,
        overlap_s: args.overlap.unwrap_or(0),
        revoke: args.revoke,
        reply_pem: args.reply_key.as_deref().map(read).transpose()?,
    };
    let request = Request::Voucher(voucher::Request::SetKeys(change));
    let changed = admin_request(settings, request).await?;
    match shape {
        Shape::Json => output::print_json(&changed),
        Shape::Text => output::print(&format!("the keys of partner {number} are changed")),
    }
}

fn read(path: &Path) -> Result<String, CommandError> {
    let text = fs::read_to_string(path);
    text.map_err(|error| format!("the key file {}: {error}", path.display()).into())
}
