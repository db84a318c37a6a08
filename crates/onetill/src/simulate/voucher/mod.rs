//! Prepaid vouchers in a run: stock, partners who activate and void it, an operator, and what all of
//! them may be told.
//!
//! | module | holds |
//! |---|---|
//! | [`stock`] | boxes, and how they come into stock |
//! | [`market`] | what is in stock, and what tills name of it |
//! | [`desk`] | a partner's middleware |
//! | [`messages`] | what partners send, and what the answers say |
//! | [`house`] | the operator, and boxes that come during a run |
//! | [`code`] | what may have become of one code |
//! | [`book`] | all codes, and what is under way about them |
//!
//! Sales with a code are sales like all others: see [`sale`](super::sale).

pub mod book;
pub mod code;
pub mod desk;
pub mod house;
pub mod market;
pub mod messages;
pub mod stock;

use super::{SetupError, counter::Counter, dice::Dice, reader::on_the_spot, rows::Rows};
use crate::{app::voucher::codes::CodeVault, vault::Vault};
use book::CodeId;
use code::{Contradiction, Stand};
use desk::Desk;
use domain::ids::TenantId;
use house::House;
use market::Market;
use std::sync::Arc;
use stock::{OF_BOX, Stock};
use store::{Engine, Reader, StoreError};
use tokio::task::JoinSet;
use wire::voucher::TraceKind;

/// Who has vouchers.
const TENANTS: [TenantId; 2] = [TenantId(1), TenantId(2)];
/// Whose partners' desks there are: at two of them the same boxes are changed.
const DESKS: [TenantId; 3] = [TenantId(1), TenantId(1), TenantId(2)];
/// How many looks at what has expired are enough.
const LOOKS_MAX: u32 = 1_000;

/// The vouchers of a run.
pub struct Vouchers {
    counter: Arc<Counter>,
    market: Arc<Market>,
    desks: Vec<Arc<Desk>>,
    house: Arc<House>,
}

impl Vouchers {
    /// Adds the partners of a run and their boxes.
    ///
    /// # Errors
    /// When the store cannot take them.
    pub async fn open<R: Rows>(
        counter: &Arc<Counter>,
        rows: &R,
        vault: &Vault,
    ) -> Result<Self, SetupError> {
        let world = &counter.world;
        let market = Market::new(world);
        let (engine, queue) = Engine::new(world.clock());
        let serving = tokio::spawn(queue.serve(rows.writer()?));
        let added = provide(&engine, vault, counter, &market).await;
        serving.abort();
        // Cancelled, as it was told to be.
        let _ = serving.await;
        added?;
        let desks = (1..).zip(DESKS);
        let desks = desks.map(|(number, tenant)| Desk::new(number, counter, &market, tenant));
        Ok(Self {
            counter: Arc::clone(counter),
            desks: desks.collect(),
            house: House::new(counter, &market),
            market,
        })
    }

    /// What is in stock.
    #[must_use]
    pub const fn market(&self) -> &Arc<Market> {
        &self.market
    }

    /// Lets partners work side by side.
    pub async fn work(&self) {
        let mut working = JoinSet::new();
        for desk in &self.desks {
            working.spawn(Arc::clone(desk).work());
        }
        working.spawn(Arc::clone(&self.house).work(&TENANTS));
        while working.join_next().await.is_some() {}
    }

    /// Sees each change to its end, each term over, and each code as it stands then.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub async fn close(&self, reader: &dyn Reader) -> Result<(), StoreError> {
        for desk in &self.desks {
            desk.close().await;
        }
        self.let_expire(reader).await?;
        if let Err(Contradiction(why)) = self.market.book.rest() {
            self.fail(&format!("a code does not come to rest: {why}"));
        }
        for tenant in TENANTS {
            let Some(desk) = self.desks.iter().find(|it| it.tenant() == tenant) else {
                continue;
            };
            for stock in self.market.boxes_of(tenant) {
                let codes: Vec<_> = (0..OF_BOX).map(|it| stock.id(it)).collect();
                let name = stock.name();
                desk.until(async || desk.look_at(&name, &codes).await).await;
                for (index, code) in codes.iter().enumerate() {
                    self.compare_uses(desk, &stock.code(index), *code).await;
                }
            }
            for stock in self.house.given_up() {
                for name in [stock.name(), stock.reel(0), stock.code(0)] {
                    desk.until(async || desk.look_at(&name, &[]).await).await;
                }
            }
        }
        let lost = u64::try_from(self.market.book.lost()).unwrap_or(u64::MAX);
        self.counter.world.count(|it| it.unfollowed += lost);
        Ok(())
    }

    /// All terms are over, and what is left of them is written off.
    async fn let_expire(&self, reader: &dyn Reader) -> Result<(), StoreError> {
        let world = &self.counter.world;
        let boxes = TENANTS.map(|it| self.market.boxes_of(it)).concat();
        let last = boxes.iter().filter_map(Stock::until).max();
        let ahead_ms = last.map_or(0, |it| it.since_ms(world.now()));
        if ahead_ms > 0 {
            world.jump(ahead_ms + 1);
        }
        for _ in 0..LOOKS_MAX {
            if on_the_spot(reader.due_spans(world.now(), None, 1))?.is_empty() {
                return Ok(());
            }
            world.pass_ms(1_000..2_000).await;
        }
        self.fail("what is over is not written off");
        Ok(())
    }

    /// A code's history tells of each sale what its merchant was told.
    async fn compare_uses(&self, desk: &Desk, text: &str, code: CodeId) {
        // What nobody named, nobody used: that was seen already.
        let stands = self.market.book.stands(code).filter(|it| !it.is_empty());
        let Some(stands) = stands else {
            return;
        };
        let mut expected: Vec<(TraceKind, String)> = Vec::new();
        for (sale, stand) in stands {
            let sale = format!("S{sale}");
            if stand == Stand::Used || stand == Stand::Back {
                self.counter.world.count(|it| it.uses += 1);
                expected.push((TraceKind::Used, sale.clone()));
            }
            if stand == Stand::Back {
                expected.push((TraceKind::UseReversed, sale));
            }
        }
        expected.sort_unstable();
        let told = desk.until(async || desk.history(text).await).await;
        let mut told = told.unwrap_or_default();
        told.retain(|(kind, _)| matches!(kind, TraceKind::Used | TraceKind::UseReversed));
        told.sort_unstable();
        if told != expected {
            self.fail(&format!("{text}: {told:?}, and should have {expected:?}"));
        }
    }

    fn fail(&self, what: &str) {
        self.counter.world.fail(None, what);
    }
}

async fn provide(
    engine: &Engine,
    vault: &Vault,
    counter: &Counter,
    market: &Market,
) -> Result<(), SetupError> {
    let world = &counter.world;
    let now = world.now();
    let codes = CodeVault::new(vault);
    let mut number = 0;
    for tenant in TENANTS {
        stock::add_partner(engine, vault, tenant, now).await?;
        for _ in 0..world.mix.boxes {
            number += 1;
            let mut dice = Dice::new(world.within(0..u64::MAX));
            let stock = Stock {
                number,
                attempt: 0,
                tenant,
                terms: stock::terms(&mut dice, now),
                first: 0,
            };
            stock::add_box(engine, &codes, &stock, now).await?;
            market.add(stock);
        }
    }
    Ok(())
}
