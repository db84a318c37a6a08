//! PIN blocks, against published values.

use wire::jpos::pin::PinError;
use wire::jpos::{Key, Pin, PinBlock};

const CARD: &str = "123456789012345678";

fn pin(digits: &str) -> Pin {
    Pin::parse(digits).ok().unwrap()
}

fn key() -> Key {
    Key::parse_hex("807A23AD32B36D457AE91FDF927570EA")
        .ok()
        .unwrap()
}

fn clear(card_no: &str) -> String {
    let block = pin("123456").clear_block(card_no).ok().unwrap();
    block.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Encrypts a clear block as if it were a PIN's, by way of the key's own working.
fn sealed(clear: &str) -> PinBlock {
    use des::cipher::{BlockCipherEncrypt, KeyInit};
    let bytes = u64::from_str_radix(clear, 16).unwrap().to_be_bytes();
    let cipher = des::TdesEde2::new_from_slice(key().bytes()).unwrap();
    let mut block = bytes.into();
    cipher.encrypt_block(&mut block);
    let hex: String = block.iter().map(|byte| format!("{byte:02X}")).collect();
    PinBlock::parse(&hex).ok().unwrap()
}

fn refusal(clear: &str, card_no: &str) -> PinError {
    sealed(clear).open(&key(), card_no).err().unwrap()
}

#[test]
fn the_published_clear_blocks() {
    assert_eq!(clear(CARD), "061253DFFEDCBA98");
    assert_eq!(clear("1234567890123456"), "0612713176FEDCBA");
}

#[test]
fn a_short_card_number_is_filled_with_zeros() {
    // The last digit, which checks the others, is not in the block.
    assert_eq!(clear("1234567"), by_hand("123456"));
    assert_eq!(clear(CARD), by_hand("678901234567"));
    assert_eq!(clear("7"), by_hand(""));
}

/// 0, 6, 123456, F to the end, XOR four zeros and 12 digits.
fn by_hand(card_digits: &str) -> String {
    let card = u64::from_str_radix(&format!("{card_digits:0>16}"), 16).unwrap();
    format!("{:016X}", 0x0612_3456_FFFF_FFFF_u64 ^ card)
}

#[test]
fn what_is_sealed_is_opened() {
    for digits in ["0000", "1234", "123456", "987654321098"] {
        let block = PinBlock::seal(&key(), &pin(digits), CARD).ok().unwrap();
        let text = block.to_hex();
        let received = PinBlock::parse(&text.to_lowercase()).ok().unwrap();
        let opened = received.open(&key(), CARD).ok().unwrap();
        assert_eq!(opened.digits(), digits);
    }
}

#[test]
fn a_single_length_pin_key_works_as_well() {
    let key = Key::parse_hex("5BB5C72CD00B7338").ok().unwrap();
    let block = PinBlock::seal(&key, &pin("4321"), CARD).ok().unwrap();
    assert_eq!(block.open(&key, CARD).ok().unwrap().digits(), "4321");
}

#[test]
fn each_part_of_a_block_is_checked() {
    // The card number 0 leaves the clear block as it is.
    for (block, error) in [
        ("161234FFFFFFFFFF", PinError::Control),
        ("F41234FFFFFFFFFF", PinError::Control),
        ("03123FFFFFFFFFFF", PinError::Length),
        ("00FFFFFFFFFFFFFF", PinError::Length),
        ("0D1234567890123F", PinError::Length),
        ("04123AFFFFFFFFFF", PinError::Digit),
        ("041234FFFFFFFFF0", PinError::Padding),
        ("0412345FFFFFFFFF", PinError::Padding),
        ("0C1234567890120F", PinError::Padding),
    ] {
        assert_eq!(refusal(block, "0"), error, "{block}");
    }
    assert!(sealed("0C123456789012FF").open(&key(), "0").is_ok());
    assert!(sealed("041234FFFFFFFFFF").open(&key(), "0").is_ok());
}

#[test]
fn another_card_or_key_is_noticed() {
    let block = PinBlock::seal(&key(), &pin("123456"), CARD).ok().unwrap();
    assert_eq!(
        block.open(&key(), "123456789012345688").err(),
        Some(PinError::Padding)
    );
    let other = Key::parse_hex("5BB5C72CD00B7338").ok().unwrap();
    assert!(block.open(&other, CARD).is_err());
}

#[test]
fn pins_blocks_and_card_numbers_have_their_form() {
    for (text, error) in [
        ("123", PinError::Length),
        ("1234567890123", PinError::Length),
        ("12a4", PinError::Digit),
        ("١٢", PinError::Digit),
    ] {
        assert_eq!(Pin::parse(text).err(), Some(error), "{text}");
    }
    for text in [
        "",
        "061253DFFEDCBA9",
        "061253DFFEDCBA9G",
        "061253DFFEDCBA9800",
    ] {
        assert_eq!(
            PinBlock::parse(text).err(),
            Some(PinError::NotABlock),
            "{text}"
        );
    }
    for card_no in ["", "12A4", " 123"] {
        let sealed = PinBlock::seal(&key(), &pin("1234"), card_no);
        assert_eq!(sealed.err(), Some(PinError::CardNo), "{card_no}");
    }
}
