//! Ranges with more codes in use than are looked at.

use super::{
    fixture::{CASH, code, declined, range},
    world::{Act, World},
};
use domain::{
    ids::Serial,
    voucher::{
        change::{CONFLICTS_MAX, ChangeKind, Obstacle, Verdict},
        rows::BUSY_MAX,
    },
};

/// A box of 40 active codes, the first `held` of which open payments hold.
fn crowd(held: u32) -> (World, Serial, Vec<Serial>) {
    let mut world = World::new();
    let carton = world.sold(CASH, 40);
    let payments = (0..held).map(|it| world.held(9_000, code(carton, it)));
    let payments = payments.collect();
    (world, carton, payments)
}

#[test]
fn only_the_first_codes_in_the_way_are_named() {
    for held in [1, BUSY_MAX - 1, BUSY_MAX, BUSY_MAX + 1, 40] {
        let (mut world, carton, _) = crowd(held);
        let void = world.change(ChangeKind::Void, &[range(carton, 0, 39)]);
        let Verdict::Conflict(found) = world.verdict(&void) else {
            panic!("{held} are in use");
        };
        assert_eq!(found.first.len(), held.min(BUSY_MAX) as usize);
        assert!(found.first.iter().all(|it| it.why == Obstacle::InUse));
        assert_eq!(found.more, held > BUSY_MAX, "{held}");
    }
    assert_eq!(CONFLICTS_MAX, BUSY_MAX as usize);
}

/// The codes that were looked at are let go of in the same batch; there are others.
#[test]
fn a_crowd_that_shrinks_in_the_same_batch_is_a_crowd_still() {
    let (mut world, carton, payments) = crowd(BUSY_MAX + 1);
    let mut acts: Vec<Box<dyn Act>> = Vec::new();
    for payment in &payments[..BUSY_MAX as usize] {
        acts.push(Box::new(world.told(*payment, declined())));
    }
    let void = world.change(ChangeKind::Void, &[range(carton, 0, 39)]);
    acts.push(Box::new(void.clone()));
    world.together(&acts);
    let domain::command::voucher::ChangeReply::Repeat(change) = world.run(&void) else {
        panic!("not recorded");
    };
    let Verdict::Conflict(found) = change.verdict else {
        panic!("voided although a code is in use");
    };
    assert!(found.more);
    assert_eq!(world.ends(carton), [(0, 39)]);
}

#[test]
fn a_crowd_elsewhere_in_the_box_is_in_nobodys_way() {
    let (mut world, carton, _) = crowd(BUSY_MAX + 1);
    world.done(ChangeKind::Void, &[range(carton, BUSY_MAX + 1, 39)]);
    let in_the_way = world.conflicts(ChangeKind::Void, &[range(carton, BUSY_MAX, BUSY_MAX)]);
    assert_eq!(in_the_way.len(), 1);
}
