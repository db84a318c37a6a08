//! preOrder: payment by a code the customer presents (table 2.3).

use super::fields::{self, invalid, optional, required};
use super::{Demand, Good, RequestError, good, rules};
use crate::opengateway::channel::ChannelType;
use crate::opengateway::document::Document;
use crate::opengateway::node::Members;

/// How the customer's code was read, `DYNAMIC_ID_TYPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DynamicIdType {
    /// 1: bar code or QR code.
    Barcode,
    /// 2: sound wave.
    SoundWave,
    /// 3: NFC.
    Nfc,
}

impl DynamicIdType {
    /// The code on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Barcode => 1,
            Self::SoundWave => 2,
            Self::Nfc => 3,
        }
    }

    fn decode(document: &Document<'_>) -> Result<Self, RequestError> {
        let rule = &rules::DYNAMIC_ID_TYPE;
        match fields::number(document.fields(), rule, Demand::DynamicIdType)? {
            1 => Ok(Self::Barcode),
            2 => Ok(Self::SoundWave),
            3 => Ok(Self::Nfc),
            _ => Err(invalid(rule, Demand::DynamicIdType)),
        }
    }
}

/// A preOrder request. No `Debug`: the customer's and the voucher's codes pay.
#[derive(Clone, PartialEq, Eq)]
pub struct PreOrder {
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
    /// `CHANNEL_TYPE`; [`ChannelType::Auto`] is to be detected.
    pub channel_type: ChannelType,
    /// `DYNAMIC_ID_TYPE`.
    pub dynamic_id_type: DynamicIdType,
    /// `DYNAMIC_ID`, the customer's code.
    pub dynamic_id: String,
    /// `CHARGE_CODE`, the merchant's serial, at most 64 characters.
    pub charge_code: String,
    /// `PAY_SUBJECT`.
    pub pay_subject: String,
    /// `GOODS_DETAIL`, at most 100 items.
    pub goods: Vec<Good>,
    /// `verifyCodes`, one voucher code.
    pub verify_code: Option<String>,
}

impl PreOrder {
    /// Takes the message out of a document.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule.
    pub fn decode(document: &Document<'_>) -> Result<Self, RequestError> {
        let f = document.fields();
        Ok(Self {
            busi_id: optional(f, &rules::BUSI_ID)?,
            oper_id: required(f, &rules::OPER_ID)?,
            dev_id: required(f, &rules::DEV_ID)?,
            merchant_para: optional(f, &rules::MERCHANTPARA)?,
            register_id: optional(f, &rules::REGISTER_ID)?,
            amount_yuan: required(f, &rules::AMT)?,
            time_expire_s: fields::time_expire_s(f)?,
            channel_type: fields::channel(f)?,
            dynamic_id_type: DynamicIdType::decode(document)?,
            dynamic_id: required(f, &rules::DYNAMIC_ID)?,
            charge_code: required(f, &rules::CHARGE_CODE)?,
            pay_subject: required(f, &rules::PAY_SUBJECT)?,
            goods: good::decode_all(document)?,
            verify_code: optional(f, &rules::VERIFY_CODES)?,
        })
    }

    /// The body a client sends.
    pub fn to_json(&self) -> String {
        let mut m = Members::with_capacity(16);
        m.text(rules::AMT.name, &self.amount_yuan)
            .maybe_text(rules::BUSI_ID.name, self.busi_id.as_deref())
            .int(rules::CHANNEL_TYPE.name, self.channel_type.code())
            .int(rules::DYNAMIC_ID_TYPE.name, self.dynamic_id_type.code())
            .text(rules::DYNAMIC_ID.name, &self.dynamic_id)
            .text(rules::PAY_SUBJECT.name, &self.pay_subject)
            .text(rules::OPER_ID.name, &self.oper_id)
            .text(rules::CHARGE_CODE.name, &self.charge_code)
            .maybe_text(rules::REGISTER_ID.name, self.register_id.as_deref())
            .text(rules::DEV_ID.name, &self.dev_id)
            .maybe_text(rules::MERCHANTPARA.name, self.merchant_para.as_deref())
            .maybe_int(rules::TIME_EXPIRE.name, self.time_expire_s)
            .maybe_text(rules::VERIFY_CODES.name, self.verify_code.as_deref());
        good::push_all(&mut m, &self.goods);
        m.into_node().to_json()
    }
}
