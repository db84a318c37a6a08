//! PINs against their stored hashes. The hash is slow and keyed with a key of the master key's, so
//! that a stolen database alone does not tell PINs of six digits.

use crate::{app::AppError, vault::Vault};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::sync::Arc;
use tokio::{sync::Semaphore, task::spawn_blocking};
use wire::jpos::Pin;
use zeroize::Zeroizing;

/// So many hashes are computed at the same time; each takes 19 MiB and some 20 ms of a core.
const AT_ONCE: usize = 4;
const SALT_BYTES: usize = 16;

/// Hashes PINs and compares them. Has no `Debug`.
#[derive(Clone)]
pub struct Pins {
    key: Zeroizing<[u8; 32]>,
    effort: Effort,
}

/// What a hash costs, and who computes it.
#[derive(Clone)]
enum Effort {
    /// As much as guessing is to cost, on threads of its own.
    Full(Arc<Semaphore>),
    /// Next to nothing, on the spot: a simulation's run must not depend on other threads.
    Least,
}

impl Pins {
    /// With a key of the vault's.
    #[must_use]
    pub fn new(vault: &Vault) -> Self {
        Self {
            key: vault.derive("card PINs"),
            effort: Effort::Full(Arc::new(Semaphore::new(AT_ONCE))),
        }
    }

    /// With hashes that nobody has to guess: only for simulations.
    #[must_use]
    pub fn of_simulation(vault: &Vault) -> Self {
        Self {
            effort: Effort::Least,
            ..Self::new(vault)
        }
    }

    /// A fresh hash of `pin`, in the PHC string format.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub async fn hash(&self, pin: Pin) -> Result<String, AppError> {
        let key = self.key.clone();
        let params = self.effort.params();
        let hash = self.compute(move || {
            let mut salt = [0; SALT_BYTES];
            getrandom::fill(&mut salt).ok()?;
            let hash: PasswordHash = hasher(&key[..], params)?
                .hash_password_with_salt(pin.digits().as_bytes(), &salt)
                .ok()?;
            Some(hash.to_string())
        });
        hash.await
    }

    /// Whether `pin` is the one that was hashed to `hash`.
    ///
    /// # Errors
    /// When the hash is no hash.
    pub async fn matches(&self, pin: Pin, hash: String) -> Result<bool, AppError> {
        let key = self.key.clone();
        let is_right = self.compute(move || {
            let known = PasswordHash::new(&hash).ok()?;
            let digits = pin.digits().as_bytes();
            // The hash says itself what it costs.
            let hasher = hasher(&key[..], Params::DEFAULT)?;
            Some(hasher.verify_password(digits, &known).is_ok())
        });
        is_right.await
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Option<T> + Send + 'static,
    ) -> Result<T, AppError> {
        let done = match &self.effort {
            Effort::Full(places) => {
                let place = Arc::clone(places).acquire_owned().await;
                let done = spawn_blocking(move || {
                    let _place = place;
                    work()
                });
                done.await.ok().flatten()
            }
            Effort::Least => work(),
        };
        done.ok_or_else(|| {
            tracing::error!("a PIN cannot be hashed, or a card's stored hash is damaged");
            AppError::Unforeseen
        })
    }
}

impl Effort {
    fn params(&self) -> Params {
        match self {
            Self::Full(_) => Params::DEFAULT,
            Self::Least => Params::new(
                Params::MIN_M_COST,
                Params::MIN_T_COST,
                Params::MIN_P_COST,
                None,
            )
            .unwrap_or(Params::DEFAULT),
        }
    }
}

fn hasher(key: &[u8], params: Params) -> Option<Argon2<'_>> {
    let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
    Argon2::new_with_secret(key, algorithm, version, params).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(digit: &str) -> Pins {
        Pins::new(&Vault::from_hex(digit.repeat(64).as_bytes()).unwrap())
    }

    fn pin(digits: &str) -> Pin {
        Pin::parse(digits).unwrap()
    }

    #[tokio::test]
    async fn only_the_right_pin_under_the_right_master_key_matches() {
        let hash = pins("a").hash(pin("123456")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
        let matches = async |digit, digits| pins(digit).matches(pin(digits), hash.clone()).await;
        assert_eq!(matches("a", "123456").await, Ok(true));
        assert_eq!(matches("a", "123457").await, Ok(false));
        assert_eq!(matches("b", "123456").await, Ok(false));
    }

    #[tokio::test]
    async fn two_hashes_of_one_pin_differ() {
        let pins = pins("a");
        let (one, other) = (pins.hash(pin("1234")).await, pins.hash(pin("1234")).await);
        assert_ne!(one, other);
    }

    #[tokio::test]
    async fn a_damaged_hash_is_no_wrong_pin() {
        let found = pins("a")
            .matches(pin("1234"), "$argon2id$".to_owned())
            .await;
        assert_eq!(found, Err(AppError::Unforeseen));
    }
}
