//! The rules of cards, terminals and the events on them.
//!
//! Work items are read before all events, terminals and cards after them. In memory stay the
//! ledger balance of each card (they are part of the report) and its account number, one sum a
//! kind of ticket, the batches that are open, and of events only those that undid another or were
//! undone, as far as the other half was not found. A closed batch is forgotten as soon as its
//! events make what its settlement says.

mod batches;
mod links;

use super::{
    broken::Broken,
    merge::Subject,
    report::{AuditReport, Rule},
};
use batches::{Batches, Counted};
use domain::{
    ids::{Serial, TenantId},
    ledger::{Account, Movement, Posting, Unit},
    loyalty::{
        card::{Card, TicketId},
        document::Document,
        points::Points,
        postings::postings,
        trans::{Trans, TransState},
        work_item::Matter,
    },
};
use links::Links;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of cards, batches and links so far.
#[derive(Default)]
pub(super) struct Loyalty {
    batches: Batches,
    links: Links,
    /// The accounts of all cards.
    accounts: BTreeSet<(TenantId, Serial)>,
    /// What cards hold of each ticket.
    pieces: BTreeMap<(TenantId, TicketId), i128>,
}

/// Whether an event on a card makes this movement.
pub(super) const fn is_of_trans(movement: Movement) -> bool {
    match movement {
        Movement::PointsSpent
        | Movement::PointsEarned
        | Movement::Cash
        | Movement::CashSupply
        | Movement::CodeFace(_)
        | Movement::Tickets(_) => true,
        Movement::Payment
        | Movement::Refund
        | Movement::Reversal
        | Movement::Recharge
        | Movement::UsesFromStock
        | Movement::UsesFromActive
        | Movement::UsesBack
        | Movement::VoucherFace
        | Movement::VoucherFaceBack
        | Movement::VoucherBreakage
        | Movement::VoucherBreakageBack => false,
    }
}

impl Loyalty {
    pub fn check_trans(&mut self, trans: &Trans, subject: &Subject, report: &mut AuditReport) {
        let mut broken = Broken::at(report, "event", trans.serial);
        unless_posted(trans, subject, &mut broken);
        let fits = unless_amounts_fit(trans, &mut broken);
        let counted = fits.then(|| Counted::of(trans)).flatten();
        self.links
            .check(trans, counted, &mut broken, &mut self.batches);
        self.batches.check(trans, counted, &mut broken);
    }

    pub fn check_document(&mut self, document: &Document, report: &mut AuditReport) {
        match document {
            Document::Card(card) => self.check_card(card, report),
            Document::Terminal(terminal) => self.batches.check_open(terminal, report),
            Document::WorkItem(item) => match item.matter {
                Matter::ReversedAfterSettlement { number, .. } => {
                    self.batches.reversed_later(item.tenant, number);
                }
                Matter::SettledWithDifferences { .. } => {}
            },
            Document::Store(_)
            | Document::VerifyCodes(_)
            | Document::Partner(_)
            | Document::VoucherTicket(_)
            | Document::Activity(_)
            | Document::Carton(_)
            | Document::Change(_) => {}
        }
    }

    fn check_card(&mut self, card: &Card, report: &mut AuditReport) {
        report.counts.cards += 1;
        for holding in &card.tickets {
            let held = self.pieces.entry((card.tenant, holding.ticket()));
            *held.or_default() += i128::from(holding.pieces);
        }
        let account = Account::PointsHeld(card.account);
        let booked = held(report, card.tenant, Unit::Point, account);
        let subject = || format!("card {} of tenant {}", card.number.as_str(), card.tenant.0);
        if !self.accounts.insert((card.tenant, card.account)) {
            let found = format!("account {} is another card's as well", card.account);
            report.add(Rule::CardAccount, subject(), found);
        }
        let wide = |points: Points| i128::from(points.get());
        let lots: i128 = card.lots.iter().map(|it| wide(it.points)).sum();
        let owed = wide(card.owed);
        if lots - owed != booked {
            let found = format!("holds {lots} and owes {owed}, its account has {booked}");
            report.add(Rule::CardPoints, subject(), found);
        }
        let is_below = |points: Points| points < Points::ZERO;
        if is_below(card.owed) || card.lots.iter().any(|it| is_below(it.points)) {
            let found = "a lot, or what it owes, is below zero".to_owned();
            report.add(Rule::CardPoints, subject(), found);
        }
    }

    /// Checks what only the whole shows.
    pub fn finish(self, report: &mut AuditReport) {
        self.links.finish(report);
        self.batches.finish(report);
        let accounts: Vec<(TenantId, Serial)> = points_accounts(report).collect();
        for (tenant, account) in accounts {
            if !self.accounts.contains(&(tenant, account)) {
                let subject = format!("account {account} of tenant {}", tenant.0);
                report.add(Rule::CardAccount, subject, "no card has it".to_owned());
            }
        }
        let booked: Vec<(TenantId, TicketId)> = ticket_accounts(report).collect();
        let tickets: BTreeSet<_> = self.pieces.keys().copied().chain(booked).collect();
        for (tenant, ticket) in tickets {
            let pieces = self.pieces.get(&(tenant, ticket)).copied().unwrap_or(0);
            let booked = held(report, tenant, Unit::Piece, Account::TicketsHeld(ticket));
            if pieces != booked {
                let subject = format!("{ticket:?} of tenant {}", tenant.0);
                let found = format!("cards hold {pieces}, its account has {booked}");
                report.add(Rule::TicketPieces, subject, found);
            }
        }
    }
}

/// What members hold by the ledger: what the account gave less what it received.
fn held(report: &AuditReport, tenant: TenantId, unit: Unit, account: Account) -> i128 {
    let balance = report.balances.get(&(tenant, unit, account));
    balance.map_or(0, |it| -it.net())
}

fn points_accounts(report: &AuditReport) -> impl Iterator<Item = (TenantId, Serial)> {
    report.balances.keys().filter_map(|(tenant, _, account)| {
        let Account::PointsHeld(card) = account else {
            return None;
        };
        Some((*tenant, *card))
    })
}

fn ticket_accounts(report: &AuditReport) -> impl Iterator<Item = (TenantId, TicketId)> {
    report.balances.keys().filter_map(|(tenant, _, account)| {
        let Account::TicketsHeld(ticket) = account else {
            return None;
        };
        Some((*tenant, *ticket))
    })
}

/// The postings that follow from `trans`, and no others of its kind.
fn unless_posted(trans: &Trans, subject: &Subject, broken: &mut Broken<'_>) {
    let expected = postings(trans);
    let posted = subject.postings.iter().map(|it| it.movement);
    let posted = posted.filter(|it| is_of_trans(*it));
    let wanted = expected.iter().map(|it| it.movement);
    let movements: BTreeSet<Movement> = posted.chain(wanted).collect();
    for movement in movements {
        let of = |it: &&Posting| it.movement == movement;
        let expected = expected.iter().find(of).copied();
        broken.unless_posted(Rule::TransPosting, subject, movement, expected);
    }
}

/// No amount is below zero, and all can be added. What was refused moved nothing.
fn unless_amounts_fit(trans: &Trans, broken: &mut Broken<'_>) -> bool {
    let effect = &trans.effect;
    let amounts = [
        effect.point_amount.get(),
        effect.points_owed.get(),
        effect.cash.get(),
        effect.earned.get(),
        effect.earned_owed.get(),
        effect.supply_cash.get(),
    ];
    let lots = effect.points.iter().map(|it| it.points.get());
    let pieces = effect
        .tickets
        .iter()
        .flat_map(|it| [it.pieces, it.face.get()]);
    let amounts: Vec<i64> = amounts.into_iter().chain(lots).chain(pieces).collect();
    let wide = |it: i64| i128::from(it);
    let points: i128 = effect.points.iter().map(|it| wide(it.points.get())).sum();
    let pieces: i128 = effect.tickets.iter().map(|it| wide(it.pieces)).sum();
    let values = effect.tickets.iter();
    let values: i128 = values.map(|it| wide(it.pieces) * wide(it.face.get())).sum();
    let sums = [points + wide(effect.points_owed.get()), pieces, values];
    let moves = match trans.state {
        TransState::Approved | TransState::Reversed(_) | TransState::GivenBack(_) => true,
        TransState::Declined(_) | TransState::Tombstone => false,
    };
    let fits = amounts.iter().all(|it| *it >= 0)
        && sums.iter().all(|it| i64::try_from(*it).is_ok())
        && effect.tickets.len() <= usize::from(Movement::TICKET_LINES_MAX)
        && (moves || amounts.iter().all(|it| *it == 0));
    broken.unless(fits, Rule::TransAmounts, || {
        format!("{:?} moved {amounts:?}", trans.state)
    });
    fits
}
