//! What makes two messages the same.

use super::{read, sample, with, without};
use wire::jpos::{Form, Operation, Request};

fn content(operation: Operation, body: &str) -> String {
    let request = read(operation, body).ok().unwrap();
    request.content().to_string()
}

#[test]
fn the_content_is_every_field_that_says_something() {
    let content = content(Operation::Consume, &sample(Operation::Consume));
    assert_eq!(
        content,
        "trans/consume?cardNo=9999999999025288&cashAmount=100&consumeType=021&pointAmount=1.5\
         &registerTraceNo=R1&storeNo=102100099990001&terminalNo=20141112&traceNo=000123\
         &vaucher=%5B%7B%22id%22%3A1%2C%22num%22%3A2%7D%5D"
    );
}

#[test]
fn a_repetition_may_be_spelled_otherwise() {
    let operation = Operation::Consume;
    let first = content(operation, &sample(operation));
    for body in [
        with(operation, "password", "0000000000000000"),
        without(operation, "password"),
        without(operation, "batchNo"),
        with(operation, "mac", "55793D50"),
        with(operation, "timestamp", "1415125804472"),
        with(operation, "cashAmount", "100.00"),
        with(operation, "track2", ""),
        with(operation, "vaucher", r#"[ {"num": "2", "id": "1"} ]"#),
    ] {
        assert_eq!(content(operation, &body), first, "{body}");
    }
}

fn identified(operation: Operation, body: &str) -> Option<(String, String)> {
    let form = Form::decode(body.as_bytes(), operation.body_bytes_max()).unwrap();
    let (head, content) = Request::identify(operation, &form)?;
    Some((head.trace_no.to_string(), content.to_string()))
}

/// Also a message whose amounts cannot be is told from others with its number.
#[test]
fn impossible_amounts_are_content_as_they_were_sent() {
    let operation = Operation::Consume;
    let with_amount = |value: &str| with(operation, "cashAmount", value);
    let first = identified(operation, &with_amount("-1")).unwrap();
    assert_eq!(first.0, "000123");
    assert!(first.1.ends_with("!cashAmount=-1"), "{}", first.1);
    let respelled = with_amount("-1") + "&timestamp=1&mac=55793D50";
    assert_eq!(identified(operation, &respelled).as_ref(), Some(&first));
    for other in ["-1.0", "x", "0.001", "1"] {
        let other = identified(operation, &with_amount(other)).unwrap();
        assert_ne!(other.1, first.1);
    }
    let both = with_amount("-1").replace("pointAmount=1.50", "pointAmount=y");
    let both = identified(operation, &both).unwrap();
    assert!(
        both.1.ends_with("!cashAmount=-1&pointAmount=y"),
        "{}",
        both.1
    );
    // Nothing at all is an amount that cannot be, too.
    let nothing = sample(operation)
        .replace("pointAmount=1.50", "pointAmount=0")
        .replace("cashAmount=100", "cashAmount=0")
        .replace("&vaucher=%5B%7B%22id%22%3A1%2C%22num%22%3A2%7D%5D", "");
    let nothing = identified(operation, &nothing).unwrap();
    assert!(nothing.1.ends_with("!pointAmount=0"), "{}", nothing.1);
    // More that is wrong leaves nothing to tell it by.
    let bad = with_amount("-1") + "&track2=x";
    assert_eq!(identified(operation, &bad), None);
}

#[test]
fn another_value_is_another_message() {
    let operation = Operation::Consume;
    let first = content(operation, &sample(operation));
    for (field, value) in [
        ("cardNo", "9999999999025289"),
        ("cashAmount", "100.01"),
        ("pointAmount", "1.51"),
        ("consumeType", "022"),
        ("registerTraceNo", "R2"),
        ("registerTraceNo", ""),
        ("track2", "9999999999025288=4905"),
        ("vaucher", r#"[{"id":1,"num":3}]"#),
        ("vaucher", r#"[{"id":1,"num":2},{"id":2,"num":1}]"#),
    ] {
        let other = content(operation, &with(operation, field, value));
        assert_ne!(other, first, "{field}={value}");
    }
}

#[test]
fn the_operation_is_a_part_of_it() {
    let body = sample(Operation::Cancel);
    let contents = [
        Operation::Cancel,
        Operation::Refund,
        Operation::RefundCancel,
    ]
    .map(|operation| content(operation, &body));
    assert_ne!(contents[0], contents[1]);
    assert_ne!(contents[1], contents[2]);
    let later = with(Operation::Refund, "oriTransTime", "1415125804473");
    assert_eq!(content(Operation::Refund, &later), contents[1]);
}

#[test]
fn a_value_cannot_pass_for_two_fields() {
    let operation = Operation::Consume;
    let one = with(operation, "registerTraceNo", "R1&storeNo=1");
    assert!(content(operation, &one).contains("registerTraceNo=R1%26storeNo%3D1&"));
}
