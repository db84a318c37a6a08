//! Earned points that go back although they were spent, under each of the three policies.

use super::{
    ask::Ask,
    audit::plain,
    fixture::{NEXT_TILL, TILL, VOUCHER, ZONE, approved, card_no, points, refused, wanted, yuan},
    world::World,
};
use domain::{
    command::loyalty::{Answer, Consume, GiveBack, GiveBackKind},
    ledger::Account,
    loyalty::{
        points::Points,
        program::{Clawback, Rules},
        trans::{Refusal, Trans},
    },
    money::Fen,
};
use std::sync::Arc;

struct Case {
    world: World,
    rules: Arc<Rules>,
}

impl Case {
    /// Card 2 held 100 points, paid 50 of them and 120 yuan, which earned 120.
    fn new(clawback: Clawback) -> (Self, Trans) {
        let rules = Arc::new(Rules {
            clawback,
            ..Rules::default()
        });
        let world = World::new();
        let mut case = Self { world, rules };
        let bought = case.buy(1, 50, yuan(120));
        (case, bought)
    }

    fn buy(&mut self, trace: u32, points: i64, cash: Fen) -> Trans {
        let buy = Consume {
            point_amount: Fen::new(points),
            cash,
            vouchers: wanted(VOUCHER, 1),
            rules: self.rules.clone(),
            ..self.world.buy(TILL, trace)
        };
        approved(self.world.ask(buy))
    }

    fn back(&mut self, kind: GiveBackKind, trace: u32, original: &Trans) -> GiveBack {
        GiveBack {
            rules: self.rules.clone(),
            ..self.world.give_back(kind, TILL, trace, original)
        }
    }

    fn available(&self) -> i64 {
        self.world.available(&card_no(2))
    }
}

/// 170 points are left; spending some of them, the claw of 120 meets what is left and 50.
#[test]
fn cash_is_quoted_for_what_is_missing() {
    for (spent, claw, supply_fen, left) in [
        (0, 12_000, 0, 10_000),
        (100, 12_000, 0, 0),
        (101, 11_900, 1, 0),
        (170, 5_000, 70, 0),
    ] {
        for kind in [GiveBackKind::Cancel, GiveBackKind::Refund] {
            let (mut case, bought) = Case::new(Clawback::Cash);
            if spent > 0 {
                case.buy(2, spent, Fen::ZERO);
            }
            let back = case.back(kind, 3, &bought);
            let back = approved(case.world.ask(back)).effect;
            assert_eq!(back.earned, Points::new(claw), "{spent} {kind:?}");
            assert_eq!(back.supply_cash, Fen::new(supply_fen), "{spent} {kind:?}");
            assert_eq!(back.points_used(), points(50));
            assert_eq!((back.cash, back.point_amount), (yuan(120), Fen::new(50)));
            assert_eq!(case.available(), left, "{spent} {kind:?}");
            assert_eq!(case.world.card(&card_no(2)).owed, Points::ZERO);
        }
    }
}

#[test]
fn supplied_cash_is_booked_and_returned_when_the_refund_is_undone() {
    let (mut case, bought) = Case::new(Clawback::Cash);
    case.buy(2, 170, Fen::ZERO);
    let (card, books) = (plain(case.world.card(&card_no(2))), case.world.books());
    for (trace, is_reversed) in [(3, true), (4, false)] {
        let refund: Ask = case.back(GiveBackKind::Refund, trace, &bought).into();
        let refunded = approved(case.world.ask(refund.clone()));
        let supplied = case.world.balance(Account::PointsSupplied(TILL.store));
        assert_eq!(supplied, -70);
        if is_reversed {
            let reversal = case.world.reversal(&refund);
            assert!(matches!(case.world.ask(reversal), Answer::Done(_)));
        } else {
            let undo = case.back(GiveBackKind::RefundCancel, 5, &refunded);
            approved(case.world.ask(undo));
        }
        assert_eq!(case.world.books(), books);
        assert_eq!(plain(case.world.card(&card_no(2))), card);
    }
}

#[test]
fn worth_is_rounded_in_the_members_favour() {
    let rules = Rules {
        points_per_yuan: 7,
        ..Rules::default()
    };
    assert_eq!(rules.worth(Points::new(6)), Fen::ZERO);
    assert_eq!(rules.worth(Points::new(7)), Fen::new(1));
    assert_eq!(rules.worth(Points::new(13)), Fen::new(1));
}

#[test]
fn points_go_below_zero_and_later_ones_pay_that_first() {
    let (mut case, bought) = Case::new(Clawback::Negative);
    case.buy(2, 170, Fen::ZERO);
    let refund = case.back(GiveBackKind::Refund, 3, &bought);
    let refunded = approved(case.world.ask(refund));
    let effect = &refunded.effect;
    assert_eq!(
        (effect.earned, effect.earned_owed),
        (points(120), points(70))
    );
    assert_eq!(effect.supply_cash, Fen::ZERO);
    assert_eq!(refunded.balance.available, points(-70));
    assert_eq!(case.world.card(&card_no(2)).owed, points(70));
    case.buy(4, 0, yuan(30));
    assert_eq!(case.available(), -4_000);
    case.buy(5, 0, yuan(50));
    assert_eq!(case.available(), 1_000);
    assert_eq!(case.world.card(&card_no(2)).owed, Points::ZERO);
}

#[test]
fn a_purchase_whose_points_were_spent_cannot_go_back() {
    let (mut case, bought) = Case::new(Clawback::Refuse);
    case.buy(2, 101, Fen::ZERO);
    let before = plain(case.world.card(&card_no(2)));
    let refund = case.back(GiveBackKind::Refund, 3, &bought);
    let answer = case.world.ask(refund);
    assert_eq!(refused(&answer), Some((Refusal::TooFew, true)));
    assert_eq!(plain(case.world.card(&card_no(2))), before);
    case.buy(4, 0, yuan(1));
    let refund = case.back(GiveBackKind::Refund, 5, &bought);
    approved(case.world.ask(refund));
}

/// Whatever paid for the clawback, nothing was spent since.
#[test]
fn a_refund_is_undone_at_once() {
    for clawback in [Clawback::Cash, Clawback::Negative, Clawback::Refuse] {
        for spent in [0, 100, 170] {
            let (mut case, bought) = Case::new(clawback);
            if spent > 0 {
                case.buy(2, spent, Fen::ZERO);
            }
            let (card, books) = (plain(case.world.card(&card_no(2))), case.world.books());
            let refund = case.back(GiveBackKind::Refund, 3, &bought);
            let answer = case.world.ask(refund);
            if clawback == Clawback::Refuse && spent == 170 {
                assert_eq!(refused(&answer), Some((Refusal::TooFew, true)));
                continue;
            }
            let undo = case.back(GiveBackKind::RefundCancel, 4, &approved(answer));
            approved(case.world.ask(undo));
            assert_eq!(
                plain(case.world.card(&card_no(2))),
                card,
                "{clawback:?} {spent}"
            );
            assert_eq!(case.world.books(), books, "{clawback:?} {spent}");
        }
    }
}

#[test]
fn a_refund_whose_points_or_vouchers_were_spent_is_not_undone() {
    let (mut case, bought) = Case::new(Clawback::Cash);
    let refund = case.back(GiveBackKind::Refund, 2, &bought);
    let refunded = approved(case.world.ask(refund));
    let spend = Consume {
        point_amount: Fen::new(100),
        cash: Fen::ZERO,
        ..case.world.buy(NEXT_TILL, 1)
    };
    let spent = approved(case.world.ask(spend));
    // Earned points come back with the purchase, and may pay: 120 of them for 50.
    let undo = case.back(GiveBackKind::RefundCancel, 3, &refunded);
    approved(case.world.ask(undo));
    assert_eq!(case.available(), 7_000);
    let refund = case.back(GiveBackKind::Refund, 4, &bought);
    let refunded = approved(case.world.ask(refund));
    assert_eq!(refunded.effect.supply_cash, Fen::ZERO);
    let cancel = GiveBack {
        message: case.world.message(NEXT_TILL, 2),
        ..case.back(GiveBackKind::Cancel, 9, &spent)
    };
    approved(case.world.ask(cancel));
    let vouchers = Consume {
        vouchers: wanted(VOUCHER, 10),
        ..case.world.buy(NEXT_TILL, 3)
    };
    approved(case.world.ask(vouchers));
    let undo = case.back(GiveBackKind::RefundCancel, 5, &refunded);
    let answer = case.world.ask(undo);
    assert_eq!(refused(&answer), Some((Refusal::TooFew, true)));
}

/// Points whose lot has expired come back for the rest of the month.
#[test]
fn points_of_an_expired_lot_come_back_living() {
    let (mut case, bought) = Case::new(Clawback::Cash);
    case.world.now = ZONE.end_of_month(case.world.now, 6);
    let end = ZONE.end_of_month(case.world.now, 0);
    let refund = case.back(GiveBackKind::Refund, 2, &bought);
    approved(case.world.ask(refund));
    assert_eq!(case.available(), 5_000);
    case.world.now = end;
    assert_eq!(case.available(), 0);
}

/// What waits pays what is owed, so that it does not expire beside the debt.
#[test]
fn points_that_wait_pay_what_is_owed() {
    let (mut case, bought) = Case::new(Clawback::Negative);
    case.buy(2, 170, Fen::ZERO);
    case.rules = Arc::new(Rules {
        pending_days: 3,
        ..(*case.rules).clone()
    });
    case.buy(3, 0, yuan(100));
    let refund = case.back(GiveBackKind::Refund, 4, &bought);
    let balance = approved(case.world.ask(refund)).balance;
    assert_eq!(
        (balance.total, balance.available),
        (points(30), Points::ZERO)
    );
}
