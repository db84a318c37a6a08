//! New stock, and where a code stands from its issue to its end.

use super::{
    fixture::{CASH, DAY_S, GOODS, TENANT, TRIPLE, code, paid, range},
    world::World,
};
use domain::{
    command::voucher::{FinishCarton, NoteCustody, OpenCarton},
    ids::Serial,
    ledger::Account,
    voucher::{
        change::ChangeKind,
        status::{CodeStatus, Standing},
        stock::{CUSTODY_MAX, Cards, Custody, CustodyAct, SEGMENT_MAX},
    },
};

const fn stands(status: CodeStatus, uses_left: u32) -> Standing {
    Standing { status, uses_left }
}

#[test]
fn a_box_comes_into_stock_once() {
    let mut world = World::new();
    let carton = world.carton_of(TRIPLE, 10);
    let (tenant, serial) = (TENANT, carton.serial);
    assert!(!world.run(&FinishCarton { tenant, serial }), "not open yet");
    assert!(world.run(&OpenCarton { carton }));
    assert_eq!(
        world.uses_at(Account::UsesIssued, TRIPLE),
        0,
        "not ready yet"
    );
    assert!(world.run(&FinishCarton { tenant, serial }));
    assert!(!world.run(&FinishCarton { tenant, serial }), "once");
    assert_eq!(world.uses_at(Account::UsesInStock, TRIPLE), 30);
    assert_eq!(world.ends(serial), [(0, 9)]);
}

#[test]
fn only_a_ready_box_is_in_somebodys_hand() {
    let mut world = World::new();
    let carton = world.carton_of(CASH, 1);
    let serial = carton.serial;
    let entry = |n: usize| Custody {
        at: super::fixture::NOON,
        by: format!("{n}"),
        act: CustodyAct::Received,
    };
    let note = |serial: Serial, n: usize| NoteCustody {
        tenant: TENANT,
        serial,
        entry: entry(n),
    };
    assert!(world.run(&OpenCarton { carton }));
    assert!(!world.run(&note(serial, 0)));
    let tenant = TENANT;
    world.run(&FinishCarton { tenant, serial });
    for n in 0..=CUSTODY_MAX {
        assert!(world.run(&note(serial, n)));
    }
    let custody = &world.carton(serial).custody;
    assert_eq!(custody.len(), CUSTODY_MAX);
    assert_eq!(custody.first(), Some(&entry(1)), "the oldest is gone");
}

#[test]
fn a_code_stands_where_its_range_and_its_uses_say() {
    use CodeStatus::{Active, Expired, Frozen, InStock, Reserved, UsedUp};
    let mut world = World::new();
    let carton = world.issue(GOODS, 3);
    let (it, all) = (code(carton, 1), range(carton, 0, 2));
    assert_eq!(world.standing(it), stands(InStock, 2));
    world.done(ChangeKind::Freeze, &[it.range()]);
    assert_eq!(world.standing(it), stands(Frozen, 2));
    world.done(ChangeKind::Unfreeze, &[it.range()]);
    world.done(ChangeKind::Activate, &[all]);
    assert_eq!(world.standing(it), stands(Active, 2));
    let first = world.held(100, it);
    assert_eq!(world.standing(it), stands(Active, 1));
    let second = world.held(100, it);
    assert_eq!(world.standing(it), stands(Reserved, 0));
    world.tell(first, paid());
    assert_eq!(world.standing(it), stands(Reserved, 0));
    world.give_up(second);
    assert_eq!(
        world.standing(it),
        stands(Reserved, 0),
        "the channel may still charge"
    );
    world.tell(second, super::fixture::declined());
    assert_eq!(world.standing(it), stands(Active, 1));
    let third = world.bought(100, it);
    assert_eq!(world.standing(it), stands(UsedUp, 0));
    world.later(2 * DAY_S);
    assert_eq!(world.standing(it), stands(UsedUp, 0));
    world.cancel(third);
    let refund = world.refunds.values().last().unwrap().clone();
    world.hear(&refund, domain::channel::RefundOutcome::Done);
    assert_eq!(
        world.standing(it),
        stands(Expired, 0),
        "it ended before it came back"
    );
    assert_eq!(world.standing(code(carton, 0)), stands(Expired, 0));
}

#[test]
fn a_void_code_stands_nowhere_else() {
    let mut world = World::new();
    let carton = world.issue(TRIPLE, 4);
    let (stocked, active) = (code(carton, 0), code(carton, 2));
    world.done(ChangeKind::Activate, &[range(carton, 1, 3)]);
    world.done(ChangeKind::Void, &[range(carton, 0, 2)]);
    world.done(ChangeKind::Freeze, &[range(carton, 0, 3)]);
    for it in [stocked, active] {
        assert_eq!(world.standing(it), stands(CodeStatus::Void, 0));
    }
    assert_eq!(
        world.standing(code(carton, 3)),
        stands(CodeStatus::Frozen, 3)
    );
}

#[test]
fn uses_that_were_written_off_are_not_left_although_they_are_frozen() {
    let mut world = World::new();
    let carton = world.sold(TRIPLE, 1);
    world.done(ChangeKind::Freeze, &[range(carton, 0, 0)]);
    world.later(2 * DAY_S);
    let it = code(carton, 0);
    assert_eq!(world.standing(it), stands(CodeStatus::Frozen, 0));
    world.expire();
    assert_eq!(world.standing(it), stands(CodeStatus::Frozen, 0));
    world.done(ChangeKind::Unfreeze, &[it.range()]);
    assert_eq!(world.standing(it), stands(CodeStatus::Expired, 0));
}

/// The card numbers of a box of ten begin with 9999990.
#[test]
fn card_numbers_lead_to_codes() {
    let mut world = World::new();
    let mut carton = world.carton_of(CASH, 10);
    carton.cards = Some(Cards {
        bin: "8888".to_owned(),
        first: SEGMENT_MAX - 9,
    });
    let serial = carton.serial;
    let base = SEGMENT_MAX - 9;
    for (bin, first, last, found) in [
        ("8888", base, SEGMENT_MAX, Some((0, 9))),
        ("8888", 0, SEGMENT_MAX, Some((0, 9))),
        ("8888", 0, base, Some((0, 0))),
        ("8888", base + 3, base + 3, Some((3, 3))),
        ("8888", SEGMENT_MAX, u32::MAX, Some((9, 9))),
        ("8888", base + 4, base + 3, None),
        ("8888", 0, base - 1, None),
        ("8888", SEGMENT_MAX + 1, u32::MAX, None),
        ("888", base, SEGMENT_MAX, None),
        ("888888", base, SEGMENT_MAX, None),
    ] {
        let found = found.map(|(first, last)| range(serial, first, last));
        assert_eq!(
            carton.segment(bin, first, last),
            found,
            "{bin} {first} {last}"
        );
    }
    let without = world.carton_of(CASH, 10);
    assert_eq!(without.segment("8888", 0, SEGMENT_MAX), None);
}
