//! The stores and programs of all retailers, kept in memory: a store is found by the number its
//! terminals send, whoever's it is.

use super::{documents, programs};
use crate::{outbound::guard, server::Fingerprint};
use domain::{
    ids::TenantId,
    loyalty::{
        document::{Document, DocumentKind},
        program::Rules,
        store::{Store, StoreNo},
    },
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};
use store::{Reader, StoreError};

/// How many rows one question to the store brings at most.
const PAGE_ROWS: u32 = 500;

/// A store whose networks and certificates are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownStore {
    /// The stored store.
    pub store: Store,
    networks: Vec<(IpAddr, u8)>,
    certificates: Vec<Fingerprint>,
}

impl KnownStore {
    fn new(store: Store) -> Self {
        let networks = store.networks.iter().filter_map(|text| {
            let network = read_network(text);
            if network.is_none() {
                let store = store.number.as_str();
                tracing::error!(store, network = text, "a stored network is not understood");
            }
            network
        });
        let certificates = store.certificates.iter().filter_map(|text| {
            let certificate = Fingerprint::parse(text);
            if certificate.is_none() {
                let store = store.number.as_str();
                tracing::error!(
                    store,
                    "a stored certificate's fingerprint is not understood"
                );
            }
            certificate
        });
        Self {
            networks: networks.collect(),
            certificates: certificates.collect(),
            store,
        }
    }

    /// Whether terminals at this address belong to the store.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        guard::contains(&self.networks, address.to_canonical())
    }

    /// Whether terminals that show this certificate belong to the store.
    #[must_use]
    pub fn admits_certificate(&self, certificate: Fingerprint) -> bool {
        self.certificates.contains(&certificate)
    }
}

/// Reads `address` or `address/bits`.
#[must_use]
pub fn read_network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(bits_max), |bits| bits.parse().ok())?;
    (bits <= bits_max).then_some((address, bits))
}

#[derive(Default)]
struct Known {
    stores: HashMap<StoreNo, Arc<KnownStore>>,
    rules: HashMap<TenantId, Arc<Rules>>,
}

/// All stores and programs.
#[derive(Default)]
pub struct Estate {
    known: RwLock<Arc<Known>>,
    refreshing: tokio::sync::Mutex<()>,
}

impl Estate {
    /// The store with this number.
    #[must_use]
    pub fn store(&self, number: &StoreNo) -> Option<Arc<KnownStore>> {
        self.known().stores.get(number).cloned()
    }

    /// Whether there is a store like this.
    #[must_use]
    pub fn has_store(&self, is_like: impl Fn(&KnownStore) -> bool) -> bool {
        self.known().stores.values().any(|store| is_like(store))
    }

    /// All stores, by number.
    #[must_use]
    pub fn stores(&self) -> Vec<Arc<KnownStore>> {
        let mut stores: Vec<_> = self.known().stores.values().cloned().collect();
        stores.sort_by(|one, other| one.store.number.cmp(&other.store.number));
        stores
    }

    /// The rules of a retailer's program as they stand; the default ones until it has set any.
    #[must_use]
    pub fn rules(&self, tenant: TenantId) -> Arc<Rules> {
        let known = self.known();
        known.rules.get(&tenant).cloned().unwrap_or_default()
    }

    /// Takes over the stores and programs as they are stored now.
    ///
    /// # Errors
    /// When the store failed; then they stay as they were known.
    pub async fn refresh(&self, reader: &dyn Reader) -> Result<(), StoreError> {
        // One at a time: what was read first must not replace what was read last.
        let _turn = self.refreshing.lock().await;
        let stores = read_stores(reader).await?;
        let mut known = Known::default();
        for store in stores {
            let tenant = store.tenant;
            let number = store.number.clone();
            if !known.rules.contains_key(&tenant)
                && let Some(program) = programs::newest(reader, tenant).await?
            {
                known.rules.insert(tenant, Arc::new(program.rules));
            }
            known
                .stores
                .insert(number, Arc::new(KnownStore::new(store)));
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        Ok(())
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn read_stores(reader: &dyn Reader) -> Result<Vec<Store>, StoreError> {
    let mut stores = Vec::new();
    let mut after = None;
    loop {
        let kind = DocumentKind::Store;
        let page = reader.documents(kind, None, after, PAGE_ROWS).await?;
        let Some(last) = page.last().map(Document::key) else {
            return Ok(stores);
        };
        after = Some((last.tenant, last.key));
        stores.extend(page.into_iter().filter_map(documents::store));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_with_or_without_bits() {
        let network = |text: &str| read_network(text).map(|(ip, bits)| (ip.to_string(), bits));
        assert_eq!(network("10.1.2.3"), Some(("10.1.2.3".to_owned(), 32)));
        assert_eq!(network("10.1.0.0/16"), Some(("10.1.0.0".to_owned(), 16)));
        assert_eq!(network("fd00::/8"), Some(("fd00::".to_owned(), 8)));
        for wrong in [
            "",
            "10.1.0.0/33",
            "fd00::/129",
            "10.1.0.0/",
            "shop",
            "10.1/8",
        ] {
            assert_eq!(network(wrong), None, "{wrong}");
        }
    }
}
