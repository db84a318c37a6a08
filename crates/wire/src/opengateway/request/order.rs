//! order: payment by a code or link the gateway returns (tables 3.3 and 4.2).

use super::fields::{self, invalid, optional, required};
use super::{Demand, Good, RequestError, good, rules};
use crate::opengateway::channel::ChannelType;
use crate::opengateway::document::{Document, Fields};
use crate::opengateway::node::Members;

/// The kind of order, `TRADE_TYPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TradeType {
    /// `NATIVE`: the reply has a code to show or a link to open.
    #[default]
    Native,
    /// `JSAPI`: payment inside the wallet's browser.
    JsApi,
    /// `APP`: payment from the merchant's own application.
    App,
}

impl TradeType {
    /// The value on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "NATIVE",
            Self::JsApi => "JSAPI",
            Self::App => "APP",
        }
    }

    fn decode(fields: &Fields<'_>) -> Result<Self, RequestError> {
        match fields.text(rules::TRADE_TYPE.name)? {
            None | Some("NATIVE") => Ok(Self::Native),
            Some("JSAPI") => Ok(Self::JsApi),
            Some("APP") => Ok(Self::App),
            Some(_) => Err(invalid(&rules::TRADE_TYPE, Demand::TradeType)),
        }
    }
}

/// An order request. No `Debug`: the voucher's code pays.
#[derive(Clone, PartialEq, Eq)]
pub struct Order {
    /// `BUSI_ID`; the URL's `busiCode` comes first.
    pub busi_id: Option<String>,
    /// `OPER_ID`.
    pub oper_id: String,
    /// `DEV_ID`.
    pub dev_id: String,
    /// `MERCHANTPARA`, returned as it came.
    pub merchant_para: Option<String>,
    /// `REGISTER_ID`, the shop.
    pub register_id: Option<String>,
    /// `AMT`, in yuan, as sent.
    pub amount_yuan: String,
    /// `TIME_EXPIRE`, in seconds, at least 120.
    pub time_expire_s: Option<u32>,
    /// `CHANNEL_TYPE`.
    pub channel_type: ChannelType,
    /// `TRADE_TYPE`.
    pub trade_type: TradeType,
    /// `subAppid`.
    pub sub_appid: Option<String>,
    /// `subOpenid`; always there with [`TradeType::JsApi`].
    pub sub_openid: Option<String>,
    /// `CHARGE_CODE`, the merchant's serial, at most 64 characters.
    pub charge_code: String,
    /// `NODIFY_URL`, an http or https address without white space.
    pub notify_url: Option<String>,
    /// `PAY_SUBJECT`.
    pub pay_subject: String,
    /// `GOODS_DETAIL`, at most 100 items.
    pub goods: Vec<Good>,
    /// `verifyCodes`, one voucher code.
    pub verify_code: Option<String>,
}

impl Order {
    /// Takes the message out of a document.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule.
    pub fn decode(document: &Document<'_>) -> Result<Self, RequestError> {
        let f = document.fields();
        let trade_type = TradeType::decode(f)?;
        Ok(Self {
            busi_id: optional(f, &rules::BUSI_ID)?,
            oper_id: required(f, &rules::OPER_ID)?,
            dev_id: required(f, &rules::DEV_ID)?,
            merchant_para: optional(f, &rules::MERCHANTPARA)?,
            register_id: optional(f, &rules::REGISTER_ID)?,
            amount_yuan: required(f, &rules::AMT)?,
            time_expire_s: fields::time_expire_s(f)?,
            channel_type: fields::channel(f)?,
            trade_type,
            sub_appid: optional(f, &rules::SUB_APPID)?,
            sub_openid: sub_openid(f, trade_type)?,
            charge_code: required(f, &rules::CHARGE_CODE)?,
            notify_url: fields::url(f, &rules::NODIFY_URL)?,
            pay_subject: required(f, &rules::PAY_SUBJECT)?,
            goods: good::decode_all(document)?,
            verify_code: optional(f, &rules::VERIFY_CODES)?,
        })
    }

    /// The body a client sends.
    pub fn to_json(&self) -> String {
        let mut m = Members::with_capacity(18);
        m.text(rules::AMT.name, &self.amount_yuan)
            .maybe_text(rules::BUSI_ID.name, self.busi_id.as_deref())
            .int(rules::CHANNEL_TYPE.name, self.channel_type.code())
            .text(rules::TRADE_TYPE.name, self.trade_type.as_str())
            .maybe_text(rules::SUB_APPID.name, self.sub_appid.as_deref())
            .maybe_text(rules::SUB_OPENID.name, self.sub_openid.as_deref())
            .text(rules::DEV_ID.name, &self.dev_id)
            .text(rules::PAY_SUBJECT.name, &self.pay_subject)
            .maybe_text(rules::REGISTER_ID.name, self.register_id.as_deref())
            .maybe_text(rules::NODIFY_URL.name, self.notify_url.as_deref())
            .text(rules::OPER_ID.name, &self.oper_id)
            .maybe_text(rules::MERCHANTPARA.name, self.merchant_para.as_deref())
            .text(rules::CHARGE_CODE.name, &self.charge_code)
            .maybe_int(rules::TIME_EXPIRE.name, self.time_expire_s)
            .maybe_text(rules::VERIFY_CODES.name, self.verify_code.as_deref());
        good::push_all(&mut m, &self.goods);
        m.into_node().to_json()
    }
}

fn sub_openid(f: &Fields<'_>, trade_type: TradeType) -> Result<Option<String>, RequestError> {
    match trade_type {
        TradeType::JsApi => required(f, &rules::SUB_OPENID).map(Some),
        TradeType::Native | TradeType::App => optional(f, &rules::SUB_OPENID),
    }
}
