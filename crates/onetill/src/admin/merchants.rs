//! Merchants: adding, changing, listing. Keys go in and are never shown again.

use super::AdminError;
use crate::app::Gateway;
use domain::{
    channel::ChannelNo,
    ids::{MerchantNo, TenantId},
    merchant::{Merchant, MerchantSettings, Tenant},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};
use store::{AdminOp, AdminReply};
use wire::opengateway::ChannelType;

/// The characters of a merchant code, at most.
const CODE_CHARS_MAX: usize = 32;
/// The characters of a key.
const KEY_CHARS: std::ops::RangeInclusive<usize> = 16..=128;

/// A merchant to be added.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewMerchant {
    /// The code callers know it by.
    pub code: String,
    /// The retailer; added when missing.
    pub tenant: String,
    /// Its name, for people.
    pub name: String,
    /// Its signing key.
    pub key: String,
    /// The channels it has a contract for; all that exist when absent.
    pub channels: Option<Vec<u8>>,
    /// Its rules.
    pub settings: MerchantSettings,
}

impl fmt::Debug for NewMerchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewMerchant")
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// What is to change about a merchant; what is `None` stays.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct MerchantChange {
    /// The code callers know it by.
    pub code: String,
    /// A new name.
    pub name: Option<String>,
    /// A new signing key.
    pub key: Option<String>,
    /// The channels it has a contract for.
    pub channels: Option<Vec<u8>>,
    /// Whether it is suspended.
    pub suspended: Option<bool>,
    /// Whether answers are in English.
    pub english: Option<bool>,
    /// Whether queries must be signed.
    pub require_query_sign: Option<bool>,
    /// The age of signatures in seconds; 0 takes any.
    pub signature_max_age_s: Option<u32>,
    /// Whether identical requests are replayed.
    pub replay_identical: Option<bool>,
    /// Whether cancelling a paid payment waits for an operator.
    pub cancel_paid_by_approval: Option<bool>,
    /// Requests a second; 0 for any number.
    pub requests_per_s: Option<u32>,
}

impl fmt::Debug for MerchantChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MerchantChange")
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// Adds a merchant.
///
/// # Errors
/// When the code is taken or a value does not do.
pub async fn add(gateway: &Arc<Gateway>, new: NewMerchant) -> Result<Value, AdminError> {
    let known = gateway.reader.merchants().await?;
    check_new(&new, known.iter().map(|it| it.code.as_str()))?;
    let tenant = tenant_of(gateway, &new.tenant).await?;
    put(gateway, compose(gateway, tenant, new)?).await
}

/// Adds merchants; all are checked before the first is added. Answers how many.
///
/// # Errors
/// When a code is taken or given twice, or a value does not do: then none was added. When the
/// store fails half-way, those before were added.
pub async fn add_all(gateway: &Arc<Gateway>, all: Vec<NewMerchant>) -> Result<Value, AdminError> {
    let known = gateway.reader.merchants().await?;
    let mut codes: HashSet<&str> = known.iter().map(|it| it.code.as_str()).collect();
    for new in &all {
        check_new(new, codes.get(new.code.as_str()).copied())
            .map_err(|error| AdminError::new(format!("{}: {error}", new.code)))?;
        codes.insert(&new.code);
    }
    let len = all.len();
    let mut tenants: HashMap<String, TenantId> = HashMap::new();
    for new in all {
        let tenant = match tenants.get(&new.tenant) {
            Some(tenant) => *tenant,
            None => tenant_of(gateway, &new.tenant).await?,
        };
        tenants.insert(new.tenant.clone(), tenant);
        store(gateway, compose(gateway, tenant, new)?).await?;
    }
    gateway.directory.refresh(gateway.reader.as_ref()).await?;
    Ok(json!({ "added": len }))
}

/// Refuses a merchant that cannot be added beside those called `known`.
fn check_new<'a>(
    new: &NewMerchant,
    known: impl IntoIterator<Item = &'a str>,
) -> Result<(), AdminError> {
    check_code(&new.code)?;
    check_key(&new.key)?;
    if let Some(channels) = &new.channels {
        read_channels(channels)?;
    }
    if known.into_iter().any(|code| code == new.code) {
        let text = format!(
            "merchant {} exists; change it with `onetill merchant set`",
            new.code
        );
        return Err(AdminError::new(text));
    }
    Ok(())
}

fn compose(gateway: &Gateway, tenant: TenantId, new: NewMerchant) -> Result<Merchant, AdminError> {
    let all = || {
        ChannelType::ALL
            .iter()
            .filter(|it| **it != ChannelType::Auto)
    };
    let channels = match new.channels {
        Some(channels) => read_channels(&channels)?,
        None => all()
            .filter_map(|it| u8::try_from(it.code()).ok().map(ChannelNo))
            .collect(),
    };
    Ok(Merchant {
        tenant,
        no: MerchantNo(gateway.next_serial()?.0),
        sealed_key: seal(gateway, &new.code, &new.key)?,
        code: new.code,
        name: new.name,
        channels,
        suspended: false,
        settings: new.settings,
        updated_at: gateway.now(),
    })
}

/// Changes a merchant.
///
/// # Errors
/// When there is no such merchant or a value does not do.
pub async fn set(gateway: &Arc<Gateway>, change: MerchantChange) -> Result<Value, AdminError> {
    let merchants = gateway.reader.merchants().await?;
    let Some(mut merchant) = merchants.into_iter().find(|it| it.code == change.code) else {
        let text = format!(
            "there is no merchant {}; see `onetill merchant list`",
            change.code
        );
        return Err(AdminError::new(text));
    };
    if let Some(key) = &change.key {
        check_key(key)?;
        merchant.sealed_key = seal(gateway, &change.code, key)?;
    }
    if let Some(channels) = &change.channels {
        merchant.channels = read_channels(channels)?;
    }
    merchant.name = change.name.clone().unwrap_or(merchant.name);
    merchant.suspended = change.suspended.unwrap_or(merchant.suspended);
    merchant.settings = change.applied_to(&merchant.settings);
    merchant.updated_at = gateway.now();
    put(gateway, merchant).await
}

impl MerchantChange {
    fn applied_to(&self, before: &MerchantSettings) -> MerchantSettings {
        // 0 is how a limit is taken away again.
        let limit = |wanted: Option<u32>, before: Option<u32>| match wanted {
            None => before,
            Some(0) => None,
            Some(limit) => Some(limit),
        };
        MerchantSettings {
            english: self.english.unwrap_or(before.english),
            require_query_sign: self.require_query_sign.unwrap_or(before.require_query_sign),
            signature_max_age_s: limit(self.signature_max_age_s, before.signature_max_age_s),
            replay_identical: self.replay_identical.unwrap_or(before.replay_identical),
            cancel_paid_by_approval: self
                .cancel_paid_by_approval
                .unwrap_or(before.cancel_paid_by_approval),
            requests_per_s: limit(self.requests_per_s, before.requests_per_s),
        }
    }
}

/// All merchants, without keys.
///
/// # Errors
/// When the store failed.
pub async fn list(gateway: &Arc<Gateway>) -> Result<Value, AdminError> {
    let tenants = gateway.reader.tenants().await?;
    let name_of = |id: TenantId| {
        tenants
            .iter()
            .find(|it| it.id == id)
            .map(|it| it.name.clone())
            .unwrap_or_default()
    };
    let merchants = gateway.reader.merchants().await?;
    Ok(merchants
        .iter()
        .map(|it| show(it, &name_of(it.tenant)))
        .collect())
}

fn show(merchant: &Merchant, tenant: &str) -> Value {
    let channels: Vec<u8> = merchant.channels.iter().map(|it| it.0).collect();
    json!({
        "code": merchant.code,
        "tenant": tenant,
        "name": merchant.name,
        "channels": channels,
        "suspended": merchant.suspended,
        "settings": merchant.settings,
    })
}

/// The tenant called `name`, added when missing.
pub(super) async fn tenant_of(gateway: &Gateway, name: &str) -> Result<TenantId, AdminError> {
    if name.trim().is_empty() {
        return Err(AdminError::new(
            "a merchant needs a tenant: the retailer's name",
        ));
    }
    let id = TenantId(gateway.next_serial()?.0);
    let op = AdminOp::AddTenant(Tenant {
        id,
        name: name.to_owned(),
    });
    match gateway.engine.admin(op).await? {
        AdminReply::Tenant(tenant) => Ok(tenant.id),
        other @ (AdminReply::Done
        | AdminReply::Value(_)
        | AdminReply::Lease { .. }
        | AdminReply::Renewed(_)
        | AdminReply::Removed(_)) => Err(AdminError::new(format!("the store answered {other:?}"))),
    }
}

async fn put(gateway: &Arc<Gateway>, merchant: Merchant) -> Result<Value, AdminError> {
    let tenants = gateway.reader.tenants().await?;
    let tenant = tenants.into_iter().find(|it| it.id == merchant.tenant);
    let reply = show(&merchant, &tenant.map(|it| it.name).unwrap_or_default());
    store(gateway, merchant).await?;
    gateway.directory.refresh(gateway.reader.as_ref()).await?;
    Ok(reply)
}

async fn store(gateway: &Gateway, merchant: Merchant) -> Result<(), AdminError> {
    let put = AdminOp::PutMerchant(Box::new(merchant));
    gateway.engine.admin(put).await?;
    Ok(())
}

fn seal(gateway: &Gateway, code: &str, key: &str) -> Result<Vec<u8>, AdminError> {
    gateway
        .directory
        .seal_key(code, key)
        .map_err(|error| AdminError::new(error.to_string()))
}

fn check_code(code: &str) -> Result<(), AdminError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if code.is_empty() || code.len() > CODE_CHARS_MAX || !code.bytes().all(fits) {
        return Err(AdminError::new(
            "a merchant code is 1 to 32 letters, digits, - or _",
        ));
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), AdminError> {
    if !KEY_CHARS.contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(AdminError::new(
            "a key is 16 to 128 printable ASCII characters",
        ));
    }
    Ok(())
}

fn read_channels(numbers: &[u8]) -> Result<Vec<ChannelNo>, AdminError> {
    let known = |number: u8| {
        ChannelType::from_code(u16::from(number)).is_some_and(|it| it != ChannelType::Auto)
    };
    match numbers.iter().find(|number| !known(**number)) {
        Some(unknown) => Err(AdminError::new(format!(
            "{unknown} is no channel; channels are 1, 2, 3, 5, 9, 10, 24, 27, 31, 32 and 34"
        ))),
        None => Ok(numbers.iter().copied().map(ChannelNo).collect()),
    }
}
