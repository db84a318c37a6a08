//! A partner's tokens and keys. A token is shown once, when it is made; of keys only the public
//! halves are ever shown.

use super::{
    AdminError,
    partners::{change, find, read_number},
};
use crate::{
    app::Gateway,
    vault::{decode_hex, encode_hex},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::{
    time::UnixMs,
    voucher::partner::{KEYS_MAX, Partner, PartnerKey, TOKENS_MAX, Token},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};
use wire::voucher::{
    KeyError, SigningKey, VerifyingKey,
    generate::{SEED_LEN, generate},
};
use zeroize::Zeroizing;

/// The random bytes of a token.
const TOKEN_BYTES: usize = 32;
/// The longest that an old token or key stays good beside a new one, in seconds: 90 days.
const OVERLAP_S_MAX: i64 = 90 * 24 * 3_600;

/// A partner, and who changes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Who {
    /// The partner's number.
    pub number: u32,
    /// Who changes it.
    pub by: String,
}

/// A token to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewToken {
    /// Whose.
    #[serde(flatten)]
    pub who: Who,
    /// How long the tokens before stay good, in seconds.
    pub overlap_s: i64,
}

/// What is to change about a partner's keys.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeyChange {
    /// Whose.
    #[serde(flatten)]
    pub who: Who,
    /// A public key of the partner's, in PEM.
    pub public_pem: Option<String>,
    /// How long the keys before stay good, in seconds.
    pub overlap_s: i64,
    /// All of the partner's keys are taken away.
    pub revoke: bool,
    /// The private key that replies are signed with, PKCS#8 in PEM.
    pub reply_pem: Option<String>,
}

impl fmt::Debug for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyChange")
            .field("who", &self.who)
            .finish_non_exhaustive()
    }
}

/// Makes a token; answers it, this once.
///
/// # Errors
/// When there is no such partner, or it has too many that are good still.
pub async fn make_token(gateway: &Arc<Gateway>, new: NewToken) -> Result<Value, AdminError> {
    let mut bytes = Zeroizing::new([0_u8; TOKEN_BYTES]);
    getrandom::fill(&mut bytes[..]).map_err(|error| AdminError::new(error.to_string()))?;
    let token = Zeroizing::new(encode_hex(&bytes[..]));
    let number = new.who.number;
    put_token(gateway, new, &token).await?;
    Ok(json!({ "partner": number, "token": *token }))
}

/// Gives a partner this token.
///
/// # Errors
/// As [`make_token`].
pub(super) async fn put_token(
    gateway: &Gateway,
    new: NewToken,
    token: &str,
) -> Result<(), AdminError> {
    let number = read_number(new.who.number)?;
    let digest = gateway.vouchers.partners.digest(token);
    let end = end_of(gateway.now(), new.overlap_s)?;
    change(gateway, number, &new.who.by, |partner| {
        match end {
            Some(end) => partner
                .tokens
                .iter_mut()
                .for_each(|it| it.until = earlier(it.until, end)),
            None => partner.tokens.clear(),
        }
        if partner.tokens.len() >= TOKENS_MAX {
            return Err(too_many("tokens", "onetill partner token --revoke"));
        }
        let until = None;
        partner.tokens.push(Token { digest, until });
        Ok(format!("a new token; those before {}", said(end)))
    })
    .await?;
    Ok(())
}

/// Takes all tokens of a partner away.
///
/// # Errors
/// When there is no such partner.
pub async fn revoke_tokens(gateway: &Arc<Gateway>, who: Who) -> Result<Value, AdminError> {
    let number = read_number(who.number)?;
    change(gateway, number, &who.by, |partner| {
        partner.tokens.clear();
        Ok("all tokens are taken away".to_owned())
    })
    .await?;
    Ok(json!({ "partner": number.0 }))
}

/// Changes a partner's keys.
///
/// # Errors
/// When there is no such partner, or a key does not do.
pub async fn set_keys(gateway: &Arc<Gateway>, wanted: KeyChange) -> Result<Value, AdminError> {
    let number = read_number(wanted.who.number)?;
    let end = end_of(gateway.now(), wanted.overlap_s)?;
    let public = wanted.public_pem.as_deref().map(read_public).transpose()?;
    let sealed = match &wanted.reply_pem {
        Some(pem) => {
            let pkcs8 = read_private(pem)?;
            let sealed = gateway.vouchers.partners.seal_reply_key(number, &pkcs8);
            Some(sealed.map_err(|error| AdminError::new(error.to_string()))?)
        }
        None => None,
    };
    let changed = change(gateway, number, &wanted.who.by, |partner| {
        let mut words = Vec::new();
        if wanted.revoke {
            partner.keys.clear();
            words.push("all keys are taken away".to_owned());
        }
        if let Some(spki) = public {
            words.push(put_key(partner, spki, end)?);
        }
        if let Some(sealed) = sealed {
            partner.reply_key = Some(sealed);
            words.push("a new reply key".to_owned());
        }
        Ok(words.join(", "))
    });
    let changed = changed.await?;
    let keys: Vec<String> = changed
        .keys
        .iter()
        .map(|it| fingerprint(&it.spki))
        .collect();
    Ok(json!({ "partner": number.0, "keys": keys }))
}

/// Makes the key that replies to a partner are signed with; answers its public half. The private one
/// never leaves this process but sealed.
///
/// # Errors
/// When there is no such partner, or the system gives no random bytes.
pub async fn make_reply_key(gateway: &Arc<Gateway>, who: Who) -> Result<Value, AdminError> {
    let number = read_number(who.number)?;
    find(gateway, number)?;
    let failed = |error: &dyn fmt::Display| AdminError::new(format!("no key was made: {error}"));
    let mut seed = Zeroizing::new([0_u8; SEED_LEN]);
    getrandom::fill(&mut seed[..]).map_err(|error| failed(&error))?;
    // Looking for primes takes a while, and requests are not to wait for it.
    let made = tokio::task::spawn_blocking(move || generate(&seed)).await;
    let pkcs8 = made.map_err(|error| failed(&error))?;
    let pkcs8 = pkcs8.map_err(|error| failed(&error))?;
    let sealed = gateway.vouchers.partners.seal_reply_key(number, &pkcs8);
    let sealed = sealed.map_err(|error| failed(&error))?;
    change(gateway, number, &who.by, |partner| {
        partner.reply_key = Some(sealed);
        Ok("a new reply key, made here".to_owned())
    })
    .await?;
    show_reply_key(gateway, who.number).await
}

fn put_key(partner: &mut Partner, spki: String, end: Option<UnixMs>) -> Result<String, AdminError> {
    partner.keys.retain(|it| it.spki != spki);
    match end {
        Some(end) => partner
            .keys
            .iter_mut()
            .for_each(|it| it.until = earlier(it.until, end)),
        None => partner.keys.clear(),
    }
    if partner.keys.len() >= KEYS_MAX {
        return Err(too_many("keys", "onetill partner key --revoke"));
    }
    let what = format!("key {}; those before {}", fingerprint(&spki), said(end));
    partner.keys.push(PartnerKey { spki, until: None });
    Ok(what)
}

/// The public half of the key that replies to a partner are signed with, in PEM.
///
/// # Errors
/// When there is no such partner, or it has none.
pub async fn show_reply_key(gateway: &Arc<Gateway>, number: u32) -> Result<Value, AdminError> {
    let known = find(gateway, read_number(number)?)?;
    let key = gateway.vouchers.partners.reply_key(&known.partner)?;
    let key = key.ok_or_else(|| {
        AdminError::new(
            "replies to this partner are not signed; make a key for them with --generate",
        )
    })?;
    Ok(json!({ "partner": number, "public_pem": key.verifying_key().to_pem() }))
}

/// How people tell keys apart: the beginning of the SHA-256 of the public key.
pub(super) fn fingerprint(spki: &str) -> String {
    let digest = Sha256::digest(decode_hex(spki).unwrap_or_default());
    encode_hex(digest.first_chunk::<8>().map_or(&[], |it| &it[..]))
}

/// When what was good before stops being good; `None` at once.
fn end_of(now: UnixMs, overlap_s: i64) -> Result<Option<UnixMs>, AdminError> {
    match overlap_s {
        0 => Ok(None),
        1..=OVERLAP_S_MAX => Ok(Some(now.plus_s(overlap_s))),
        _ => Err(AdminError::new("an overlap is at most 90 days")),
    }
}

fn earlier(one: Option<UnixMs>, other: UnixMs) -> Option<UnixMs> {
    Some(one.map_or(other, |one| one.min(other)))
}

fn said(end: Option<UnixMs>) -> &'static str {
    match end {
        Some(_) => "stay good for a while",
        None => "are void",
    }
}

fn too_many(what: &str, instead: &str) -> AdminError {
    AdminError::new(format!(
        "the partner has too many {what} that are good still; wait until one ends, or begin anew \
         with `{instead}`"
    ))
}

fn read_public(pem: &str) -> Result<String, AdminError> {
    let key = VerifyingKey::from_pem(pem).map_err(|error| wrong_key("public", error))?;
    Ok(encode_hex(&key.spki_der()))
}

pub(super) fn read_private(pem: &str) -> Result<Zeroizing<Vec<u8>>, AdminError> {
    SigningKey::from_pem(pem).map_err(|error| wrong_key("private", error))?;
    let lines = pem
        .lines()
        .filter(|it| !it.trim_start().starts_with("-----"));
    let base64: Zeroizing<String> = Zeroizing::new(lines.flat_map(str::split_whitespace).collect());
    let pkcs8 = BASE64_STANDARD.decode(base64.as_bytes());
    pkcs8
        .map(Zeroizing::new)
        .map_err(|_| wrong_key("private", KeyError::NotText))
}

fn wrong_key(which: &str, error: KeyError) -> AdminError {
    AdminError::new(format!(
        "the {which} key: {error}. One is made with `openssl genpkey -algorithm RSA -pkeyopt \
         rsa_keygen_bits:2048 -out key.pem`, its public half with `openssl pkey -in key.pem \
         -pubout -out key.pub.pem`"
    ))
}
