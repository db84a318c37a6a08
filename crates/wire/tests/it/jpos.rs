//! Dialect 2.

mod amounts;
mod any;
mod forms;
mod identity;
mod keys;
mod macs;
mod manifest;
mod operations;
mod pins;
mod properties;
mod replies;
mod requests;
mod settlements;
mod statuses;
mod tracks;

use wire::jpos::{Form, Operation, Request, RequestError};

/// Decodes an operation's message out of a body.
pub fn read(operation: Operation, body: &str) -> Result<Request, RequestError> {
    let form = Form::decode(body.as_bytes(), operation.body_bytes_max())?;
    Request::decode(operation, &form)
}

/// The message's own form, read once more; the two must be equal.
pub fn read_again(request: &Request) -> String {
    let body = request.to_form().encode();
    let Ok(again) = read(request.operation(), &body) else {
        panic!("{body}");
    };
    assert_eq!(again.to_form().encode(), body);
    body
}

/// A body that the operation accepts.
pub fn sample(operation: Operation) -> String {
    const HEAD: &str = "storeNo=102100099990001&terminalNo=20141112&traceNo=000123&batchNo=000001";
    const CARD: &str = "&cardNo=9999999999025288";
    const ORIGINAL: &str =
        "&oriSerialNo=100000000231&oriBatchNo=000001&oriTraceNo=000122&oriTransTime=1415125804472";
    const SALE: &str = "&password=061253DFFEDCBA98&consumeType=021&pointAmount=1.50&cashAmount=100\
        &vaucher=%5B%7B%22id%22%3A1%2C%22num%22%3A2%7D%5D&registerTraceNo=R1";
    const TICKETS: &str =
        "&ticket=%5B%7B%22id%22%3A7%2C%22type%22%3A%2201%22%2C%22num%22%3A1%7D%5D";
    const TOTALS: &str = "&pointDebitCount=3&pointDebitAmount=4.5&pointCeditCount=1\
        &pointCreditAmount=1.5&ticketDebitCount=2&ticketDebitAmount=20&ticketCreditCount=0\
        &ticketCreditAmount=0&totalTransCount=5&cancelCount=1&refundCount=0&cardActiveCount=1";
    const JOURNAL: &str = r#"&details=[{"function":"trans/consume","traceNo":"000001","serialNo":"000000000012","pointAmount":1.5,"cashAmount":"100","vaucher":[{"id":1,"num":2}]}]"#;
    match operation {
        Operation::Checkin => {
            "storeNo=102100099990001&terminalNo=20141112&operatorNo=01".to_owned()
        }
        Operation::Cards | Operation::Tickets => format!("{HEAD}{CARD}"),
        Operation::Consume | Operation::ConsumeReversal => format!("{HEAD}{CARD}{SALE}"),
        Operation::TicketConsume | Operation::TicketConsumeReversal => {
            format!("{HEAD}{CARD}{TICKETS}")
        }
        Operation::Cancel
        | Operation::CancelReversal
        | Operation::Refund
        | Operation::RefundCancel
        | Operation::RefundReversal
        | Operation::RefundCancelReversal => format!("{HEAD}{CARD}{ORIGINAL}"),
        Operation::SendVerifyCode => format!("{HEAD}&mobileNo=13800000000"),
        Operation::CardActive => {
            format!("{HEAD}{CARD}&mobileNo=13800000000&verifyCode=123456&idType=01&idNo=0123456789")
        }
        Operation::Settle => format!("{HEAD}{TOTALS}"),
        Operation::SettleDetails => format!("{HEAD}{JOURNAL}"),
    }
}

/// A sample with one field's value replaced, or the field added.
pub fn with(operation: Operation, field: &str, value: &str) -> String {
    let kept = without(operation, field);
    let value: String = form_urlencoded_value(value);
    format!("{kept}&{field}={value}")
}

/// A sample without one field.
pub fn without(operation: Operation, field: &str) -> String {
    let sample = sample(operation);
    let is_other = |pair: &&str| pair.split_once('=').map(|(name, _)| name) != Some(field);
    sample
        .split('&')
        .filter(is_other)
        .collect::<Vec<_>>()
        .join("&")
}

fn form_urlencoded_value(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
