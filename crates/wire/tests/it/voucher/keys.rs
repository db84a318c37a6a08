//! RSA keys, as openssl makes them. All of these were made for this test.

use wire::voucher::generate::generate;
use wire::voucher::{KeyError, SigningKey, VerifyingKey};

const PRIVATE: &str = include_str!("keys/private.pem");
const PUBLIC: &str = include_str!("keys/public.pem");

fn base64_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

/// Why a private key is refused.
fn refused(pem: &str) -> Option<KeyError> {
    SigningKey::from_pem(pem).err()
}

#[test]
fn a_pair_belongs_together() {
    let private = SigningKey::from_pem(PRIVATE).ok().unwrap();
    let public = VerifyingKey::from_pem(PUBLIC).unwrap();
    assert_eq!(private.verifying_key(), public);
    assert_eq!(private.public_spki_der(), public.spki_der());
    assert_eq!(public.bits(), 2048);
    assert_eq!(public.to_pem(), PUBLIC);
    assert_eq!(VerifyingKey::from_spki_der(&public.spki_der()), Ok(public));
}

#[test]
fn base64_alone_will_do() {
    let public = VerifyingKey::from_pem(PUBLIC);
    assert_eq!(VerifyingKey::from_pem(&base64_of(PUBLIC)), public);
    let wrapped = PUBLIC
        .lines()
        .skip(1)
        .take(7)
        .collect::<Vec<_>>()
        .join("\r\n ");
    assert_eq!(VerifyingKey::from_pem(&wrapped), public);
    let private = SigningKey::from_pem(&base64_of(PRIVATE)).ok().unwrap();
    assert_eq!(Ok(private.verifying_key()), public);
}

#[test]
fn short_keys_are_none() {
    let short = KeyError::TooShort { bits: 1024 };
    assert_eq!(refused(include_str!("keys/private_1024.pem")), Some(short));
    let public = VerifyingKey::from_pem(include_str!("keys/public_1024.pem"));
    assert_eq!(public, Err(short));
}

#[test]
fn other_algorithms_are_none() {
    assert_eq!(
        refused(include_str!("keys/private_ec.pem")),
        Some(KeyError::NotRsa)
    );
    let public = VerifyingKey::from_pem(include_str!("keys/public_ec.pem"));
    assert_eq!(public, Err(KeyError::NotRsa));
}

#[test]
fn what_is_no_key_is_told_apart() {
    let private = base64_of(PRIVATE);
    for (text, error) in [
        ("", KeyError::NotText),
        ("-----BEGIN PUBLIC KEY-----", KeyError::NotText),
        (
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
            KeyError::NotText,
        ),
        ("not a key!", KeyError::NotText),
        ("AAAA", KeyError::Malformed),
        (PRIVATE, KeyError::NotText),
        (private.as_str(), KeyError::Malformed),
    ] {
        assert_eq!(VerifyingKey::from_pem(text), Err(error));
    }
    assert_eq!(refused(PUBLIC), Some(KeyError::NotText));
    assert_eq!(refused(&base64_of(PUBLIC)), Some(KeyError::Malformed));
}

#[test]
fn a_damaged_public_key_is_refused_wherever_it_is_damaged() {
    let spki = VerifyingKey::from_pem(PUBLIC).unwrap().spki_der();
    for len in 0..spki.len() {
        assert!(VerifyingKey::from_spki_der(&spki[..len]).is_err(), "{len}");
    }
    let longer = [&spki[..], &[0]].concat();
    assert_eq!(
        VerifyingKey::from_spki_der(&longer),
        Err(KeyError::Malformed)
    );
    // Its structure: all but the two numbers and the zero before the modulus.
    for at in (0..32).chain(spki.len() - 5..spki.len() - 3) {
        let mut damaged = spki.clone();
        damaged[at] ^= 0x55;
        assert!(VerifyingKey::from_spki_der(&damaged).is_err(), "{at}");
    }
}

#[test]
fn even_numbers_are_no_key() {
    let spki = VerifyingKey::from_pem(PUBLIC).unwrap().spki_der();
    // The last byte of the modulus, and of the exponent.
    for at in [spki.len() - 6, spki.len() - 1] {
        let mut even = spki.clone();
        even[at] &= 0xFE;
        assert_eq!(VerifyingKey::from_spki_der(&even), Err(KeyError::Unsound));
    }
}

#[test]
fn a_seed_makes_one_key() {
    let made = generate(&[7; 32]).unwrap();
    let key = SigningKey::from_pkcs8(&made).ok().unwrap();
    let public = VerifyingKey::from_spki_der(&key.public_spki_der()).unwrap();
    assert_eq!(public.bits(), 2048);
    let signature = key.sign(b"text").unwrap();
    assert_eq!(public.verify(b"text", &signature), Ok(()));
    assert_eq!(generate(&[7; 32]), Ok(made));
    let other = SigningKey::from_pkcs8(&generate(&[8; 32]).unwrap())
        .ok()
        .unwrap();
    assert_ne!(other.verifying_key(), public);
}
