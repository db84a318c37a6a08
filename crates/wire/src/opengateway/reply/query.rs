//! The reply to query (table 7.2, sample 7.3).

use std::borrow::Cow;

use super::money::yuan_number;
use super::{FundBill, Outcome, encode, fund_bill_list, goods_detail};
use crate::opengateway::channel::ChannelType;
use crate::opengateway::code::State;
use crate::opengateway::node::{Members, Node};
use crate::opengateway::operation::Operation;
use crate::opengateway::query::Format;
use crate::opengateway::request::Good;

/// A found order. `dynamic_ID_TYPE_STR` is always there and always empty, as in the sample.
/// No `Debug`: the customer's code pays.
#[derive(Clone, PartialEq, Eq)]
pub struct QueryReply {
    /// `RESULT`.
    pub outcome: Outcome,
    /// `realAMT`, in fen, what the wallet was charged; written as a number of yuan.
    pub real_amount_fen: Option<i64>,
    /// `BUSI_ID`.
    pub busi_id: String,
    /// `CHANNEL_TYPE`.
    pub channel_type: ChannelType,
    /// `CHARGE_CODE`, the merchant's serial.
    pub charge_code: String,
    /// `GOODS_DETAIL`; absent when empty.
    pub goods: Vec<Good>,
    /// `DYNAMIC_ID`, the customer's code.
    pub dynamic_id: Option<String>,
    /// `END_TIME`, `yyyy-MM-dd HH:mm:ss`.
    pub end_time: Option<String>,
    /// `REGISTER_ID`, the shop.
    pub register_id: Option<String>,
    /// `CHARGE_DOWN_CODE`, the gateway's serial.
    pub charge_down_code: String,
    /// `CHARGE_THIRD_CODE`, the channel's serial; JSON has `charge_THIRD_CODE` as well.
    pub charge_third_code: Option<String>,
    /// `FUND_BILL_LIST`; absent when empty.
    pub fund_bills: Vec<FundBill>,
    /// `PAY_SUBJECT`.
    pub pay_subject: String,
    /// `STATE`.
    pub state: State,
    /// `OPER_ID`.
    pub oper_id: String,
    /// `BEGIN_TIME`, `yyyy-MM-dd HH:mm:ss`.
    pub begin_time: String,
    /// `AMT`, in fen.
    pub amount_fen: i64,
    /// `DEV_ID`.
    pub dev_id: String,
    /// `MERCHANTPARA`, as it came.
    pub merchant_para: Option<String>,
}

impl QueryReply {
    /// Writes the reply.
    pub fn encode(&self, format: Format) -> Vec<u8> {
        let mut m = Members::with_capacity(24);
        self.push_head(&mut m, format);
        self.push_tail(&mut m);
        encode(Operation::Query, format, m.into_node())
    }

    fn push_head<'a>(&'a self, m: &mut Members<'a>, format: Format) {
        let real_amount = self.real_amount_fen.map(yuan_number);
        m.node("RESULT", self.outcome.node())
            .text("dynamic_ID_TYPE_STR", "")
            .maybe("realAMT", real_amount.map(|n| Node::Number(Cow::Owned(n))))
            .text("BUSI_ID", &self.busi_id)
            .int("CHANNEL_TYPE", self.channel_type.code())
            .text("CHARGE_CODE", &self.charge_code)
            .maybe("GOODS_DETAIL", goods_detail(&self.goods))
            .maybe_text("DYNAMIC_ID", self.dynamic_id.as_deref())
            .maybe_text("END_TIME", self.end_time.as_deref())
            .maybe_text("REGISTER_ID", self.register_id.as_deref())
            .text("CHARGE_DOWN_CODE", &self.charge_down_code)
            .maybe_text("CHARGE_THIRD_CODE", self.charge_third_code.as_deref());
        if format == Format::Json {
            m.maybe_text("charge_THIRD_CODE", self.charge_third_code.as_deref());
        }
    }

    fn push_tail<'a>(&'a self, m: &mut Members<'a>) {
        m.maybe("FUND_BILL_LIST", fund_bill_list(&self.fund_bills))
            .text("PAY_SUBJECT", &self.pay_subject)
            .int("STATE", self.state.code())
            .text("OPER_ID", &self.oper_id)
            .text("BEGIN_TIME", &self.begin_time)
            .int("AMT", self.amount_fen)
            .text("DEV_ID", &self.dev_id)
            .maybe_text("MERCHANTPARA", self.merchant_para.as_deref());
    }
}
