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

/// The accounts by what callers name them, and by what the store does.
#[derive(Default)]
struct Accounts {
    by_code: HashMap<String, Arc<Account>>,
    by_no: HashMap<(TenantId, MerchantNo), Arc<Account>>,
}

/// All merchants.
pub struct Directory {
    vault: Vault,
    accounts: RwLock<Arc<Accounts>>,
    refreshing: tokio::sync::Mutex<()>,
}

impl Directory {
    /// An empty directory that opens keys with `vault`.
    #[must_use]
    pub fn new(vault: Vault) -> Self {
        Self {
            vault,
            accounts: RwLock::default(),
            refreshing: tokio::sync::Mutex::default(),
        }
    }

    /// A directory of `merchants`, for those who read them once.
    #[must_use]
    pub fn of(vault: Vault, merchants: Vec<Merchant>) -> Self {
        let directory = Self::new(vault);
        directory.replace(merchants);
        directory
    }

    /// The merchant that callers know as `code`.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<Arc<Account>> {
        self.all().by_code.get(code).cloned()
    }

    /// The merchant numbered `no` of `tenant`.
    #[must_use]
    pub fn find_by_no(&self, tenant: TenantId, no: MerchantNo) -> Option<Arc<Account>> {
        self.all().by_no.get(&(tenant, no)).cloned()
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
    /// out and logged. Once there is a gateway, only [`Directory::refresh`] may: who reads without
    /// waiting for the others overwrites what they read later.
    fn replace(&self, merchants: Vec<Merchant>) {
        let before = self.all();
        let mut accounts = Accounts::default();
        for merchant in merchants {
            let known = before.by_code.get(&merchant.code);
            let known = known.filter(|it| it.merchant == merchant).cloned();
            let Some(account) = known.or_else(|| self.open(merchant)) else {
                continue;
            };
            let (tenant, no) = (account.merchant.tenant, account.merchant.no);
            let code = account.merchant.code.clone();
            accounts.by_no.insert((tenant, no), Arc::clone(&account));
            accounts.by_code.insert(code, account);
        }
        *self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(accounts);
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

    fn all(&self) -> Arc<Accounts> {
        Arc::clone(&self.accounts.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn owner(code: &str) -> String {
    format!("merchant/{code}")
}
