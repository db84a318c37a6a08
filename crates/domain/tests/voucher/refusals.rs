//! Which changes are refused where codes stand, as tables.

use super::{
    fixture::{CASH, DAY_S, TRIPLE, code, conflict, range},
    world::World,
};
use domain::{
    ids::Serial,
    voucher::change::{ChangeKind, Obstacle, Verdict},
};

const CHANGES: [ChangeKind; 5] = [
    ChangeKind::Activate,
    ChangeKind::ActivateSegment,
    ChangeKind::Void,
    ChangeKind::Freeze,
    ChangeKind::Unfreeze,
];

/// Where the codes of a box stand before a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    InStock,
    FrozenInStock,
    Active,
    FrozenActive,
    Void,
    VoidAfterActive,
    FrozenVoid,
    /// Its term is over, and nobody has written it off.
    Over,
    WrittenOff,
    FrozenWrittenOff,
    Held,
    Used,
    UsedUp,
    GivenBack,
}

const BEFORES: [Before; 14] = [
    Before::InStock,
    Before::FrozenInStock,
    Before::Active,
    Before::FrozenActive,
    Before::Void,
    Before::VoidAfterActive,
    Before::FrozenVoid,
    Before::Over,
    Before::WrittenOff,
    Before::FrozenWrittenOff,
    Before::Held,
    Before::Used,
    Before::UsedUp,
    Before::GivenBack,
];

impl Before {
    /// A box of three codes, the middle one so.
    fn set_up(self, world: &mut World) -> Serial {
        let carton = world.issue(TRIPLE, 3);
        let it = code(carton, 1);
        let mut change = |kind| drop(world.done(kind, &[it.range()]));
        match self {
            Self::InStock => {}
            Self::FrozenInStock => change(ChangeKind::Freeze),
            Self::Void => change(ChangeKind::Void),
            Self::FrozenVoid => {
                change(ChangeKind::Void);
                change(ChangeKind::Freeze);
            }
            Self::VoidAfterActive => {
                change(ChangeKind::Activate);
                change(ChangeKind::Void);
            }
            Self::FrozenActive | Self::FrozenWrittenOff => {
                change(ChangeKind::Activate);
                change(ChangeKind::Freeze);
            }
            _ => change(ChangeKind::Activate),
        }
        self.use_it(world, carton);
        carton
    }

    fn use_it(self, world: &mut World, carton: Serial) {
        let it = code(carton, 1);
        match self {
            Self::Held => _ = world.held(2_000, it),
            Self::Used => _ = world.bought(2_000, it),
            Self::UsedUp => (0..3).for_each(|_| _ = world.bought(2_000, it)),
            Self::GivenBack => {
                let payment = world.bought(1_000, it);
                world.cancel(payment);
            }
            Self::Over => world.later(2 * DAY_S),
            Self::WrittenOff | Self::FrozenWrittenOff => {
                world.later(2 * DAY_S);
                world.expire();
            }
            _ => {}
        }
    }

    /// What is in the way of a change.
    const fn obstacle(self, kind: ChangeKind) -> Option<Obstacle> {
        match kind {
            ChangeKind::Activate | ChangeKind::ActivateSegment => self.to_activate(),
            ChangeKind::Void => self.to_void(),
            ChangeKind::Freeze | ChangeKind::Unfreeze | ChangeKind::Expire => None,
        }
    }

    const fn to_activate(self) -> Option<Obstacle> {
        match self {
            Self::InStock => None,
            Self::FrozenInStock | Self::FrozenActive | Self::FrozenWrittenOff => {
                Some(Obstacle::Frozen)
            }
            Self::Void | Self::VoidAfterActive | Self::FrozenVoid => Some(Obstacle::Void),
            _ => Some(Obstacle::Active),
        }
    }

    const fn to_void(self) -> Option<Obstacle> {
        match self {
            Self::InStock | Self::Active | Self::GivenBack => None,
            Self::FrozenInStock | Self::FrozenActive | Self::FrozenWrittenOff => {
                Some(Obstacle::Frozen)
            }
            Self::Void | Self::VoidAfterActive | Self::FrozenVoid => Some(Obstacle::Void),
            Self::Over | Self::WrittenOff => Some(Obstacle::Expired),
            Self::Held | Self::Used | Self::UsedUp => Some(Obstacle::InUse),
        }
    }
}

#[test]
fn each_change_is_refused_where_codes_stand_in_its_way() {
    for kind in CHANGES {
        for before in BEFORES {
            let mut world = World::new();
            let carton = before.set_up(&mut world);
            let (spans, postings) = (world.spans.clone(), world.postings.clone());
            let change = world.change(kind, &[range(carton, 1, 1)]);
            let verdict = world.verdict(&change);
            let Some(why) = before.obstacle(kind) else {
                assert!(matches!(verdict, Verdict::Done(_)), "{kind:?} {before:?}");
                continue;
            };
            let Verdict::Conflict(conflicts) = verdict else {
                panic!("{kind:?} {before:?}: {verdict:?}");
            };
            assert_eq!(conflicts.first, [conflict(range(carton, 1, 1), why)]);
            assert!(!conflicts.more);
            assert_eq!((world.spans, world.postings), (spans, postings));
        }
    }
}

/// One code in the way is enough, wherever it lies, and all others stay as they were.
#[test]
fn all_are_changed_or_none() {
    for kind in [ChangeKind::Activate, ChangeKind::Void] {
        for before in BEFORES {
            let Some(why) = before.obstacle(kind) else {
                continue;
            };
            let mut world = World::new();
            let fresh = world.issue(CASH, 5);
            let carton = before.set_up(&mut world);
            let spans = world.spans.clone();
            let ranges = [range(fresh, 1, 3), range(carton, 0, 2)];
            let found = world.conflicts(kind, &ranges);
            assert_eq!(
                found,
                [conflict(range(carton, 1, 1), why)],
                "{kind:?} {before:?}"
            );
            assert_eq!(world.spans, spans, "{kind:?} {before:?}");
        }
    }
}

/// Only what lies within the request is named, in its order.
#[test]
fn conflicts_are_named_in_the_order_of_the_request() {
    let mut world = World::new();
    let (one, other) = (world.issue(CASH, 9), world.issue(CASH, 9));
    world.done(ChangeKind::Activate, &[range(one, 0, 4)]);
    world.done(ChangeKind::Void, &[range(other, 3, 8)]);
    world.bought(9_000, code(one, 4));
    let asked = [range(other, 2, 5), range(one, 3, 8)];
    let found = world.conflicts(ChangeKind::Void, &asked);
    let expected = [
        conflict(range(other, 3, 5), Obstacle::Void),
        conflict(range(one, 4, 4), Obstacle::InUse),
    ];
    assert_eq!(found, expected);
    let found = world.conflicts(ChangeKind::Activate, &asked);
    let expected = [
        conflict(range(other, 3, 5), Obstacle::Void),
        conflict(range(one, 3, 4), Obstacle::Active),
    ];
    assert_eq!(found, expected);
}
