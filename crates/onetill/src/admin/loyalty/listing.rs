//! Member cards, page by page.

use super::{AdminError, cards, known_tenant};
use crate::app::{Gateway, loyalty::documents};
use domain::loyalty::document::{DocumentKey, DocumentKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt, sync::Arc};

/// How many cards a page holds at most.
pub const PAGE_CARDS_MAX: u32 = 500;

/// Which page.
#[derive(Clone, Serialize, Deserialize)]
pub struct CardPage {
    /// The retailer.
    pub tenant: String,
    /// Only cards behind this number.
    pub after: Option<String>,
    /// At most this many.
    pub limit: u32,
}

impl fmt::Debug for CardPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardPage").finish_non_exhaustive()
    }
}

/// A page of a retailer's cards, by number, without PINs.
///
/// # Errors
/// When there is no such retailer, or the store failed.
pub async fn list(gateway: &Arc<Gateway>, page: CardPage) -> Result<Value, AdminError> {
    let tenant = known_tenant(gateway, &page.tenant).await?;
    let after = page.after.as_deref().map(cards::read_number).transpose()?;
    let after = after.map(|number| DocumentKey::card(tenant, &number));
    let after = after.map(|key| (key.tenant, key.key));
    let limit = page.limit.min(PAGE_CARDS_MAX);
    let kind = DocumentKind::Card;
    let found = gateway.reader.documents(kind, Some(tenant), after, limit);
    let found = found.await?.into_iter().filter_map(documents::card);
    let now = gateway.now();
    let shown: Vec<Value> = found.map(|card| cards::describe(&card, now)).collect();
    Ok(json!({ "cards": shown }))
}
