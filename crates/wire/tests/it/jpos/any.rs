//! Any message and any reply, for the properties.

use proptest::prelude::*;
use wire::jpos::person::{Gender, Grade, IdType, TicketKind};
use wire::jpos::reply::{
    Balances, CardsReply, CheckinReply, ConsumeReply, Holder, Points, RefundReply, Returned,
    TicketLine, TicketsReply, VoucherLine,
};
use wire::jpos::request::{
    Card, CardActive, Consume, Head, JournalEntry, Original, Piece, Repeated, Reversal,
    SendVerifyCode, Settle, TakeBack, Terminal, Totals,
};
use wire::jpos::track::Track3;
use wire::jpos::{Amount, BatchNo, Body, Operation, PinBlock, SerialNo, TraceNo, Track2};

/// What has no `Debug`; an assertion that fails prints its text instead.
#[derive(Clone)]
pub struct Unseen<T>(pub T);

impl<T> std::fmt::Debug for Unseen<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<T>())
    }
}

pub fn text() -> impl Strategy<Value = String> {
    "[^\\x00-\\x1F\\x7F-\\x9F\\uFFFD]{1,64}"
}

pub fn operation() -> impl Strategy<Value = Operation> {
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

pub fn head() -> impl Strategy<Value = Head> {
    let batch_no = prop::option::of(batch_no());
    (terminal(), trace_no(), batch_no).prop_map(|(terminal, trace_no, batch_no)| Head {
        terminal,
        trace_no,
        batch_no,
    })
}

pub fn card() -> impl Strategy<Value = Unseen<Card>> {
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

/// Up to four pieces of vouchers, which have no kind.
fn vouchers(least: usize) -> impl Strategy<Value = Vec<Piece>> {
    pieces(least).prop_map(|mut pieces| {
        pieces.iter_mut().for_each(|piece| piece.kind = None);
        pieces
    })
}

/// Up to four pieces of tickets, no id twice.
pub fn pieces(least: usize) -> impl Strategy<Value = Vec<Piece>> {
    let kind = prop::option::of(prop::sample::select(TicketKind::ALL));
    let piece = (1..=9_999_u32, kind);
    prop::collection::btree_map(1..=i64::MAX, piece, least..5).prop_map(|pieces| {
        let pieces = pieces.into_iter();
        pieces
            .map(|(id, (num, kind))| Piece { id, num, kind })
            .collect()
    })
}

pub fn consume() -> impl Strategy<Value = Unseen<Consume>> {
    let password = prop::option::of("[0-9A-F]{16}");
    let paid = (amount(), amount(), vouchers(1));
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

pub fn take_back() -> impl Strategy<Value = Unseen<TakeBack>> {
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

pub fn card_active() -> impl Strategy<Value = Unseen<CardActive>> {
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

pub fn send_verify_code() -> impl Strategy<Value = Unseen<SendVerifyCode>> {
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

pub fn settle() -> impl Strategy<Value = Unseen<Settle>> {
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

pub fn entry() -> impl Strategy<Value = JournalEntry> {
    let journalled = operation().prop_filter("no journal holds it", |it| it.is_journalled());
    let serial_no = prop::option::of(serial_no());
    let moved = (amount(), amount(), vouchers(0), pieces(0));
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

pub fn reversal() -> impl Strategy<Value = Unseen<Reversal>> {
    let said = (
        repeated("[0-9]{1,32}"),
        repeated(amount()),
        repeated(amount()),
        repeated(vouchers(1)),
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

pub fn body() -> impl Strategy<Value = (Operation, Unseen<Body>)> {
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
