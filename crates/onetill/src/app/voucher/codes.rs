//! A code's text. It pays, so the store never has it in the clear: a keyed digest finds it, and
//! sealed bytes keep it for trees and for the printer.

use crate::{app::AppError, vault::Vault};
use domain::{
    ids::TenantId,
    voucher::code::{CodeDigest, CodeNo},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Digests, seals and opens codes. Has no `Debug`.
#[derive(Clone)]
pub struct CodeVault {
    digester: Hmac<Sha256>,
    vault: Vault,
}

impl CodeVault {
    /// With keys of `vault`.
    #[must_use]
    pub fn new(vault: &Vault) -> Self {
        Self {
            digester: vault.digester("voucher codes"),
            vault: vault.clone(),
        }
    }

    /// The digest by which a tenant's code is found.
    #[must_use]
    pub fn digest(&self, tenant: TenantId, text: &str) -> CodeDigest {
        let mut digester = self.digester.clone();
        digester.update(&tenant.0.to_be_bytes());
        digester.update(text.as_bytes());
        let mut digest = [0; 16];
        digest
            .iter_mut()
            .zip(digester.finalize().into_bytes())
            .for_each(|(to, from)| *to = from);
        CodeDigest(digest)
    }

    /// Seals the text of a code.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal(&self, code: CodeNo, text: &str) -> Result<Vec<u8>, AppError> {
        let sealed = self.vault.seal(&owner(code), text.as_bytes());
        sealed.map_err(|error| {
            tracing::error!(%error, "a voucher code cannot be sealed");
            AppError::Unforeseen
        })
    }

    /// The text of a code that [`CodeVault::seal`] sealed.
    ///
    /// # Errors
    /// When it was sealed under another master key, or is damaged.
    pub fn open(&self, code: CodeNo, sealed: &[u8]) -> Result<Zeroizing<String>, AppError> {
        let text = self.vault.open_sealed(&owner(code), sealed);
        let text = text.ok().and_then(|it| {
            let text = std::str::from_utf8(&it).ok()?;
            Some(Zeroizing::new(text.to_owned()))
        });
        text.ok_or_else(|| {
            tracing::error!(?code, "a stored voucher code does not open");
            AppError::Unforeseen
        })
    }
}

/// What a sealed code is bound to: copied to another's row it does not open.
fn owner(code: CodeNo) -> String {
    format!("voucher code {} {}", code.carton, code.index)
}
