//! Commands over the same codes in one batch, in every order. It always ends as if each had come
//! alone, and whoever comes first is served.

use super::{
    fixture::{CASH, DAY_S, TENANT, TRIPLE, code, declined, paid, range},
    world::{Act, World},
};
use domain::{
    channel::ChannelNo,
    command::{BarRedemption, Barred, BeginPayment, Cancel, CancelMode, Command, GiveUp},
    ids::Serial,
    payment::{Payment, PaymentStatus},
    rows::{Inconsistent, PaymentRef, Plan, Rows},
    time::UnixMs,
    voucher::{change::ChangeKind, code::CodeNo, status::CodeStatus},
};

/// All orders of the numbers below `count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![vec![]];
    };
    let shorter = orders(last);
    let places = shorter
        .iter()
        .flat_map(|order| (0..=last).map(move |at| (order, at)));
    places
        .map(|(order, at)| {
            let mut longer = order.clone();
            longer.insert(at, last);
            longer
        })
        .collect()
}

type Maker = Box<dyn Fn() -> Box<dyn Act>>;

fn maker<A: Act + Clone + 'static>(act: A) -> Maker {
    Box::new(move || Box::new(act.clone()))
}

/// Sends what is made in every order, in one batch, and looks at what came of it.
fn in_every_order(world: &World, makers: &[Maker], look: impl Fn(&World, &[usize])) {
    for order in orders(makers.len()) {
        let mut world = world.clone();
        let acts: Vec<Box<dyn Act>> = order.iter().map(|it| makers[*it]()).collect();
        world.batch(&acts);
        look(&world, &order);
    }
}

fn begin(world: &mut World, price: i64, it: CodeNo) -> (Serial, Maker) {
    let payment = world.payment(price, Some(it));
    let serial = payment.serial;
    let make = move || {
        let payment = Box::new(payment.clone());
        Box::new(BeginPayment {
            payment,
            code: None,
        }) as Box<dyn Act>
    };
    (serial, Box::new(make))
}

fn comes_before(order: &[usize], one: usize, other: usize) -> bool {
    let at = |wanted| order.iter().position(|it| *it == wanted);
    at(one) < at(other)
}

#[test]
fn activation_voiding_freezing_and_two_payments() {
    let mut world = World::new();
    let carton = world.issue(TRIPLE, 6);
    world.done(ChangeKind::Activate, &[range(carton, 0, 2)]);
    let (of_active, first) = begin(&mut world, 1_500, code(carton, 2));
    let (of_stock, second) = begin(&mut world, 800, code(carton, 3));
    let activate = world.change(ChangeKind::Activate, &[range(carton, 3, 4)]);
    let void = world.change(ChangeKind::Void, &[range(carton, 2, 4)]);
    let freeze = world.change(
        ChangeKind::Freeze,
        &[range(carton, 1, 1), range(carton, 5, 5)],
    );
    let makers = [first, second, maker(activate), maker(void), maker(freeze)];
    in_every_order(&world, &makers, |world, order| {
        let voided = world.standing(code(carton, 4)).status == CodeStatus::Void;
        let used_before =
            comes_before(order, 0, 3) || (comes_before(order, 2, 1) && comes_before(order, 1, 3));
        assert_eq!(voided, !used_before, "{order:?}");
        let pays = |serial| world.status(serial) != PaymentStatus::Closed;
        assert_eq!(pays(of_active), !voided, "{order:?}");
        let was_active = comes_before(order, 2, 1) && !(voided && comes_before(order, 3, 1));
        assert_eq!(pays(of_stock), was_active, "{order:?}");
    });
}

#[test]
fn the_end_of_a_term_and_all_that_may_happen_to_uses() {
    for first in ["paid", "declined"] {
        let mut world = World::new();
        let carton = world.sold(TRIPLE, 6);
        let held = world.held(3_000, code(carton, 0));
        let whole = world.bought(700, code(carton, 1));
        world.later(2 * DAY_S);
        let expiry = world.expiry(range(carton, 0, 5));
        let outcome = if first == "paid" { paid() } else { declined() };
        let told = world.told(held, outcome);
        let refund = world.refunding(whole, "R1", 700);
        let freeze = world.change(ChangeKind::Freeze, &[range(carton, 4, 5)]);
        let void = world.change(ChangeKind::Void, &[range(carton, 2, 3)]);
        let expiry = move || Box::new(expiry.clone()) as Box<dyn Act>;
        let makers: [Maker; 5] = [
            Box::new(expiry),
            remade(told),
            remade(refund),
            maker(freeze),
            maker(void),
        ];
        in_every_order(&world, &makers, |world, order| {
            let mut world = world.clone();
            world.expire();
            let expired = world.uses_at(domain::ledger::Account::UsesExpired, TRIPLE);
            assert_eq!(expired, if first == "paid" { 17 } else { 18 }, "{order:?}");
        });
    }
}

/// Commands of payments cannot be cloned; they are made of the same parts again.
fn remade<A: Remake + 'static>(act: A) -> Maker {
    Box::new(move || Box::new(act.remake()))
}

trait Remake: Act {
    fn remake(&self) -> Self;
}

impl Remake for domain::command::RecordPay {
    fn remake(&self) -> Self {
        Self {
            outcome: self.outcome.clone(),
            credential: None,
            ..*self
        }
    }
}

impl Remake for domain::command::BeginRefund {
    fn remake(&self) -> Self {
        Self {
            merchant_serial: self.merchant_serial.clone(),
            ..*self
        }
    }
}

impl Remake for Cancel {
    fn remake(&self) -> Self {
        Self { ..*self }
    }
}

impl Remake for GiveUp {
    fn remake(&self) -> Self {
        Self { ..*self }
    }
}

/// One use, which one payment has and two others want.
#[test]
fn a_use_that_comes_back_goes_to_whoever_asks_next() {
    let mut world = World::new();
    let carton = world.sold(CASH, 1);
    let it = code(carton, 0);
    let before = world.bought(5_000, it);
    let refund_serial = world.serial();
    let cancel = Cancel {
        payment: PaymentRef::Serial(TENANT, before),
        merchant: super::fixture::MERCHANT,
        mode: CancelMode::Direct,
        refund_serial,
    };
    let (one, first) = begin(&mut world, 9_000, it);
    let (other, second) = begin(&mut world, 100, it);
    let void = world.change(ChangeKind::Void, &[it.range()]);
    let makers = [remade(cancel), first, second, maker(void)];
    in_every_order(&world, &makers, |world, order| {
        let next = order.iter().skip_while(|it| **it != 0).nth(1);
        let has = |serial| world.status(serial) != PaymentStatus::Closed;
        assert_eq!(has(one), next == Some(&1), "{order:?}");
        assert_eq!(has(other), next == Some(&2), "{order:?}");
        let is_void = world.standing(it).status == CodeStatus::Void;
        assert_eq!(is_void, next == Some(&3), "{order:?}");
    });
}

/// A payment that is given up holds its use until the channel has let go of it.
#[test]
fn a_payment_is_given_up_beside_those_that_wait_for_its_use() {
    let mut world = World::new();
    let carton = world.sold(CASH, 2);
    let it = code(carton, 0);
    let held = world.held(6_000, it);
    let give_up = GiveUp {
        tenant: TENANT,
        serial: held,
    };
    let told = world.told(held, declined());
    let (waits, next) = begin(&mut world, 6_000, it);
    let void = world.change(ChangeKind::Void, &[range(carton, 0, 1)]);
    let makers = [remade(give_up), remade(told), next, maker(void)];
    in_every_order(&world, &makers, |world, order| {
        let has = world.status(waits) != PaymentStatus::Closed;
        let is_void = world.standing(it).status == CodeStatus::Void;
        let next = order.iter().skip_while(|it| **it != 1).find(|it| **it >= 2);
        assert_eq!(has, next == Some(&2), "{order:?}");
        assert_eq!(is_void, next == Some(&3), "{order:?}");
    });
}

/// The undoing of a redemption, as the gateway carries it out, in one step.
#[derive(Debug)]
struct Undo(BarRedemption, Cancel);

impl Command for Undo {
    type Reply = ();

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.0.plan(plan);
        self.1.plan(plan);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<(), Inconsistent> {
        match self.0.decide(rows, now)? {
            Barred::Now => Ok(()),
            Barred::Exists(_) => self.1.decide(rows, now).map(drop),
        }
    }
}

fn undo(world: &mut World, redemption: &Payment) -> Maker {
    let mut tombstone = redemption.clone();
    tombstone.serial = world.serial();
    tombstone.details.voucher = None;
    let cancel = Cancel {
        payment: PaymentRef::Key(TENANT, redemption.key),
        merchant: redemption.merchant,
        mode: CancelMode::Direct,
        refund_serial: world.serial(),
    };
    Box::new(move || {
        let tombstone = Box::new(tombstone.clone());
        Box::new(Undo(BarRedemption { tombstone }, cancel.remake()))
    })
}

/// Twice each, as a network repeats and overtakes them; and another who waits for the use.
#[test]
fn a_redemption_and_its_undoing() {
    let mut world = World::new();
    let carton = world.sold(CASH, 1);
    let it = code(carton, 0);
    let redemption = Payment {
        channel: ChannelNo::NONE,
        ..world.payment(5_000, Some(it))
    };
    let again = Payment {
        serial: world.serial(),
        ..redemption.clone()
    };
    let redeems = |payment: Payment| -> Maker {
        Box::new(move || {
            let payment = Box::new(payment.clone());
            let code = None;
            Box::new(BeginPayment { payment, code })
        })
    };
    let undone = [undo(&mut world, &redemption), undo(&mut world, &redemption)];
    let [undone, undone_again] = undone;
    let key = redemption.key;
    let (other, waits) = begin(&mut world, 5_000, it);
    let makers = [
        redeems(redemption),
        redeems(again),
        undone,
        undone_again,
        waits,
    ];
    in_every_order(&world, &makers, |world, order| {
        let of_it = world.payments.values().filter(|it| it.key == key);
        let of_it: Vec<&Payment> = of_it.collect();
        assert_eq!(of_it.len(), 1, "{order:?}");
        let first = order.iter().find(|it| **it < 4);
        let came_first = first >= Some(&2);
        assert_eq!(of_it[0].is_tombstone(), came_first, "{order:?}");
        let in_the_way = order.iter().take_while(|it| **it != 4);
        let (redeemed, undone): (Vec<usize>, Vec<usize>) = in_the_way.partition(|it| **it < 2);
        let was_free = came_first || redeemed.is_empty() || !undone.is_empty();
        let has = world.status(other) == PaymentStatus::Paid;
        assert_eq!(has, was_free, "{order:?}");
        if has || came_first {
            assert_ne!(of_it[0].status(), PaymentStatus::Paid, "{order:?}");
        }
    });
}
