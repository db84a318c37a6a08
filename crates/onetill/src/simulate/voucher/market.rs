//! What is in stock, and what tills name of it.

use super::{
    book::{Book, CodeId},
    stock::{OF_BOX, SHOWN, Stock},
};
use crate::simulate::{dice::Dice, model::Code, world::World};
use domain::ids::TenantId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is in stock.
pub struct Market {
    /// All codes.
    pub book: Book,
    shelf: Mutex<Vec<Stock>>,
}

/// What a till names for a code.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its text.
    pub text: String,
    /// The code, if it is one that may pay.
    pub code: Option<CodeId>,
}

impl Market {
    /// Nothing is in stock.
    #[must_use]
    pub fn new(world: &Arc<World>) -> Arc<Self> {
        Arc::new(Self {
            book: Book::new(world),
            shelf: Mutex::default(),
        })
    }

    /// A box came into stock.
    pub fn add(&self, mut stock: Stock) {
        stock.enter(&self.book);
        self.shelf().push(stock);
    }

    /// All boxes of a tenant.
    #[must_use]
    pub fn boxes_of(&self, tenant: TenantId) -> Vec<Stock> {
        let shelf = self.shelf();
        let theirs = shelf.iter().filter(|it| it.tenant == tenant);
        theirs.cloned().collect()
    }

    /// One of a tenant's boxes.
    #[must_use]
    pub fn draw(&self, dice: &mut Dice, tenant: TenantId) -> Option<Stock> {
        let boxes = self.boxes_of(tenant);
        let len = u64::try_from(boxes.len()).unwrap_or(0);
        let index = usize::try_from(dice.within(0..len)).ok()?;
        boxes.get(index).cloned()
    }

    /// What a sale of so many fen names, and what that is good for.
    #[must_use]
    pub fn named_by_sale(
        &self,
        world: &World,
        tenant: TenantId,
        (fen, by_code): (i64, bool),
    ) -> Option<(Named, Code)> {
        if world.mix.boxes == 0 || !world.chooses(world.mix.redeems) {
            return None;
        }
        let mut dice = Dice::new(world.within(0..u64::MAX));
        let useless = |text| Some((Named { text, code: None }, Code::Useless));
        let stock = self.draw(&mut dice, tenant)?;
        match dice.within(0..20) {
            0 => return useless("1002611220000009999-XXXXXXXX".to_owned()),
            1 => return useless(stock.name()),
            2 => {
                let other = TenantId(3 - tenant.0);
                let theirs = self.draw(&mut dice, other)?;
                return useless(theirs.code(0));
            }
            _ => {}
        }
        let most = if dice.per_mille(850) { SHOWN } else { OF_BOX };
        let index = dice.within(0..u64::try_from(most).unwrap_or(1));
        let index = usize::try_from(index).unwrap_or(0);
        let face = stock.terms.face_value.get();
        let text = stock.code(index);
        if !by_code && face > fen {
            return useless(text);
        }
        // Now and then an order is asked for a fen more.
        if !by_code && face == fen {
            return None;
        }
        let code = Some(stock.id(index));
        Some((Named { text, code }, Code::Worth { fen: face }))
    }

    fn shelf(&self) -> MutexGuard<'_, Vec<Stock>> {
        // Nothing panics while it is held.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
