//! The working keys of a check-in: a PIN key and a MAC key, under the terminal's master key
//! (source: "签到", `workingKey`).

use des::weak_key_test;
use zeroize::{Zeroize, Zeroizing};

use super::hex;
use super::key::{BLOCK, Block, CheckValue, DOUBLE, DoubleKey, Key, SingleKey};

/// Bytes of a check value.
const CHECK: usize = 4;
/// Bytes of randomness that a set of keys takes.
pub const RANDOM_LEN: usize = DOUBLE + BLOCK;

/// How `workingKey` is laid out; a terminal is set up for one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// 24 bytes: PIN key 8, check value 4, MAC key 8, check value 4.
    Short,
    /// 40 bytes: PIN key 16, check value 4, MAC key 8, zeros 8, check value 4.
    Long,
}

impl Layout {
    /// Bytes of `workingKey`, each two digits.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Short => BLOCK + CHECK + BLOCK + CHECK,
            Self::Long => DOUBLE + CHECK + BLOCK + BLOCK + CHECK,
        }
    }

    /// A `workingKey` without keys, for a check-in that failed: it must not be missing.
    pub fn zero_keys(self) -> String {
        "0".repeat(2 * self.bytes())
    }
}

/// Why a `workingKey` cannot be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WorkingKeyError {
    /// Not 48 or 80 hexadecimal digits, or no zeros where the long layout has them.
    #[error("workingKey is not 48 or 80 hexadecimal digits in the known layouts")]
    Malformed,
    /// The PIN key's check value does not match: another master key.
    #[error("the PIN key's check value does not match; is the master key the right one?")]
    PinKey,
    /// The MAC key's check value does not match: another master key.
    #[error("the MAC key's check value does not match; is the master key the right one?")]
    MacKey,
}

/// The keys of a terminal until its next check-in. They have no `Debug` and are wiped when dropped.
#[derive(Clone)]
pub struct WorkingKeys {
    /// Under which PIN blocks are encrypted; its length tells the layout.
    pub pin: Key,
    /// Under which MACs are made.
    pub mac: SingleKey,
}

impl WorkingKeys {
    /// Makes keys of random bytes, which get odd parity. `None` when a key is weak, which happens
    /// once in 2⁵² tries: draw again.
    pub fn from_random(layout: Layout, random: &[u8; RANDOM_LEN]) -> Option<Self> {
        let mut blocks = random.as_chunks::<BLOCK>().0.iter().map(with_odd_parity);
        let (first, second, third) = (blocks.next()?, blocks.next()?, blocks.next()?);
        let is_weak = |block: &Block| weak_key_test(block).is_err();
        if [&*first, &*second, &*third].into_iter().any(is_weak) || *first == *second {
            return None;
        }
        let pin = match layout {
            Layout::Short => Key::Single(SingleKey::new(*first)),
            Layout::Long => Key::Double(joined(&first, &second)),
        };
        let mac = SingleKey::new(*third);
        Some(Self { pin, mac })
    }

    /// How these keys are laid out.
    pub const fn layout(&self) -> Layout {
        match self.pin {
            Key::Single(_) => Layout::Short,
            Key::Double(_) => Layout::Long,
        }
    }

    /// `workingKey`: both keys under the master key, with their check values.
    pub fn wrap(&self, master: &Key) -> String {
        let mut out = String::with_capacity(2 * self.layout().bytes());
        for block in self.pin.bytes().as_chunks().0 {
            hex::push(&mut out, &master.encrypt(*block));
        }
        hex::push(&mut out, self.pin.check_value().bytes());
        hex::push(&mut out, &master.encrypt(*self.mac.bytes()));
        if self.layout() == Layout::Long {
            hex::push(&mut out, &[0; BLOCK]);
        }
        hex::push(&mut out, self.mac.check_value().bytes());
        out
    }

    /// Takes over the keys of a `workingKey`; its length tells the layout.
    ///
    /// # Errors
    ///
    /// [`WorkingKeyError`] when it is laid out otherwise or a check value does not match.
    pub fn unwrap(master: &Key, text: &str) -> Result<Self, WorkingKeyError> {
        let (pin, pin_check, mac, mac_check) = split(master, text)?;
        if !pin.check_value().matches(&pin_check) {
            return Err(WorkingKeyError::PinKey);
        }
        if !mac.check_value().matches(&mac_check) {
            return Err(WorkingKeyError::MacKey);
        }
        Ok(Self { pin, mac })
    }
}

type Parts = (Key, CheckValue, SingleKey, CheckValue);

fn split(master: &Key, text: &str) -> Result<Parts, WorkingKeyError> {
    short_parts(master, text)
        .or_else(|| long_parts(master, text))
        .ok_or(WorkingKeyError::Malformed)
}

fn short_parts(master: &Key, text: &str) -> Option<Parts> {
    let (pin, rest) = text.split_at_checked(2 * BLOCK)?;
    let (pin_check, rest) = rest.split_at_checked(2 * CHECK)?;
    let (mac, mac_check) = rest.split_at_checked(2 * BLOCK)?;
    let pin = Key::Single(opened(master, pin)?);
    Some((
        pin,
        check(pin_check)?,
        opened(master, mac)?,
        check(mac_check)?,
    ))
}

fn long_parts(master: &Key, text: &str) -> Option<Parts> {
    let (left, rest) = text.split_at_checked(2 * BLOCK)?;
    let (right, rest) = rest.split_at_checked(2 * BLOCK)?;
    let (pin_check, rest) = rest.split_at_checked(2 * CHECK)?;
    let (mac, rest) = rest.split_at_checked(2 * BLOCK)?;
    let (zeros, mac_check) = rest.split_at_checked(2 * BLOCK)?;
    if hex::decode::<BLOCK>(zeros)? != [0; BLOCK] {
        return None;
    }
    let (left, right) = (opened(master, left)?, opened(master, right)?);
    let pin = Key::Double(joined(left.bytes(), right.bytes()));
    Some((
        pin,
        check(pin_check)?,
        opened(master, mac)?,
        check(mac_check)?,
    ))
}

fn opened(master: &Key, digits: &str) -> Option<SingleKey> {
    let mut block = master.decrypt(hex::decode(digits)?);
    let key = SingleKey::new(block);
    block.zeroize();
    Some(key)
}

fn check(digits: &str) -> Option<CheckValue> {
    hex::decode(digits).map(CheckValue::new)
}

fn joined(left: &Block, right: &Block) -> DoubleKey {
    let mut bytes = Zeroizing::new([0; DOUBLE]);
    for (to, from) in bytes.iter_mut().zip(left.iter().chain(right)) {
        *to = *from;
    }
    DoubleKey::new(*bytes)
}

/// The lowest bit of each byte of a DES key makes the number of ones odd.
fn with_odd_parity(block: &Block) -> Zeroizing<Block> {
    let odd = |byte: u8| byte ^ u8::from(byte.count_ones().is_multiple_of(2));
    Zeroizing::new(block.map(odd))
}
