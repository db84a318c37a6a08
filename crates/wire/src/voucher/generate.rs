//! Makes RSA keys of 2048 bits for the gateway's own signatures. Chance is a seed of the caller's.
//!
//! *ring* makes no RSA keys and aws-lc needs a C toolchain of its own, so the primes come from
//! `crypto-primes`, and the key is put together here.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng as _;
use crypto_bigint::{NonZero, U1024, U2048, Uint};
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use zeroize::Zeroizing;

use super::der::{self, INTEGER, OCTET_STRING, SEQUENCE};
use super::key::KeyError;

/// Bytes of a seed.
pub const SEED_LEN: usize = 32;
/// Bits of each of the two primes. Both have their two highest bits set, so that the modulus has
/// exactly twice as many.
const PRIME_BITS: u32 = 1024;
/// The public exponent.
const EXPONENT: u32 = 65_537;
/// Pairs of primes that are tried. One pair in 32,000 does not go with the exponent.
const TRIES_MAX: usize = 4;

/// Makes a private key, in PKCS#8 for [`SigningKey`](super::SigningKey), out of fresh random
/// bytes that are used for nothing else. The same bytes make the same key. It takes a moment: do
/// it where nobody waits.
///
/// # Errors
///
/// [`KeyError::NotMade`], which a random seed has practically never.
pub fn generate(seed: &[u8; SEED_LEN]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut random = ChaCha20Rng::from_seed(*seed);
    let mut keys = (0..TRIES_MAX).map(|_| {
        let (one, other) = (prime(&mut random)?, prime(&mut random)?);
        let is_larger = *one > *other;
        let (p, q) = if is_larger {
            (one, other)
        } else {
            (other, one)
        };
        pkcs8(&p, &q)
    });
    keys.find_map(|key| key).ok_or(KeyError::NotMade)
}

fn prime(random: &mut ChaCha20Rng) -> Option<Zeroizing<U1024>> {
    let factory = SmallFactorsSieveFactory::new(Flavor::Any, PRIME_BITS, SetBits::TwoMsb).ok()?;
    let is_prime = |_: &mut ChaCha20Rng, candidate: &U1024| is_prime(Flavor::Any, candidate);
    let found = sieve_and_find(random, factory, is_prime).ok()?;
    found.map(Zeroizing::new)
}

/// The key of two primes, the larger first; `None` when they do not go with the exponent.
fn pkcs8(p: &U1024, q: &U1024) -> Option<Zeroizing<Vec<u8>>> {
    let p_less_one = Zeroizing::new(p.wrapping_sub(&U1024::ONE));
    let q_less_one = Zeroizing::new(q.wrapping_sub(&U1024::ONE));
    let totient: Zeroizing<U2048> = Zeroizing::new(p_less_one.concatenating_mul(&*q_less_one));
    let modulus: U2048 = p.concatenating_mul(q);
    let numbers = [
        integer(&U1024::ZERO),
        integer(&modulus),
        integer(&U1024::from(EXPONENT)),
        integer(&*inverse(&U2048::from(EXPONENT), &totient)?),
        integer(p),
        integer(q),
        integer(&*inverse(&U1024::from(EXPONENT), &p_less_one)?),
        integer(&*inverse(&U1024::from(EXPONENT), &q_less_one)?),
        integer(&*inverse(q, p)?),
    ];
    let numbers: Vec<&[u8]> = numbers.iter().map(|number| number.as_slice()).collect();
    let pkcs1 = Zeroizing::new(der::element(SEQUENCE, &numbers));
    let inside = Zeroizing::new(der::element(OCTET_STRING, &[&pkcs1]));
    let version = integer(&U1024::ZERO);
    Some(Zeroizing::new(der::element(
        SEQUENCE,
        &[&version, &der::rsa(), &inside],
    )))
}

fn inverse<const LIMBS: usize>(
    number: &Uint<LIMBS>,
    modulus: &Uint<LIMBS>,
) -> Option<Zeroizing<Uint<LIMBS>>> {
    let modulus = NonZero::new(*modulus).into_option()?;
    number
        .invert_mod(&modulus)
        .into_option()
        .map(Zeroizing::new)
}

/// A number as an INTEGER in its shortest form.
fn integer<const LIMBS: usize>(number: &Uint<LIMBS>) -> Zeroizing<Vec<u8>> {
    let bytes = Zeroizing::new(number.to_be_bytes().as_slice().to_vec());
    let unused = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(unused..).unwrap_or_default();
    let needs_sign = digits.first().is_none_or(|first| first & 0x80 != 0);
    let sign: &[u8] = if needs_sign { &[0] } else { &[] };
    Zeroizing::new(der::element(INTEGER, &[sign, digits]))
}
