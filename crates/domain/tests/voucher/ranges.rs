//! Ranges at the ends of boxes, in pieces and in one: what happened to neighbours makes them one
//! span again, so a box never falls into more pieces than its history needs.

use super::{
    fixture::{CASH, DAY_S, GOODS, TRIPLE, code, range},
    world::World,
};
use domain::{
    ledger::Account,
    voucher::{change::ChangeKind, code::CodeRange, status::CodeStatus},
};

const TURN: [ChangeKind; 2] = [ChangeKind::Freeze, ChangeKind::Unfreeze];

#[test]
fn a_range_is_cut_out_wherever_it_lies() {
    for (first, last, ends) in [
        (0, 9, vec![(0, 9)]),
        (0, 0, vec![(0, 0), (1, 9)]),
        (9, 9, vec![(0, 8), (9, 9)]),
        (0, 4, vec![(0, 4), (5, 9)]),
        (5, 9, vec![(0, 4), (5, 9)]),
        (4, 5, vec![(0, 3), (4, 5), (6, 9)]),
    ] {
        for kind in [ChangeKind::Activate, ChangeKind::Void, ChangeKind::Freeze] {
            let mut world = World::new();
            let carton = world.issue(CASH, 10);
            world.done(kind, &[range(carton, first, last)]);
            assert_eq!(world.ends(carton), ends, "{kind:?}");
        }
    }
}

#[test]
fn a_box_of_one_code_has_one_span() {
    let mut world = World::new();
    let carton = world.issue(TRIPLE, 1);
    let all = [range(carton, 0, 0)];
    for kind in [
        TURN[0],
        TURN[1],
        ChangeKind::Activate,
        TURN[0],
        TURN[1],
        ChangeKind::Void,
    ] {
        world.done(kind, &all);
        assert_eq!(world.ends(carton), [(0, 0)]);
    }
    assert_eq!(world.uses_at(Account::UsesVoid, TRIPLE), 3);
}

#[test]
fn freezing_and_freeing_any_range_leaves_one_span() {
    for first in 0..6 {
        for last in first..6 {
            for sold in [false, true] {
                let mut world = World::new();
                let carton = if sold {
                    world.sold(CASH, 6)
                } else {
                    world.issue(CASH, 6)
                };
                for kind in TURN {
                    world.done(kind, &[range(carton, first, last)]);
                }
                assert_eq!(world.ends(carton), [(0, 5)], "{first} to {last}");
            }
        }
    }
}

#[test]
fn ranges_freed_piece_by_piece_in_any_order_leave_one_span() {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in orders {
        let mut world = World::new();
        let carton = world.sold(CASH, 9);
        world.done(ChangeKind::Freeze, &[range(carton, 0, 8)]);
        for third in order {
            let piece = range(carton, third * 3, third * 3 + 2);
            world.done(ChangeKind::Unfreeze, &[piece]);
        }
        assert_eq!(world.ends(carton), [(0, 8)], "{order:?}");
    }
}

/// In which order a request names reels does not matter.
#[test]
fn neighbours_in_one_request_become_one_span() {
    for kind in [ChangeKind::Activate, ChangeKind::Void, ChangeKind::Freeze] {
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let mut world = World::new();
            let carton = world.issue(CASH, 12);
            let reels: Vec<CodeRange> = order.map(|n| range(carton, n * 3, n * 3 + 2)).to_vec();
            world.done(kind, &reels);
            assert_eq!(world.ends(carton), [(0, 8), (9, 11)], "{order:?}");
        }
    }
}

#[test]
fn what_was_done_at_two_times_stays_apart() {
    let mut world = World::new();
    let carton = world.issue(CASH, 10);
    world.done(ChangeKind::Activate, &[range(carton, 0, 4)]);
    world.done(ChangeKind::Activate, &[range(carton, 5, 9)]);
    assert_eq!(world.ends(carton), [(0, 4), (5, 9)]);
    for kind in TURN {
        world.done(kind, &[range(carton, 3, 6)]);
    }
    assert_eq!(world.ends(carton), [(0, 4), (5, 9)]);
    world.done(ChangeKind::Void, &[range(carton, 0, 9)]);
    assert_eq!(
        world.ends(carton),
        [(0, 4), (5, 9)],
        "they became active apart"
    );
}

#[test]
fn pieces_of_one_activation_that_are_written_off_one_by_one_become_one_span() {
    for frozen in [
        range,
        |carton, _, _| range(carton, 0, 2),
        |carton, _, _| range(carton, 6, 8),
    ] {
        let mut world = World::new();
        let carton = world.sold(TRIPLE, 9);
        world.done(ChangeKind::Freeze, &[frozen(carton, 3, 5)]);
        world.later(2 * DAY_S);
        world.expire();
        world.done(ChangeKind::Unfreeze, &[frozen(carton, 3, 5)]);
        assert_eq!(world.ends(carton), [(0, 8)]);
        assert_eq!(world.uses_at(Account::UsesExpired, TRIPLE), 27);
    }
}

/// The freed piece is written off after its neighbours were.
#[test]
fn the_last_piece_that_is_written_off_joins_its_neighbours() {
    let mut world = World::new();
    let carton = world.sold(TRIPLE, 9);
    world.done(ChangeKind::Freeze, &[range(carton, 3, 5)]);
    world.later(2 * DAY_S);
    for (first, last) in [(0, 2), (6, 8)] {
        let expiry = world.expiry(range(carton, first, last));
        assert!(world.run(&expiry));
    }
    world.done(ChangeKind::Unfreeze, &[range(carton, 3, 5)]);
    assert_eq!(world.ends(carton), [(0, 2), (3, 5), (6, 8)]);
    world.expire();
    assert_eq!(world.ends(carton), [(0, 8)]);
}

#[test]
fn a_request_may_name_a_thousand_single_codes_in_any_order() {
    let mut world = World::new();
    let carton = world.issue(GOODS, 1_001);
    let mut codes: Vec<CodeRange> = (0..1_000).map(|it| code(carton, it).range()).collect();
    codes.reverse();
    codes.swap(3, 700);
    world.done(ChangeKind::Activate, &codes);
    assert_eq!(world.ends(carton), [(0, 999), (1_000, 1_000)]);
    let odd: Vec<CodeRange> = (0..500)
        .map(|it| code(carton, 2 * it + 1).range())
        .collect();
    world.done(ChangeKind::Void, &odd);
    assert_eq!(world.ends(carton).len(), 1_001);
    assert_eq!(world.standing(code(carton, 999)).status, CodeStatus::Void);
    assert_eq!(world.standing(code(carton, 998)).status, CodeStatus::Active);
    assert_eq!(world.uses_at(Account::UsesVoid, GOODS), 1_000);
}

#[test]
fn a_change_over_many_pieces_keeps_what_they_were() {
    let mut world = World::new();
    let carton = world.issue(TRIPLE, 10);
    world.done(ChangeKind::Activate, &[range(carton, 2, 3)]);
    world.done(ChangeKind::Void, &[range(carton, 3, 5)]);
    world.done(ChangeKind::Freeze, &[range(carton, 1, 8)]);
    let frozen = [(0, 0), (1, 1), (2, 2), (3, 3), (4, 5), (6, 8), (9, 9)];
    assert_eq!(world.ends(carton), frozen);
    world.done(ChangeKind::Unfreeze, &[range(carton, 0, 9)]);
    assert_eq!(world.ends(carton), [(0, 1), (2, 2), (3, 3), (4, 5), (6, 9)]);
}
