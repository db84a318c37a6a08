//! Properties: decoders are total, and what is written is read back.

use super::{read, sample};
use proptest::prelude::*;
use wire::jpos::key::{DoubleKey, SingleKey};
use wire::jpos::person::{Gender, Grade, IdType, TicketKind};
use wire::jpos::reply::{
    Balances, CardsReply, CheckinReply, ConsumeReply, Holder, Points, RefundReply, Returned,
    TicketLine, TicketsReply, VoucherLine,
};
use wire::jpos::request::{
    Card, CardActive, CardQuery, Checkin, Consume, Head, JournalEntry, Original, Piece, Repeated,
    Reversal, SendVerifyCode, Settle, SettleDetails, TakeBack, Terminal, TicketConsume, Totals,
};
use wire::jpos::track::Track3;
use wire::jpos::working_keys::RANDOM_LEN;
use wire::jpos::{
    Amount, BatchNo, Body, Form, Key, Layout, Mac, Operation, Pin, PinBlock, Reply, Request,
    SerialNo, TimeUnit, TraceNo, Track2, WorkingKeys,
};

/// What has no `Debug`; an assertion that fails prints its text instead.
#[derive(Clone)]
struct Unseen<T>(T);

impl<T> std::fmt::Debug for Unseen<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<T>())
    }
}

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

fn text() -> impl Strategy<Value = String> {
    "[^\\x00-\\x1F\\x7F-\\x9F\\uFFFD]{1,64}"
}

fn operation() -> impl Strategy<Value = Operation> {
    prop::sample::select(Operation::ALL)
}

fn trace_no() -> impl Strategy<Value = TraceNo> {
    (1..=999_999_u32).prop_map(|no| TraceNo::new(no).unwrap())
}

fn batch_no() -> impl Strategy<Value = BatchNo> {
    (1..=999_999_u32).prop_map(|no| BatchNo::new(no).unwrap())
}

fn serial_no() -> impl Strategy<Value = SerialNo> {
    (0..=SerialNo::MAX.get()).prop_map(|no| SerialNo::new(no).unwrap())
}

fn amount() -> impl Strategy<Value = Amount> {
    (0..=Amount::TRANSACTION_MAX.get()).prop_map(Amount::new)
}

fn total() -> impl Strategy<Value = Amount> {
    (0..=Amount::TOTAL_MAX.get()).prop_map(Amount::new)
}

fn balance() -> impl Strategy<Value = Amount> {
    any::<i64>().prop_map(|number| Amount::new(number / 1_000))
}

fn terminal() -> impl Strategy<Value = Terminal> {
    (text(), text()).prop_map(|(store_no, terminal_no)| Terminal {
        store_no,
        terminal_no,
    })
}

fn head() -> impl Strategy<Value = Head> {
    let batch_no = prop::option::of(batch_no());
    (terminal(), trace_no(), batch_no).prop_map(|(terminal, trace_no, batch_no)| Head {
        terminal,
        trace_no,
        batch_no,
    })
}

fn card() -> impl Strategy<Value = Unseen<Card>> {
    let track2 = prop::option::of("[0-9]{1,19}[=D][0-9]{0,17}");
    let track3 = prop::option::of("[ -~]{1,104}");
    ("[0-9A-Za-z]{1,32}", track2, track3).prop_map(|(card_no, track2, track3)| {
        Unseen(Card {
            card_no,
            track2: track2.map(|text| Track2::parse(&text).unwrap()),
            track3: track3.map(|text| Track3::parse(&text).unwrap()),
        })
    })
}

/// Up to four pieces, no id twice; the kinds are those of `ticket`.
fn pieces(least: usize) -> impl Strategy<Value = Vec<Piece>> {
    let kind = prop::option::of(prop::sample::select(TicketKind::ALL));
    let piece = (1..=9_999_u32, kind);
    prop::collection::btree_map(1..=i64::MAX, piece, least..5).prop_map(|pieces| {
        let pieces = pieces.into_iter();
        pieces
            .map(|(id, (num, kind))| Piece { id, num, kind })
            .collect()
    })
}

fn consume() -> impl Strategy<Value = Unseen<Consume>> {
    let password = prop::option::of("[0-9A-F]{16}");
    let paid = (amount(), amount(), pieces(1));
    let receipt = prop::option::of(text());
    (head(), card(), password, "[0-9]{2,3}", paid, receipt).prop_map(
        |(head, card, password, consume_type, paid, register_trace_no)| {
            Unseen(Consume {
                head,
                card: card.0,
                password: password.map(|text| PinBlock::parse(&text).ok().unwrap()),
                consume_type,
                point_amount: paid.0,
                cash_amount: paid.1,
                vouchers: paid.2,
                register_trace_no,
            })
        },
    )
}

fn take_back() -> impl Strategy<Value = Unseen<TakeBack>> {
    let numbers = (
        "[0-9]{1,20}",
        prop::option::of(batch_no()),
        prop::option::of(trace_no()),
    );
    let rest = (
        prop::option::of(text()),
        prop::option::of("[0-9]{8}"),
        prop::option::of(text()),
    );
    (head(), card(), numbers, rest).prop_map(|(head, card, numbers, rest)| {
        Unseen(TakeBack {
            head,
            card: card.0,
            original: Original {
                serial_no: Some(numbers.0),
                batch_no: numbers.1,
                trace_no: numbers.2,
                trans_time: rest.0,
                trans_date: rest.1,
                register_trace_no: rest.2,
            },
        })
    })
}

fn card_active() -> impl Strategy<Value = Unseen<CardActive>> {
    let person = (
        "1[0-9]{10}",
        text(),
        prop::sample::select(IdType::ALL),
        prop::option::of(text()),
    );
    (head(), card(), person).prop_map(|(head, card, person)| {
        Unseen(CardActive {
            head,
            card: card.0,
            mobile_no: person.0,
            verify_code: person.1.into(),
            id_type: person.2,
            id_no: person.3,
        })
    })
}

fn send_verify_code() -> impl Strategy<Value = Unseen<SendVerifyCode>> {
    let numbers = (prop::option::of(trace_no()), prop::option::of(batch_no()));
    (terminal(), "1[0-9]{10}", numbers).prop_map(|(terminal, mobile_no, numbers)| {
        Unseen(SendVerifyCode {
            terminal,
            mobile_no,
            trace_no: numbers.0,
            batch_no: numbers.1,
        })
    })
}

fn settle() -> impl Strategy<Value = Unseen<Settle>> {
    let counts = prop::array::uniform8(0..=999_999_u32);
    let amounts = prop::array::uniform4(total());
    let card_no = prop::option::of("[0-9]{1,19}");
    (head(), card_no, counts, amounts).prop_map(|(head, card_no, counts, amounts)| {
        Unseen(Settle {
            head,
            card_no,
            totals: Totals {
                point_debit_count: counts[0],
                point_debit_amount: amounts[0],
                point_credit_count: counts[1],
                point_credit_amount: amounts[1],
                ticket_debit_count: counts[2],
                ticket_debit_amount: amounts[2],
                ticket_credit_count: counts[3],
                ticket_credit_amount: amounts[3],
                total_trans_count: counts[4],
                cancel_count: counts[5],
                refund_count: counts[6],
                card_active_count: counts[7],
            },
        })
    })
}

fn entry() -> impl Strategy<Value = JournalEntry> {
    let journalled = operation().prop_filter("no journal holds it", |it| it.is_journalled());
    let serial_no = prop::option::of(serial_no());
    let moved = (amount(), amount(), pieces(0), pieces(0));
    (journalled, trace_no(), serial_no, moved).prop_map(
        |(operation, trace_no, serial_no, moved)| JournalEntry {
            operation,
            trace_no,
            serial_no,
            point_amount: moved.0,
            cash_amount: moved.1,
            vouchers: moved.2,
            tickets: moved.3,
        },
    )
}

fn repeated<T: std::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Repeated<T>> {
    prop::option::of(value).prop_map(|said| said.map_or(Repeated::Absent, Repeated::Said))
}

fn reversal() -> impl Strategy<Value = Unseen<Reversal>> {
    let said = (
        repeated("[0-9]{1,32}"),
        repeated(amount()),
        repeated(amount()),
        repeated(pieces(1)),
        repeated(pieces(1)),
    );
    (head(), said).prop_map(|(head, said)| {
        Unseen(Reversal {
            head,
            card_no: said.0,
            point_amount: said.1,
            cash_amount: said.2,
            vouchers: said.3,
            tickets: said.4,
        })
    })
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

fn balances() -> impl Strategy<Value = Balances> {
    (balance(), balance()).prop_map(|(total, available)| Balances { total, available })
}

fn points() -> impl Strategy<Value = Points> {
    (serial_no(), balances(), balance(), balance()).prop_map(
        |(serial_no, balances, used, present)| Points {
            serial_no,
            balances,
            used,
            present,
        },
    )
}

fn holder() -> impl Strategy<Value = Unseen<Holder>> {
    let codes = (
        prop::option::of(prop::sample::select(IdType::ALL)),
        prop::option::of(prop::sample::select(Gender::ALL)),
        prop::option::of(prop::sample::select(Grade::ALL)),
    );
    (codes, prop::array::uniform5(any::<String>())).prop_map(|(codes, texts)| {
        let [id_no, name, mobile_no, address, email] = texts;
        Unseen(Holder {
            id_type: codes.0,
            id_no,
            name,
            gender: codes.1,
            mobile_no,
            grade: codes.2,
            address,
            email,
        })
    })
}

fn voucher() -> impl Strategy<Value = VoucherLine> {
    (any::<i64>(), balance(), any::<u32>(), any::<String>()).prop_map(|(id, amount, num, name)| {
        VoucherLine {
            id,
            amount,
            num,
            name,
        }
    })
}

fn ticket() -> impl Strategy<Value = TicketLine> {
    (voucher(), prop::sample::select(TicketKind::ALL)).prop_map(|(voucher, kind)| TicketLine {
        id: voucher.id,
        kind,
        amount: voucher.amount,
        name: voucher.name,
        num: voucher.num,
    })
}

fn body() -> impl Strategy<Value = (Operation, Unseen<Body>)> {
    let batch_no = prop::option::of(batch_no());
    let checkin = (batch_no, any::<String>(), any::<String>());
    let cards = (balances(), prop::collection::vec(voucher(), 0..3), holder());
    let tickets = (
        prop::option::of(serial_no()),
        balances(),
        prop::collection::vec(ticket(), 0..3),
    );
    prop_oneof![
        checkin.prop_map(|(batch_no, store_name, working_key)| (
            Operation::Checkin,
            Unseen(Body::Checkin(CheckinReply {
                batch_no,
                store_name,
                working_key
            }))
        )),
        cards.prop_map(|(balances, vouchers, holder)| (
            Operation::Cards,
            Unseen(Body::Cards(CardsReply {
                balances: Some(balances),
                vouchers,
                holder: holder.0
            }))
        )),
        (points(), any::<String>()).prop_map(|(points, advertisement)| (
            Operation::Consume,
            Unseen(Body::Consume(ConsumeReply {
                points: Some(points),
                advertisement
            }))
        )),
        points().prop_map(|points| (Operation::Cancel, Unseen(Body::Cancel(Some(points))))),
        (points(), balance(), balance()).prop_map(|(points, cash, supply_cash)| (
            Operation::Refund,
            Unseen(Body::Refund(RefundReply(Some(Returned {
                serial_no: points.serial_no,
                balances: points.balances,
                points: points.used,
                present_points: points.present,
                cash,
                supply_cash
            }))))
        )),
        tickets.prop_map(|(serial_no, balances, tickets)| (
            Operation::Tickets,
            Unseen(Body::Tickets(TicketsReply {
                serial_no,
                balances: Some(balances),
                tickets
            }))
        )),
    ]
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
