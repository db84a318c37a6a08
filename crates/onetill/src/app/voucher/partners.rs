//! Partners, kept in memory, and how they show who they are: by a token, by the network they speak
//! from, or by a signature.

use crate::{
    app::{
        AppError,
        loyalty::{documents, estate::read_network},
    },
    outbound::guard,
    vault::{Vault, VaultError, decode_hex, encode_hex},
};
use domain::{
    loyalty::{
        document::{Document, DocumentKind},
        sealed::Sealed,
    },
    time::UnixMs,
    voucher::partner::{Partner, PartnerNo},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};
use store::{Reader, StoreError};
use wire::voucher::SigningKey;

/// How many rows one question to the store brings at most.
const PAGE_ROWS: u32 = 500;

/// A partner whose networks are read.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownPartner {
    /// The stored partner.
    pub partner: Partner,
    networks: Vec<(IpAddr, u8)>,
}

impl KnownPartner {
    fn new(partner: Partner) -> Self {
        let networks = partner.networks.iter();
        let networks = networks.filter_map(|it| read_network(it)).collect();
        Self { partner, networks }
    }

    /// Whether `address` is this partner's.
    #[must_use]
    pub fn speaks_from(&self, address: IpAddr) -> bool {
        guard::contains(&self.networks, address.to_canonical())
    }

    /// The networks that are this partner's.
    #[must_use]
    pub fn networks(&self) -> &[(IpAddr, u8)] {
        &self.networks
    }
}

#[derive(Default)]
struct Known {
    by_number: HashMap<PartnerNo, Arc<KnownPartner>>,
    /// By the digest of a token, with the time at which that stops being good.
    by_token: HashMap<String, (Arc<KnownPartner>, Option<UnixMs>)>,
}

/// All partners.
pub struct Partners {
    vault: Vault,
    digester: Hmac<Sha256>,
    known: RwLock<Arc<Known>>,
    refreshing: tokio::sync::Mutex<()>,
}

impl Partners {
    /// With a key of `vault`, partners not read yet.
    #[must_use]
    pub fn new(vault: &Vault) -> Self {
        Self {
            vault: vault.clone(),
            digester: vault.digester("partner tokens"),
            known: RwLock::default(),
            refreshing: tokio::sync::Mutex::default(),
        }
    }

    /// The digest of a token, by which it is known.
    #[must_use]
    pub fn digest(&self, token: &str) -> String {
        let mut digester = self.digester.clone();
        digester.update(token.as_bytes());
        encode_hex(&digester.finalize().into_bytes())
    }

    /// The partner with a number.
    #[must_use]
    pub fn by_number(&self, number: PartnerNo) -> Option<Arc<KnownPartner>> {
        self.known().by_number.get(&number).cloned()
    }

    /// All of them, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<KnownPartner>> {
        self.known().by_number.values().cloned().collect()
    }

    /// The partner that shows a token.
    #[must_use]
    pub fn by_token(&self, token: &str, now: UnixMs) -> Option<Arc<KnownPartner>> {
        let known = self.known();
        let (partner, until) = known.by_token.get(&self.digest(token))?;
        let is_good = until.is_none_or(|until| now < until);
        is_good.then(|| Arc::clone(partner))
    }

    /// The one partner that speaks from an address; `None` where there is none or several.
    #[must_use]
    pub fn by_address(&self, address: IpAddr) -> Option<Arc<KnownPartner>> {
        let known = self.known();
        let mut partners = known
            .by_number
            .values()
            .filter(|it| it.speaks_from(address));
        let first = partners.next()?;
        partners.next().is_none().then(|| Arc::clone(first))
    }

    /// Seals the key that replies to a partner are signed with.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal_reply_key(&self, number: PartnerNo, pkcs8: &[u8]) -> Result<Sealed, VaultError> {
        let sealed = self.vault.seal(&owner(number), pkcs8)?;
        Ok(Sealed(encode_hex(&sealed)))
    }

    /// The key that replies to a partner are signed with, if there is one.
    ///
    /// # Errors
    /// When it was sealed under another master key, or is no key.
    pub fn reply_key(&self, partner: &Partner) -> Result<Option<SigningKey>, AppError> {
        let Some(sealed) = &partner.reply_key else {
            return Ok(None);
        };
        let sealed = decode_hex(&sealed.0).unwrap_or_default();
        let opened = self.vault.open_sealed(&owner(partner.number), &sealed);
        let key = opened.ok().and_then(|it| SigningKey::from_pkcs8(&it).ok());
        key.map(Some).ok_or_else(|| {
            tracing::error!(partner = %partner.number, "a partner's reply key does not open");
            AppError::Unforeseen
        })
    }

    /// Takes over the partners as they are stored now.
    ///
    /// # Errors
    /// When the store failed; then they stay as they were known.
    pub async fn refresh(&self, reader: &dyn Reader) -> Result<(), StoreError> {
        // One at a time: what was read first must not replace what was read last.
        let _turn = self.refreshing.lock().await;
        let mut known = Known::default();
        for partner in read_partners(reader).await? {
            let tokens = partner.tokens.clone();
            let partner = Arc::new(KnownPartner::new(partner));
            for token in tokens {
                let entry = (Arc::clone(&partner), token.until);
                known.by_token.insert(token.digest, entry);
            }
            known.by_number.insert(partner.partner.number, partner);
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        Ok(())
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a sealed key is bound to: copied to another partner's row it does not open.
fn owner(number: PartnerNo) -> String {
    format!("partner reply key {number}")
}

async fn read_partners(reader: &dyn Reader) -> Result<Vec<Partner>, StoreError> {
    let mut partners = Vec::new();
    let mut after = None;
    loop {
        let kind = DocumentKind::Partner;
        let page = reader.documents(kind, None, after, PAGE_ROWS).await?;
        let Some(last) = page.last().map(Document::key) else {
            return Ok(partners);
        };
        after = Some((last.tenant, last.key));
        partners.extend(page.into_iter().filter_map(documents::partner));
    }
}
