//! `onetill call query`: query.

use super::{Maker, Prepared};
use clap::{Args, ValueEnum};
use wire::opengateway::{Operation, SerialType};

/// Ask what became of a payment.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call query TILL1-0042
  onetill call query 20261122000000000742 --by gateway")]
pub struct QueryArgs {
    /// The payment's serial
    code: String,
    /// Whose serial it is
    #[arg(long, value_enum, default_value = "merchant")]
    by: ByArg,
    /// Send no signature, as the protocol's own document has it
    #[arg(long)]
    unsigned: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ByArg {
    /// Your own
    Merchant,
    /// The gateway's, 20 digits
    Gateway,
    /// A voucher's code that was redeemed with the payment
    Voucher,
}

impl QueryArgs {
    pub(super) fn prepare(&self, maker: &Maker<'_>) -> Prepared {
        let serial_type = match self.by {
            ByArg::Merchant => SerialType::Merchant,
            ByArg::Gateway => SerialType::Gateway,
            ByArg::Voucher => SerialType::VerifyCode,
        };
        Prepared {
            operation: Operation::Query,
            call: maker.caller.query(&self.code, serial_type, !self.unsigned),
            plaintext: String::new(),
            generated: Vec::new(),
            if_lost: "ask again".to_owned(),
        }
    }
}
