//! Partners, ticket types, activities and stock, as an operator sets them up. Tokens, keys and
//! codes are shown once, to whom they are made for, and kept as digests or sealed.
//!
//! | module | holds |
//! |---|---|
//! | [`demo`] | the demo's |
//! | [`partners`] | partners: who they are, how they are treated |
//! | [`credentials`] | their tokens and keys |
//! | [`tickets`] | ticket types and activities |
//! | [`boxes`] | new stock, step by step, and the codes of a box for the printer |
//! | [`stock`] | what there is, by level and state |
//! | [`codes`] | one code: where it stands and what happened to it |
//! | [`changes`] | freezing, and an activation tried out |

pub mod boxes;
pub mod changes;
pub mod codes;
pub mod credentials;
pub mod demo;
pub mod partners;
pub mod stock;
pub mod tickets;

use super::{
    AdminError,
    loyalty::{known_tenant, name_of, tenant_names, tenant_of},
};
use crate::app::{Gateway, voucher::stocking::StockError};
use domain::ids::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// What can be asked about vouchers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "voucher", rename_all = "snake_case")]
pub enum Request {
    /// Adds a partner.
    AddPartner(partners::NewPartner),
    /// Changes a partner.
    SetPartner(partners::PartnerChange),
    /// All partners, without tokens and keys.
    ListPartners,
    /// One partner with its history.
    ShowPartner {
        /// Its number.
        number: u32,
    },
    /// Makes a token of a partner.
    MakeToken(credentials::NewToken),
    /// Takes all tokens of a partner away.
    RevokeTokens(credentials::Who),
    /// Changes the keys that a partner signs with, and that replies to it are signed with.
    SetKeys(credentials::KeyChange),
    /// Makes the key that replies to a partner are signed with.
    MakeReplyKey(credentials::Who),
    /// The public half of the key that replies to a partner are signed with.
    ShowReplyKey {
        /// The partner's number.
        number: u32,
    },
    /// Adds a ticket type, or replaces it.
    PutTicket(tickets::NewTicket),
    /// All ticket types.
    ListTickets,
    /// Adds an activity, or replaces it.
    PutActivity(tickets::NewActivity),
    /// All activities.
    ListActivities,
    /// Opens a box.
    OpenBox(boxes::NewBox),
    /// Stores the next rows of a box.
    FillBox(boxes::BoxKey),
    /// Stores packages and reels of a box from elsewhere.
    AddUnits(boxes::NewUnits),
    /// Stores codes of a box from elsewhere.
    AddCodes(boxes::NewCodes),
    /// Which of some codes and names exist.
    FindTaken(boxes::Names),
    /// The codes of a box, page by page.
    ExportPage(boxes::ExportPage),
    /// A filled box comes into stock.
    FinishBox(boxes::BoxEnd),
    /// Notes that the codes of a box are written to a file again.
    BeginExport(boxes::Export),
    /// Removes a box that was never finished.
    DiscardBox(boxes::Discard),
    /// Notes who has a box in hand.
    Receive(boxes::Receipt),
    /// Boxes with their stock.
    ListBoxes(stock::BoxPage),
    /// A box, a package or a reel with its stock and what lies in it.
    ShowUnit(stock::UnitName),
    /// A code with its history.
    ShowCode(codes::CodeName),
    /// The demo's codes.
    ListDemoCodes,
    /// Changes codes, or tries it out.
    ChangeCodes(changes::CodesChange),
}

impl Request {
    /// Whether it may be the first thing that is done in a new store of rows.
    #[must_use]
    pub const fn may_begin(&self) -> bool {
        matches!(self, Self::AddPartner(_))
    }
}

impl From<StockError> for AdminError {
    fn from(error: StockError) -> Self {
        match error {
            StockError::App(error) => error.into(),
            other @ (StockError::NotOpen
            | StockError::Taken(_)
            | StockError::Refused
            | StockError::Gap(_)
            | StockError::Unfilled
            | StockError::NoNumbers) => Self::new(other.to_string()),
        }
    }
}

/// Carries out `request`.
///
/// # Errors
/// When it names what is not there, a value does not do, or the store failed.
pub async fn handle(gateway: &Arc<Gateway>, request: Request) -> Result<Value, AdminError> {
    match request {
        Request::AddPartner(new) => partners::add(gateway, new).await,
        Request::SetPartner(change) => partners::set(gateway, change).await,
        Request::ListPartners => partners::list(gateway).await,
        Request::ShowPartner { number } => partners::show(gateway, number).await,
        Request::MakeToken(new) => credentials::make_token(gateway, new).await,
        Request::RevokeTokens(who) => credentials::revoke_tokens(gateway, who).await,
        Request::SetKeys(change) => credentials::set_keys(gateway, change).await,
        Request::MakeReplyKey(who) => credentials::make_reply_key(gateway, who).await,
        Request::ShowReplyKey { number } => credentials::show_reply_key(gateway, number).await,
        Request::PutTicket(new) => tickets::put(gateway, new).await,
        Request::ListTickets => tickets::list(gateway).await,
        Request::PutActivity(new) => tickets::put_activity(gateway, new).await,
        Request::ListActivities => tickets::list_activities(gateway).await,
        Request::OpenBox(new) => boxes::open(gateway, new).await,
        Request::FillBox(key) => boxes::fill(gateway, &key).await,
        Request::AddUnits(new) => boxes::add_units(gateway, new).await,
        Request::AddCodes(new) => boxes::add_codes(gateway, new).await,
        Request::FindTaken(names) => boxes::find_taken(gateway, names).await,
        Request::ExportPage(page) => boxes::export_page(gateway, &page).await,
        Request::FinishBox(end) => boxes::finish(gateway, end).await,
        Request::BeginExport(export) => boxes::begin_export(gateway, export).await,
        Request::DiscardBox(discard) => boxes::discard(gateway, discard).await,
        Request::Receive(receipt) => boxes::receive(gateway, receipt).await,
        Request::ListBoxes(page) => stock::list(gateway, page).await,
        Request::ShowUnit(name) => stock::show(gateway, name).await,
        Request::ShowCode(name) => codes::show(gateway, name).await,
        Request::ListDemoCodes => demo::codes(gateway).await,
        Request::ChangeCodes(change) => changes::change(gateway, change).await,
    }
}

/// The tenant called `name`; without a name all there are.
async fn tenant_or_all(gateway: &Gateway, name: Option<&str>) -> Result<Vec<TenantId>, AdminError> {
    match name {
        Some(name) => Ok(vec![known_tenant(gateway, name).await?]),
        None => {
            let tenants = tenant_names(gateway).await?;
            Ok(tenants.into_iter().map(|(id, _)| id).collect())
        }
    }
}

/// What is an operator's when nobody is named.
fn whom(by: &str) -> Result<String, AdminError> {
    let by = by.trim();
    let fits = (1..=64).contains(&by.chars().count());
    fits.then(|| by.to_owned())
        .ok_or_else(|| AdminError::new("say who does it, in 1 to 64 characters"))
}
