//! Request bodies that are right, to be made wrong one field at a time.

use onetill::admin::demo::MERCHANT;
use serde_json::{Value, json};

/// A customer's code that pays at once, of a wallet that `CHANNEL_TYPE` 0 detects as Alipay.
pub const PAYS: &str = "284214903060794755";

/// A customer's code that ends in these two digits, which tell the sandbox what to do.
pub fn trigger(digits: &str) -> String {
    format!("2842149030607947{digits}")
}

/// A preOrder of 0.01 yuan with every mandatory field.
pub fn pre_order(charge_code: &str, dynamic_id: &str) -> Value {
    json!({
        "BUSI_ID": MERCHANT,
        "OPER_ID": "oper01",
        "DEV_ID": "dev01",
        "AMT": "0.01",
        "CHANNEL_TYPE": "0",
        "DYNAMIC_ID_TYPE": "1",
        "DYNAMIC_ID": dynamic_id,
        "CHARGE_CODE": charge_code,
        "PAY_SUBJECT": "收 款",
    })
}

/// An order of 0.10 yuan over channel 2 with every mandatory field.
pub fn order(charge_code: &str) -> Value {
    json!({
        "BUSI_ID": MERCHANT,
        "OPER_ID": "oper01",
        "DEV_ID": "dev01",
        "AMT": "0.10",
        "CHANNEL_TYPE": "2",
        "CHARGE_CODE": charge_code,
        "PAY_SUBJECT": "测试 商品1",
    })
}

/// A refund with every mandatory field and a number.
pub fn refund(charge_code: &str, yuan: &str, number: &str) -> Value {
    json!({
        "BUSI_ID": MERCHANT,
        "OPER_ID": "oper01",
        "DEV_ID": "dev01",
        "CHARGE_REFUND_FEE": yuan,
        "REFUND_SUBJECT": "退款",
        "CHARGE_CODE": charge_code,
        "OUT_REFUND_NO": number,
    })
}

/// A top-up of 100 MB.
pub fn flow(phone: &str) -> Value {
    json!({"phoneNo": phone, "flowVal": 100, "flowType": "0"})
}

/// One article with every mandatory field.
pub fn good() -> Value {
    json!({
        "GOOD_ID": "2010",
        "GOOD_NAME": "Iphone",
        "GOOD_CLASS": "手机",
        "GOOD_PRICE": "4999.00",
        "GOOD_SUBJECT": "数码产品",
        "GOOD_QUANTITY": "1",
    })
}

/// `body` with a field set.
pub fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

/// `body` without a field.
pub fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().remove(field);
    body
}
