//! Ticket types and activities. Boxes keep the terms and names they were issued under.

use super::{AdminError, known_tenant, name_of, tenant_names};
use crate::app::{Gateway, loyalty::documents};
use domain::{
    command::voucher::{PutActivity, PutVoucherTicket},
    ids::TenantId,
    loyalty::document::{Document, DocumentKey, DocumentKind},
    money::Fen,
    voucher::ticket::{
        Activity, ActivityNo, NUMBER_MAX, Terms, USES_MAX, Validity, VoucherTicket, VoucherTicketNo,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The most characters of a name.
const NAME_CHARS_MAX: usize = 64;
/// How many rows one question to the store brings at most.
const PAGE_ROWS: u32 = 500;
/// The largest face value, in fen.
const FACE_FEN_MAX: i64 = 100_000_000;

/// A ticket type to be added.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewTicket {
    /// The retailer.
    pub tenant: String,
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// What a code of it is good for.
    pub terms: Terms,
    /// Takes the place of the one that is there.
    pub replace: bool,
}

/// An activity to be added.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewActivity {
    /// The retailer.
    pub tenant: String,
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Through whom the codes are sold.
    pub sale_channel: String,
    /// Through whom the codes are sent.
    pub send_channel: String,
    /// Takes the place of the one that is there.
    pub replace: bool,
}

/// Adds a ticket type, or replaces it.
///
/// # Errors
/// When it is there and is not to be replaced, or a value does not do.
pub async fn put(gateway: &Arc<Gateway>, new: NewTicket) -> Result<Value, AdminError> {
    let tenant = known_tenant(gateway, &new.tenant).await?;
    check_number(new.number)?;
    check_name("a name", &new.name)?;
    check_terms(&new.terms)?;
    let number = VoucherTicketNo(new.number);
    if ticket(gateway, tenant, number).await?.is_some() && !new.replace {
        return Err(there(&format!("ticket type {}", new.number)));
    }
    let ticket = VoucherTicket {
        tenant,
        number,
        name: new.name,
        terms: new.terms,
        updated_at: gateway.now(),
    };
    gateway.run(PutVoucherTicket { ticket }).await?;
    Ok(json!({ "ticket": new.number, "tenant": new.tenant }))
}

/// Adds an activity, or replaces it.
///
/// # Errors
/// As [`put`].
pub async fn put_activity(gateway: &Arc<Gateway>, new: NewActivity) -> Result<Value, AdminError> {
    let tenant = known_tenant(gateway, &new.tenant).await?;
    check_number(new.number)?;
    check_name("a name", &new.name)?;
    check_name("a sale channel", &new.sale_channel)?;
    check_name("a send channel", &new.send_channel)?;
    let number = ActivityNo(new.number);
    if activity(gateway, tenant, number).await?.is_some() && !new.replace {
        return Err(there(&format!("activity {}", new.number)));
    }
    let activity = Activity {
        tenant,
        number,
        name: new.name,
        sale_channel: new.sale_channel,
        send_channel: new.send_channel,
        updated_at: gateway.now(),
    };
    gateway.run(PutActivity { activity }).await?;
    Ok(json!({ "activity": new.number, "tenant": new.tenant }))
}

/// All ticket types.
///
/// # Errors
/// When the store failed.
pub async fn list(gateway: &Arc<Gateway>) -> Result<Value, AdminError> {
    let tenants = tenant_names(gateway).await?;
    let all = all(gateway, DocumentKind::VoucherTicket).await?;
    let tickets = all.into_iter().filter_map(documents::voucher_ticket);
    let shown = tickets.map(|it| {
        json!({
            "ticket": it.number.0,
            "tenant": name_of(&tenants, it.tenant),
            "name": it.name,
            "uses": it.terms.uses,
            "face_value_fen": it.terms.face_value.get(),
            "validity": it.terms.validity,
        })
    });
    Ok(shown.collect())
}

/// All activities.
///
/// # Errors
/// When the store failed.
pub async fn list_activities(gateway: &Arc<Gateway>) -> Result<Value, AdminError> {
    let tenants = tenant_names(gateway).await?;
    let all = all(gateway, DocumentKind::Activity).await?;
    let activities = all.into_iter().filter_map(documents::activity);
    let shown = activities.map(|it| {
        json!({
            "activity": it.number.0,
            "tenant": name_of(&tenants, it.tenant),
            "name": it.name,
            "sale_channel": it.sale_channel,
            "send_channel": it.send_channel,
        })
    });
    Ok(shown.collect())
}

async fn all(gateway: &Gateway, kind: DocumentKind) -> Result<Vec<Document>, AdminError> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = gateway
            .reader
            .documents(kind, None, after, PAGE_ROWS)
            .await?;
        let Some(last) = page.last().map(Document::key) else {
            return Ok(all);
        };
        after = Some((last.tenant, last.key));
        all.extend(page);
    }
}

/// A ticket type.
pub(super) async fn ticket(
    gateway: &Gateway,
    tenant: TenantId,
    number: VoucherTicketNo,
) -> Result<Option<VoucherTicket>, AdminError> {
    let key = DocumentKey::voucher_ticket(tenant, number);
    let found = gateway.reader.document(key).await?;
    Ok(found.and_then(documents::voucher_ticket))
}

/// An activity.
pub(super) async fn activity(
    gateway: &Gateway,
    tenant: TenantId,
    number: ActivityNo,
) -> Result<Option<Activity>, AdminError> {
    let key = DocumentKey::activity(tenant, number);
    let found = gateway.reader.document(key).await?;
    Ok(found.and_then(documents::activity))
}

fn there(what: &str) -> AdminError {
    AdminError::new(format!(
        "{what} exists; --replace changes it for boxes that are issued from now on"
    ))
}

fn check_number(number: u32) -> Result<(), AdminError> {
    let fits = (1..=NUMBER_MAX).contains(&number);
    fits.then_some(())
        .ok_or_else(|| AdminError::new("a number is 1 to 999999999"))
}

fn check_name(what: &str, name: &str) -> Result<(), AdminError> {
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    let is_plain = !name.chars().any(char::is_control);
    (fits && is_plain)
        .then_some(())
        .ok_or_else(|| AdminError::new(format!("{what} has 1 to {NAME_CHARS_MAX} characters")))
}

fn check_terms(terms: &Terms) -> Result<(), AdminError> {
    if !(1..=USES_MAX).contains(&terms.uses) {
        let text = format!("a code has 1 to {USES_MAX} uses");
        return Err(AdminError::new(text));
    }
    if !(0..=FACE_FEN_MAX).contains(&terms.face_value.get()) {
        let most = Fen::new(FACE_FEN_MAX).get() / 100;
        let text = format!("a face value is 0 to {most} yuan");
        return Err(AdminError::new(text));
    }
    match terms.validity {
        Validity::Forever | Validity::Days(1..=36_500) => Ok(()),
        Validity::Days(_) => Err(AdminError::new("a code is valid for 1 to 36500 days")),
        Validity::Between(from, until) if from < until => Ok(()),
        Validity::Between(..) => Err(AdminError::new("a term ends after it begins")),
    }
}
