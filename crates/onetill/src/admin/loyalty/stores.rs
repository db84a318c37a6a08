//! Stores: adding, changing, listing.

use super::{AdminError, name_of, tenant_names, tenant_of};
use crate::{
    app::{
        Gateway,
        loyalty::estate::{KnownStore, read_network},
    },
    server::Fingerprint,
};
use domain::{
    command::loyalty::{AddStore, SetStore},
    ids::TenantId,
    loyalty::store::{Store, StoreNo},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use store::{AdminOp, AdminReply};

/// A store to be added.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewStore {
    /// Its number on the wire.
    pub number: String,
    /// The retailer; added when missing.
    pub tenant: String,
    /// Its name, shown on receipts.
    pub name: String,
    /// The networks its terminals speak from, as `address` or `address/bits`.
    pub networks: Vec<String>,
    /// The client certificates they show, as SHA-256 fingerprints.
    #[serde(default)]
    pub certificates: Vec<String>,
}

/// What is to change about a store; what is `None` stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StoreChange {
    /// Its number on the wire.
    pub number: String,
    /// A new name.
    pub name: Option<String>,
    /// The networks its terminals speak from.
    pub networks: Option<Vec<String>>,
    /// The client certificates they show, as SHA-256 fingerprints.
    #[serde(default)]
    pub certificates: Option<Vec<String>>,
}

/// Adds a store.
///
/// # Errors
/// When its number is taken, by whomever, or a value does not do.
pub async fn add(gateway: &Arc<Gateway>, new: NewStore) -> Result<Value, AdminError> {
    let number = read_number(&new.number)?;
    check_networks(&new.networks)?;
    let certificates = read_certificates(&new.certificates)?;
    let tenant = tenant_of(gateway, &new.tenant).await?;
    claim(gateway, &number, tenant).await?;
    let store = Store {
        tenant,
        number,
        account: gateway.next_serial()?.0,
        name: new.name,
        networks: new.networks,
        certificates,
        updated_at: gateway.now(),
    };
    if !gateway.run(AddStore { store }).await? {
        let text = format!(
            "store {} exists; change it with `onetill store set`",
            new.number
        );
        return Err(AdminError::new(text));
    }
    refresh(gateway).await?;
    Ok(json!({ "store": new.number, "tenant": new.tenant }))
}

/// A store is found by its number alone, so no two retailers may have the same. Whoever claims it
/// first has it for ever.
async fn claim(gateway: &Gateway, number: &StoreNo, tenant: TenantId) -> Result<(), AdminError> {
    let value = tenant.0.to_string().into_bytes();
    let claim = AdminOp::PutIfAbsent {
        name: format!("store/{}", number.as_str()),
        value: value.clone(),
    };
    match gateway.engine.admin(claim).await? {
        AdminReply::Value(stored) if stored == value => Ok(()),
        AdminReply::Value(_) => Err(AdminError::new(format!(
            "store {} is another retailer's",
            number.as_str()
        ))),
        other @ (AdminReply::Done
        | AdminReply::Tenant(_)
        | AdminReply::Lease { .. }
        | AdminReply::Renewed(_)
        | AdminReply::Removed(_)) => Err(AdminError::new(format!("the store answered {other:?}"))),
    }
}

/// Changes a store.
///
/// # Errors
/// When there is no such store or a value does not do.
pub async fn set(gateway: &Arc<Gateway>, change: StoreChange) -> Result<Value, AdminError> {
    let known = find(gateway, &change.number)?;
    if let Some(networks) = &change.networks {
        check_networks(networks)?;
    }
    let certificates = change.certificates.as_deref().map(read_certificates);
    let set = SetStore {
        tenant: known.store.tenant,
        number: known.store.number.clone(),
        name: change.name,
        networks: change.networks,
        certificates: certificates.transpose()?,
    };
    let store = gateway.run(set).await?;
    let store = store.ok_or_else(|| missing(&change.number))?;
    refresh(gateway).await?;
    let tenants = tenant_names(gateway).await?;
    Ok(show(&store, name_of(&tenants, store.tenant)))
}

/// All stores.
///
/// # Errors
/// When the store failed.
pub async fn list(gateway: &Arc<Gateway>) -> Result<Value, AdminError> {
    refresh(gateway).await?;
    let tenants = tenant_names(gateway).await?;
    let stores = gateway.loyalty.estate.stores();
    let shown = stores
        .iter()
        .map(|it| show(&it.store, name_of(&tenants, it.store.tenant)));
    Ok(shown.collect())
}

fn show(store: &Store, tenant: &str) -> Value {
    json!({
        "store": store.number.as_str(),
        "tenant": tenant,
        "name": store.name,
        "networks": store.networks,
        "certificates": store.certificates,
    })
}

/// The store with this number, which must be there.
pub(super) fn find(gateway: &Gateway, number: &str) -> Result<Arc<KnownStore>, AdminError> {
    let found = gateway.loyalty.estate.store(&read_number(number)?);
    found.ok_or_else(|| missing(number))
}

fn missing(number: &str) -> AdminError {
    AdminError::new(format!(
        "there is no store {number}; see `onetill store list`"
    ))
}

fn read_number(number: &str) -> Result<StoreNo, AdminError> {
    let read = StoreNo::parse(number);
    read.ok_or_else(|| AdminError::new("a store's number is 1 to 32 letters or digits"))
}

fn check_networks(networks: &[String]) -> Result<(), AdminError> {
    match networks.iter().find(|it| read_network(it).is_none()) {
        None => Ok(()),
        Some(wrong) => Err(AdminError::new(format!(
            "{wrong} is no network: use an address, or an address and a prefix length, such as \
             10.1.0.0/16"
        ))),
    }
}

/// Fingerprints in the one spelling that is stored.
fn read_certificates(texts: &[String]) -> Result<Vec<String>, AdminError> {
    let read = texts.iter().map(|text| {
        let certificate = Fingerprint::parse(text);
        certificate.map(|it| it.to_string()).ok_or_else(|| {
            AdminError::new(format!(
                "{text} is no fingerprint of a certificate: use the 64 hex digits that `openssl x509 \
                 -fingerprint -sha256` shows"
            ))
        })
    });
    read.collect()
}

async fn refresh(gateway: &Gateway) -> Result<(), AdminError> {
    let estate = &gateway.loyalty.estate;
    Ok(estate.refresh(gateway.reader.as_ref()).await?)
}
