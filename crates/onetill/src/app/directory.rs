//! The merchants, kept in memory: found by the code callers send, with their keys opened.

use crate::vault::{Vault, VaultError};
use domain::{
    ids::{MerchantNo, TenantId},
    merchant::Merchant,
};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};
use store::{Reader, StoreError};
use wire::opengateway::MerchantKey;

/// A merchant with its key. Has no `Debug`.
pub struct Account {
    /// The stored merchant.
    pub merchant: Merchant,
    /// Its signing key.
    pub key: MerchantKey,
}

type ByCode = HashMap<String, Arc<Account>>;

/// All merchants.
pub struct Directory {
    vault: Vault,
    by_code: RwLock<Arc<ByCode>>,
    refreshing: tokio::sync::Mutex<()>,
}

impl Directory {
    /// An empty directory that opens keys with `vault`.
    #[must_use]
    pub fn new(vault: Vault) -> Self {
        Self {
            vault,
            by_code: RwLock::default(),
            refreshing: tokio::sync::Mutex::default(),
        }
    }

    /// The merchant that callers know as `code`.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<Arc<Account>> {
        self.all().get(code).cloned()
    }

    /// The merchant numbered `no` of `tenant`.
    #[must_use]
    pub fn find_by_no(&self, tenant: TenantId, no: MerchantNo) -> Option<Arc<Account>> {
        let is = |it: &&Arc<Account>| it.merchant.tenant == tenant && it.merchant.no == no;
        self.all().values().find(is).cloned()
    }

    /// Takes over the merchants as they are stored now.
    ///
    /// # Errors
    /// When the store failed; then the merchants stay as they were known.
    pub async fn refresh(&self, reader: &dyn Reader) -> Result<(), StoreError> {
        // One at a time: what was read first must not replace what was read last.
        let _turn = self.refreshing.lock().await;
        self.replace(reader.merchants().await?);
        Ok(())
    }

    /// Takes over `merchants` as they are stored now. A merchant whose key does not open is left
    /// out and logged.
    pub fn replace(&self, merchants: Vec<Merchant>) {
        let before = self.all();
        let accounts = merchants.into_iter().filter_map(|merchant| {
            let known = before
                .get(&merchant.code)
                .filter(|it| it.merchant == merchant)
                .cloned();
            let account = known.or_else(|| self.open(merchant))?;
            Some((account.merchant.code.clone(), account))
        });
        let by_code = Arc::new(accounts.collect());
        *self.by_code.write().unwrap_or_else(PoisonError::into_inner) = by_code;
    }

    /// Seals a merchant's key for the store.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal_key(&self, code: &str, key: &str) -> Result<Vec<u8>, VaultError> {
        self.vault.seal(&owner(code), key.as_bytes())
    }

    fn open(&self, merchant: Merchant) -> Option<Arc<Account>> {
        let opened = self
            .vault
            .open_sealed(&owner(&merchant.code), &merchant.sealed_key);
        let key = opened.map(|key| String::from_utf8_lossy(&key).into_owned());
        match key {
            Ok(key) => Some(Arc::new(Account {
                merchant,
                key: MerchantKey::new(key),
            })),
            Err(error) => {
                tracing::error!(merchant = merchant.code, %error, "a merchant cannot be served");
                None
            }
        }
    }

    fn all(&self) -> Arc<ByCode> {
        Arc::clone(&self.by_code.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn owner(code: &str) -> String {
    format!("merchant/{code}")
}
