//! Member cards, page by page.

use super::{AdminError, cards, held_codes::Places, known_tenant};
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

/// A page of a retailer's cards, by number, without PINs; of the codes they hold, where they lie.
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
    let (mut shown, mut places) = (Vec::new(), Places::default());
    for card in found {
        let codes = places.of(gateway, &card).await?;
        let mut described = cards::describe(&card, now);
        if let Some(members) = described.as_object_mut() {
            members.insert("codes".to_owned(), json!(codes));
        }
        shown.push(described);
    }
    Ok(json!({ "cards": shown }))
}
