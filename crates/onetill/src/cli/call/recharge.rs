//! `onetill call recharge`: flowRecharge.

use super::{Maker, Prepared};
use clap::Args;
use wire::opengateway::{FlowRecharge, Operation, request::FlowType};

/// Top up mobile data.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call recharge --phone 13800001234 --mb 100
  onetill call recharge --phone 13800001234 --mb 100 --notify-url http://127.0.0.1:9000/done")]
pub struct RechargeArgs {
    /// The telephone's number, 11 digits
    #[arg(long, value_name = "NUMBER")]
    phone: String,
    /// How much data, in MB
    #[arg(long, value_name = "MB")]
    mb: u32,
    /// To be used in the number's own province only
    #[arg(long)]
    provincial: bool,
    /// Where to send news when it is done
    #[arg(long, value_name = "URL")]
    notify_url: Option<String>,
}

impl RechargeArgs {
    pub(super) fn prepare(self, maker: &Maker<'_>) -> Prepared {
        let message = FlowRecharge {
            phone_no: self.phone,
            flow_mb: self.mb,
            flow_type: if self.provincial {
                FlowType::Provincial
            } else {
                FlowType::Nationwide
            },
            notify_url: self.notify_url,
        };
        let if_lost = format!(
            "send the same again with --timestamp {}; it tops up nothing a second time",
            maker.caller.timestamp
        );
        maker.post(Operation::FlowRecharge, message.to_json(), if_lost)
    }
}
