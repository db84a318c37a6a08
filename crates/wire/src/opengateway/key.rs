//! The merchant's key: shared secret of signature and cipher.

use zeroize::Zeroizing;

/// A merchant's key. It has no `Debug` and no `Display`, and is wiped when dropped.
#[derive(Clone)]
pub struct MerchantKey(Zeroizing<String>);

impl MerchantKey {
    /// Takes the key's characters as they were given to the merchant.
    pub fn new(characters: impl Into<String>) -> Self {
        Self(Zeroizing::new(characters.into()))
    }

    /// The key's UTF-8 bytes, for the digest and the cipher only.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The key with its letters in lower and in upper case, for the diagnosis of a mistyped key.
    pub(super) fn in_other_cases(&self) -> [Self; 2] {
        [
            Self::new(self.0.to_lowercase()),
            Self::new(self.0.to_uppercase()),
        ]
    }
}
