//! Dialect 2: a terminal's form, a reply as clients read it, and the small parsers.

use crate::bytes::Bytes;
use wire::jpos::{
    Amount, BatchNo, Form, Key, Mac, Operation, Pin, PinBlock, Reply, Request, RequestError,
    SerialNo, Status, TimeUnit, TraceNo, Track2, WorkingKeys, key::SingleKey, name,
};

/// One byte for the operation, then the body of a request.
pub fn request(bytes: &[u8]) {
    let mut choices = Bytes::new(bytes);
    let operation = operation(&mut choices);
    let decoded = Form::decode(choices.rest(), operation.body_bytes_max());
    let Ok(form) = decoded else {
        return;
    };
    let again = form.encode();
    let again = Form::decode(again.as_bytes(), usize::MAX).expect("our own form");
    assert!(again == form, "a form is written as it was read");
    holds_its_mac(form.clone());
    match Request::decode(operation, &form) {
        Ok(request) => comes_as_it_was_sent(&request),
        Err(error) => is_answered(&error),
    }
}

fn operation(choices: &mut Bytes<'_>) -> Operation {
    Operation::ALL[choices.choose(Operation::ALL.len())]
}

fn mac_key() -> SingleKey {
    SingleKey::new([0xC2, 0x4A, 0x8F, 0xB5, 0x7A, 0xA2, 0x01, 0x23])
}

fn holds_its_mac(mut form: Form<'_>) {
    let mac = Mac::of(&mac_key(), &form);
    if form.fields().all(|(known, _)| known != name::MAC) {
        form.push(name::MAC, mac.to_string());
        assert_eq!(Mac::verify(&mac_key(), &form), Ok(()));
    } else {
        let _ = Mac::verify(&mac_key(), &form);
    }
}

/// What a client makes of the message is the same message.
fn comes_as_it_was_sent(request: &Request) {
    let body = request.to_form().encode();
    let form = Form::decode(body.as_bytes(), usize::MAX).expect("our own form");
    let Ok(again) = Request::decode(request.operation(), &form) else {
        panic!("our own message is refused: {body}");
    };
    assert_eq!(again.to_form().encode(), body);
    assert_eq!(again.content(), request.content());
    assert_eq!(again.terminal(), request.terminal());
}

/// A refusal has one of three statuses, and names the field where it says that one is wrong.
fn is_answered(error: &RequestError) {
    let outcome = error.outcome();
    let status = outcome.status();
    let is_fields = [Status::BadField, Status::BadAmount].contains(&status);
    assert!(is_fields || status == Status::PinFormat, "{error}");
    let suffix = if is_fields {
        format!("：{}", error.field())
    } else {
        String::new()
    };
    let expected = format!("{}{suffix}", status.text());
    assert_eq!(outcome.message(), expected);
}

/// One byte for the operation, one for the unit of time, then a reply.
pub fn reply(bytes: &[u8]) {
    let mut choices = Bytes::new(bytes);
    let operation = operation(&mut choices);
    let unit = [TimeUnit::Seconds, TimeUnit::Milliseconds][choices.choose(2)];
    let Ok(reply) = Reply::decode(operation, unit, choices.rest()) else {
        return;
    };
    let text = reply.encode(unit);
    let Ok(again) = Reply::decode(operation, unit, text.as_bytes()) else {
        panic!("our own reply cannot be read: {text}");
    };
    assert!(again == reply, "{text}");
}

/// Paths, amounts, numbers, tracks, keys and PIN blocks.
pub fn texts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok((version, operation)) = Operation::parse_path(text) {
        assert_eq!(operation.path(version), text);
    }
    numbers(text);
    if let Some(track) = Track2::parse(text) {
        assert!(text.contains(track.card_no()) && !track.card_no().is_empty());
        assert!(track.expiry().is_none_or(|it| (1..=12).contains(&it.month)));
    }
    keys(text);
}

fn numbers(text: &str) {
    if let Ok(amount) = Amount::parse_signed(text) {
        assert_eq!(Amount::parse_signed(&amount.to_string()), Ok(amount));
    }
    if let Ok(amount) = Amount::parse(text, Amount::TRANSACTION_MAX) {
        assert!((Amount::ZERO..=Amount::TRANSACTION_MAX).contains(&amount));
        assert_eq!(Amount::parse_signed(text), Ok(amount));
    }
    let written = [
        TraceNo::parse(text).map(|no| no.to_string()),
        BatchNo::parse(text).map(|no| no.to_string()),
        SerialNo::parse(text).map(|no| no.to_string()),
    ];
    assert!(written.iter().flatten().all(|written| written == text));
}

fn keys(text: &str) {
    let master = Key::parse_hex("CA5D92598DCA48CE8A4C76361A9269E9").expect("a key");
    if let Ok(keys) = WorkingKeys::unwrap(&master, text) {
        assert_eq!(keys.wrap(&master), text.to_ascii_uppercase());
    }
    if let Ok(key) = Key::parse_hex(text) {
        assert!(
            key.check_value()
                .is_named_by(&key.check_value().to_string())
        );
    }
    if let Ok(pin) = Pin::parse(text) {
        let block = PinBlock::seal(&master, &pin, "9999999999025288").expect("a block");
        let opened = block.open(&master, "9999999999025288").expect("its PIN");
        assert_eq!(opened.digits(), text);
    }
    // Without a key there is one block in about a thousand that looks like a PIN's.
    if let Ok(block) = PinBlock::parse(text) {
        let _ = block.open(&master, "9999999999025288");
    }
}
