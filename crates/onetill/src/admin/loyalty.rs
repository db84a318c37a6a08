//! Stores, terminals, cards and programs, as an operator sets them up. Keys and PINs go in and are
//! never shown again.
//!
//! | module | holds |
//! |---|---|
//! | [`demo`] | the demo's |
//! | [`stores`] | stores |
//! | [`terminals`] | terminals and their master keys |
//! | [`cards`] | member cards |
//! | [`held_codes`] | voucher codes that they hold |
//! | [`listing`] | member cards, page by page |
//! | [`programs`] | what points are worth, version by version |
//! | [`program_changes`] | changes of a few rules, and campaigns |
//! | [`work`] | what waits for an operator's eyes, and text messages of the sandbox |

pub mod cards;
pub mod demo;
pub mod held_codes;
pub mod listing;
pub mod program_changes;
pub mod programs;
pub mod stores;
pub mod terminals;
pub mod work;

use super::{AdminError, merchants};
use crate::app::Gateway;
use domain::ids::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use work::Listed;

/// What can be asked about member cards.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "loyalty", rename_all = "snake_case")]
pub enum Request {
    /// Adds a store.
    AddStore(stores::NewStore),
    /// Changes a store.
    SetStore(stores::StoreChange),
    /// All stores.
    ListStores,
    /// Adds a terminal.
    AddTerminal(terminals::NewTerminal),
    /// Changes a terminal.
    SetTerminal(terminals::TerminalChange),
    /// Injects a terminal's master key.
    InjectKey(terminals::KeyInjection),
    /// Terminals, of one store or of all, without keys.
    ListTerminals {
        /// The store's number.
        store: Option<String>,
    },
    /// Adds cards; those whose numbers are taken stay as they are.
    AddCards {
        /// The retailer.
        tenant: String,
        /// The cards.
        cards: Vec<cards::NewCard>,
    },
    /// Changes a card.
    SetCard(cards::CardChange),
    /// A card holds a voucher code from now on.
    HoldCode(held_codes::NewHeldCode),
    /// A card holds a voucher code no more.
    LetGoOfCode(held_codes::CodeOfCard),
    /// A card with its points and tickets.
    ShowCard(cards::CardName),
    /// A retailer's cards, by number.
    ListCards(listing::CardPage),
    /// A retailer's program and its history.
    ShowProgram {
        /// The retailer.
        tenant: String,
    },
    /// Sets a retailer's program.
    SetProgram(programs::NewProgram),
    /// Changes some rules of a retailer's program.
    PatchProgram(program_changes::ProgramPatch),
    /// Adds a campaign to a retailer's program.
    AddCampaign(program_changes::NewCampaign),
    /// Ends a campaign of a retailer's program.
    EndCampaign(program_changes::CampaignEnd),
    /// What waits for an operator's eyes.
    ListWork,
    /// What operators took off that list.
    ListWorkDone,
    /// Takes items off the list.
    FinishWork(work::Finished),
    /// The text messages that the sandbox sent last.
    ListSms,
}

impl Request {
    /// Whether it may be the first thing that is done in a new store of rows.
    #[must_use]
    pub const fn may_begin(&self) -> bool {
        matches!(self, Self::AddStore(_))
    }
}

/// Carries out `request`.
///
/// # Errors
/// When it names what is not there, a value does not do, or the store failed.
pub async fn handle(gateway: &Arc<Gateway>, request: Request) -> Result<Value, AdminError> {
    match request {
        Request::AddStore(new) => stores::add(gateway, new).await,
        Request::SetStore(change) => stores::set(gateway, change).await,
        Request::ListStores => stores::list(gateway).await,
        Request::AddTerminal(new) => terminals::add(gateway, new).await,
        Request::SetTerminal(change) => terminals::set(gateway, change).await,
        Request::InjectKey(injection) => terminals::inject(gateway, injection).await,
        Request::ListTerminals { store } => terminals::list(gateway, store.as_deref()).await,
        Request::AddCards { tenant, cards } => cards::add(gateway, &tenant, cards).await,
        Request::SetCard(change) => cards::set(gateway, change).await,
        Request::HoldCode(new) => held_codes::hold(gateway, new).await,
        Request::LetGoOfCode(what) => held_codes::let_go(gateway, what).await,
        Request::ShowCard(name) => cards::show(gateway, &name).await,
        Request::ShowProgram { tenant } => programs::show(gateway, &tenant).await,
        Request::SetProgram(new) => programs::set(gateway, new).await,
        Request::ListCards(page) => listing::list(gateway, page).await,
        Request::PatchProgram(patch) => program_changes::patch(gateway, patch).await,
        Request::AddCampaign(new) => program_changes::add_campaign(gateway, new).await,
        Request::EndCampaign(end) => program_changes::end_campaign(gateway, end).await,
        Request::ListWork => work::list(gateway, Listed::Waiting).await,
        Request::ListWorkDone => work::list(gateway, Listed::Done).await,
        Request::FinishWork(finished) => work::finish(gateway, finished).await,
        Request::ListSms => work::messages(gateway),
    }
}

/// The tenant called `name`, which must be there.
pub(super) async fn known_tenant(gateway: &Gateway, name: &str) -> Result<TenantId, AdminError> {
    let tenants = gateway.reader.tenants().await?;
    let found = tenants.into_iter().find(|it| it.name == name);
    found.map(|it| it.id).ok_or_else(|| {
        let text = format!(
            "there is no retailer {name}; it is made with its first merchant or store, see \
             `onetill store add`"
        );
        AdminError::new(text)
    })
}

/// The tenant called `name`, added when missing.
pub(super) async fn tenant_of(gateway: &Gateway, name: &str) -> Result<TenantId, AdminError> {
    merchants::tenant_of(gateway, name).await
}

/// The names of all tenants.
pub(super) async fn tenant_names(gateway: &Gateway) -> Result<Vec<(TenantId, String)>, AdminError> {
    let tenants = gateway.reader.tenants().await?;
    Ok(tenants.into_iter().map(|it| (it.id, it.name)).collect())
}

/// What a tenant is called.
pub(super) fn name_of(tenants: &[(TenantId, String)], id: TenantId) -> &str {
    let found = tenants.iter().find(|(known, _)| *known == id);
    found.map_or("", |(_, name)| name)
}
