//! `onetill call voucher part-no`: activeByPartNo.

use super::{Message, codes::fen};
use crate::cli::{CommandError, output};
use clap::{Args, ValueEnum};
use std::{
    fs,
    path::{Path, PathBuf},
};
use wire::voucher::{
    Action, CivilTime, Signer, SigningKey, VerifyingKey,
    request::{ActiveByPartNo, SegmentKind},
};
use zeroize::Zeroizing;

/// Characters of an order's number at most.
const ORDER_CHARS_MAX: usize = 28;

/// Activate a segment of card numbers, signed: all of them, or none.
#[derive(Args)]
#[command(after_help = "Examples, against `onetill serve --demo`:
  onetill call voucher part-no --partner 1504 --merchant-id 10001 --type voucher --bin 7020 \\
      --from 41 --to 45 --list-price 20 --price 18 --skip
  onetill call voucher part-no --partner 1505 --merchant-id 10002 --type voucher --bin 7020 \\
      --from 41 --to 45 --list-price 20 --price 18 \\
      --sign-key onetill-data/demo-partner-1505.key.pem \\
      --server-key onetill-data/demo-reply-1505.pub.pem
      signed, and the reply's signature is checked; this partner has no such cards")]
pub struct PartNoArgs {
    /// The partner's number
    #[arg(long, value_name = "NUMBER")]
    partner: String,
    /// The account it names beside it
    #[arg(long, value_name = "ID")]
    merchant_id: String,
    /// Your own number of the order, at most 28 characters; made up and printed when absent
    #[arg(long, value_name = "NO")]
    order: Option<String>,
    /// What the segment numbers
    #[arg(long = "type", value_enum)]
    kind: KindArg,
    /// What the card numbers begin with: 6 digits of cards, 4 of vouchers
    #[arg(long)]
    bin: String,
    /// The first segment number
    #[arg(long, value_name = "NUMBER")]
    from: u32,
    /// The last one
    #[arg(long, value_name = "NUMBER")]
    to: u32,
    /// The list price of one, in yuan
    #[arg(long, value_name = "YUAN", value_parser = fen)]
    list_price: Option<i64>,
    /// The price paid for one, in yuan
    #[arg(long, value_name = "YUAN", value_parser = fen)]
    price: Option<i64>,
    /// How many there are, in the partner's own count
    #[arg(long, value_name = "N")]
    number: Option<u32>,
    /// Valid from, as 'yyyy-MM-dd HH:mm:ss'
    #[arg(long, value_name = "TIME", value_parser = time)]
    valid_from: Option<CivilTime>,
    /// Valid until, as 'yyyy-MM-dd HH:mm:ss' [default: three years]
    #[arg(long, value_name = "TIME", value_parser = time)]
    valid_until: Option<CivilTime>,
    /// File with the partner's private key, PKCS#8 in PEM
    #[arg(long, value_name = "FILE", required_unless_present = "skip")]
    sign_key: Option<PathBuf>,
    /// Send `skip` for a signature, which only some partners may
    #[arg(long, conflicts_with = "sign_key")]
    skip: bool,
    /// File with the public key that the reply must be signed with
    #[arg(long, value_name = "FILE")]
    server_key: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum KindArg {
    Card,
    Voucher,
}

fn time(text: &str) -> Result<CivilTime, String> {
    CivilTime::parse_spaced(text).ok_or_else(|| "write it as 'yyyy-MM-dd HH:mm:ss'".to_owned())
}

impl PartNoArgs {
    pub(super) fn message(self, fresh: &str) -> Result<Message, CommandError> {
        let order = self.order.unwrap_or_else(|| {
            let order: String = fresh.chars().take(ORDER_CHARS_MAX).collect();
            output::note(&format!("order {order}"));
            order
        });
        let if_lost = format!("send it again with --order {order}, which does nothing twice");
        let message = ActiveByPartNo {
            partner_id: self.partner,
            merchant_id: self.merchant_id,
            partner_order_id: order,
            kind: match self.kind {
                KindArg::Card => SegmentKind::Card,
                KindArg::Voucher => SegmentKind::Voucher,
            },
            bin: self.bin,
            start: self.from,
            end: self.to,
            number: self.number,
            selling_price_fen: self.list_price,
            cost_price_fen: self.price,
            valid_start: self.valid_from,
            valid_end: self.valid_until,
        };
        let key = self.sign_key.as_deref().map(read_key).transpose()?;
        let signer = key.as_ref().map_or(Signer::Skip, Signer::Key);
        let body = message.to_json(signer).map_err(|error| error.to_string())?;
        let server_key = self.server_key.as_deref().map(read_public).transpose()?;
        Ok(Message {
            action: Action::ActiveByPartNo,
            body: Zeroizing::new(body),
            if_lost,
            server_key,
        })
    }
}

fn read_key(path: &Path) -> Result<SigningKey, CommandError> {
    let pem = Zeroizing::new(read(path)?);
    SigningKey::from_pem(&pem).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn read_public(path: &Path) -> Result<VerifyingKey, CommandError> {
    let pem = read(path)?;
    VerifyingKey::from_pem(&pem).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn read(path: &Path) -> Result<String, CommandError> {
    let text = fs::read_to_string(path);
    text.map_err(|error| format!("the key file {}: {error}", path.display()).into())
}
