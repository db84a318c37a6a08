//! Partners: adding, changing, listing.

use super::{AdminError, name_of, tenant_names, tenant_of, whom};
use crate::{
    app::{
        Gateway,
        loyalty::{documents, estate::read_network},
        voucher::partners::KnownPartner,
    },
    outbound::guard,
};
use domain::{
    command::voucher::PutPartner,
    ids::TenantId,
    loyalty::document::DocumentKey,
    voucher::partner::{DayCount, Partner, PartnerEntry, PartnerNo, PartnerSettings},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{net::IpAddr, sync::Arc};
use store::{AdminOp, AdminReply};

/// A partner to be added.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewPartner {
    /// Its number on the wire.
    pub number: u32,
    /// The retailer whose stock it sells; added when missing.
    pub tenant: String,
    /// The account it names beside its number.
    pub merchant_id: String,
    /// Its name, for people.
    pub name: String,
    /// Its rules.
    pub settings: PartnerSettings,
    /// Who adds it.
    pub by: String,
}

/// What is to change about a partner; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerChange {
    /// Its number on the wire.
    pub number: u32,
    /// Who changes it.
    pub by: String,
    /// The account it names beside its number.
    pub merchant_id: Option<String>,
    /// A new name.
    pub name: Option<String>,
    /// Nothing is answered to it for the time being.
    pub blocked: Option<bool>,
    /// The networks that are this partner's, as `address` or `address/bits`.
    pub networks: Option<Vec<String>>,
    /// Answers are in English instead of Chinese.
    pub english: Option<bool>,
    /// A signed request may carry `skip` for a signature.
    pub skip_signature: Option<bool>,
    /// Trace numbers must start with the day's date.
    pub dated_trace_no: Option<bool>,
    /// The number of cards in a request over a segment must be the segment's.
    pub check_number: Option<bool>,
    /// How many codes may be activated in a day.
    pub codes_per_day: Option<Limit<i64>>,
    /// How many requests a second are answered.
    pub requests_per_s: Option<Limit<u32>>,
}

/// A limit, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit<T> {
    /// The most; `None` for any number.
    pub max: Option<T>,
}

/// Adds a partner.
///
/// # Errors
/// When its number is taken, by whomever, or a value does not do.
pub async fn add(gateway: &Arc<Gateway>, new: NewPartner) -> Result<Value, AdminError> {
    let number = read_number(new.number)?;
    check_merchant_id(&new.merchant_id)?;
    let by = whom(&new.by)?;
    let tenant = tenant_of(gateway, &new.tenant).await?;
    let partner = Partner {
        tenant,
        number,
        merchant_id: new.merchant_id,
        name: new.name,
        blocked: false,
        tokens: Vec::new(),
        networks: Vec::new(),
        keys: Vec::new(),
        reply_key: None,
        settings: new.settings,
        history: Vec::new(),
        activated: DayCount::default(),
        updated_at: gateway.now(),
    };
    put_new(gateway, partner, by).await?;
    Ok(json!({ "partner": number.0, "tenant": new.tenant }))
}

/// Adds a partner as it is.
pub(super) async fn put_new(
    gateway: &Gateway,
    partner: Partner,
    by: String,
) -> Result<(), AdminError> {
    let number = partner.number;
    claim(gateway, number, partner.tenant).await?;
    let put = PutPartner {
        partner,
        seen_at: None,
        entry: entry(gateway, by, "added".to_owned()),
    };
    if !gateway.run(put).await? {
        let text = format!("partner {number} exists; change it with `onetill partner set`");
        return Err(AdminError::new(text));
    }
    refresh(gateway).await
}

/// A partner is found by its number alone, so no two retailers may have the same. Whoever claims
/// it first has it for ever.
async fn claim(gateway: &Gateway, number: PartnerNo, tenant: TenantId) -> Result<(), AdminError> {
    let value = tenant.0.to_string().into_bytes();
    let claim = AdminOp::PutIfAbsent {
        name: format!("partner/{number}"),
        value: value.clone(),
    };
    let taken = format!("partner {number} is another retailer's");
    match gateway.engine.admin(claim).await? {
        AdminReply::Value(stored) if stored == value => Ok(()),
        AdminReply::Value(_)
        | AdminReply::Done
        | AdminReply::Tenant(_)
        | AdminReply::Lease { .. }
        | AdminReply::Renewed(_)
        | AdminReply::Removed(_) => Err(AdminError::new(taken)),
    }
}

/// Changes a partner.
///
/// # Errors
/// When there is no such partner, a value does not do, or a network is another partner's.
pub async fn set(gateway: &Arc<Gateway>, wanted: PartnerChange) -> Result<Value, AdminError> {
    let number = read_number(wanted.number)?;
    if let Some(networks) = &wanted.networks {
        check_networks(gateway, number, networks)?;
    }
    if let Some(id) = &wanted.merchant_id {
        check_merchant_id(id)?;
    }
    let by = wanted.by.clone();
    let partner = change(gateway, number, &by, |it| Ok(apply(it, &wanted))).await?;
    let tenants = tenant_names(gateway).await?;
    Ok(describe(
        gateway,
        &partner,
        name_of(&tenants, partner.tenant),
    ))
}

/// Makes the change; says in words what it is.
fn apply(partner: &mut Partner, wanted: &PartnerChange) -> String {
    let mut words = Vec::new();
    let mut note = |name: &str, value: String| words.push(format!("{name} {value}"));
    let settings = &mut partner.settings;
    for (name, setting, wanted) in [
        ("blocked", &mut partner.blocked, wanted.blocked),
        ("english", &mut settings.english, wanted.english),
        (
            "skip-signature",
            &mut settings.skip_signature,
            wanted.skip_signature,
        ),
        (
            "dated-trace-no",
            &mut settings.dated_trace_no,
            wanted.dated_trace_no,
        ),
        (
            "check-number",
            &mut settings.check_number,
            wanted.check_number,
        ),
    ] {
        if let Some(wanted) = wanted {
            *setting = wanted;
            note(name, wanted.to_string());
        }
    }
    let limit = |it: Option<String>| it.unwrap_or_else(|| "none".to_owned());
    if let Some(wanted) = wanted.codes_per_day {
        settings.codes_per_day = wanted.max;
        note("codes-per-day", limit(wanted.max.map(|it| it.to_string())));
    }
    if let Some(wanted) = wanted.requests_per_s {
        settings.requests_per_s = wanted.max;
        note("requests-per-s", limit(wanted.max.map(|it| it.to_string())));
    }
    if let Some(wanted) = &wanted.networks {
        partner.networks.clone_from(wanted);
        note(
            "networks",
            limit((!wanted.is_empty()).then(|| wanted.join(" "))),
        );
    }
    if let Some(wanted) = &wanted.merchant_id {
        partner.merchant_id.clone_from(wanted);
        note("merchant-id", wanted.clone());
    }
    if let Some(wanted) = &wanted.name {
        partner.name.clone_from(wanted);
        note("name", wanted.clone());
    }
    words.join(", ")
}

/// Changes a stored partner; `make` says in words what it did.
pub(super) async fn change(
    gateway: &Gateway,
    number: PartnerNo,
    by: &str,
    make: impl FnOnce(&mut Partner) -> Result<String, AdminError>,
) -> Result<Partner, AdminError> {
    let by = whom(by)?;
    let tenant = find(gateway, number)?.partner.tenant;
    let key = DocumentKey::partner(tenant, number);
    let stored = gateway.reader.document(key).await?;
    let mut partner = stored
        .and_then(documents::partner)
        .ok_or_else(|| missing(number))?;
    let seen_at = Some(partner.updated_at);
    let now = gateway.now();
    let is_good = |until: Option<domain::time::UnixMs>| until.is_none_or(|it| it > now);
    partner.tokens.retain(|it| is_good(it.until));
    partner.keys.retain(|it| is_good(it.until));
    let what = make(&mut partner)?;
    let put = PutPartner {
        partner: partner.clone(),
        seen_at,
        entry: entry(gateway, by, what),
    };
    if !gateway.run(put).await? {
        let text = format!("somebody else changed partner {number} at the same time; try again");
        return Err(AdminError::new(text));
    }
    refresh(gateway).await?;
    Ok(partner)
}

fn entry(gateway: &Gateway, by: String, what: String) -> PartnerEntry {
    let at = gateway.now();
    PartnerEntry { at, by, what }
}

/// All partners.
///
/// # Errors
/// When the store failed.
pub async fn list(gateway: &Arc<Gateway>) -> Result<Value, AdminError> {
    refresh(gateway).await?;
    let tenants = tenant_names(gateway).await?;
    let mut partners = gateway.vouchers.partners.all();
    partners.sort_by_key(|it| it.partner.number);
    let shown = partners.iter().map(|it| {
        let partner = &it.partner;
        describe(gateway, partner, name_of(&tenants, partner.tenant))
    });
    Ok(shown.collect())
}

/// One partner with its history.
///
/// # Errors
/// When there is no such partner.
pub async fn show(gateway: &Arc<Gateway>, number: u32) -> Result<Value, AdminError> {
    refresh(gateway).await?;
    let known = find(gateway, read_number(number)?)?;
    let tenants = tenant_names(gateway).await?;
    let partner = &known.partner;
    let mut shown = describe(gateway, partner, name_of(&tenants, partner.tenant));
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("history".to_owned(), json!(partner.history));
    }
    Ok(shown)
}

fn describe(gateway: &Gateway, partner: &Partner, tenant: &str) -> Value {
    let now = gateway.now();
    let tokens = partner
        .tokens
        .iter()
        .filter(|it| it.until.is_none_or(|until| until > now));
    let tokens: Vec<Value> = tokens.map(|it| json!({ "until": it.until })).collect();
    let keys = partner
        .keys
        .iter()
        .filter(|it| it.until.is_none_or(|until| until > now));
    let keys: Vec<Value> = keys
        .map(|it| json!({ "key": super::credentials::fingerprint(&it.spki), "until": it.until }))
        .collect();
    let today = gateway.zone().day(now);
    let activated = if partner.activated.day == today {
        partner.activated.count
    } else {
        0
    };
    json!({
        "partner": partner.number.0,
        "tenant": tenant,
        "merchant_id": partner.merchant_id,
        "name": partner.name,
        "blocked": partner.blocked,
        "tokens": tokens,
        "keys": keys,
        "has_reply_key": partner.reply_key.is_some(),
        "networks": partner.networks,
        "settings": partner.settings,
        // Counted only for partners that are limited.
        "activated_today": activated,
    })
}

/// The partner with this number, which must be there.
pub(super) fn find(gateway: &Gateway, number: PartnerNo) -> Result<Arc<KnownPartner>, AdminError> {
    let found = gateway.vouchers.partners.by_number(number);
    found.ok_or_else(|| missing(number))
}

fn missing(number: PartnerNo) -> AdminError {
    AdminError::new(format!(
        "there is no partner {number}; see `onetill partner list`"
    ))
}

pub(super) fn read_number(number: u32) -> Result<PartnerNo, AdminError> {
    let read = PartnerNo::parse(&number.to_string());
    read.ok_or_else(|| AdminError::new("a partner's number is 1 to 999999999"))
}

fn check_merchant_id(id: &str) -> Result<(), AdminError> {
    let is_in_it = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let fits = (1..=32).contains(&id.len()) && id.bytes().all(is_in_it);
    fits.then_some(()).ok_or_else(|| {
        AdminError::new("a merchant id is 1 to 32 letters, digits, dots, dashes or underscores")
    })
}

/// An address tells the partner, so no two partners may have it.
fn check_networks(
    gateway: &Gateway,
    number: PartnerNo,
    networks: &[String],
) -> Result<(), AdminError> {
    let mut read: Vec<(IpAddr, u8)> = Vec::new();
    for network in networks {
        let known = read_network(network).ok_or_else(|| {
            AdminError::new(format!(
                "{network} is no network: use an address, or an address and a prefix length, \
                 such as 10.1.0.0/16"
            ))
        })?;
        read.push(known);
    }
    let all = gateway.vouchers.partners.all();
    let others = all.iter().filter(|it| it.partner.number != number);
    for other in others {
        let theirs = other.networks().iter();
        let shares = theirs
            .clone()
            .any(|(address, _)| guard::contains(&read, *address))
            || read.iter().any(|(address, _)| other.speaks_from(*address));
        if shares {
            let text = format!(
                "partner {} speaks from there already: an address belongs to one partner",
                other.partner.number
            );
            return Err(AdminError::new(text));
        }
    }
    Ok(())
}

async fn refresh(gateway: &Gateway) -> Result<(), AdminError> {
    let partners = &gateway.vouchers.partners;
    Ok(partners.refresh(gateway.reader.as_ref()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_survives_the_socket() {
        for max in [None, Some(None), Some(Some(7))] {
            let limit = max.map(|max| Limit { max });
            let change = PartnerChange {
                codes_per_day: limit,
                ..PartnerChange::default()
            };
            let sent = serde_json::to_string(&change).unwrap();
            let received: PartnerChange = serde_json::from_str(&sent).unwrap();
            assert_eq!(received.codes_per_day, limit, "{sent}");
        }
    }
}
