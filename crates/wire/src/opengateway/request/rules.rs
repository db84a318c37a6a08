//! One table of what the dialect demands of each field's shape.
//!
//! The source names types but, except for a few, no lengths; the limits here are ours.

/// What a field's text must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The field's name on the wire.
    pub name: &'static str,
    /// Most characters, not bytes.
    pub chars_max: usize,
    /// Whether white space is refused: it is not signed, so where it could change what the
    /// value means nobody may add it.
    pub is_solid: bool,
}

const fn solid(name: &'static str, chars_max: usize) -> Rule {
    Rule {
        name,
        chars_max,
        is_solid: true,
    }
}

const fn prose(name: &'static str, chars_max: usize) -> Rule {
    Rule {
        name,
        chars_max,
        is_solid: false,
    }
}

/// Least TIME_EXPIRE, in seconds.
pub const TIME_EXPIRE_S_MIN: u32 = 120;

/// Merchant.
pub const BUSI_ID: Rule = solid("BUSI_ID", 64);
/// Operator.
pub const OPER_ID: Rule = prose("OPER_ID", 128);
/// Device.
pub const DEV_ID: Rule = prose("DEV_ID", 128);
/// Returned as it came.
pub const MERCHANTPARA: Rule = prose("MERCHANTPARA", 1024);
/// Shop.
pub const REGISTER_ID: Rule = prose("REGISTER_ID", 128);
/// Amount, in yuan.
pub const AMT: Rule = solid("AMT", 32);
/// Time to pay, in seconds.
pub const TIME_EXPIRE: Rule = solid("TIME_EXPIRE", 10);
/// Payment channel.
pub const CHANNEL_TYPE: Rule = solid("CHANNEL_TYPE", 5);
/// How the customer's code was read.
pub const DYNAMIC_ID_TYPE: Rule = solid("DYNAMIC_ID_TYPE", 5);
/// The customer's code.
pub const DYNAMIC_ID: Rule = solid("DYNAMIC_ID", 128);
/// The merchant's serial.
pub const CHARGE_CODE: Rule = solid("CHARGE_CODE", 64);
/// The gateway's serial. Another shape than 20 digits is not refused here: it does not exist.
pub const CHARGE_DOWN_CODE: Rule = solid("CHARGE_DOWN_CODE", 64);
/// Description of a payment.
pub const PAY_SUBJECT: Rule = prose("PAY_SUBJECT", 256);
/// Address notified of a payment, white space already removed.
pub const NODIFY_URL: Rule = solid("NODIFY_URL", 1024);
/// Voucher code.
pub const VERIFY_CODES: Rule = solid("verifyCodes", 64);
/// Kind of order.
pub const TRADE_TYPE: Rule = solid("TRADE_TYPE", 16);
/// Sub-merchant's application.
pub const SUB_APPID: Rule = solid("subAppid", 128);
/// The customer under that application.
pub const SUB_OPENID: Rule = solid("subOpenid", 128);
/// Amount to refund, in yuan.
pub const CHARGE_REFUND_FEE: Rule = solid("CHARGE_REFUND_FEE", 32);
/// Description of a refund.
pub const REFUND_SUBJECT: Rule = prose("REFUND_SUBJECT", 256);
/// The merchant's serial of a refund.
pub const OUT_REFUND_NO: Rule = solid("OUT_REFUND_NO", 64);
/// Telephone number.
pub const PHONE_NO: Rule = solid("phoneNo", 11);
/// Data volume, in MB.
pub const FLOW_VAL: Rule = solid("flowVal", 10);
/// Whole country or province.
pub const FLOW_TYPE: Rule = solid("flowType", 5);
/// Address notified of a top-up, white space already removed.
pub const NOTIFY_URL: Rule = solid("notifyURL", 1024);
/// Article.
pub const GOOD_ID: Rule = prose("GOOD_ID", 128);
/// Article's name.
pub const GOOD_NAME: Rule = prose("GOOD_NAME", 256);
/// Article's class.
pub const GOOD_CLASS: Rule = prose("GOOD_CLASS", 128);
/// Article's price, in yuan.
pub const GOOD_PRICE: Rule = solid("GOOD_PRICE", 32);
/// Article's description.
pub const GOOD_SUBJECT: Rule = prose("GOOD_SUBJECT", 256);
/// Number of articles.
pub const GOOD_QUANTITY: Rule = solid("GOOD_QUANTITY", 32);
/// Article's page.
pub const GOOD_SHOWURL: Rule = prose("GOOD_SHOWURL", 1024);
