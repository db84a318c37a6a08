//! What must hold after every step, whatever was done. Worked out from spans, uses and payments
//! alone, never from the rules' own postings.

use super::world::World;
use domain::{
    ids::Serial,
    ledger::{Account, Unit},
    loyalty::{
        document::Document,
        trans::{TicketUse, TransKind, TransState},
    },
    payment::{Payment, PaymentState, VoucherFate},
    refund::{Refund, RefundState},
    voucher::{
        change::{Change, ChangeId, Verdict},
        code::{CodeNo, CodeRange},
        code_use::CodeAct,
        span::{Span, Stage},
        stock::Carton,
        ticket::VoucherTicketNo,
    },
};
use std::{collections::BTreeMap, iter};

/// Checks everything.
pub fn check(world: &World) {
    check_tiles(world);
    check_origins(world);
    check_uses(world);
    check_events(world);
    check_books(world);
    check_money(world);
    check_jobs(world);
    for it in world.postings.values() {
        assert!(it.amount > 0 && it.debit != it.credit, "{it:?}");
    }
}

fn cartons(world: &World) -> impl Iterator<Item = &Carton> {
    world.documents.values().filter_map(|it| match it {
        Document::Carton(carton) => Some(&**carton).filter(|it| it.ready),
        _ => None,
    })
}

fn carton(world: &World, serial: Serial) -> &Carton {
    let found = cartons(world).find(|it| it.serial == serial);
    found.expect("a span of no box")
}

/// The spans of a box lie end to end from its first code to its last, and no two neighbours could
/// be one.
fn check_tiles(world: &World) {
    for carton in cartons(world) {
        let spans: Vec<&Span> = world.spans_in(&carton.range()).collect();
        let mut next = 0_i64;
        for span in &spans {
            assert_eq!(i64::from(span.range.first), next, "a gap: {spans:?}");
            next = i64::from(span.range.last) + 1;
        }
        assert_eq!(next, i64::from(carton.codes), "not all of it: {spans:?}");
        for pair in spans.windows(2) {
            let same = pair[0].stage == pair[1].stage && pair[0].frozen == pair[1].frozen;
            assert!(!same, "these are one: {pair:?}");
        }
    }
    for (first, span) in &world.spans {
        assert_eq!(
            *first,
            CodeNo {
                index: span.range.first,
                carton: span.range.carton
            }
        );
        assert!(span.range.last < carton(world, span.range.carton).codes);
    }
}

/// A span names the change that made it what it is: carried out, and over all of its codes.
fn check_origins(world: &World) {
    for span in world.spans.values() {
        if let Some(it) = span.activation() {
            assert_eq!(done_over(world, &it.by, &span.range).at, it.at);
        }
        if let Stage::Void(it) = &span.stage {
            assert_eq!(done_over(world, &it.by, &span.range).at, it.at);
        }
    }
}

fn done_over<'w>(world: &'w World, id: &ChangeId, range: &CodeRange) -> &'w Change {
    let change = world.documents.values().find_map(|it| match it {
        Document::Change(change) => Some(&**change).filter(|it| it.id == *id),
        _ => None,
    });
    let change = change.expect("no such change");
    assert!(matches!(change.verdict, Verdict::Done(_)), "{change:?}");
    let covered = change.ranges.iter().filter_map(|it| it.intersect(range));
    let covered: i64 = covered.map(|it| it.len()).sum();
    assert_eq!(covered, range.len(), "{change:?}");
    change
}

/// What is gone or held of a code is what payments used or hold of it, and tickets used; only codes that were sold
/// are touched, and never more often than they may be.
fn check_uses(world: &World) {
    for it in world.uses.values() {
        let of_code = |payment: &&Payment| {
            payment
                .details
                .voucher
                .is_some_and(|part| part.code == it.code)
        };
        let payments = || world.payments.values().filter(of_code);
        let holds = payments().filter(|it| holds_use(it)).count();
        let paid = payments().filter(|it| used_up(it)).count();
        let lines = lines(world).filter(|(_, line)| line.code.is_some_and(|of| of.code == it.code));
        let used: i64 = lines.map(|(_, line)| line.pieces).sum();
        assert_eq!(
            (i64::from(it.used), it.reserved as usize),
            (i64::try_from(paid).unwrap() + used, holds),
            "{it:?}"
        );
        let carton = carton(world, it.code.carton);
        assert!(it.used + it.reserved <= carton.terms.uses, "{it:?}");
        let span = world.spans_in(&it.code.range()).next().unwrap();
        if it.is_busy() {
            assert!(matches!(span.stage, Stage::Active(_)), "{it:?} in {span:?}");
        }
    }
    for payment in world.payments.values() {
        if holds_use(payment) || used_up(payment) {
            let code = payment.details.voucher.unwrap().code;
            assert!(world.uses.contains_key(&code), "{payment:?}");
        }
    }
}

/// Uses of codes that tickets took and that stand, by the number of the store's accounts.
fn lines(world: &World) -> impl Iterator<Item = (i64, &TicketUse)> {
    let stand = world
        .trans
        .values()
        .filter(|it| it.kind == TransKind::TicketsConsume && it.state == TransState::Approved);
    let lines = stand.flat_map(|it| {
        it.effect
            .tickets
            .iter()
            .map(|line| (it.store_account, line))
    });
    lines.filter(|(_, line)| line.code.is_some())
}

fn holds_use(payment: &Payment) -> bool {
    let undecided = matches!(
        payment.state,
        PaymentState::Open { .. } | PaymentState::Ending(_)
    );
    undecided && payment.details.voucher.is_some()
}

fn used_up(payment: &Payment) -> bool {
    let fate = payment.paid().map(|it| it.voucher);
    let is_gone = matches!(fate, Some(VoucherFate::Used | VoucherFate::Returning));
    is_gone && payment.details.voucher.is_some()
}

/// The events of a code are numbered without a gap, lead to each other, the newest first, and add up
/// to what is gone.
fn check_events(world: &World) {
    for it in world.uses.values() {
        let events = world.events_of(it);
        let numbers: Vec<u32> = events.iter().map(|it| it.number).collect();
        assert_eq!(numbers, (0..it.events).collect::<Vec<_>>());
        let links = events.iter().map(|it| Some(it.link()));
        let links: Vec<_> = iter::once(None).chain(links).collect();
        let leads = events.iter().map(|it| it.earlier());
        let leads: Vec<_> = leads.chain([it.newest_event()]).collect();
        assert_eq!(leads, links);
        let of_act = |act| events.iter().filter(|it| it.act == act).count();
        let (used, back) = (of_act(CodeAct::Used), of_act(CodeAct::GivenBack));
        assert_eq!(used - back, it.used as usize, "{events:?}");
        let is_known = |subject: &Serial| {
            world.payments.contains_key(subject) || world.trans.contains_key(subject)
        };
        assert!(events.iter().all(|it| is_known(&it.subject)));
    }
    assert!(
        world
            .events
            .keys()
            .all(|(code, _)| world.uses.contains_key(code))
    );
}

/// Uses of a ticket type by where they are, counted from spans and codes, and what those that
/// are left or written off would have paid.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    issued: i64,
    in_stock: i64,
    active: i64,
    spent: i64,
    void: i64,
    expired: i64,
    owed: i64,
    breakage: i64,
}

fn counts(world: &World) -> BTreeMap<VoucherTicketNo, Count> {
    let mut counts: BTreeMap<_, Count> = BTreeMap::new();
    for it in cartons(world) {
        let count = counts.entry(it.ticket).or_default();
        count.issued += i64::from(it.codes) * i64::from(it.terms.uses);
    }
    for span in world.spans.values() {
        let carton = carton(world, span.range.carton);
        let count = counts.entry(carton.ticket).or_default();
        count.add(world, span, carton);
    }
    for payment in world.payments.values().filter(|it| used_up(it)) {
        let part = payment.details.voucher.unwrap();
        let count = counts.entry(part.ticket).or_default();
        count.breakage += part.face.get() - part.pays.get();
    }
    counts
}

impl Count {
    fn add(&mut self, world: &World, span: &Span, carton: &Carton) {
        let touched = world
            .uses
            .values()
            .filter(|it| span.range.contains(it.code));
        let (used, reserved) = touched.fold((0, 0), |(used, reserved), it| {
            (used + i64::from(it.used), reserved + i64::from(it.reserved))
        });
        let all = span.range.len() * i64::from(carton.terms.uses);
        let face = carton.terms.face_value.get();
        match &span.stage {
            Stage::InStock => self.in_stock += all,
            Stage::Void(_) => self.void += all,
            Stage::Active(it) => {
                let left = if it.expired { reserved } else { all - used };
                self.active += left;
                self.spent += used;
                self.expired += all - used - left;
                self.owed += left * face;
                self.breakage += (all - used - left) * face;
            }
        }
    }
}

/// The books say what was counted: every use is somewhere, and what is owed is the face value of
/// the uses that are left.
fn check_books(world: &World) {
    for (ticket, count) in counts(world) {
        let books = Count {
            issued: -world.balance(Account::UsesIssued(ticket)),
            in_stock: world.balance(Account::UsesInStock(ticket)),
            active: world.balance(Account::UsesActive(ticket)),
            spent: world.balance(Account::UsesSpent(ticket)),
            void: world.balance(Account::UsesVoid(ticket)),
            expired: world.balance(Account::UsesExpired(ticket)),
            owed: -world.balance(Account::VoucherLiability(ticket)),
            breakage: -world.balance(Account::VoucherBreakage(ticket)),
        };
        assert_eq!(books, count, "of {ticket:?}");
        let places = [
            count.in_stock,
            count.active,
            count.spent,
            count.void,
            count.expired,
        ];
        assert_eq!(count.issued, places.iter().sum::<i64>(), "of {ticket:?}");
    }
}

/// What merchants and channels are owed is what payments say: taken less given back, and the
/// voucher's part unless its use came back. What a refund may still take is never below nothing.
fn check_money(world: &World) {
    let mut merchants = BTreeMap::new();
    let mut channels = BTreeMap::new();
    for payment in world.payments.values() {
        let paid = payment.paid();
        let kept = paid.map_or(0, |it| payment.amount.get() - it.refunded.get());
        assert!(kept >= 0, "{payment:?}");
        let of_voucher = if used_up(payment) {
            payment.voucher_pays().get()
        } else {
            0
        };
        *merchants.entry(payment.merchant).or_insert(0) += kept + of_voucher;
        *channels.entry(payment.channel.0).or_insert(0) += kept;
        check_refunds(world, payment);
    }
    for (merchant, owed) in merchants {
        assert_eq!(-world.balance(Account::Merchant(merchant)), owed);
    }
    for (channel, owed) in channels {
        let account = Account::Channel(domain::channel::ChannelNo(channel));
        assert_eq!(world.balance(account), owed);
    }
    let mut stores = BTreeMap::new();
    for (store, line) in lines(world) {
        *stores.entry(store).or_insert(0) += line.value().get();
    }
    for store in world.trans.values().map(|it| it.store_account) {
        let owed = stores.get(&store).copied().unwrap_or(0);
        assert_eq!(-world.balance(Account::VoucherTakings(store)), owed);
    }
    let fen = world.postings.values().filter(|it| it.unit == Unit::Fen);
    assert!(fen.clone().all(|it| it.tenant.0 == 1), "another tenant's");
}

/// What a payment says of its refunds is what they say: money back and on its way, and a use that
/// comes back with one of them at most.
fn check_refunds(world: &World, payment: &Payment) {
    let of_payment = |it: &&Refund| it.payment == payment.serial;
    let refunds: Vec<&Refund> = world.refunds.values().filter(of_payment).collect();
    let Some(paid) = payment.paid() else {
        assert!(refunds.is_empty(), "{refunds:?}");
        return;
    };
    let sum = |wanted: fn(&RefundState) -> bool| {
        let of_state = refunds.iter().filter(|it| wanted(&it.state));
        of_state.map(|it| it.amount.get()).sum::<i64>()
    };
    let is_reversed = refunds.is_empty() && paid.refunded == payment.amount;
    let done = sum(|it| matches!(it, RefundState::Done(_)));
    assert!(is_reversed || done == paid.refunded.get(), "{payment:?}");
    let under_way = sum(|it| *it == RefundState::InProgress);
    assert_eq!(under_way, paid.refunding.get(), "{payment:?}");
    let backs = refunds.iter().filter(|it| it.voucher_back);
    let backs = backs.filter(|it| !matches!(it.state, RefundState::Failed(..)));
    let states: Vec<_> = backs.map(|it| it.state).collect();
    let fate = match states[..] {
        [] if matches!(payment.state, PaymentState::Paid(_)) => VoucherFate::Used,
        [] => VoucherFate::Returned,
        [RefundState::InProgress] => VoucherFate::Returning,
        [_] => VoucherFate::Returned,
        _ => panic!("came back twice: {refunds:?}"),
    };
    if payment.details.voucher.is_some() {
        assert_eq!(paid.voucher, fate, "{payment:?}");
    }
}

/// Whoever is not done is somebody's work.
fn check_jobs(world: &World) {
    for it in world.payments.values().filter(|it| it.is_undecided()) {
        assert!(world.jobs.contains_key(&it.serial), "{it:?}");
    }
    for it in world.refunds.values() {
        let under_way = it.state == RefundState::InProgress;
        assert_eq!(world.jobs.contains_key(&it.serial), under_way, "{it:?}");
    }
}
