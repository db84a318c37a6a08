//! What stock there is, by level and state.

use super::{AdminError, name_of, tenant_names, tenant_or_all};
use crate::app::{
    Gateway,
    loyalty::documents,
    voucher::{names::Found, report::Counts},
};
use domain::{
    ids::TenantId,
    loyalty::document::{Document, DocumentKind},
    voucher::{
        partner::PartnerNo,
        stock::{Carton, Level, Unit},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// How many boxes are shown at once.
pub const PAGE_BOXES_MAX: u32 = 100;
/// How many packages or reels are shown at once.
const UNITS_MAX: u32 = 500;

/// Which boxes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BoxPage {
    /// The retailer; all without.
    pub tenant: Option<String>,
    /// Only this partner's.
    pub partner: Option<u32>,
    /// Where the page before ended.
    pub after: Option<(TenantId, String)>,
}

/// Which box, package or reel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnitName {
    /// The retailer, where the name alone does not tell.
    pub tenant: Option<String>,
    /// Its printed name.
    pub name: String,
    /// Only units behind the one whose first code has this index.
    pub after: Option<u32>,
}

/// A page of boxes with their stock, and where it ended; unfinished ones too.
///
/// # Errors
/// When there is no such retailer, or the store failed.
pub async fn list(gateway: &Arc<Gateway>, page: BoxPage) -> Result<Value, AdminError> {
    let wanted = tenant_or_all(gateway, page.tenant.as_deref()).await?;
    let only = match wanted.as_slice() {
        [only] => Some(*only),
        [] | [_, _, ..] => None,
    };
    let kind = DocumentKind::Carton;
    let found = gateway
        .reader
        .documents(kind, only, page.after, PAGE_BOXES_MAX);
    let found = found.await?;
    let after = found
        .last()
        .map(Document::key)
        .map(|it| (it.tenant, it.key));
    let tenants = tenant_names(gateway).await?;
    let partner = page.partner.map(PartnerNo);
    let mut boxes = Vec::new();
    for carton in found.into_iter().filter_map(documents::carton) {
        if partner.is_none_or(|it| it == carton.partner) {
            let counts = count_all(gateway, &carton).await?;
            boxes.push(describe(&carton, name_of(&tenants, carton.tenant), counts));
        }
    }
    Ok(json!({ "boxes": boxes, "after": after }))
}

/// How all codes of a box stand; `None` where it is not ready.
async fn count_all(gateway: &Gateway, carton: &Carton) -> Result<Option<Counts>, AdminError> {
    if !carton.ready {
        return Ok(None);
    }
    let counts = gateway.count_codes(carton, &[carton.range()]).await?;
    Ok(counts.first().copied())
}

fn describe(carton: &Carton, tenant: &str, counts: Option<Counts>) -> Value {
    json!({
        "box": carton.id,
        "tenant": tenant,
        "partner": carton.partner.0,
        "ready": carton.ready,
        "codes": carton.codes,
        "shape": carton.shape,
        "activity": carton.activity.0,
        "ticket": carton.ticket.0,
        "ticket_name": carton.ticket_name,
        "uses": carton.terms.uses,
        "face_value_fen": carton.terms.face_value.get(),
        "bin": carton.cards.as_ref().map(|it| &it.bin),
        "first_segment": carton.cards.as_ref().map(|it| it.first),
        "issued_at": carton.issued_at,
        "custody": carton.custody,
        "counts": counts,
    })
}

/// A box, a package or a reel with its stock, and what lies in it one level below.
///
/// # Errors
/// When nothing has this name.
pub async fn show(gateway: &Arc<Gateway>, name: UnitName) -> Result<Value, AdminError> {
    let found = find_unit(gateway, name.tenant.as_deref(), &name.name).await?;
    let carton = &*found.carton;
    let tenants = tenant_names(gateway).await?;
    let tenant = name_of(&tenants, carton.tenant);
    let counts = gateway.count_codes(carton, &[found.range]).await?;
    let mut shown = describe(carton, tenant, counts.first().copied());
    let units = units_below(gateway, &found, name.after).await?;
    let ranges: Vec<_> = units.iter().map(|it| it.range).collect();
    let counts = gateway.count_codes(carton, &ranges).await?;
    let rows = units.iter().zip(counts).map(|(unit, counts)| {
        json!({
            "name": unit.id,
            "level": unit.level,
            "first": unit.range.first,
            "codes": unit.range.len(),
            "counts": counts,
        })
    });
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("name".to_owned(), json!(name.name));
        shown.insert("level".to_owned(), json!(found.level));
        shown.insert("codes".to_owned(), json!(found.range.len()));
        shown.insert("units".to_owned(), rows.collect());
    }
    Ok(shown)
}

async fn units_below(
    gateway: &Gateway,
    found: &Found,
    after: Option<u32>,
) -> Result<Vec<Unit>, AdminError> {
    let below = match found.level {
        Some(Level::Carton) => Level::Package,
        Some(Level::Package) => Level::Reel,
        Some(Level::Reel) | None => return Ok(Vec::new()),
    };
    let units = gateway
        .reader
        .units_in(found.range, below, after, UNITS_MAX);
    Ok(units.await?)
}

/// What a printed name leads to, which must be a box, a package or a reel of a box that is ready.
pub(super) async fn find_unit(
    gateway: &Gateway,
    tenant: Option<&str>,
    name: &str,
) -> Result<Found, AdminError> {
    let mut found = Vec::new();
    for tenant in tenant_or_all(gateway, tenant).await? {
        let some = gateway.find_all_names(tenant, &[name]).await?;
        found.extend(some.into_iter().flatten().filter(|it| it.level.is_some()));
    }
    let first = found.pop();
    if !found.is_empty() {
        let text = "several retailers have stock of this name; name one with --tenant";
        return Err(AdminError::new(text));
    }
    first.ok_or_else(|| {
        AdminError::new(
            "no box, package or reel has this name; see `onetill voucher list`. A code is looked \
             up with `onetill voucher show --code`",
        )
    })
}
