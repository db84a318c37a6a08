//! `onetill call order`: order.

use super::{
    CommandError, Maker, Prepared,
    sale::{self, SaleArgs},
};
use clap::{Args, ValueEnum};
use wire::opengateway::{ChannelType, Operation, Order, request::TradeType};

/// Get a code or link for the customer to pay by.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call order --amount 0.01 --channel 2
      a code to show; in the sandbox, open its link to pay
  onetill call order --amount 0.01 --channel 2 --notify-url http://127.0.0.1:9000/paid
      and be told when it is paid
  onetill call order --amount 0.01 --channel 2 --trade-type jsapi --sub-openid oUpF8u
      to be paid inside the wallet's browser")]
pub struct OrderArgs {
    #[command(flatten)]
    sale: SaleArgs,
    /// The wallet
    #[arg(long, value_name = "N", default_value = "2", value_parser = sale::channel)]
    channel: ChannelType,
    /// Where the customer pays: from a code, in the wallet's browser, or in your own application
    #[arg(long, value_enum, default_value = "native")]
    trade_type: TradeTypeArg,
    /// Your application, as the wallet knows it
    #[arg(long, value_name = "ID")]
    sub_appid: Option<String>,
    /// The customer under that application; needed for jsapi
    #[arg(long, value_name = "ID", required_if_eq("trade_type", "jsapi"))]
    sub_openid: Option<String>,
    /// Where to send news of the payment
    #[arg(long, value_name = "URL")]
    notify_url: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum TradeTypeArg {
    Native,
    Jsapi,
    App,
}

impl OrderArgs {
    pub(super) fn prepare(self, maker: &Maker<'_>) -> Result<Prepared, CommandError> {
        let (serial, generated) = self.sale.serial(maker)?;
        let goods = self.sale.goods()?;
        let if_lost = sale::if_lost(&serial);
        let message = Order {
            busi_id: Some(maker.caller.busi_code.to_owned()),
            oper_id: self.sale.operator,
            dev_id: self.sale.device,
            merchant_para: self.sale.echo,
            register_id: self.sale.store_id,
            amount_yuan: self.sale.amount,
            time_expire_s: self.sale.time_expire,
            channel_type: self.channel,
            trade_type: match self.trade_type {
                TradeTypeArg::Native => TradeType::Native,
                TradeTypeArg::Jsapi => TradeType::JsApi,
                TradeTypeArg::App => TradeType::App,
            },
            sub_appid: self.sub_appid,
            sub_openid: self.sub_openid,
            charge_code: serial,
            notify_url: self.notify_url,
            pay_subject: self.sale.subject,
            goods,
            verify_code: self.sale.voucher,
        };
        let prepared = maker.post(Operation::Order, message.to_json(), if_lost);
        Ok(Prepared {
            generated,
            ..prepared
        })
    }
}
