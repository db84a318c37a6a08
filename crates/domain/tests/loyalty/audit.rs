//! What must hold after every step, whatever was done.

use super::{
    fixture::{TENANT, ZONE},
    world::World,
};
use domain::{
    ledger::{Account, Posting},
    loyalty::{
        card::{Card, DayUse, Lot, TicketId},
        document::Document,
        points::Points,
        postings::postings,
        terminal::Terminal,
        totals::Totals,
        trans::{Direction, Place, Trans, TransKind, TransState},
    },
    money::Fen,
};
use std::collections::{BTreeMap, BTreeSet};

/// Checks everything.
pub fn check(world: &World) {
    check_postings(world);
    check_identities(world);
    for trans in world.trans.values() {
        check_links(world, trans);
    }
    for document in world.documents.values() {
        match document {
            Document::Card(card) => check_card(world, card),
            Document::Terminal(terminal) => check_terminal(world, terminal),
            _ => {}
        }
    }
    check_tickets(world);
    check_purchases(world);
}

fn cards(world: &World) -> impl Iterator<Item = &Card> {
    world.documents.values().filter_map(|it| match it {
        Document::Card(card) => Some(&**card),
        _ => None,
    })
}

/// The postings are those that the events make, no more and no fewer.
fn check_postings(world: &World) {
    let made = world.trans.values().flat_map(postings);
    let made: BTreeMap<i64, Posting> = made.map(|it| (it.number(), it)).collect();
    assert_eq!(made, world.postings, "the events make other postings");
    assert!(
        made.values()
            .all(|it| it.amount > 0 && it.debit != it.credit)
    );
}

/// No two events have the same place or number.
fn check_identities(world: &World) {
    let places: Vec<Place> = world.trans.values().filter_map(|it| it.place).collect();
    assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), places.len());
    let numbers: Vec<_> = world.trans.values().filter_map(|it| it.number).collect();
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
}

/// What undid or gave back an event says so, and stands.
fn check_links(world: &World, trans: &Trans) {
    let of = |serial| {
        let by: &Trans = world.trans.get(&serial).expect("it is not there");
        assert_eq!(by.original, Some(trans.serial), "it undid another");
        assert_eq!(by.state, TransState::Approved, "it does not stand");
        by
    };
    match trans.state {
        TransState::Reversed(by) => {
            assert_eq!(of(by).kind, TransKind::Reversal);
            assert_eq!(of(by).undoes, Some(trans.kind));
        }
        TransState::GivenBack(by) => match trans.kind {
            TransKind::Consume => {
                assert!(matches!(of(by).kind, TransKind::Cancel | TransKind::Refund));
            }
            TransKind::Refund => assert_eq!(of(by).kind, TransKind::RefundCancel),
            other => panic!("{other:?} cannot be given back"),
        },
        TransState::Approved => check_standing(world, trans),
        TransState::Declined(_) => assert_eq!(trans.effect, Default::default()),
        TransState::Tombstone => assert_eq!((trans.card.as_ref(), trans.number), (None, None)),
    }
}

/// What undid or gave back an event and stands is what its original names: nothing goes back
/// twice.
fn check_standing(world: &World, trans: &Trans) {
    let Some(original) = trans.original else {
        return;
    };
    let original = &world.trans[&original];
    let expected = match trans.kind {
        TransKind::Cancel | TransKind::Refund | TransKind::RefundCancel => {
            TransState::GivenBack(trans.serial)
        }
        TransKind::Reversal => TransState::Reversed(trans.serial),
        other => panic!("{other:?} is about no other event"),
    };
    assert_eq!(original.state, expected);
}

fn check_card(world: &World, card: &Card) {
    let lots: Points = card.lots.iter().map(|it| it.points).sum();
    let held = world.balance(Account::PointsHeld(card.account));
    assert_eq!(
        lots.minus(card.owed).get(),
        -held,
        "lots and books differ: {card:?}"
    );
    assert!(card.lots.iter().all(|it| it.points.is_some()), "{card:?}");
    assert!(card.owed >= Points::ZERO, "{card:?}");
    let is_live = |it: &Lot| it.is_live(world.now);
    let has_points = card.lots.iter().any(is_live);
    assert!(
        card.owed == Points::ZERO || !has_points,
        "owes what it could pay: {card:?}"
    );
    check_day(world, card);
    check_months(world, card);
}

fn purchases(world: &World) -> impl Iterator<Item = &Trans> {
    let is_purchase =
        |it: &&Trans| matches!(it.kind, TransKind::Consume | TransKind::TicketsConsume);
    world.trans.values().filter(is_purchase)
}

fn day_use<'t>(today: i64, events: impl Iterator<Item = &'t Trans>) -> DayUse {
    events
        .filter(|it| ZONE.day(it.at) == today && it.effect.spends())
        .fold(DayUse::default().of(today), |sum, it| {
            sum.with(today, it.effect.points_used())
        })
}

/// A card's use of today is that of the purchases of today which stand.
fn check_day(world: &World, card: &Card) {
    let today = ZONE.day(world.now);
    let standing = purchases(world)
        .filter(|it| it.card_account == Some(card.account) && it.state == TransState::Approved);
    assert_eq!(card.today.of(today), day_use(today, standing), "{card:?}");
}

/// A card's spending is that of the purchases which stand, by their month, for twelve months.
fn check_months(world: &World, card: &Card) {
    let since = ZONE.month(world.now) - 12;
    let mut standing = BTreeMap::new();
    for it in purchases(world) {
        let month = ZONE.month(it.at);
        let is_its = it.card_account == Some(card.account) && it.state == TransState::Approved;
        if is_its && month > since {
            *standing.entry(month).or_insert(0) +=
                it.effect.cash.get() + it.effect.point_amount.get();
        }
    }
    standing.retain(|_, spent| *spent != 0);
    let recent = card.spending.iter().filter(|it| it.month > since);
    let counted: BTreeMap<i64, i64> = recent.map(|it| (it.month, it.spent.get())).collect();
    assert_eq!(counted, standing, "{card:?}");
    assert!(card.spending.len() <= 12, "{card:?}");
}

fn check_terminal(world: &World, terminal: &Terminal) {
    let is_its = |it: &&Trans| it.place.map(Place::terminal) == Some(terminal.index);
    let today = ZONE.day(world.now);
    let made = purchases(world).filter(is_its);
    let made =
        made.filter(|it| matches!(it.state, TransState::Approved | TransState::GivenBack(_)));
    assert_eq!(terminal.today.of(today), day_use(today, made));
    let Some(batch) = terminal.open_batch() else {
        return;
    };
    let mut totals = Totals::default();
    let of_batch = world.trans.values().filter(is_its);
    for it in of_batch.filter(|it| it.place.and_then(Place::batch) == Some(batch.number)) {
        if matches!(it.state, TransState::Approved | TransState::GivenBack(_)) {
            totals.count(it.kind, &it.effect, 1);
        }
    }
    assert_eq!(batch.totals, totals);
}

/// The pieces that cards hold are those of the books, and no live piece has two holdings.
fn check_tickets(world: &World) {
    let mut held: BTreeMap<TicketId, i64> = BTreeMap::new();
    for card in cards(world) {
        let tickets: BTreeSet<TicketId> = card.tickets.iter().map(|it| it.ticket()).collect();
        assert_eq!(tickets.len(), card.tickets.len(), "{card:?}");
        for it in &card.tickets {
            *held.entry(it.ticket()).or_default() += it.pieces;
        }
    }
    for (ticket, pieces) in held {
        // The books of points and tickets are the house's: what members hold stands on the right.
        assert_eq!(-world.balance(Account::TicketsHeld(ticket)), pieces);
    }
}

/// All that happened to a purchase adds up to the purchase itself where it stands, else to
/// nothing: points, cash and tickets go back once, however often somebody tried.
fn check_purchases(world: &World) {
    let mut sums: BTreeMap<_, Sum> = BTreeMap::new();
    for trans in world.trans.values() {
        if let Some(purchase) = purchase_behind(world, trans) {
            sums.entry(purchase.serial).or_default().add(trans);
        }
    }
    for (serial, sum) in sums {
        let purchase = &world.trans[&serial];
        let mut expected = Sum::default();
        if purchase.state == TransState::Approved {
            expected.add(&Trans {
                state: TransState::Approved,
                ..purchase.clone()
            });
        }
        assert_eq!(sum, expected, "of {purchase:?}");
    }
}

/// The purchase that an event made, gave back, or made stand again.
fn purchase_behind<'w>(world: &'w World, trans: &'w Trans) -> Option<&'w Trans> {
    match trans.kind {
        TransKind::Consume | TransKind::TicketsConsume => Some(trans),
        TransKind::Cancel | TransKind::Refund | TransKind::RefundCancel | TransKind::Reversal => {
            purchase_behind(world, world.trans.get(&trans.original?)?)
        }
        TransKind::Activate
        | TransKind::Settle
        | TransKind::SettleDetails
        | TransKind::Expiry
        | TransKind::Opening => None,
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    points: i64,
    point_amount: i64,
    cash: i64,
    tickets: BTreeMap<TicketId, i64>,
}

impl Sum {
    fn add(&mut self, trans: &Trans) {
        if matches!(trans.state, TransState::Declined(_) | TransState::Tombstone) {
            return;
        }
        let sign = match trans.kind.direction(trans.undoes) {
            Direction::Spend => 1,
            Direction::GiveBack => -1,
            Direction::Expire | Direction::Grant | Direction::None => 0,
        };
        let fen = |amount: Fen| sign * amount.get();
        self.points += sign * trans.effect.points_used().get();
        self.point_amount += fen(trans.effect.point_amount);
        self.cash += fen(trans.effect.cash);
        for it in &trans.effect.tickets {
            *self.tickets.entry(it.ticket()).or_default() += sign * it.pieces;
        }
        self.tickets.retain(|_, pieces| *pieces != 0);
    }
}

/// What a ticket or a card may be compared by: nothing that only tells when it was last touched.
pub fn plain(card: &Card) -> Card {
    let mut plain = card.clone();
    for lot in &mut plain.lots {
        lot.available_at = lot.available_at.max(domain::time::UnixMs(0));
    }
    plain
        .lots
        .sort_by_key(|it| (it.expires_at, it.available_at));
    plain.tickets.sort_by_key(|it| it.ticket());
    if (plain.today.count, plain.today.points) == (0, Points::ZERO) {
        plain.today = DayUse::default();
    }
    plain.spending.retain(|it| it.spent != Fen::ZERO);
    assert_eq!(plain.tenant, TENANT);
    plain
}
