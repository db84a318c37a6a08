//! Dialect 3.

mod actions;
mod any;
mod documents;
mod keys;
mod part_no;
mod properties;
mod readings;
mod refusals;
mod requests;
mod samples;
mod signatures;
mod times;
mod trees;

use wire::Locale;
use wire::voucher::{Action, Document, Request, RequestError};

/// Decodes an action's message out of a body.
pub fn read(action: Action, body: &str) -> Result<Request, RequestError> {
    let document = Document::decode(body.as_bytes())?;
    Request::decode(action, &document)
}

/// A message that must be one.
pub fn accepted(action: Action, body: &str) -> Request {
    match read(action, body) {
        Ok(request) => request,
        Err(error) => panic!("{body}: {error}"),
    }
}

/// What a body is refused with.
pub fn refusal(action: Action, body: &str) -> String {
    match read(action, body) {
        Ok(_) => panic!("{body} is accepted"),
        Err(error) => error.desc(Locale::En),
    }
}

/// A body that the action accepts.
pub const fn sample(action: Action) -> &'static str {
    match action {
        Action::ActiveVoucher | Action::ReelActiveVoucher => {
            r#"{"traceNo":"990000009100010101732123","qrcode":"R156A001-0000491-0505","totalAmount":"3000","businessType":12,"extendData":{"shopNo":"s","voucherNo":"v","posSerialNo":"p","oms":"o"}}"#
        }
        Action::ActiveResultQuery => {
            r#"{"traceNo":"99000009100010101732123","originalTraceNo":"99000009100010101732129","businessType":12}"#
        }
        Action::DelVoucher
        | Action::ReelDelVoucher
        | Action::QueryVerifyInfo
        | Action::QueryVoucher => {
            r#"{"traceNo":"9900000910001010920150201","qrcode":"10014030013500006013","businessType":12}"#
        }
        Action::QueryCodeTrace => {
            r#"{"requestId":"1754016596841","qrcode":"1006250730320020870=gHN3981K"}"#
        }
        Action::ActiveByPartNo => {
            r#"{"ver":2,"partnerId":1504,"sign":"skip","merchantId":10001,"partnerOrderId":"2040132213w9181w0q77awwwd8","type":2,"bin":"7020","startCardSe":"0000041","endCardSe":"0000045","sellingPrice":"10000","costPrice":"8888","number":14}"#
        }
    }
}

/// A sample with one member's JSON text replaced, or the member added.
pub fn with(action: Action, field: &str, json: &str) -> String {
    let mut members = members(action);
    members.retain(|(name, _)| name != field);
    members.push((field.to_owned(), json.to_owned()));
    object(&members)
}

/// A sample without one member.
pub fn without(action: Action, field: &str) -> String {
    let mut members = members(action);
    members.retain(|(name, _)| name != field);
    object(&members)
}

fn members(action: Action) -> Vec<(String, String)> {
    let sample: serde_json::Value = serde_json::from_str(sample(action)).unwrap();
    let members = sample.as_object().unwrap().iter();
    members
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect()
}

fn object(members: &[(String, String)]) -> String {
    let members = members
        .iter()
        .map(|(name, json)| format!("\"{name}\":{json}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// A JSON text without the white space outside its strings.
pub fn compact(json: &str) -> String {
    let mut in_string = false;
    let kept = json.chars().filter(|&c| {
        in_string ^= c == '"';
        in_string || !c.is_whitespace()
    });
    kept.collect()
}
