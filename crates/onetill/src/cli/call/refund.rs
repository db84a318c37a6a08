//! `onetill call refund`: refund.

use super::{CommandError, Maker, Prepared};
use clap::{ArgGroup, Args};
use wire::opengateway::{Operation, Refund};

/// Give a payment back, whole or in part.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call refund --serial TILL1-0042 --amount 0.01
  onetill call refund --gateway-serial 20261122000000000742 --amount 0.01 --refund-no R1")]
#[command(group = ArgGroup::new("payment").required(true).multiple(true))]
pub struct RefundArgs {
    /// Your own serial of the payment
    #[arg(long, group = "payment")]
    serial: Option<String>,
    /// The gateway's serial of the payment, 20 digits; wins over --serial
    #[arg(long, value_name = "SERIAL", group = "payment")]
    gateway_serial: Option<String>,
    /// What to give back, in yuan
    #[arg(long, value_name = "YUAN")]
    amount: String,
    /// Your own number of the refund; made up and printed when absent
    #[arg(long, value_name = "NO", conflicts_with = "no_refund_no")]
    refund_no: Option<String>,
    /// Send no number, as some old clients do: the signature alone identifies the refund
    #[arg(long)]
    no_refund_no: bool,
    /// Why it is given back
    #[arg(long, default_value = "onetill call")]
    reason: String,
    /// Who gives it back
    #[arg(long, default_value = "001")]
    operator: String,
    /// At which till
    #[arg(long, default_value = "onetill-cli")]
    device: String,
}

impl RefundArgs {
    pub(super) fn prepare(self, maker: &Maker<'_>) -> Result<Prepared, CommandError> {
        let (number, is_new) = if self.no_refund_no {
            (None, false)
        } else {
            let (number, is_new) = maker.serial(self.refund_no)?;
            (Some(number), is_new)
        };
        let repeat = match &number {
            Some(number) => format!("--refund-no {number}"),
            None => format!("--timestamp {}", maker.caller.timestamp),
        };
        let if_lost =
            format!("send the same again with {repeat}; it gives nothing back a second time");
        let generated = number.clone().filter(|_| is_new);
        let message = Refund {
            busi_id: Some(maker.caller.busi_code.to_owned()),
            oper_id: self.operator,
            dev_id: self.device,
            refund_yuan: self.amount,
            refund_subject: self.reason,
            charge_code: self.serial,
            charge_down_code: self.gateway_serial,
            out_refund_no: number,
        };
        let prepared = maker.post(Operation::Refund, message.to_json(), if_lost);
        Ok(Prepared {
            generated: generated
                .map(|it| ("refund number", it))
                .into_iter()
                .collect(),
            ..prepared
        })
    }
}
