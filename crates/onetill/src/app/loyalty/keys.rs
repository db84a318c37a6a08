//! Terminals' keys: made, sealed into their rows, opened once for each set and kept open.

use crate::vault::{Vault, VaultError, decode_hex, encode_hex};
use domain::{
    command::loyalty::NewKeys,
    ids::TenantId,
    loyalty::{
        sealed::Sealed,
        terminal::{self, KeyLayout, MasterKey, Terminal},
    },
    time::UnixMs,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use wire::jpos::{Key, Layout, WorkingKeys, key::SingleKey, working_keys::RANDOM_LEN};
use zeroize::Zeroizing;

/// How many sets of keys are kept open; beyond it all are opened again when they are needed.
const OPEN_MAX: usize = 50_000;

/// Why a terminal's keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The vault failed; see there.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What was sealed is no key.
    #[error("a terminal's stored key is damaged; inject its master key again")]
    Damaged,
}

/// Which set of keys of which terminal: the tenant, the terminal's index, the generation.
type SetKey = (TenantId, i64, i64);

/// Makes, seals and opens keys. Has no `Debug`.
pub struct KeyRing {
    vault: Vault,
    open: Mutex<HashMap<SetKey, Arc<WorkingKeys>>>,
}

impl KeyRing {
    /// A ring that seals with `vault`.
    #[must_use]
    pub fn new(vault: Vault) -> Self {
        Self {
            vault,
            open: Mutex::default(),
        }
    }

    /// A master key as it is stored for `terminal`.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal_master(
        &self,
        terminal: &Terminal,
        key: &Key,
        now: UnixMs,
    ) -> Result<MasterKey, KeyError> {
        Ok(MasterKey {
            key: self.seal(&owner("master key", terminal), key.bytes())?,
            check: key.check_value().to_string(),
            at: now,
        })
    }

    /// A terminal's master key.
    ///
    /// # Errors
    /// When it does not open.
    pub fn master(&self, terminal: &Terminal, key: &MasterKey) -> Result<Key, KeyError> {
        self.open_key(&owner("master key", terminal), &key.key)
    }

    /// Fresh working keys for `terminal`: as they are handed out, and as they are stored.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn fresh(&self, terminal: &Terminal) -> Result<(WorkingKeys, NewKeys), KeyError> {
        let keys = draw(layout(terminal.profile.key_layout))?;
        let sealed = NewKeys {
            pin_key: self.seal(&owner("PIN key", terminal), keys.pin.bytes())?,
            pin_key_check: keys.pin.check_value().to_string(),
            mac_key: self.seal(&owner("MAC key", terminal), keys.mac.bytes())?,
            mac_key_check: keys.mac.check_value().to_string(),
        };
        Ok((keys, sealed))
    }

    /// The open form of one of a terminal's sets of working keys.
    ///
    /// # Errors
    /// When they do not open.
    pub fn working(
        &self,
        terminal: &Terminal,
        keys: &terminal::WorkingKeys,
    ) -> Result<Arc<WorkingKeys>, KeyError> {
        let set = (terminal.tenant, terminal.index, keys.generation.0);
        let known = self.opened().get(&set).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let mac = self.open_key(&owner("MAC key", terminal), &keys.mac_key)?;
        let mac = mac.bytes().try_into().map_err(|_| KeyError::Damaged)?;
        let opened = Arc::new(WorkingKeys {
            pin: self.open_key(&owner("PIN key", terminal), &keys.pin_key)?,
            mac: SingleKey::new(mac),
        });
        self.keep(set, &opened);
        Ok(opened)
    }

    fn keep(&self, set: SetKey, keys: &Arc<WorkingKeys>) {
        let mut open = self.opened();
        if open.len() >= OPEN_MAX {
            open.clear();
        }
        open.insert(set, Arc::clone(keys));
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, HashMap<SetKey, Arc<WorkingKeys>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seal(&self, owner: &str, key: &[u8]) -> Result<Sealed, KeyError> {
        Ok(Sealed(encode_hex(&self.vault.seal(owner, key)?)))
    }

    fn open_key(&self, owner: &str, sealed: &Sealed) -> Result<Key, KeyError> {
        let bytes = decode_hex(&sealed.0).ok_or(KeyError::Damaged)?;
        let key = self.vault.open_sealed(owner, &bytes)?;
        Key::from_bytes(&key).map_err(|_| KeyError::Damaged)
    }
}

/// Keys that may not be weak; the first draw will do but once in 2⁵² times.
fn draw(layout: Layout) -> Result<WorkingKeys, KeyError> {
    loop {
        let mut random = Zeroizing::new([0; RANDOM_LEN]);
        getrandom::fill(&mut random[..]).map_err(|_| VaultError::Random)?;
        if let Some(keys) = WorkingKeys::from_random(layout, &random) {
            return Ok(keys);
        }
    }
}

/// What a sealed key belongs to: it opens for nothing else.
fn owner(what: &str, terminal: &Terminal) -> String {
    let (store, number) = (terminal.store.as_str(), terminal.number.as_str());
    format!("{what}/{}/{store}/{number}", terminal.tenant.0)
}

/// How a terminal's working keys are laid out, in the dialect's words.
#[must_use]
pub const fn layout(layout: KeyLayout) -> Layout {
    match layout {
        KeyLayout::Bytes24 => Layout::Short,
        KeyLayout::Bytes40 => Layout::Long,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::loyalty::{
        card::DayUse,
        store::StoreNo,
        terminal::{Profile, TerminalNo, WorkingKeys as Stored},
    };

    const MASTER: &str = "CA5D92598DCA48CE8A4C76361A9269E9";

    fn ring() -> KeyRing {
        KeyRing::new(Vault::from_hex("ab".repeat(32).as_bytes()).unwrap())
    }

    fn terminal(number: &str, layout: KeyLayout) -> Terminal {
        Terminal {
            tenant: TenantId(1),
            store: StoreNo::parse("S1").unwrap(),
            number: TerminalNo::parse(number).unwrap(),
            index: 1,
            blocked: false,
            profile: Profile {
                key_layout: layout,
                ..Profile::default()
            },
            master_key: None,
            keys: None,
            keys_before: None,
            key_count: 0,
            mac_failures: 0,
            check_in: None,
            batch: None,
            trans_count: 0,
            today: DayUse::default(),
            codes_sent_at: Vec::new(),
            updated_at: UnixMs(0),
        }
    }

    fn stored(new: NewKeys, generation: i64) -> Stored {
        Stored {
            generation: terminal::KeyGeneration(generation),
            pin_key: new.pin_key,
            pin_key_check: new.pin_key_check,
            mac_key: new.mac_key,
            mac_key_check: new.mac_key_check,
        }
    }

    #[test]
    fn what_a_terminal_is_handed_is_what_is_stored() {
        let ring = ring();
        for layout in [KeyLayout::Bytes24, KeyLayout::Bytes40] {
            let terminal = terminal("T1", layout);
            let (handed, new) = ring.fresh(&terminal).unwrap();
            let master = Key::parse_hex(MASTER).unwrap();
            let received = WorkingKeys::unwrap(&master, &handed.wrap(&master)).unwrap();
            let keys = stored(new, i64::from(layout == KeyLayout::Bytes40));
            // Opened, and found open.
            for _ in 0..2 {
                let opened = ring.working(&terminal, &keys).unwrap();
                assert_eq!(opened.pin.bytes(), received.pin.bytes());
                assert_eq!(opened.mac.bytes(), received.mac.bytes());
                assert_eq!(opened.layout(), received.layout());
            }
            let odd = |bytes: &[u8]| bytes.iter().all(|it| it.count_ones() % 2 == 1);
            assert!(odd(received.pin.bytes()) && odd(received.mac.bytes()));
        }
    }

    #[test]
    fn a_sealed_key_opens_for_its_terminal_only() {
        let ring = ring();
        let (own, other) = (
            terminal("T1", KeyLayout::Bytes24),
            terminal("T2", KeyLayout::Bytes24),
        );
        let key = Key::parse_hex(MASTER).unwrap();
        let sealed = ring.seal_master(&own, &key, UnixMs(0)).unwrap();
        assert_eq!(ring.master(&own, &sealed).unwrap().bytes(), key.bytes());
        assert!(ring.master(&other, &sealed).is_err());
        let (_, new) = ring.fresh(&own).unwrap();
        let keys = stored(new, 1);
        assert!(ring.working(&other, &keys).is_err());
        // Nor does a PIN key open as a MAC key.
        let swapped = Stored {
            mac_key: keys.pin_key.clone(),
            generation: terminal::KeyGeneration(2),
            ..keys
        };
        assert!(ring.working(&own, &swapped).is_err());
    }

    #[test]
    fn a_damaged_row_is_told_from_a_wrong_master_key() {
        let ring = ring();
        let own = terminal("T1", KeyLayout::Bytes24);
        let damaged = MasterKey {
            key: Sealed("xyz".to_owned()),
            check: String::new(),
            at: UnixMs(0),
        };
        let error = ring.master(&own, &damaged).err().unwrap();
        assert!(matches!(error, KeyError::Damaged), "{error}");
    }
}
