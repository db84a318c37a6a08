//! Boxes that were never finished, because a crash or a person broke off: their rows go, and the
//! record of the box last, so that a crash in between leaves nothing that nobody finds.

use super::StockError;
use crate::app::{AppError, Gateway, loyalty::documents};
use domain::{
    command::voucher::{DiscardCarton, ForgetCarton},
    ids::{Serial, TenantId},
    loyalty::document::{Document, DocumentKey, DocumentKind},
    voucher::stock::Carton,
};
use store::{AdminOp, AdminReply};

/// How many rows of each kind are removed in one commit.
const ROWS_A_COMMIT: u32 = 2_000;
/// How many boxes one question to the store brings at most.
const PAGE_ROWS: u32 = 500;
/// A box that is open for longer has been left, in seconds.
pub const LEFT_AFTER_S: i64 = 3_600;

impl Gateway {
    /// Discards a box that was never ready; says whether there was one.
    ///
    /// # Errors
    /// When the store failed: then the next try goes on where this one broke off.
    pub async fn discard_carton(
        &self,
        tenant: TenantId,
        serial: Serial,
        by: &str,
    ) -> Result<bool, StockError> {
        let filling = self.vouchers.stocking.of(serial);
        // A step that is under way ends first.
        let _step = match &filling {
            Ok(filling) => Some(filling.lock().await),
            Err(_) => None,
        };
        self.vouchers.stocking.remove(serial);
        let by = by.to_owned();
        let discard = DiscardCarton { tenant, serial, by };
        if !self.run(discard).await? {
            return Ok(false);
        }
        self.remove_stock(serial).await?;
        self.run(ForgetCarton { tenant, serial }).await?;
        Ok(true)
    }

    /// Removes what is stored of a box that nobody can finish any more.
    pub(super) async fn remove_stock(&self, serial: Serial) -> Result<(), StockError> {
        loop {
            let remove = AdminOp::RemoveStock {
                carton: serial,
                limit: ROWS_A_COMMIT,
            };
            if self.engine.admin(remove).await? == AdminReply::Removed(0) {
                return Ok(());
            }
        }
    }

    /// All boxes that are not ready.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn open_cartons(&self) -> Result<Vec<Carton>, AppError> {
        let mut open = Vec::new();
        let mut after = None;
        loop {
            let kind = DocumentKind::Carton;
            let page = self.reader.documents(kind, None, after, PAGE_ROWS).await?;
            let Some(last) = page.last().map(Document::key) else {
                return Ok(open);
            };
            after = Some((last.tenant, last.key));
            let cartons = page.into_iter().filter_map(documents::carton);
            open.extend(cartons.filter(|it| !it.ready));
        }
    }

    /// Discards the boxes that were left open.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn discard_left_cartons(&self) -> Result<(), StockError> {
        let since = self.now().plus_s(-LEFT_AFTER_S);
        for carton in self.open_cartons().await? {
            if carton.issued_at > since && carton.is_open() {
                continue;
            }
            if self
                .discard_carton(carton.tenant, carton.serial, "onetill")
                .await?
            {
                tracing::info!(carton = %carton.id, "a box that was never finished is removed");
            }
        }
        Ok(())
    }

    /// A box, ready or not.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn stored_carton(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> Result<Option<Carton>, AppError> {
        let key = DocumentKey::carton(tenant, serial);
        let found = self.reader.document(key).await?;
        Ok(found.and_then(documents::carton))
    }
}
