//! `onetill call pay`: preOrder.

use super::{
    CommandError, Maker, Prepared,
    sale::{self, SaleArgs},
};
use clap::{Args, ValueEnum};
use wire::opengateway::{ChannelType, Operation, PreOrder, request::DynamicIdType};

/// Charge a customer who shows a code.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call pay --amount 0.01 --code 284214903060794755
      paid at once in the sandbox
  onetill call pay --amount 0.01 --code 284214903060794702
      declined: the sandbox decides by the last two digits (01 confirms after 6 s, 03 never, …)
  onetill call pay --amount 158 --code 134214903060794755 --serial TILL1-0042 --subject Shoes")]
pub struct PayArgs {
    #[command(flatten)]
    sale: SaleArgs,
    /// The code that the customer shows
    #[arg(long, value_name = "CODE")]
    code: String,
    /// How the code was read
    #[arg(long, value_enum, default_value = "barcode")]
    code_type: CodeType,
    /// The wallet; 0 finds it out from the code
    #[arg(long, value_name = "N", default_value = "0", value_parser = sale::channel)]
    channel: ChannelType,
}

#[derive(Clone, Copy, ValueEnum)]
enum CodeType {
    Barcode,
    Sound,
    Nfc,
}

impl PayArgs {
    pub(super) fn prepare(self, maker: &Maker<'_>) -> Result<Prepared, CommandError> {
        let (serial, generated) = self.sale.serial(maker)?;
        let goods = self.sale.goods()?;
        let if_lost = sale::if_lost(&serial);
        let message = PreOrder {
            busi_id: Some(maker.caller.busi_code.to_owned()),
            oper_id: self.sale.operator,
            dev_id: self.sale.device,
            merchant_para: self.sale.echo,
            register_id: self.sale.store_id,
            amount_yuan: self.sale.amount,
            time_expire_s: self.sale.time_expire,
            channel_type: self.channel,
            dynamic_id_type: match self.code_type {
                CodeType::Barcode => DynamicIdType::Barcode,
                CodeType::Sound => DynamicIdType::SoundWave,
                CodeType::Nfc => DynamicIdType::Nfc,
            },
            dynamic_id: self.code,
            charge_code: serial,
            pay_subject: self.sale.subject,
            goods,
            verify_code: self.sale.voucher,
        };
        let prepared = maker.post(Operation::PreOrder, message.to_json(), if_lost);
        Ok(Prepared {
            generated,
            ..prepared
        })
    }
}
