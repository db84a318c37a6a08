//! What a request is, apart from where its codes stand: names that lead nowhere or twice to the
//! same code, numbers that were used before, dry runs, and how much a partner may do in a day.

use super::{
    fixture::{CASH, DAY_S, GOODS, PARTNER, TRIPLE, range},
    world::World,
};
use domain::{
    command::voucher::{ChangeReply, ChangeStock, Request},
    ledger::Account,
    money::Fen,
    voucher::{
        change::{ChangeId, ChangeKind, Part, Verdict},
        code::CodeRange,
    },
};

#[test]
fn codes_that_are_named_twice_refuse_the_request() {
    let mut world = World::new();
    let (one, other) = (world.issue(CASH, 20), world.issue(CASH, 20));
    let cases: [(&[CodeRange], (u32, u32)); 6] = [
        (&[range(one, 3, 3), range(one, 3, 3)], (0, 1)),
        (&[range(one, 0, 19), range(one, 7, 7)], (0, 1)),
        (
            &[range(one, 7, 7), range(other, 0, 0), range(one, 0, 19)],
            (0, 2),
        ),
        (&[range(one, 0, 5), range(one, 5, 9)], (0, 1)),
        (
            &[range(other, 10, 19), range(one, 0, 9), range(other, 0, 10)],
            (0, 2),
        ),
        (
            &[range(one, 0, 4), range(one, 5, 9), range(one, 2, 7)],
            (0, 2),
        ),
    ];
    for (ranges, (first, second)) in cases {
        for kind in [ChangeKind::Activate, ChangeKind::Void, ChangeKind::Freeze] {
            let change = world.change(kind, ranges);
            let verdict = world.verdict(&change);
            assert_eq!(verdict, Verdict::Duplicate(first, second), "{ranges:?}");
        }
    }
    assert_eq!(world.ends(one), [(0, 19)]);
}

#[test]
fn ranges_that_only_touch_are_no_duplicates() {
    let mut world = World::new();
    let (one, other) = (world.issue(CASH, 20), world.issue(TRIPLE, 20));
    let ranges = [range(one, 10, 19), range(other, 0, 9), range(one, 0, 9)];
    let change = world.done(ChangeKind::Activate, &ranges);
    let parts = [(CASH, 20, 20 * 5_000), (TRIPLE, 30, 30 * 1_000)];
    let serials = change.part_serials.iter();
    let parts = parts
        .iter()
        .zip(serials)
        .map(|((kind, uses, face), serial)| Part {
            serial: *serial,
            ticket: kind.ticket,
            uses_from_stock: *uses,
            uses_from_active: 0,
            face: Fen::new(*face),
        });
    let again = world.run(&change);
    let ChangeReply::Repeat(recorded) = again else {
        panic!("{again:?}");
    };
    assert_eq!(recorded.verdict, Verdict::Done(parts.collect()));
    assert_eq!(recorded.ranges, ranges);
    let sales = world.balance(Account::VoucherSales(PARTNER));
    assert_eq!(sales, 20 * 5_000 + 30 * 1_000);
}

#[test]
fn names_that_lead_nowhere_are_answered_by_their_places() {
    let mut world = World::new();
    let carton = world.issue(CASH, 2);
    for kind in [ChangeKind::Activate, ChangeKind::Void] {
        let change = ChangeStock {
            request: Request::Unknown(vec![1, 4]),
            ..world.change(kind, &[range(carton, 0, 1)])
        };
        assert_eq!(world.verdict(&change), Verdict::Unknown(vec![1, 4]));
    }
    assert_eq!(world.ends(carton), [(0, 1)]);
}

/// A number is a partner's for ever, for each kind of change: the same content gets the same
/// answer, whatever happened since; other content is told so.
#[test]
fn a_number_is_used_once() {
    let mut world = World::new();
    let carton = world.issue(CASH, 9);
    let first = world.done(ChangeKind::Activate, &[range(carton, 0, 4)]);
    let refused = world.change(ChangeKind::Activate, &[range(carton, 0, 8)]);
    let why = world.verdict(&refused);
    assert!(matches!(why, Verdict::Conflict(_)));
    world.done(ChangeKind::Void, &[range(carton, 0, 8)]);
    let before = world.clone();
    for (change, is_done) in [(&first, true), (&refused, false)] {
        let ChangeReply::Repeat(same) = world.run(change) else {
            panic!("not the same");
        };
        assert_eq!(matches!(same.verdict, Verdict::Done(_)), is_done);
        let mut other = change.clone();
        other.change.content = 1;
        let reply = world.run(&other);
        assert_eq!(reply, ChangeReply::Other(same), "other content");
    }
    assert_eq!(world, before, "nothing happened");
    let number = first.change.number.clone();
    let mut void = world.change(ChangeKind::Void, &[range(carton, 0, 0)]);
    void.change.id = ChangeId::of_partner(PARTNER, ChangeKind::Void, &number);
    assert!(
        matches!(world.run(&void), ChangeReply::New(_)),
        "another kind"
    );
}

#[test]
fn a_dry_run_says_what_would_become_of_it_and_changes_nothing() {
    let mut world = World::new();
    world.limit(Some(6));
    let carton = world.issue(CASH, 9);
    world.done(ChangeKind::Activate, &[range(carton, 8, 8)]);
    let before = world.clone();
    for (ranges, is_done) in [
        (range(carton, 0, 2), true),
        (range(carton, 2, 8), false),
        (range(carton, 0, 7), false),
    ] {
        let change = world.change(ChangeKind::Activate, &[ranges]);
        let dry = ChangeStock {
            dry_run: true,
            ..change.clone()
        };
        let verdict = world.verdict(&dry);
        assert_eq!(matches!(verdict, Verdict::Done(_)), is_done, "{verdict:?}");
        world.serial = before.serial;
        assert_eq!(world, before);
        let mut real = before.clone();
        assert_eq!(real.verdict(&change), verdict, "its number is free");
    }
}

#[test]
fn a_refusal_that_is_forgotten_leaves_its_number_free() {
    let mut world = World::new();
    let carton = world.issue(CASH, 9);
    world.done(ChangeKind::Freeze, &[range(carton, 0, 0)]);
    let change = ChangeStock {
        forget_refusal: true,
        ..world.change(ChangeKind::ActivateSegment, &[range(carton, 0, 8)])
    };
    let before = world.clone();
    assert!(matches!(world.verdict(&change), Verdict::Conflict(_)));
    assert_eq!(world, before);
    world.done(ChangeKind::Unfreeze, &[range(carton, 0, 0)]);
    assert!(matches!(world.verdict(&change), Verdict::Done(_)));
    assert!(matches!(world.run(&change), ChangeReply::Repeat(_)));
}

#[test]
fn a_partner_activates_so_many_codes_a_day() {
    let mut world = World::new();
    let carton = world.issue(CASH, 100);
    world.limit(Some(10));
    let ask = |world: &mut World, kind, first, last| {
        let change = world.change(kind, &[range(carton, first, last)]);
        matches!(world.verdict(&change), Verdict::Done(_))
    };
    let activate = ChangeKind::Activate;
    assert!(ask(&mut world, activate, 0, 6));
    assert!(!ask(&mut world, activate, 7, 10), "4 more than 10");
    assert!(
        ask(&mut world, ChangeKind::ActivateSegment, 7, 9),
        "10 in all"
    );
    assert!(!ask(&mut world, activate, 10, 10));
    assert!(
        ask(&mut world, ChangeKind::Void, 0, 99),
        "only activation is limited"
    );
    let fresh = world.issue(CASH, 20);
    world.limit(Some(11));
    assert_eq!(
        world.partner().unwrap().activated.count,
        10,
        "stays counted"
    );
    world.later(DAY_S);
    let next_day = world.change(activate, &[range(fresh, 0, 10)]);
    assert!(matches!(world.verdict(&next_day), Verdict::Done(_)));
    let mut set_back = world.change(activate, &[range(fresh, 11, 11)]);
    set_back.day -= 1;
    assert_eq!(world.verdict(&set_back), Verdict::TooMany);
    world.limit(None);
    let unlimited = world.change(activate, &[range(fresh, 11, 19)]);
    assert!(matches!(world.verdict(&unlimited), Verdict::Done(_)));
}

#[test]
fn only_what_was_done_counts_for_the_day() {
    let mut world = World::new();
    world.limit(Some(3));
    let carton = world.issue(GOODS, 9);
    world.done(ChangeKind::Freeze, &[range(carton, 0, 0)]);
    world.conflicts(ChangeKind::Activate, &[range(carton, 0, 2)]);
    assert_eq!(world.partner().unwrap().activated.count, 0);
    world.done(
        ChangeKind::Activate,
        &[range(carton, 1, 1), range(carton, 4, 5)],
    );
    assert_eq!(world.partner().unwrap().activated.count, 3);
}
