//! What a batch is given of ranges and codes.

use super::{
    changes, plan,
    samples::{TICKET, USES, code, code_use, range, span, span_due},
};
use crate::{
    fixture::{Fixture, claim, on_each_store, record, write},
    loyalty::samples::{card, documents, trans},
    samples::{AMOUNT, TENANT, payment, serial},
};
use domain::{
    ids::TenantId,
    loyalty::{
        card::{Card, HeldCode, TicketCode, TicketKind},
        document::DocumentKey,
        rows::LoyaltyChanges,
        trans::{TicketUse, Trans},
    },
    money::Fen,
    payment::{Details, Payment, VoucherPart},
    rows::{Changes, Plan},
    voucher::{
        code::{CodeNo, CodeRange},
        rows::{BUSY_MAX, UseSum, VoucherChanges, VoucherPlan},
        span::Span,
    },
};
use store::{StoreError, Writer};

/// A box in three spans, and a neighbour.
fn spans() -> Vec<Span> {
    vec![
        span(range(1, 0, 9)),
        span_due(range(1, 10, 19), 5),
        span(range(1, 20, 999)),
        span(range(2, 0, 99)),
    ]
}

async fn fill(writer: &mut impl Writer) {
    let uses = (20..60).map(|index| code_use(code(1, index), 1, index % 2));
    let free = [code_use(code(1, 12), 0, 0), code_use(code(1, 61), 0, 0)];
    let all = VoucherChanges {
        spans: spans(),
        uses_added: uses.chain(free).collect(),
        ..VoucherChanges::default()
    };
    write(writer, changes(all)).await.unwrap();
}

fn ranges(ranges: &[CodeRange]) -> VoucherPlan {
    VoucherPlan {
        ranges: ranges.to_vec(),
        busy: ranges.to_vec(),
        sums: ranges.to_vec(),
        ..VoucherPlan::default()
    }
}

async fn ranges_come_with_the_spans_that_share_their_codes(store: impl Fixture) {
    let mut writer = store.writer().await;
    fill(&mut writer).await;
    let all = spans();
    for (wanted, expected) in [
        (range(1, 0, 999), &all[..3]),
        (range(1, 0, 0), &all[..1]),
        (range(1, 9, 10), &all[..2]),
        (range(1, 15, 15), &all[1..2]),
        (range(1, 15, 20), &all[1..3]),
        (range(2, 99, 99), &all[3..]),
    ] {
        let rows = writer.load(plan(ranges(&[wanted]))).await.unwrap();
        let found = rows.voucher.spans_in(TENANT, &wanted);
        assert_eq!(found.as_deref(), Ok(expected), "{wanted:?}");
        assert!(rows.voucher.spans_in(TenantId(2), &wanted).is_err());
        writer.abandon().await;
    }
    // Several at once, one within the other.
    let wanted = [range(1, 5, 12), range(1, 11, 11), range(2, 1, 1)];
    let rows = writer.load(plan(ranges(&wanted))).await.unwrap();
    for (wanted, expected) in wanted.iter().zip([&all[..2], &all[1..2], &all[3..]]) {
        let found = rows.voucher.spans_in(TENANT, wanted);
        assert_eq!(found.as_deref(), Ok(expected));
    }
    writer.abandon().await;
}

async fn a_range_without_spans_is_not_taken_for_one(store: impl Fixture) {
    let mut writer = store.writer().await;
    fill(&mut writer).await;
    for wanted in [range(3, 0, 9), range(2, 90, 100), range(1, 999, 1_000)] {
        let named = VoucherPlan {
            ranges: vec![wanted],
            ..VoucherPlan::default()
        };
        match writer.load(plan(named)).await {
            Ok(rows) => {
                assert!(rows.voucher.spans_in(TENANT, &wanted).is_err());
                writer.abandon().await;
            }
            // Another gateway may have changed it meanwhile.
            Err(error) => assert!(matches!(error, StoreError::Conflict(_)), "{error}"),
        }
    }
}

async fn a_range_may_end_behind_its_box(store: impl Fixture) {
    let mut writer = store.writer().await;
    fill(&mut writer).await;
    let inside = range(2, 90, 99);
    let named = VoucherPlan {
        ranges: vec![inside.with_neighbours(), range(1, 0, 5).with_neighbours()],
        ..VoucherPlan::default()
    };
    let rows = writer.load(plan(named)).await.unwrap();
    let all = spans();
    let found = rows.voucher.spans_in(TENANT, &inside);
    assert_eq!(found.as_deref(), Ok(&all[3..]));
    let found = rows.voucher.spans_in(TENANT, &range(1, 0, 5));
    assert_eq!(found.as_deref(), Ok(&all[..1]));
    writer.abandon().await;
}

async fn codes_in_use_are_named_up_to_a_limit_and_summed(store: impl Fixture) {
    let mut writer = store.writer().await;
    fill(&mut writer).await;
    let (full, exact, few, none) = (
        range(1, 0, 999),
        range(1, 20, 20 + BUSY_MAX - 1),
        range(1, 58, 70),
        range(1, 0, 19),
    );
    let wanted = [full, exact, few, none];
    let rows = writer.load(plan(ranges(&wanted))).await.unwrap();
    let sum = |used, reserved| Ok(UseSum { used, reserved });
    assert_eq!(rows.voucher.sum_in(&full), sum(40, 20));
    assert_eq!(rows.voucher.sum_in(&exact), sum(20, 10));
    assert_eq!(rows.voucher.sum_in(&few), sum(2, 1));
    assert_eq!(rows.voucher.sum_in(&none), sum(0, 0));
    assert!(rows.voucher.sum_in(&range(1, 0, 1)).is_err());
    let first = |range: &CodeRange| rows.voucher.busy_in(range).0.first().copied();
    let more = |range: &CodeRange| rows.voucher.busy_in(range).1;
    assert_eq!((first(&full), more(&full)), (Some(code(1, 20)), true));
    assert_eq!((first(&exact), more(&exact)), (Some(code(1, 20)), false));
    assert_eq!((first(&few), more(&few)), (Some(code(1, 58)), false));
    assert_eq!((first(&none), more(&none)), (None, false));
    let (busy, _) = rows.voucher.busy_in(&few);
    assert_eq!(busy, [code(1, 58), code(1, 59)]);
    writer.abandon().await;
}

async fn codes_come_with_their_span(store: impl Fixture) {
    let mut writer = store.writer().await;
    fill(&mut writer).await;
    let named = VoucherPlan {
        codes: vec![code(1, 12), code(1, 21), code(2, 5)],
        ..VoucherPlan::default()
    };
    let rows = writer.load(plan(named)).await.unwrap();
    let all = spans();
    let span_of = |code| rows.voucher.span_of(TENANT, code);
    assert_eq!(span_of(code(1, 12)), Ok(&all[1]));
    assert_eq!(span_of(code(1, 21)), Ok(&all[2]));
    assert_eq!(span_of(code(2, 5)), Ok(&all[3]));
    assert!(span_of(code(1, 5)).is_err(), "not asked for");
    let code_use_of = |code| rows.voucher.code_use(TENANT, code);
    assert_eq!(code_use_of(code(1, 21)), code_use(code(1, 21), 1, 1));
    assert_eq!(code_use_of(code(1, 12)), code_use(code(1, 12), 0, 0));
    assert_eq!(code_use_of(code(2, 5)), code_use(code(2, 5), 0, 0));
    writer.abandon().await;
}

/// A payment of which one use of `code` pays a part.
fn paid_by(n: i64, code: CodeNo) -> Payment {
    let voucher = VoucherPart {
        code,
        ticket: TICKET,
        uses: USES,
        face: Fen::new(300),
        pays: Fen::new(300),
    };
    Payment {
        amount: AMOUNT,
        details: Details {
            voucher: Some(voucher),
            ..Details::default()
        },
        ..payment(n)
    }
}

async fn payments_come_with_the_codes_they_hold(store: impl Fixture) {
    let mut writer = store.writer().await;
    fill(&mut writer).await;
    let (one, two, new) = (
        paid_by(1, code(1, 21)),
        paid_by(2, code(1, 12)),
        paid_by(3, code(2, 7)),
    );
    record(&mut writer, &[one.clone(), two.clone(), payment(4)]).await;
    let mut plan = Plan {
        claims: vec![claim(&new)],
        payments: vec![(TENANT, one.serial), (TENANT, serial(4))],
        payment_keys: vec![(TENANT, two.key)],
        ..Plan::default()
    };
    plan.normalise();
    let mut rows = writer.load(plan).await.unwrap();
    assert!(rows.was_claimed(new.serial));
    let all = spans();
    for (code, span) in [
        (code(1, 21), &all[2]),
        (code(1, 12), &all[1]),
        (code(2, 7), &all[3]),
    ] {
        assert_eq!(rows.voucher.span_of(TENANT, code), Ok(span), "{code:?}");
    }
    let mut held = rows.voucher.code_use(TENANT, code(1, 21));
    assert_eq!(held, code_use(code(1, 21), 1, 1));
    // What was loaded is overwritten, what was not there is added.
    held.reserved = 0;
    rows.voucher.put_use(held.clone());
    let fresh = code_use(code(2, 7), 0, 1);
    rows.voucher.put_use(fresh.clone());
    writer.commit(rows.into_changes()).await.unwrap();
    let reader = store.reader();
    let stored = reader.code_uses(code(1, 21).range(), 9).await;
    assert_eq!(stored, Ok(vec![held]));
    let stored = reader.code_uses(range(2, 0, 99), 9).await;
    assert_eq!(stored, Ok(vec![fresh]));
}

async fn a_payment_without_a_voucher_asks_for_no_code(store: impl Fixture) {
    let mut writer = store.writer().await;
    let plain = payment(1);
    let mut plan = Plan {
        claims: vec![claim(&plain)],
        ..Plan::default()
    };
    plan.normalise();
    let rows = writer.load(plan).await.unwrap();
    assert_eq!(rows.codes_held(&[]), []);
    writer.commit(rows.into_changes()).await.unwrap();
}

fn ticket_code(code: CodeNo) -> TicketCode {
    TicketCode {
        code,
        ticket: TICKET,
        uses: USES,
    }
}

/// A card that holds `codes`.
fn holding(n: i64, codes: &[CodeNo]) -> Card {
    let held = codes.iter().map(|it| HeldCode {
        backing: ticket_code(*it),
        kind: TicketKind::Cash,
        name: "券".to_owned(),
        face: Fen::new(300),
    });
    Card {
        codes: held.collect(),
        ..card(TENANT, n)
    }
}

/// An event that used `code`.
fn used(n: i64, code: CodeNo) -> Trans {
    let line = TicketUse {
        id: i64::from(TICKET.0),
        kind: TicketKind::Cash,
        name: "券".to_owned(),
        face: Fen::new(300),
        pieces: 1,
        expires_at: None,
        code: Some(ticket_code(code)),
        written_off: true,
    };
    let mut event = trans(n);
    event.effect.tickets.push(line);
    event
}

async fn codes_come_with_their_card_where_they_are_wanted_and_with_their_event(
    store: impl Fixture,
) {
    let mut writer = store.writer().await;
    fill(&mut writer).await;
    let (holder, other) = (
        holding(1, &[code(1, 21), code(2, 7)]),
        holding(2, &[code(1, 12)]),
    );
    let event = used(1, code(1, 40));
    let added = LoyaltyChanges {
        documents_added: documents([holder.clone(), other.clone()]),
        trans_added: vec![event.clone().into()],
        ..LoyaltyChanges::default()
    };
    let added = Changes {
        loyalty: added,
        ..Changes::default()
    };
    write(&mut writer, added).await.unwrap();
    let key = |it: &Card| DocumentKey::card(TENANT, &it.number);
    let mut plan = Plan::default();
    plan.loyalty.documents = vec![key(&holder), key(&other)];
    plan.loyalty.trans = vec![(TENANT, event.serial)];
    plan.voucher.cards = vec![key(&holder)];
    plan.normalise();
    let mut rows = writer.load(plan).await.unwrap();
    assert_eq!(rows.loyalty.card(TENANT, &holder.number), Some(&holder));
    assert_eq!(rows.loyalty.trans(TENANT, event.serial), Some(&event));
    let all = spans();
    for (code, span) in [
        (code(1, 21), &all[2]),
        (code(2, 7), &all[3]),
        (code(1, 40), &all[2]),
    ] {
        assert_eq!(rows.voucher.span_of(TENANT, code), Ok(span), "{code:?}");
    }
    assert!(rows.voucher.span_of(TENANT, code(1, 12)).is_err());
    let gone = code_use(code(1, 40), 1, 0);
    assert_eq!(rows.voucher.code_use(TENANT, gone.code), gone);
    // What was loaded is overwritten, what was not there is added.
    let back = code_use(gone.code, 0, 0);
    rows.voucher.put_use(back.clone());
    let fresh = code_use(code(2, 7), 1, 0);
    rows.voucher.put_use(fresh.clone());
    writer.commit(rows.into_changes()).await.unwrap();
    let reader = store.reader();
    for stored in [back, fresh] {
        let found = reader.code_uses(stored.code.range(), 9).await;
        assert_eq!(found, Ok(vec![stored]));
    }
}

on_each_store! {
    codes_come_with_their_card_where_they_are_wanted_and_with_their_event,
    ranges_come_with_the_spans_that_share_their_codes,
    a_range_without_spans_is_not_taken_for_one,
    a_range_may_end_behind_its_box,
    codes_in_use_are_named_up_to_a_limit_and_summed,
    codes_come_with_their_span,
    payments_come_with_the_codes_they_hold,
    a_payment_without_a_voucher_asks_for_no_code,
}
