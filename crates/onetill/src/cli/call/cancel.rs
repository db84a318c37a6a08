//! `onetill call cancel`: cancelTrade.

use super::{Maker, Prepared};
use clap::Args;
use wire::opengateway::Operation;

/// Take a payment back, paid or not.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call cancel TILL1-0042
  onetill call cancel TILL1-0042 --request
      ask for it; an operator decides with `onetill order approve`")]
pub struct CancelArgs {
    /// Your own serial of the payment
    serial: String,
    /// Only ask for it: an operator decides (opType=ACO)
    #[arg(long)]
    request: bool,
}

impl CancelArgs {
    pub(super) fn prepare(&self, maker: &Maker<'_>) -> Prepared {
        Prepared {
            operation: Operation::CancelTrade,
            call: maker.caller.cancel(&self.serial, self.request),
            plaintext: String::new(),
            generated: Vec::new(),
            if_lost: format!("ask with `onetill call query {}`", self.serial),
        }
    }
}
