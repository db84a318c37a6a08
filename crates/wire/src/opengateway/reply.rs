//! What the gateway answers (tables 2.5, 3.5, 4.4, 6.4, 7.2, 8.2, 10.4).
//!
//! JSON members come in the order of the source's samples. What is `None` is absent.

mod money;
mod parts;
mod query;
mod recharge;

pub use money::{yuan_number, yuan_text};
pub use parts::{FundBill, Outcome};
pub use query::QueryReply;
pub use recharge::{Flow, RechargeReply};

pub(super) use parts::{fund_bill_list, goods_detail};

use super::channel::ChannelType;
use super::code::ReturnCode;
use super::node::{self, Members, Node};
use super::operation::Operation;
use super::query::Format;

/// A reply that has nothing but the outcome: any error, and every cancelTrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorReply {
    /// The operation asked for; it decides the root.
    pub operation: Operation,
    /// `RESULT`.
    pub outcome: Outcome,
}

impl ErrorReply {
    /// A reply with a code and a message for people.
    pub fn new(operation: Operation, code: ReturnCode, info: impl Into<String>) -> Self {
        Self {
            operation,
            outcome: Outcome::new(code, info),
        }
    }

    /// Writes the reply.
    pub fn encode(&self, format: Format) -> Vec<u8> {
        let name = match self.operation {
            Operation::FlowRecharge => "result",
            Operation::PreOrder
            | Operation::Order
            | Operation::Refund
            | Operation::Query
            | Operation::CancelTrade => "RESULT",
        };
        let mut m = Members::default();
        m.node(name, self.outcome.node());
        encode(self.operation, format, m.into_node())
    }
}

/// The reply to cancelTrade (table 8.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelReply {
    /// `RESULT`.
    pub outcome: Outcome,
}

impl CancelReply {
    /// Writes the reply.
    pub fn encode(&self, format: Format) -> Vec<u8> {
        let mut m = Members::default();
        m.node("RESULT", self.outcome.node());
        encode(Operation::CancelTrade, format, m.into_node())
    }
}

/// The six values a wallet's own page needs, and one more for applications (table 4.4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WalletCall {
    /// `appId`.
    pub app_id: String,
    /// `timeStamp`.
    pub time_stamp: String,
    /// `nonceStr`.
    pub nonce_str: String,
    /// `packageData`.
    pub package_data: String,
    /// `signType`.
    pub sign_type: String,
    /// `sign`, the wallet's, not this dialect's.
    pub sign: String,
    /// `prepayId`, for TRADE_TYPE APP.
    pub prepay_id: Option<String>,
}

/// The reply to preOrder and order (tables 2.5, 3.5 and 4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderReply {
    /// `RESULT`.
    pub outcome: Outcome,
    /// `CHANNEL_TYPE`.
    pub channel_type: Option<ChannelType>,
    /// `CHARGE_CODE`, the merchant's serial.
    pub charge_code: Option<String>,
    /// `CHARGE_DOWN_CODE`, the gateway's serial.
    pub charge_down_code: Option<String>,
    /// `CHARGE_THIRD_CODE`, the channel's serial.
    pub charge_third_code: Option<String>,
    /// `MERCHANTPARA`, as it came.
    pub merchant_para: Option<String>,
    /// `BAR_CODE`, to be shown or opened.
    pub bar_code: Option<String>,
    /// The values for a wallet's own page.
    pub wallet_call: Option<WalletCall>,
    /// `FUND_BILL_LIST`; absent when empty.
    pub fund_bills: Vec<FundBill>,
    /// `OPER_ID`.
    pub oper_id: Option<String>,
    /// `BEGIN_TIME`, `yyyy-MM-dd HH:mm:ss`.
    pub begin_time: Option<String>,
    /// `AMT`, in fen.
    pub amount_fen: Option<i64>,
    /// `DEV_ID`.
    pub dev_id: Option<String>,
}

impl OrderReply {
    /// A reply with nothing but its outcome.
    pub fn new(code: ReturnCode, info: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::new(code, info),
            channel_type: None,
            charge_code: None,
            charge_down_code: None,
            charge_third_code: None,
            merchant_para: None,
            bar_code: None,
            wallet_call: None,
            fund_bills: Vec::new(),
            oper_id: None,
            begin_time: None,
            amount_fen: None,
            dev_id: None,
        }
    }

    /// Writes the reply.
    pub fn encode(&self, format: Format) -> Vec<u8> {
        let mut m = Members::with_capacity(20);
        m.node("RESULT", self.outcome.node())
            .maybe_int("CHANNEL_TYPE", self.channel_type.map(ChannelType::code))
            .maybe_text("CHARGE_CODE", self.charge_code.as_deref())
            .maybe_text("CHARGE_DOWN_CODE", self.charge_down_code.as_deref())
            .maybe_text("CHARGE_THIRD_CODE", self.charge_third_code.as_deref())
            .maybe_text("MERCHANTPARA", self.merchant_para.as_deref())
            .maybe_text("BAR_CODE", self.bar_code.as_deref());
        if let Some(call) = &self.wallet_call {
            push_wallet_call(&mut m, call);
        }
        m.maybe("FUND_BILL_LIST", fund_bill_list(&self.fund_bills))
            .maybe_text("OPER_ID", self.oper_id.as_deref())
            .maybe_text("BEGIN_TIME", self.begin_time.as_deref())
            .maybe_int("AMT", self.amount_fen)
            .maybe_text("DEV_ID", self.dev_id.as_deref());
        encode(Operation::Order, format, m.into_node())
    }
}

/// The reply to refund (table 6.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundReply {
    /// `RESULT`.
    pub outcome: Outcome,
    /// `FUND_BILL_LIST`, what was given back; absent when empty.
    pub fund_bills: Vec<FundBill>,
    /// `CHANNEL_TYPE`.
    pub channel_type: Option<ChannelType>,
}

impl RefundReply {
    /// Writes the reply.
    pub fn encode(&self, format: Format) -> Vec<u8> {
        let mut m = Members::with_capacity(3);
        m.node("RESULT", self.outcome.node())
            .maybe("FUND_BILL_LIST", fund_bill_list(&self.fund_bills))
            .maybe_int("CHANNEL_TYPE", self.channel_type.map(ChannelType::code));
        encode(Operation::Refund, format, m.into_node())
    }
}

fn push_wallet_call<'a>(m: &mut Members<'a>, call: &'a WalletCall) {
    m.text("appId", &call.app_id)
        .text("timeStamp", &call.time_stamp)
        .text("nonceStr", &call.nonce_str)
        .text("packageData", &call.package_data)
        .text("signType", &call.sign_type)
        .text("sign", &call.sign)
        .maybe_text("prepayId", call.prepay_id.as_deref());
}

/// Puts the operation's root around a body.
fn encode(operation: Operation, format: Format, body: Node<'_>) -> Vec<u8> {
    node::encode(format, operation.root(), operation.has_json_root(), body)
}
