//! Properties: decoders are total, and what is written is read back.

use super::any::{
    Unseen, body, card, card_active, consume, entry, head, operation, pieces, reversal,
    send_verify_code, settle, take_back, text,
};
use super::{read, sample};
use proptest::prelude::*;
use wire::jpos::key::{DoubleKey, SingleKey};
use wire::jpos::request::{
    CardActive, CardQuery, Checkin, Consume, Reversal, SendVerifyCode, Settle, SettleDetails,
    TakeBack, TicketConsume,
};
use wire::jpos::working_keys::RANDOM_LEN;
use wire::jpos::{
    Amount, Form, Key, Layout, Mac, Operation, Pin, PinBlock, Reply, Request, TimeUnit, Track2,
    WorkingKeys,
};

/// Runs every decoder of a body.
fn decode_all(body: &[u8]) {
    for operation in Operation::ALL {
        if let Ok(form) = Form::decode(body, operation.body_bytes_max()) {
            match Request::decode(*operation, &form) {
                Ok(request) => drop((request.content(), request.to_form().encode())),
                Err(error) => drop((error.outcome(), error.to_string())),
            }
        }
        let _ = Reply::decode(*operation, TimeUnit::Seconds, body);
    }
}

/// The message's form, as a terminal sends it and the gateway reads it.
fn comes_as_it_was_sent<T: PartialEq>(
    sent: &T,
    form: &Form<'_>,
    decode: impl FnOnce(&Form<'_>) -> Option<T>,
) -> Result<(), TestCaseError> {
    let body = form.encode();
    let received = Form::decode(body.as_bytes(), 1_000_000).ok().unwrap();
    prop_assert!(received == *form, "{}", body);
    prop_assert!(decode(&received).as_ref() == Some(sent), "{}", body);
    Ok(())
}

/// A valid body with some bytes replaced, removed or repeated.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    (operation(), prop::collection::vec(edit, 1..6)).prop_map(|(operation, edits)| {
        let mut body = sample(operation).into_bytes();
        for (at, byte, kind) in edits {
            let at = at.index(body.len());
            match kind {
                0 => body[at] = byte,
                1 => drop(body.remove(at)),
                _ => body.extend_from_within(at..),
            }
        }
        body
    })
}

proptest! {
    #[test]
    fn bodies_never_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        decode_all(&body);
    }

    #[test]
    fn bodies_of_syntax_never_panic(body in "[%&=+{}\\[\\]\":,a-cA-F0-9.\\-]{0,80}") {
        decode_all(body.as_bytes());
        decode_all(format!("{{{body}").as_bytes());
        decode_all(format!(r#"{{"status":"00","transTime":1,{body}}}"#).as_bytes());
    }

    #[test]
    fn mutated_bodies_never_panic(body in mutated()) {
        decode_all(&body);
    }

    #[test]
    fn texts_never_panic(text in "\\PC{0,40}|[/a-zA-Z0-9.\\-=]{0,60}") {
        let _ = Operation::parse_path(&text);
        let _ = Key::parse_hex(&text);
        let _ = Track2::parse(&text).map(|track| track.expiry());
        let _ = Pin::parse(&text);
        if let Ok(amount) = Amount::parse_signed(&text) {
            prop_assert_eq!(Amount::parse_signed(&amount.to_string()), Ok(amount));
        }
    }

    #[test]
    fn amounts_are_read_back(hundredths in any::<i64>()) {
        let amount = Amount::new(hundredths.max(-i64::MAX));
        prop_assert_eq!(Amount::parse_signed(&amount.to_string()), Ok(amount));
    }

    #[test]
    fn a_sale_comes_as_it_was_sent(Unseen(message) in consume()) {
        comes_as_it_was_sent(&message, &message.to_form(), |form| Consume::decode(form).ok())?;
    }

    #[test]
    fn a_taking_back_comes_as_it_was_sent(Unseen(message) in take_back()) {
        comes_as_it_was_sent(&message, &message.to_form(), |form| TakeBack::decode(form).ok())?;
    }

    #[test]
    fn a_redemption_comes_as_it_was_sent(head in head(), Unseen(card) in card(), tickets in pieces(1)) {
        let message = TicketConsume { head, card, tickets };
        comes_as_it_was_sent(&message, &message.to_form(), |form| TicketConsume::decode(form).ok())?;
    }

    #[test]
    fn a_question_comes_as_it_was_sent(head in head(), Unseen(card) in card(), operator_no in text()) {
        let terminal = head.terminal.clone();
        let message = CardQuery { head, card };
        comes_as_it_was_sent(&message, &message.to_form(), |form| CardQuery::decode(form).ok())?;
        let message = Checkin { terminal, operator_no };
        comes_as_it_was_sent(&message, &message.to_form(), |form| Checkin::decode(form).ok())?;
    }

    #[test]
    fn an_activation_comes_as_it_was_sent(Unseen(message) in card_active(), Unseen(code) in send_verify_code()) {
        comes_as_it_was_sent(&message, &message.to_form(), |form| CardActive::decode(form).ok())?;
        comes_as_it_was_sent(&code, &code.to_form(), |form| SendVerifyCode::decode(form).ok())?;
    }

    #[test]
    fn a_settlement_comes_as_it_was_sent(
        Unseen(message) in settle(),
        entries in prop::collection::vec(entry(), 0..4),
    ) {
        comes_as_it_was_sent(&message, &message.to_form(), |form| Settle::decode(form).ok())?;
        let details = SettleDetails { head: message.head, entries };
        comes_as_it_was_sent(&details, &details.to_form(), |form| SettleDetails::decode(form).ok())?;
    }

    #[test]
    fn a_reversal_comes_as_it_was_sent(Unseen(message) in reversal()) {
        comes_as_it_was_sent(&message, &message.to_form(), |form| Reversal::decode(form).ok())?;
    }

    #[test]
    fn a_reversal_agrees_with_the_sale_it_repeats(Unseen(sale) in consume()) {
        let body = sale.to_form().encode();
        let Ok(Request::ConsumeReversal(reversal)) = read(Operation::ConsumeReversal, &body) else {
            return Err(TestCaseError::fail(body));
        };
        prop_assert!(reversal.head == sale.head);
        prop_assert!(reversal.card_no.agrees_with(&sale.card.card_no));
        prop_assert!(reversal.point_amount.agrees_with(&sale.point_amount));
        prop_assert!(reversal.cash_amount.agrees_with(&sale.cash_amount));
        prop_assert!(reversal.vouchers.agrees_with(&sale.vouchers));
    }

    #[test]
    fn the_content_survives_the_way(Unseen(sale) in consume()) {
        let sent = Request::Consume(sale);
        let Ok(received) = read(Operation::Consume, &sent.to_form().encode()) else {
            return Err(TestCaseError::fail("refused"));
        };
        prop_assert!(received.content() == sent.content());
    }

    #[test]
    fn a_reply_comes_as_it_was_sent((operation, Unseen(body)) in body(), time_s in 0..10_000_000_000_i64) {
        let reply = Reply::approved(body, time_s * 1_000);
        for unit in [TimeUnit::Seconds, TimeUnit::Milliseconds] {
            let text = reply.encode(unit);
            let read = Reply::decode(operation, unit, text.as_bytes());
            prop_assert!(read.is_ok_and(|read| read == reply), "{}", text);
        }
    }

    #[test]
    fn working_keys_come_back(
        random in any::<[u8; RANDOM_LEN]>(),
        master in any::<[u8; 16]>(),
        is_long in any::<bool>(),
    ) {
        let layout = if is_long { Layout::Long } else { Layout::Short };
        let master = Key::Double(DoubleKey::new(master));
        if let Some(keys) = WorkingKeys::from_random(layout, &random) {
            let again = WorkingKeys::unwrap(&master, &keys.wrap(&master)).ok().unwrap();
            prop_assert_eq!(again.pin.bytes(), keys.pin.bytes());
            prop_assert_eq!(again.mac.bytes(), keys.mac.bytes());
        }
    }

    #[test]
    fn pins_come_back(digits in "[0-9]{4,12}", card_no in "[0-9]{1,19}", key in any::<[u8; 16]>()) {
        let key = Key::Double(DoubleKey::new(key));
        let block = PinBlock::seal(&key, &Pin::parse(&digits).ok().unwrap(), &card_no);
        let opened = block.ok().unwrap().open(&key, &card_no).ok().unwrap();
        prop_assert_eq!(opened.digits(), digits);
    }

    #[test]
    fn any_block_opens_to_a_pin_or_to_an_error(block in "[0-9A-F]{16}", card_no in "[0-9]{1,19}") {
        let key = Key::Single(SingleKey::new([7; 8]));
        let block = PinBlock::parse(&block).ok().unwrap();
        if let Ok(pin) = block.open(&key, &card_no) {
            prop_assert!(PinBlock::seal(&key, &pin, &card_no).ok() == Some(block));
        }
    }

    #[test]
    fn a_mac_holds_for_its_form(Unseen(sale) in consume(), key in any::<[u8; 8]>()) {
        let key = SingleKey::new(key);
        let mut form = sale.to_form();
        let mac = Mac::of(&key, &form);
        form.push("mac", mac.to_string());
        let body = form.encode();
        let received = Form::decode(body.as_bytes(), 1_000_000).ok().unwrap();
        prop_assert_eq!(Mac::verify(&key, &received), Ok(()));
    }
}
