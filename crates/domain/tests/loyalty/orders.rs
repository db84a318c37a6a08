//! A message and its reversal, each repeated, in every order, alone or two in one batch: the
//! message never stands in the end, and the till hears only what ends its repeating.

use super::{
    ask::Ask,
    audit::plain,
    fixture::{
        NEXT_TILL, TENANT, TILL, VOUCHER, approved, card_no, new_keys, refused, wanted, yuan,
    },
    world::World,
};
use domain::{
    command::loyalty::{Answer, CheckIn, Consume, GiveBack, GiveBackKind, Reverse},
    loyalty::{
        program::{Clawback, Rules},
        totals::Totals,
        trans::{Refusal, Trans, TransState},
    },
    money::Fen,
};
use std::{collections::BTreeMap, sync::Arc};

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Original,
    Reversal,
    /// Another purchase, which spends all points there are at that moment.
    Other,
}

/// All orders of `sent`, without repetitions.
fn orders(sent: &[Sent]) -> Vec<Vec<Sent>> {
    if sent.is_empty() {
        return vec![vec![]];
    }
    let mut all: Vec<Vec<Sent>> = Vec::new();
    for at in 0..sent.len() {
        let mut rest = sent.to_vec();
        let head = rest.remove(at);
        for tail in orders(&rest) {
            let order = [vec![head], tail].concat();
            if !all.contains(&order) {
                all.push(order);
            }
        }
    }
    all
}

/// All ways to send `count` messages one or two in a batch.
fn batches(count: usize) -> Vec<Vec<usize>> {
    match count {
        0 => vec![vec![]],
        1 => vec![vec![1]],
        _ => {
            let ways = |n: usize| {
                let rest = batches(count - n);
                rest.into_iter().map(move |it| [vec![n], it].concat())
            };
            ways(1).chain(ways(2)).collect()
        }
    }
}

/// Which message is reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Consume,
    Tickets,
    Cancel,
    Refund,
    RefundCancel,
}

const WHATS: [What; 5] = [
    What::Consume,
    What::Tickets,
    What::Cancel,
    What::Refund,
    What::RefundCancel,
];
const CLAWBACKS: [Clawback; 3] = [Clawback::Cash, Clawback::Negative, Clawback::Refuse];

struct Case {
    world: World,
    original: Ask,
    rules: Arc<Rules>,
}

impl Case {
    fn new(what: What, rules: &Rules) -> Self {
        let (mut world, rules) = (World::new(), Arc::new(rules.clone()));
        let original = match what {
            What::Consume => purchase(&mut world, &rules).into(),
            What::Tickets => world.use_ticket(TILL, 2).into(),
            What::Cancel => {
                let bought = bought(&mut world, &rules);
                give_back(&mut world, GiveBackKind::Cancel, 2, &bought, &rules).into()
            }
            What::Refund => {
                let bought = bought(&mut world, &rules);
                give_back(&mut world, GiveBackKind::Refund, 2, &bought, &rules).into()
            }
            What::RefundCancel => {
                let bought = bought(&mut world, &rules);
                let refund = give_back(&mut world, GiveBackKind::Refund, 1, &bought, &rules);
                let refunded = approved(world.ask(refund));
                give_back(&mut world, GiveBackKind::RefundCancel, 2, &refunded, &rules).into()
            }
        };
        Self {
            world,
            original,
            rules,
        }
    }

    fn send(&mut self, sent: &[Sent]) -> Vec<Answer> {
        let asks: Vec<Ask> = sent.iter().map(|it| self.message(*it)).collect();
        self.world.batch(&asks)
    }

    fn message(&mut self, sent: Sent) -> Ask {
        let mut ask = match sent {
            Sent::Original => self.world.again(&self.original),
            Sent::Reversal => self.world.reversal(&self.original.clone()).into(),
            Sent::Other => self.other().into(),
        };
        ask.digest();
        ask
    }

    /// All points that may be spent now, at the other till.
    fn other(&mut self) -> Consume {
        let available = self.world.available(&card_no(2)).max(0);
        let other = self.world.buy(NEXT_TILL, 9);
        Consume {
            point_amount: self
                .rules
                .worth(domain::loyalty::points::Points::new(available)),
            cash: Fen::new(1),
            rules: self.rules.clone(),
            ..other
        }
    }

    fn run(&mut self, order: &[Sent], batches: &[usize]) -> Vec<(Sent, Answer)> {
        let mut heard = Vec::new();
        let mut rest = order;
        for size in batches {
            let (now, later) = rest.split_at(*size);
            heard.extend(now.iter().copied().zip(self.send(now)));
            rest = later;
        }
        heard
    }

    fn end(&self) -> End {
        End {
            card: plain(self.world.card(&card_no(2))),
            totals: self.world.totals(TILL),
            books: self.world.books(),
        }
    }
}

/// What a case ends in.
#[derive(Debug, PartialEq, Eq)]
struct End {
    card: domain::loyalty::card::Card,
    totals: Totals,
    books: BTreeMap<i64, i64>,
}

/// Points, a voucher and cash, which earns more points than were spent.
fn purchase(world: &mut World, rules: &Arc<Rules>) -> Consume {
    Consume {
        point_amount: yuan(1),
        cash: yuan(120),
        vouchers: wanted(VOUCHER, 2),
        rules: rules.clone(),
        ..world.buy(TILL, 2)
    }
}

/// The purchase that goes back.
fn bought(world: &mut World, rules: &Arc<Rules>) -> Trans {
    let mut purchase = purchase(world, rules);
    purchase.message = world.message(TILL, 7);
    approved(world.ask(purchase))
}

fn give_back(
    world: &mut World,
    kind: GiveBackKind,
    trace: u32,
    original: &Trans,
    rules: &Arc<Rules>,
) -> GiveBack {
    GiveBack {
        rules: rules.clone(),
        ..world.give_back(kind, TILL, trace, original)
    }
}

fn programs() -> Vec<Rules> {
    let with = |(pending_days, clawback)| Rules {
        pending_days,
        clawback,
        grade_from: vec![yuan(100)],
        ..Rules::default()
    };
    let days = [0, 3].into_iter();
    let programs = days.flat_map(|days| CLAWBACKS.map(|it| (days, it)));
    programs.map(with).collect()
}

fn ends_repeating(answer: &Answer) -> bool {
    match answer {
        Answer::Done(trans) => matches!(trans.state, TransState::Reversed(_)),
        Answer::Refused(refusal) => {
            matches!(refusal, Refusal::OriginalMissing | Refusal::NotAllowed)
        }
        Answer::Again(_) => false,
    }
}

#[test]
fn whatever_comes_first_the_message_does_not_stand() {
    use Sent::{Original, Reversal};
    for rules in programs() {
        for what in WHATS {
            let untouched = Case::new(what, &rules).end();
            for order in orders(&[Original, Original, Reversal, Reversal]) {
                for sizes in batches(4) {
                    let mut case = Case::new(what, &rules);
                    let heard = case.run(&order, &sizes);
                    let context = format!("{what:?} {order:?} {sizes:?} {heard:#?}");
                    assert_eq!(case.end(), untouched, "{context}");
                    let mut reversals = heard.iter().filter(|(sent, _)| *sent == Reversal);
                    assert!(reversals.all(|(_, it)| ends_repeating(it)), "{context}");
                }
            }
        }
    }
}

#[test]
fn a_message_that_came_is_undone_and_one_that_never_came_is_unknown() {
    use Sent::{Original, Reversal};
    for what in WHATS {
        let mut case = Case::new(what, &Rules::default());
        let heard = case.run(&[Original, Reversal, Reversal, Original], &[1; 4]);
        for (_, answer) in &heard[1..3] {
            let Answer::Done(undone) = answer else {
                panic!("{what:?} {answer:?}");
            };
            assert!(matches!(undone.state, TransState::Reversed(_)), "{what:?}");
        }
        let again = refused(&heard[3].1);
        assert_eq!(again, Some((Refusal::NotAllowed, false)), "{what:?}");
        let mut case = Case::new(what, &Rules::default());
        let heard = case.run(&[Reversal, Reversal, Original], &[1, 1, 1]);
        let refusals: Vec<_> = heard.iter().map(|(_, it)| refused(it)).collect();
        let (missing, late) = (Refusal::OriginalMissing, Refusal::NotAllowed);
        let expected = [missing, missing, late].map(|it| Some((it, false)));
        assert_eq!(refusals, expected, "{what:?}");
    }
}

/// The other purchase may make the message fail, or use what it gave: still it never stands, and
/// what the card then lacks it owes.
#[test]
fn a_purchase_between_keeps_nothing_from_being_undone() {
    use Sent::{Original, Other, Reversal};
    for rules in programs() {
        for what in WHATS {
            for order in orders(&[Original, Original, Reversal, Reversal, Other]) {
                for sizes in batches(5) {
                    let mut case = Case::new(what, &rules);
                    let heard = case.run(&order, &sizes);
                    let context = format!("{what:?} {order:?} {sizes:?} {heard:#?}");
                    let place = case.original.message().place();
                    let stands =
                        |it: &Trans| it.place == Some(place) && it.state == TransState::Approved;
                    assert!(!case.world.trans.values().any(stands), "{context}");
                    let mut reversals = heard.iter().filter(|(sent, _)| *sent == Reversal);
                    assert!(reversals.all(|(_, it)| ends_repeating(it)), "{context}");
                }
            }
        }
    }
}

#[test]
fn earned_points_that_were_spent_are_owed_after_the_reversal() {
    for clawback in CLAWBACKS {
        let rules = Rules {
            clawback,
            ..Rules::default()
        };
        let mut case = Case::new(What::Consume, &rules);
        case.send(&[Sent::Original]);
        case.send(&[Sent::Other]);
        case.send(&[Sent::Reversal]);
        // 100 held, 100 spent and 120 earned; 120 spent and 0.01 earned; then 100 back, 120 away.
        let card = case.world.card(&card_no(2));
        assert_eq!(card.owed.get(), 1_999, "{clawback:?}");
        assert_eq!(case.world.available(&card_no(2)), -1_999);
    }
}

#[test]
fn a_reversal_after_settlement_is_done_and_told_to_the_operator() {
    for what in WHATS {
        let mut case = Case::new(what, &Rules::default());
        let untouched = plain(case.world.card(&card_no(2)));
        let reversal: Reverse = case.world.reversal(&case.original.clone());
        case.send(&[Sent::Original]);
        let closed = case.world.totals(TILL);
        case.world.next_batch(TILL, 900);
        for names_batch in [true, false, true] {
            let mut again = reversal.clone();
            again.message.serial = case.world.serial();
            again.message.names_batch = names_batch;
            if !names_batch {
                again.message.batch = case.world.batch_no(TILL);
            }
            let Answer::Done(undone) = case.world.ask(again) else {
                panic!("{what:?}");
            };
            assert!(matches!(undone.state, TransState::Reversed(_)), "{what:?}");
        }
        assert_eq!(plain(case.world.card(&card_no(2))), untouched, "{what:?}");
        assert_eq!(case.world.totals(TILL), Totals::default(), "{what:?}");
        assert_ne!(closed, Totals::default(), "{what:?}");
        let items = case.world.work_items();
        assert_eq!(items.len(), 1, "{what:?}: once");
    }
}

/// The previous batch's message is reversed although the open batch used its trace number.
#[test]
fn a_reversal_without_a_batch_number_finds_its_own() {
    let mut world = World::new();
    let bought: Ask = world.buy(TILL, 1).into();
    let before = approved(world.ask(bought.clone()));
    world.next_batch(TILL, 2);
    let other = world.use_ticket(TILL, 1);
    let other = approved(world.ask(other));
    let mut reversal = world.reversal(&bought);
    reversal.message.names_batch = false;
    reversal.message.batch = world.batch_no(TILL);
    assert!(matches!(world.ask(reversal), Answer::Done(_)));
    assert_ne!(world.now_of(&before).state, before.state);
    assert_eq!(world.now_of(&other).state, other.state);
}

/// Without a batch number it is the open batch's message where both would do.
#[test]
fn a_reversal_without_a_batch_number_means_the_open_batch_first() {
    let mut world = World::new();
    let buy = world.buy(TILL, 1);
    let before = approved(world.ask(buy));
    world.next_batch(TILL, 2);
    let buy: Ask = Consume {
        cash: yuan(10),
        ..world.buy(TILL, 1)
    }
    .into();
    let open = approved(world.ask(buy.clone()));
    let mut reversal = world.reversal(&buy);
    reversal.message.names_batch = false;
    assert!(matches!(world.ask(reversal), Answer::Done(_)));
    assert_eq!(world.now_of(&before).state, before.state);
    assert_ne!(world.now_of(&open).state, open.state);
}

/// What stands under the same trace number in the batch before is another message: this one was
/// never seen, and must not be carried out when it comes late.
#[test]
fn a_reversal_without_a_batch_number_leaves_its_tombstone_beside_another_message() {
    let mut world = World::new();
    let ticket = world.use_ticket(TILL, 1);
    approved(world.ask(ticket));
    world.next_batch(TILL, 2);
    let lost: Ask = world.buy(TILL, 1).into();
    let mut reversal = world.reversal(&lost);
    reversal.message.names_batch = false;
    let missing = refused(&world.ask(reversal));
    assert_eq!(missing, Some((Refusal::OriginalMissing, false)));
    let late = refused(&world.ask(lost));
    assert_eq!(late, Some((Refusal::NotAllowed, false)));
}

/// A reversal that says neither card nor amounts must not undo a settled purchase of another day.
#[test]
fn a_reversal_of_few_words_never_means_the_batch_before() {
    let mut world = World::new();
    let bought: Ask = world.buy(TILL, 1).into();
    let before = approved(world.ask(bought.clone()));
    world.next_batch(TILL, 2);
    let mut reversal = world.reversal(&bought);
    reversal.message.names_batch = false;
    reversal.message.batch = world.batch_no(TILL);
    reversal.is_explicit = false;
    let missing = refused(&world.ask(reversal));
    assert_eq!(missing, Some((Refusal::OriginalMissing, false)));
    assert_eq!(world.now_of(&before).state, before.state);
}

/// The keys that a check-in's MAC proves stay valid beside the new ones, whose answer may be lost.
#[test]
fn a_check_in_under_a_mac_keeps_the_keys_it_proves() {
    let mut world = World::new();
    world.check_in(TILL).unwrap();
    let proven = world.check_in(TILL).unwrap().generation;
    let check_in = CheckIn {
        tenant: TENANT,
        store: TILL.store_no(),
        terminal: TILL.number(),
        operator: "01".to_owned(),
        keys: new_keys(),
        under: Some(proven),
    };
    world.run(&check_in).unwrap();
    assert!(world.terminal(TILL).keys_of(proven).is_some());
}
