//! Master keys and working keys, against published values.

use wire::jpos::key::KeyError;
use wire::jpos::working_keys::{RANDOM_LEN, WorkingKeyError};
use wire::jpos::{Key, Layout, WorkingKeys};

const MASTER: &str = "CA5D92598DCA48CE8A4C76361A9269E9";
const PIN_KEY: &str = "807A23AD32B36D457AE91FDF927570EA";
const MAC_KEY: &str = "5BB5C72CD00B7338";
/// PIN key and its check value, MAC key, zeros and its check value, under [`MASTER`].
const WORKING_KEY: &str =
    "6701EAD6A9AD51E51AA406E2C27FCFA98D0A74B8B651F9E9BACE9AE10000000000000000AB7153CA";

fn key(text: &str) -> Key {
    Key::parse_hex(text).ok().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn error(master: &str, text: &str) -> WorkingKeyError {
    WorkingKeys::unwrap(&key(master), text).err().unwrap()
}

#[test]
fn the_published_working_keys_are_unwrapped() {
    let keys = WorkingKeys::unwrap(&key(MASTER), WORKING_KEY).ok().unwrap();
    assert_eq!(hex(keys.pin.bytes()), PIN_KEY);
    assert_eq!(hex(keys.mac.bytes()), MAC_KEY);
    assert_eq!(keys.pin.check_value().to_string(), "8D0A74B8");
    assert_eq!(keys.mac.check_value().to_string(), "AB7153CA");
    assert!(keys.layout() == Layout::Long);
    assert_eq!(keys.wrap(&key(MASTER)), WORKING_KEY);
    let lowercase = WORKING_KEY.to_lowercase();
    assert!(WorkingKeys::unwrap(&key(MASTER), &lowercase).is_ok());
}

#[test]
fn both_layouts_come_back() {
    let random: [u8; RANDOM_LEN] = std::array::from_fn(|n| u8::try_from(n * 7 + 3).unwrap());
    for (layout, length) in [(Layout::Short, 48), (Layout::Long, 80)] {
        for master in [MASTER, MAC_KEY] {
            let keys = WorkingKeys::from_random(layout, &random).unwrap();
            let text = keys.wrap(&key(master));
            assert_eq!(text.len(), length);
            let again = WorkingKeys::unwrap(&key(master), &text).ok().unwrap();
            assert!(again.layout() == layout);
            assert_eq!(again.pin.bytes(), keys.pin.bytes());
            assert_eq!(again.mac.bytes(), keys.mac.bytes());
        }
    }
}

#[test]
fn another_master_key_is_noticed() {
    assert_eq!(error(PIN_KEY, WORKING_KEY), WorkingKeyError::PinKey);
    let mut damaged = WORKING_KEY.to_owned();
    damaged.replace_range(79..80, "B");
    assert_eq!(error(MASTER, &damaged), WorkingKeyError::MacKey);
}

#[test]
fn other_layouts_are_refused() {
    let with_text_in_the_zeros = WORKING_KEY.replace("0000000000000000", "0000000000000001");
    for text in [
        "",
        "6701",
        &WORKING_KEY[..78],
        &format!("{WORKING_KEY}00"),
        &WORKING_KEY.replace('A', "G"),
        &with_text_in_the_zeros,
        &"密".repeat(16),
        &Layout::Short.zero_keys()[1..],
    ] {
        assert_eq!(error(MASTER, text), WorkingKeyError::Malformed, "{text}");
    }
}

#[test]
fn zero_keys_have_the_layouts_length() {
    assert_eq!(Layout::Short.zero_keys(), "0".repeat(48));
    assert_eq!(Layout::Long.zero_keys(), "0".repeat(80));
    assert_eq!(
        error(MASTER, &Layout::Short.zero_keys()),
        WorkingKeyError::PinKey
    );
}

#[test]
fn new_keys_have_odd_parity_and_are_not_weak() {
    let random = [0xA5; RANDOM_LEN];
    assert!(
        WorkingKeys::from_random(Layout::Short, &random).is_none(),
        "two equal halves"
    );
    assert!(WorkingKeys::from_random(Layout::Long, &[0; RANDOM_LEN]).is_none());
    let random: [u8; RANDOM_LEN] = std::array::from_fn(|n| u8::try_from(n * 11).unwrap());
    let keys = WorkingKeys::from_random(Layout::Long, &random).unwrap();
    let all = keys.pin.bytes().iter().chain(keys.mac.bytes());
    assert!(all.clone().all(|byte| byte.count_ones() % 2 == 1));
    let bits = all.zip(random).map(|(key, random)| key ^ random);
    assert!(bits.into_iter().all(|bit| bit <= 1));
}

#[test]
fn a_master_key_is_put_together_of_two_parts() {
    let first = key("0123456789ABCDEFFEDCBA9876543210");
    let (mask, whole) = (first.bytes(), key(MASTER));
    let pairs = whole.bytes().iter().zip(mask);
    let second: Vec<u8> = pairs.map(|(one, other)| one ^ other).collect();
    let second = Key::from_bytes(&second).ok().unwrap();
    let together = Key::from_parts(&first, &second).ok().unwrap();
    assert_eq!(hex(together.bytes()), MASTER);
    let error = Key::from_parts(&first, &key(MAC_KEY)).err();
    assert_eq!(error, Some(KeyError::PartsDiffer));
}

#[test]
fn a_check_value_is_compared_with_the_one_on_paper() {
    let check = key(MAC_KEY).check_value();
    for named in ["AB7153CA", "ab7153ca", "AB7153", "AB7153C"] {
        assert!(check.is_named_by(named), "{named}");
    }
    for other in [
        "",
        "AB71",
        "AB715",
        "AB7153CB",
        "AB7153CA00",
        "CB7153",
        "密密",
    ] {
        assert!(!check.is_named_by(other), "{other}");
    }
}

#[test]
fn keys_are_16_or_32_digits() {
    for text in [
        "",
        "00",
        "5BB5C72CD00B733",
        "5BB5C72CD00B733G",
        &MASTER[..30],
    ] {
        assert_eq!(
            Key::parse_hex(text).err(),
            Some(KeyError::NotAKey),
            "{text}"
        );
    }
    assert_eq!(Key::from_bytes(&[0; 15]).err(), Some(KeyError::NotAKey));
    assert_eq!(hex(key(&MASTER.to_lowercase()).bytes()), MASTER);
}
