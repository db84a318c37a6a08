//! What a purchase earns, from when it may be spent, and how long it lives.

use super::{
    fixture::{DAY_S, FAR_TILL, NOON, TILL, ZONE, approved, card_no, points, refused, yuan},
    world::World,
};
use domain::{
    command::loyalty::{CardChange, Consume, GiveBack, GiveBackKind},
    loyalty::{
        card::Lot,
        points::Points,
        program::{Campaign, Gift, Rules},
        store::StoreNo,
        trans::{Refusal, Trans},
    },
    money::Fen,
    time::UnixMs,
};
use std::sync::Arc;

fn store() -> StoreNo {
    TILL.store_no()
}

fn campaign(gift: Gift) -> Campaign {
    Campaign {
        name: "a week".to_owned(),
        from: NOON,
        until: NOON.plus_s(7 * DAY_S),
        stores: vec![],
        gift,
        advertisement: String::new(),
    }
}

fn bonus(points: Points, cash_min: Fen) -> Gift {
    Gift::Bonus { points, cash_min }
}

/// One row: what `fen` of cash earn at a rate, under campaigns, with a grade.
fn row(name: &str, rate: i64, gifts: &[Gift], grade: u8, fen: i64, expected: i64) {
    let rules = Rules {
        earn_rate: rate,
        campaigns: gifts.iter().map(|it| campaign(*it)).collect(),
        ..Rules::default()
    };
    let earned = rules.earned(Fen::new(fen), grade, &store(), NOON);
    assert_eq!(earned, Points::new(expected), "{name}");
}

#[test]
fn earned_points_by_rate_and_grade() {
    row("a point a yuan", 100, &[], 0, 1_234, 1_234);
    row("grade 1", 100, &[], 1, 1_234, 1_480);
    row("grade 2", 100, &[], 2, 1_233, 1_849);
    row("grade 3", 100, &[], 3, 1_234, 2_468);
    row("an unknown grade", 100, &[], 9, 1_234, 1_234);
    row("half a point, rounded down", 50, &[], 0, 1_999, 999);
    row("a hundredth of a yuan", 100, &[], 1, 1, 1);
}

#[test]
fn earned_points_by_campaign() {
    let twice = [Gift::Multiplier(200)];
    row("no cash", 100, &twice, 3, 0, 0);
    row("twice", 100, &twice, 0, 1_234, 2_468);
    let more = [Gift::Multiplier(150)];
    row("once and a half, rounded down", 100, &more, 0, 333, 499);
    let two = [Gift::Multiplier(200), Gift::Multiplier(300)];
    row("two add what they give", 100, &two, 0, 100, 400);
    row("less than once", 100, &[Gift::Multiplier(50)], 0, 333, 166);
    row("not below zero", 100, &[Gift::Multiplier(-500)], 0, 333, 0);
    let from_ten = [bonus(points(5), yuan(10))];
    row("a bonus from 10 yuan", 100, &from_ten, 0, 1_000, 1_500);
    row("not below", 100, &from_ten, 0, 999, 999);
    let always = bonus(points(5), Fen::ZERO);
    row("none without cash", 100, &[always], 0, 0, 0);
    let both = [Gift::Multiplier(200), always];
    row("a bonus is not multiplied", 100, &both, 3, 100, 900);
    row("an advertisement alone", 100, &[Gift::None], 0, 100, 100);
}

/// The part that a campaign takes away is exact too: 199.99 hundredths are 199.
#[test]
fn a_campaign_that_gives_less_rounds_down_once() {
    let rules = Rules {
        earn_rate: 2_857,
        grade_multipliers: [7, 0, 0, 0],
        campaigns: vec![campaign(Gift::Multiplier(50))],
        ..Rules::default()
    };
    assert_eq!(rules.earned(Fen::new(1), 0, &store(), NOON), Points::ZERO);
}

#[test]
fn nothing_overflows_at_the_ends_of_the_range() {
    let ends = [i64::MIN, -1, 0, 1, i64::MAX];
    for rate in ends {
        for times in ends {
            let rules = Rules {
                points_per_yuan: rate,
                earn_rate: rate,
                grade_multipliers: [times; 4],
                campaigns: vec![
                    campaign(Gift::Multiplier(times)),
                    campaign(bonus(Points::MAX, Fen::ZERO)),
                    campaign(bonus(Points::MAX, Fen::ZERO)),
                ],
                ..Rules::default()
            };
            let earned = rules.earned(Fen::MAX_CHARGE, 0, &store(), NOON);
            assert!((Points::ZERO..=Points::MAX).contains(&earned), "{earned}");
            let _no_panic = (rules.points_for(Fen::MAX_CHARGE), rules.worth(Points::MAX));
        }
    }
}

#[test]
fn campaigns_run_in_their_time_and_stores() {
    let rules = Rules {
        campaigns: vec![Campaign {
            stores: vec![FAR_TILL.store_no()],
            advertisement: "Twice this week".to_owned(),
            ..campaign(Gift::Multiplier(200))
        }],
        ..Rules::default()
    };
    let end = NOON.plus_s(7 * DAY_S);
    for (till, at, runs) in [
        (FAR_TILL, NOON.plus_ms(-1), false),
        (FAR_TILL, NOON, true),
        (FAR_TILL, end.plus_ms(-1), true),
        (FAR_TILL, end, false),
        (TILL, NOON, false),
    ] {
        let earned = rules.earned(yuan(1), 0, &till.store_no(), at);
        assert_eq!(earned, points(if runs { 2 } else { 1 }), "{till:?} {at:?}");
        let shown = rules.advertisement(&till.store_no(), at);
        assert_eq!(shown.is_empty(), !runs);
    }
}

fn buy(world: &mut World, trace: u32, point_fen: i64, cash: Fen, rules: &Rules) -> Trans {
    let buy = Consume {
        point_amount: Fen::new(point_fen),
        cash,
        rules: Arc::new(rules.clone()),
        ..world.buy(TILL, trace)
    };
    approved(world.ask(buy))
}

#[test]
fn points_that_wait_count_but_cannot_be_spent() {
    let rules = Rules {
        pending_days: 2,
        ..Rules::default()
    };
    let mut world = World::new();
    let balance = buy(&mut world, 1, 0, yuan(50), &rules).balance;
    assert_eq!(
        (balance.total, balance.available),
        (points(150), points(100))
    );
    let too_early = Consume {
        point_amount: Fen::new(101),
        rules: Arc::new(rules.clone()),
        ..world.buy(TILL, 2)
    };
    let answer = world.ask(too_early);
    assert_eq!(refused(&answer), Some((Refusal::TooFew, true)));
    // They wait for two midnights, whatever the hour they were earned at.
    world.now = ZONE.start_of_day(ZONE.day(NOON) + 2).plus_ms(-1);
    assert_eq!(world.available(&card_no(2)), 10_000);
    world.later(1);
    assert_eq!(world.available(&card_no(2)), 15_000);
    buy(&mut world, 3, 150, Fen::new(1), &rules);
}

#[test]
fn points_live_to_the_end_of_their_month_and_the_oldest_go_first() {
    let rules = Rules {
        expiry_months: Some(1),
        ..Rules::default()
    };
    let mut world = World::new();
    buy(&mut world, 1, 0, yuan(50), &rules);
    let bought = buy(&mut world, 2, 20, Fen::ZERO, &rules);
    let end = ZONE.end_of_month(NOON, 1);
    let used: Vec<_> = bought
        .effect
        .points
        .iter()
        .map(|it| (it.lot.expires_at, it.points))
        .collect();
    assert_eq!(
        used,
        [(Some(end), points(20))],
        "before those of half a year"
    );
    world.now = end.plus_ms(-1);
    assert_eq!(world.available(&card_no(2)), 13_000);
    world.now = end;
    assert_eq!(
        world.available(&card_no(2)),
        10_000,
        "at once, before any worker"
    );
}

/// A member keeps no longer-lived points by buying and giving back.
#[test]
fn giving_back_renews_no_points() {
    for kind in [GiveBackKind::Cancel, GiveBackKind::Refund] {
        let mut world = World::new();
        let before: Vec<Lot> = world.card(&card_no(2)).lots.clone();
        let bought = buy(&mut world, 1, 40, yuan(500), &Rules::default());
        let back = world.give_back(kind, TILL, 2, &bought);
        approved(world.ask(back));
        assert_eq!(world.card(&card_no(2)).lots, before, "{kind:?}");
    }
}

fn graded() -> Rules {
    Rules {
        grade_from: vec![yuan(100), yuan(1_000), yuan(10_000)],
        ..Rules::default()
    }
}

#[test]
fn twelve_months_of_spending_make_the_grade() {
    let rules = graded();
    let mut world = World::new();
    let grade = |world: &World| world.card(&card_no(2)).grade;
    assert_eq!(
        buy(&mut world, 1, 0, yuan(99), &rules).effect.earned,
        points(99)
    );
    assert_eq!(grade(&world), 0);
    // Points count at their value, and the grade before the purchase decides what it earns.
    assert_eq!(
        buy(&mut world, 2, 100, yuan(100), &rules).effect.earned,
        points(100)
    );
    assert_eq!(grade(&world), 1);
    assert_eq!(
        buy(&mut world, 3, 0, yuan(100), &rules).effect.earned,
        points(120)
    );
    world.now = ZONE.end_of_month(NOON, 11).plus_ms(-1);
    buy(&mut world, 4, 0, Fen::new(1), &rules);
    assert_eq!(grade(&world), 1, "eleven months later they count still");
    world.later(1);
    assert_eq!(
        buy(&mut world, 5, 0, yuan(1), &rules).effect.earned,
        points(1)
    );
    assert_eq!(grade(&world), 0, "a year later no more");
}

#[test]
fn a_grade_set_by_hand_stays_where_none_is_earned() {
    let mut world = World::new();
    world.set_card(&card_no(2), CardChange::Grade(3));
    let bought = buy(&mut world, 1, 0, yuan(10), &Rules::default());
    assert_eq!(bought.effect.earned, points(20));
    assert_eq!(world.card(&card_no(2)).grade, 3);
}

/// What goes back after its year is over takes nothing from the year that runs.
#[test]
fn a_late_refund_does_not_lower_a_later_grade() {
    let rules = graded();
    let mut world = World::new();
    let old = buy(&mut world, 1, 0, yuan(2_000), &rules);
    world.now = ZONE.end_of_month(NOON, 11);
    buy(&mut world, 2, 0, yuan(150), &rules);
    let refund = GiveBack {
        rules: Arc::new(rules.clone()),
        ..world.give_back(GiveBackKind::Refund, TILL, 3, &old)
    };
    approved(world.ask(refund));
    assert_eq!(world.card(&card_no(2)).grade, 1);
    world.next_batch(TILL, 4);
    let recent = buy(&mut world, 5, 0, yuan(900), &rules);
    assert_eq!(world.card(&card_no(2)).grade, 2);
    let cancel = GiveBack {
        rules: Arc::new(rules),
        ..world.give_back(GiveBackKind::Cancel, TILL, 6, &recent)
    };
    approved(world.ask(cancel));
    assert_eq!(world.card(&card_no(2)).grade, 1, "the grade goes back too");
}

#[test]
fn nothing_is_free_where_points_are_priced_at_nothing() {
    for points_per_yuan in [0, -1] {
        let mut world = World::new();
        let free = Consume {
            point_amount: yuan(1),
            rules: Arc::new(Rules {
                points_per_yuan,
                ..Rules::default()
            }),
            ..world.buy(TILL, 1)
        };
        let answer = world.ask(free);
        assert_eq!(refused(&answer), Some((Refusal::AmountInvalid, true)));
    }
}

#[test]
fn a_lot_without_an_end_lives_for_ever() {
    let rules = Rules {
        expiry_months: None,
        ..Rules::default()
    };
    let mut world = World::new();
    let bought = buy(&mut world, 1, 0, yuan(1), &rules);
    assert_eq!(bought.effect.earned_lot.unwrap().expires_at, None);
    world.now = UnixMs(i64::MAX / 1_000);
    assert_eq!(world.available(&card_no(2)), 100);
}
