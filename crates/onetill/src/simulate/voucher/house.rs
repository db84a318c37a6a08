//! The house's operator: freezes and frees codes, and brings new boxes into stock, step by step,
//! while processes die between the steps.

use super::{
    book::CodeId,
    code::{Act, Contradiction, Op},
    market::Market,
    stock::{Stock, terms},
};
use crate::{
    app::{AppError, Gateway, voucher::change::OperatorChange},
    simulate::{counter::Counter, dice::Dice},
};
use domain::{
    command::voucher::{FinishCarton, OpenCarton},
    ids::{Serial, TenantId},
    voucher::change::{ChangeKind, Verdict},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often a step is tried before the box is given up.
const TRIES: u32 = 3;
/// How many boxes come while others sell.
const BOXES_MAX: u64 = 2;

/// The operator.
pub struct House {
    counter: Arc<Counter>,
    market: Arc<Market>,
    /// Boxes that were given up: nobody may use them.
    given_up: Mutex<Vec<Stock>>,
}

/// Why a step has no answer that says that it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failed {
    /// Nothing was done.
    NotDone,
    /// Nobody knows.
    Unknown,
}

impl House {
    /// An operator who has done nothing yet.
    #[must_use]
    pub fn new(counter: &Arc<Counter>, market: &Arc<Market>) -> Arc<Self> {
        Arc::new(Self {
            counter: Arc::clone(counter),
            market: Arc::clone(market),
            given_up: Mutex::default(),
        })
    }

    /// All it does while sales go on.
    pub async fn work(self: Arc<Self>, tenants: &[TenantId]) {
        let world = &self.counter.world;
        let mut dice = Dice::new(world.within(0..u64::MAX));
        let gap_ms = 1 + world.mix.span_ms / world.mix.changes;
        let mut boxes = 0;
        for _ in 0..world.mix.changes {
            world.pass_ms(0..2 * gap_ms).await;
            let which = if dice.per_mille(700) { 0 } else { 1 };
            let Some(tenant) = tenants.get(which) else {
                continue;
            };
            if dice.per_mille(100) && boxes < BOXES_MAX {
                boxes += 1;
                self.issue(&mut dice, *tenant, boxes).await;
            } else if dice.per_mille(300) {
                self.freeze(&mut dice, *tenant).await;
            }
        }
    }

    /// Boxes that were given up.
    #[must_use]
    pub fn given_up(&self) -> Vec<Stock> {
        self.all_given_up().clone()
    }

    /// Freezes something, waits, and frees it, as far as the gateways let it.
    async fn freeze(&self, dice: &mut Dice, tenant: TenantId) {
        let Some(stock) = self.market.draw(dice, tenant) else {
            return;
        };
        let (name, codes) = stock.draw(dice);
        let codes: Vec<CodeId> = codes.collect();
        for (act, kind) in [
            (Act::Freeze, ChangeKind::Freeze),
            (Act::Unfreeze, ChangeKind::Unfreeze),
        ] {
            for _ in 0..TRIES {
                if self.change(tenant, (&name, &codes), act, kind).await {
                    break;
                }
                self.counter.world.pass_ms(100..5_000).await;
            }
            self.counter.world.pass_ms(0..10_000).await;
        }
    }

    /// Whether it was carried out.
    async fn change(
        &self,
        tenant: TenantId,
        (name, codes): (&str, &[CodeId]),
        act: Act,
        kind: ChangeKind,
    ) -> bool {
        let flight = self.market.book.sent(codes, Op::Change(act));
        let asked = self.ask(async |gateway: &Gateway| {
            let found = gateway.find_all_names(tenant, &[name]).await?;
            let new = OperatorChange {
                tenant,
                kind,
                by: "simulation".to_owned(),
                reason: None,
                dry_run: false,
            };
            gateway.change_by_operator(new, &found).await
        });
        let asked = asked.await.map(|it| it.verdict);
        self.log(&format!("{act:?} {name}: {asked:?}"));
        let is_done = matches!(asked, Ok(Verdict::Done(_)));
        let book = &self.market.book;
        let explained = match asked {
            Ok(Verdict::Done(_)) => book.done(codes, flight),
            Ok(refused) => Err(Contradiction(format!("{refused:?}"))),
            Err(Failed::NotDone) => {
                let explained = book.not_yet(codes, flight);
                book.left(codes, flight);
                explained
            }
            // It was done by now, or it never is: whoever did it is dead.
            Err(Failed::Unknown) => book.over(codes, flight),
        };
        if let Err(Contradiction(why)) = explained {
            self.fail(&format!("{act:?} {name}: {why}"));
        }
        is_done
    }

    /// Brings a box into stock; begins anew where a step fails for good.
    async fn issue(&self, dice: &mut Dice, tenant: TenantId, box_no: u64) {
        let world = &self.counter.world;
        let mut stock = Stock {
            number: 100 * box_no,
            attempt: 0,
            tenant,
            terms: terms(dice, world.now()),
            first: 0,
        };
        for attempt in 1..=u64::from(TRIES) {
            stock.attempt = attempt;
            if self.fill(&stock).await == Ok(()) {
                self.log(&format!("{} is in stock", stock.name()));
                return self.market.add(stock);
            }
            self.log(&format!("{} is given up", stock.name()));
            self.all_given_up().push(stock.clone());
        }
    }

    /// All steps of a box, each at whichever gateway answers.
    async fn fill(&self, stock: &Stock) -> Result<(), Failed> {
        let tenant = stock.tenant;
        let serial = self.ask(async |it: &Gateway| it.next_serial()).await?;
        let carton = |gateway: &Gateway| stock.carton(serial, gateway.now());
        let open = async |it: &Gateway| it.run(OpenCarton { carton: carton(it) }).await;
        let is_opened = self.ask(open).await?;
        let steps = self.ask(async |it: &Gateway| {
            let steps = stock.steps(serial, &it.vouchers.codes);
            steps.map_err(|_| AppError::Unforeseen)
        });
        for step in steps.await? {
            // Whoever discards a box marks its record first.
            self.ask(
                async |it: &Gateway| match it.stored_carton(tenant, serial).await? {
                    Some(carton) if carton.is_open() => {
                        it.engine.admin(step.clone()).await?;
                        Ok(())
                    }
                    Some(_) | None => Err(AppError::Unavailable),
                },
            )
            .await?;
        }
        let finish = async |it: &Gateway| it.run(FinishCarton { tenant, serial }).await;
        let is_ready = match self.ask(finish).await {
            Ok(is_finished) => is_finished,
            Err(_) => self.is_ready(tenant, serial).await,
        };
        (is_opened && is_ready).then_some(()).ok_or(Failed::NotDone)
    }

    /// Whether a box came into stock, though nobody said so.
    async fn is_ready(&self, tenant: TenantId, serial: Serial) -> bool {
        loop {
            let look = async |it: &Gateway| it.carton(tenant, serial).await;
            match self.ask(look).await {
                Ok(found) => return found.is_some(),
                Err(_) => self.counter.world.pass_ms(100..1_000).await,
            }
        }
    }

    /// Has a gateway do something, if one lives.
    async fn ask<T>(
        &self,
        work: impl AsyncFnOnce(&Gateway) -> Result<T, AppError>,
    ) -> Result<T, Failed> {
        let world = &self.counter.world;
        let life = self.counter.nodes.pick(world).ok_or(Failed::NotDone)?;
        let done = async {
            life.pulse.touch("before a step of an operator").await;
            work(&life.gateway).await
        };
        match life.pulse.through(done).await {
            Some(Ok(done)) => Ok(done),
            Some(Err(AppError::Overloaded | AppError::StoreDown | AppError::Unavailable)) => {
                Err(Failed::NotDone)
            }
            Some(Err(_)) | None => Err(Failed::Unknown),
        }
    }

    fn all_given_up(&self) -> MutexGuard<'_, Vec<Stock>> {
        // Nothing panics while it is held.
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self, what: &str) {
        self.counter.world.log("[H]", what);
    }

    fn fail(&self, what: &str) {
        self.counter.world.fail(Some("[H]"), what);
    }
}
