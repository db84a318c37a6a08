//! The largest numbers there may be.

use super::{
    fixture::{CASH, Kind, PARTNER, TENANT, code, range},
    world::World,
};
use domain::{
    command::voucher::OpenCarton,
    ledger::Account,
    money::Fen,
    voucher::{
        change::{ChangeKind, Verdict},
        code::CodeRange,
        stock::{CODES_MAX, Cards, FACE_MAX, SEGMENT_MAX},
        ticket::{Terms, USES_MAX, Validity, VoucherTicketNo},
    },
};

const fn kind(uses: u32, face: i64) -> Kind {
    Kind {
        ticket: VoucherTicketNo(999_999_999),
        terms: Terms {
            uses,
            face_value: Fen::new(face),
            validity: Validity::Forever,
        },
    }
}

/// Nobody can issue what the ledger could not count: a box like this would refuse every batch
/// that activates it.
#[test]
fn a_box_is_refused_whose_worth_the_ledger_cannot_count() {
    let all = i64::from(CODES_MAX) * i64::from(USES_MAX);
    for (codes, kind, may_be) in [
        (CODES_MAX, kind(USES_MAX, Fen::MAX_CHARGE.get()), false),
        (CODES_MAX, kind(USES_MAX, i64::MAX), false),
        (CODES_MAX, kind(USES_MAX, FACE_MAX.get() / all + 1), false),
        (CODES_MAX, kind(USES_MAX, FACE_MAX.get() / all), true),
        (CODES_MAX, kind(USES_MAX, 0), true),
        (1, kind(1, FACE_MAX.get()), true),
        (1, kind(1, FACE_MAX.get() + 1), false),
        (1, kind(1, -1), false),
        (CODES_MAX + 1, kind(1, 0), false),
        (u32::MAX, kind(u32::MAX, 1), false),
        (0, kind(1, 1), false),
        (1, kind(0, 1), false),
        (1, kind(USES_MAX + 1, 1), false),
    ] {
        let mut world = World::new();
        let carton = world.carton_of(kind, codes);
        assert_eq!(
            world.run(&OpenCarton { carton }),
            may_be,
            "{codes} of {kind:?}"
        );
        assert_eq!(world.documents.len(), usize::from(may_be));
    }
}

#[test]
fn a_box_is_refused_whose_codes_have_no_card_numbers() {
    let mut world = World::new();
    for (bin, first, codes, may_be) in [
        ("8888", 0, CODES_MAX, true),
        ("888888", SEGMENT_MAX, 1, true),
        ("8888", SEGMENT_MAX, 2, false),
        ("8888", 1, CODES_MAX, false),
        ("8888", u32::MAX, 1, false),
        ("", 0, 1, false),
        ("88888", 0, 1, false),
        ("888a", 0, 1, false),
    ] {
        let mut carton = world.carton_of(CASH, codes);
        let bin = bin.to_owned();
        carton.cards = Some(Cards { bin, first });
        assert_eq!(world.run(&OpenCarton { carton }), may_be, "{first} {codes}");
    }
}

#[test]
fn a_thousand_of_the_dearest_boxes_are_activated_and_voided_at_once() {
    let mut world = World::new();
    let dearest = kind(
        USES_MAX,
        FACE_MAX.get() / (i64::from(CODES_MAX) * i64::from(USES_MAX)),
    );
    let cartons: Vec<_> = (0..1_000)
        .map(|_| world.carton_of(dearest, CODES_MAX))
        .collect();
    let ranges: Vec<CodeRange> = cartons.iter().map(|it| it.range()).collect();
    world.issue_all(cartons);
    let uses = 1_000 * i64::from(CODES_MAX) * i64::from(USES_MAX);
    let worth = uses * dearest.terms.face_value.get();
    world.done(ChangeKind::Activate, &ranges);
    assert_eq!(world.uses_at(Account::UsesActive, dearest), uses);
    assert_eq!(world.balance(Account::VoucherSales(PARTNER)), worth);
    world.done(ChangeKind::Void, &ranges);
    assert_eq!(world.uses_at(Account::UsesVoid, dearest), uses);
    assert_eq!(world.balance(Account::VoucherSales(PARTNER)), 0);
}

#[test]
fn the_last_code_of_the_largest_box_is_a_code() {
    let mut world = World::new();
    let carton = world.sold(CASH, CODES_MAX);
    let last = code(carton, CODES_MAX - 1);
    world.bought(9_000, last);
    world.done(ChangeKind::Void, &[range(carton, 0, CODES_MAX - 2)]);
    assert_eq!(
        world.ends(carton),
        [(0, CODES_MAX - 2), (CODES_MAX - 1, CODES_MAX - 1)]
    );
}

/// Codes that no box has are nobody's: the names of a request cannot lead there.
#[test]
fn a_range_behind_its_box_contradicts_the_store() {
    let mut world = World::new();
    let carton = world.issue(CASH, 10);
    for (first, last) in [(0, 10), (9, u32::MAX), (10, 10), (u32::MAX, u32::MAX)] {
        let mut change = world.change(ChangeKind::Freeze, &[range(carton, 0, 0)]);
        let target = world.target(range(carton, first, last));
        change.request = domain::command::voucher::Request::Found(vec![target]);
        assert!(world.try_run(&change).is_err(), "{first} to {last}");
    }
    assert_eq!(world.ends(carton), [(0, 9)]);
}

/// What names nobody to owe for codes cannot sell or take them back, and nothing but the end of
/// their term writes them off.
#[test]
fn only_a_partner_sells_codes() {
    let mut world = World::new();
    let carton = world.issue(CASH, 2);
    let all = [range(carton, 0, 1)];
    for kind in [
        ChangeKind::Activate,
        ChangeKind::ActivateSegment,
        ChangeKind::Void,
    ] {
        let mut change = world.change(kind, &all);
        change.change.partner = None;
        assert!(world.try_run(&change).is_err(), "{kind:?}");
    }
    let change = world.change(ChangeKind::Expire, &all);
    assert!(world.try_run(&change).is_err());
    let change = world.change(ChangeKind::Activate, &all);
    assert!(matches!(world.verdict(&change), Verdict::Done(_)));
    assert_eq!(world.carton(carton).tenant, TENANT);
}
