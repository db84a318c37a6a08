//! New stock on its way in. A box is opened, its units, codes and digests are stored step by step,
//! so that payments beside it wait for a few thousand rows at most, and only then it is ready. A
//! box that a crash left open can be used by nobody; it is discarded later.
//!
//! | module | holds |
//! |---|---|
//! | [`chance`] | random letters without a bias |
//! | [`mint`] | names and codes in the samples' shapes |
//! | [`filling`] | a box that is being filled, and its next step |
//! | [`discard`] | boxes that were never finished |
//! | [`export`] | the codes of a box for the printer, page by page |

pub mod chance;
pub mod discard;
pub mod export;
pub mod filling;
pub mod mint;

use crate::app::{AppError, Gateway};
use domain::{
    command::voucher::{FinishCarton, NoteCustody, OpenCarton},
    ids::Serial,
    voucher::stock::{Carton, Custody, CustodyAct, Level, Unit},
};
use filling::{Filling, Source};
use mint::Numbers;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use store::{AdminOp, EngineError, StoreError};
use zeroize::Zeroizing;

/// Why stock cannot come in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StockError {
    /// The box is not being filled here.
    #[error("this box is not being filled; see `onetill voucher list`")]
    NotOpen,
    /// A name or a code is there already.
    #[error("{0}")]
    Taken(String),
    /// Its terms, or how many codes it has, are no box's.
    #[error("no box can be like this: too many codes, or worth too much together")]
    Refused,
    /// Units or codes do not lie one behind the other, or are too many.
    #[error("the box's {0} do not follow each other from its first code to its last")]
    Gap(&'static str),
    /// Not all is stored yet.
    #[error("the box is not filled yet")]
    Unfilled,
    /// A day has no more serials.
    #[error("no more codes can be issued today")]
    NoNumbers,
    /// Something else.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<EngineError> for StockError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(StoreError::Refused(why)) => Self::Taken(why),
            other @ (EngineError::QueueFull | EngineError::Stopped | EngineError::Store(_)) => {
                Self::App(other.into())
            }
        }
    }
}

/// The boxes that are being filled here.
#[derive(Default)]
pub struct Stocking {
    numbers: Numbers,
    fillings: Mutex<HashMap<Serial, Arc<tokio::sync::Mutex<Filling>>>>,
}

impl Stocking {
    fn of(&self, serial: Serial) -> Result<Arc<tokio::sync::Mutex<Filling>>, StockError> {
        let fillings = self.fillings.lock().unwrap_or_else(PoisonError::into_inner);
        fillings.get(&serial).cloned().ok_or(StockError::NotOpen)
    }

    fn put(&self, serial: Serial, filling: Filling) {
        let mut fillings = self.fillings.lock().unwrap_or_else(PoisonError::into_inner);
        fillings.insert(serial, Arc::new(tokio::sync::Mutex::new(filling)));
    }

    fn remove(&self, serial: Serial) {
        let mut fillings = self.fillings.lock().unwrap_or_else(PoisonError::into_inner);
        fillings.remove(&serial);
    }
}

/// How far a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows that are stored.
    pub done: u64,
    /// Rows that it will have.
    pub of: u64,
}

impl Progress {
    /// Whether all is stored.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        self.done == self.of
    }
}

impl Gateway {
    /// Opens a box. With a shape its units and codes are made here; without one they are given.
    ///
    /// # Errors
    /// When its name is taken, or the store failed.
    pub async fn open_carton(&self, carton: Carton) -> Result<(), StockError> {
        let source = match carton.shape {
            Some(shape) => {
                let (zone, now) = (self.zone(), self.now());
                let numbers = &self.vouchers.stocking.numbers;
                let serials = numbers.take(carton.codes, zone, now);
                Source::made(shape, serials.ok_or(StockError::NoNumbers)?)
            }
            None => Source::given(),
        };
        let name = Unit {
            tenant: carton.tenant,
            id: carton.id.clone(),
            level: Level::Carton,
            range: carton.range(),
            sale_channel_order_id: None,
        };
        let (tenant, serial) = (carton.tenant, carton.serial);
        let filling = Filling::new(carton.clone(), source);
        if !self.run(OpenCarton { carton }).await? {
            return Err(StockError::Refused);
        }
        if let Err(error) = self.engine.admin(AdminOp::AddUnits(vec![name])).await {
            self.discard_carton(tenant, serial, "onetill").await?;
            return Err(error.into());
        }
        self.vouchers.stocking.put(serial, filling);
        Ok(())
    }

    /// The next step of a box: a few thousand rows. Does nothing once it is filled.
    ///
    /// # Errors
    /// When it is not being filled here, a code is there already, or the store failed.
    pub async fn fill_carton(&self, serial: Serial) -> Result<Progress, StockError> {
        let filling = self.vouchers.stocking.of(serial)?;
        let mut filling = filling.lock().await;
        self.check_open(&filling).await?;
        let stepped = filling.step(self).await;
        self.check_open(&filling).await?;
        stepped.map(|()| filling.progress())
    }

    /// Stores packages and reels of a box whose units are given, those of each level in the order
    /// of their codes.
    ///
    /// # Errors
    /// As [`Gateway::fill_carton`], and when they leave a gap.
    pub async fn add_units(&self, serial: Serial, units: Vec<Unit>) -> Result<(), StockError> {
        let filling = self.vouchers.stocking.of(serial)?;
        let mut filling = filling.lock().await;
        self.check_open(&filling).await?;
        let added = filling.add_units(self, units).await;
        self.check_open(&filling).await?;
        added
    }

    /// Stores codes of a box whose codes are given, in their order.
    ///
    /// # Errors
    /// As [`Gateway::fill_carton`], and when there are too many.
    pub async fn add_codes(
        &self,
        serial: Serial,
        texts: Vec<Zeroizing<String>>,
    ) -> Result<(), StockError> {
        let filling = self.vouchers.stocking.of(serial)?;
        let mut filling = filling.lock().await;
        self.check_open(&filling).await?;
        let added = filling.add_codes(self, texts).await;
        self.check_open(&filling).await?;
        added
    }

    /// A box that is filled comes into stock. `exported_by` has a file with its codes.
    ///
    /// # Errors
    /// When it is not filled, or was discarded meanwhile.
    pub async fn finish_carton(
        &self,
        serial: Serial,
        exported_by: Option<String>,
    ) -> Result<(), StockError> {
        let filling = self.vouchers.stocking.of(serial)?;
        let filling = filling.lock().await;
        if !filling.progress().is_complete() {
            return Err(StockError::Unfilled);
        }
        let tenant = filling.carton().tenant;
        let finish = self.run(FinishCarton { tenant, serial });
        // In one commit with it, as a rule: the file is there before the box is.
        let note = async {
            match exported_by {
                Some(by) => {
                    self.note_custody(tenant, serial, by, CustodyAct::Exported)
                        .await
                }
                None => Ok(true),
            }
        };
        let (finished, noted) = tokio::join!(finish, note);
        self.vouchers.stocking.remove(serial);
        let is_done = finished? && noted?;
        is_done.then_some(()).ok_or(StockError::NotOpen)
    }

    /// Notes who has a box in hand; says whether there is such a box.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn note_custody(
        &self,
        tenant: domain::ids::TenantId,
        serial: Serial,
        by: String,
        act: CustodyAct,
    ) -> Result<bool, AppError> {
        let at = self.now();
        let entry = Custody { at, by, act };
        let note = NoteCustody {
            tenant,
            serial,
            entry,
        };
        self.run(note).await
    }

    /// Whoever discards a box marks its record first; nothing more is to be stored of it then.
    ///
    /// Another gateway may discard the box while a step of it is stored here, and look for rows
    /// before they are there. So this is asked before and after each step, and removes them: a
    /// discard that begins later finds them all.
    async fn check_open(&self, filling: &Filling) -> Result<(), StockError> {
        let carton = filling.carton();
        let stored = self.stored_carton(carton.tenant, carton.serial).await?;
        if stored.as_ref().is_some_and(Carton::is_open) {
            return Ok(());
        }
        if stored.is_none_or(|it| !it.ready) {
            self.remove_stock(carton.serial).await?;
        }
        Err(StockError::NotOpen)
    }
}
