//! The notification of a payment (section 5, table 5.2) and the address it goes to.
//!
//! A receiver in use removes spaces, tabs, line ends *and backslashes* from the body before it
//! checks the signature. So the document is one line without indentation; XML writes a backslash
//! as `&#92;`. In JSON a quote or a backslash inside a value has no spelling free of backslashes
//! (`\u0022` has one, too), so such a value fails at that receiver; the signature is made from
//! what is sent, which is right for everyone who follows the protocol.

use super::channel::ChannelType;
use super::code::State;
use super::node::{self, Members, Node};
use super::query::{Encryption, Format, percent_decode};
use super::reply::{FundBill, fund_bill_list, goods_detail};
use super::request::Good;

/// The channel's own result, sent along in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelResult {
    /// `weixin`.
    WeChat(Node<'static>),
    /// `ali`.
    Alipay(Node<'static>),
}

/// The notification of a paid order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayNotification {
    /// `BEGIN_TIME`, `yyyy-MM-dd HH:mm:ss`.
    pub begin_time: Option<String>,
    /// `END_TIME`, `yyyy-MM-dd HH:mm:ss`.
    pub end_time: Option<String>,
    /// `weixin` or `ali`, in JSON only.
    pub channel_result: Option<ChannelResult>,
    /// `buyerId`, in JSON only.
    pub buyer_id: Option<String>,
    /// `CHARGE_THIRD_CODE`, the channel's serial; JSON has `charge_THIRD_CODE` as well.
    pub charge_third_code: Option<String>,
    /// `BUSI_ID`.
    pub busi_id: String,
    /// `CHARGE_CODE`, the merchant's serial.
    pub charge_code: String,
    /// `CHARGE_DOWN_CODE`, the gateway's serial.
    pub charge_down_code: String,
    /// `CHANNEL_TYPE`.
    pub channel_type: ChannelType,
    /// `STATE`.
    pub state: State,
    /// `OPER_ID`.
    pub oper_id: String,
    /// `PAY_SUBJECT`.
    pub pay_subject: String,
    /// `GOODS_DETAIL`; absent when empty.
    pub goods: Vec<Good>,
    /// `FUND_BILL_LIST`; absent when empty.
    pub fund_bills: Vec<FundBill>,
    /// `AMT`, in fen.
    pub amount_fen: i64,
    /// `DEV_ID`.
    pub dev_id: String,
    /// `MERCHANTPARA`, as it came.
    pub merchant_para: Option<String>,
}

impl PayNotification {
    /// Writes the plaintext, which is what is signed.
    pub fn encode(&self, format: Format) -> Vec<u8> {
        let mut m = Members::with_capacity(20);
        m.maybe_text("BEGIN_TIME", self.begin_time.as_deref())
            .maybe_text("END_TIME", self.end_time.as_deref());
        if format == Format::Json {
            self.push_json_only(&mut m);
        }
        self.push_payment(&mut m);
        node::encode(format, "PAY_NODIFY", true, m.into_node())
    }

    fn push_json_only<'a>(&'a self, m: &mut Members<'a>) {
        match &self.channel_result {
            Some(ChannelResult::WeChat(node)) => m.node("weixin", node.as_borrowed()),
            Some(ChannelResult::Alipay(node)) => m.node("ali", node.as_borrowed()),
            None => m,
        }
        .maybe_text("buyerId", self.buyer_id.as_deref())
        .maybe_text("charge_THIRD_CODE", self.charge_third_code.as_deref());
    }

    fn push_payment<'a>(&'a self, m: &mut Members<'a>) {
        m.text("BUSI_ID", &self.busi_id)
            .text("CHARGE_CODE", &self.charge_code)
            .text("CHARGE_DOWN_CODE", &self.charge_down_code)
            .maybe_text("CHARGE_THIRD_CODE", self.charge_third_code.as_deref())
            .int("CHANNEL_TYPE", self.channel_type.code())
            .int("STATE", self.state.code())
            .text("OPER_ID", &self.oper_id)
            .text("PAY_SUBJECT", &self.pay_subject)
            .maybe("GOODS_DETAIL", goods_detail(&self.goods))
            .maybe("FUND_BILL_LIST", fund_bill_list(&self.fund_bills))
            .int("AMT", self.amount_fen)
            .text("DEV_ID", &self.dev_id)
            .maybe_text("MERCHANTPARA", self.merchant_para.as_deref());
    }
}

/// What a receiver's address says about the notification it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotifyTarget {
    /// JSON if the address has `_type=json`, else XML.
    pub format: Format,
    /// [`Encryption::TripleDes`] if the address has `encrypt=3DES`.
    pub encryption: Encryption,
}

impl NotifyTarget {
    /// Reads the address's own query. Total: anything unknown is the default.
    pub fn parse(url: &str) -> Self {
        let url = url.split_once('#').map_or(url, |(url, _)| url);
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let has = |name: &str, values: &[&str]| {
            query.split('&').any(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                percent_decode(key) == name && values.contains(&&*percent_decode(value))
            })
        };
        let is_json = has("_type", &["json"]);
        let is_sealed = has("encrypt", &["3DES", "DES"]);
        Self {
            format: if is_json { Format::Json } else { Format::Xml },
            encryption: if is_sealed {
                Encryption::TripleDes
            } else {
                Encryption::None
            },
        }
    }
}

/// The address with `sign` after its own parameters. A fragment is dropped: it is not sent.
pub fn with_sign(url: &str, sign: &str) -> String {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let separator = match (url.contains('?'), url.ends_with(['?', '&'])) {
        (false, _) => "?",
        (true, true) => "",
        (true, false) => "&",
    };
    format!("{url}{separator}sign={sign}")
}
