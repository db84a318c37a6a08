//! The signature of activeByPartNo and of its replies: SHA256withRSA over a canonical text.
//!
//! The canonical text is every top-level member but `sign` and empty ones, in ASCII order of the
//! names, as `name=value` joined by `&`. Values that are no texts stand there by their JSON text.

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::document::{self, Document};
use super::key::{SigningKey, VerifyingKey};
use super::name;
use super::request::RequestError;
use super::request::part_no;
use crate::node::{Members, Node};
use crate::text::without_white_space;

/// What stands in `sign` of a message that is not signed.
pub const SKIP: &str = "skip";

/// Why a signature is refused, or cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is none.
    #[error("sign is missing")]
    Missing,
    /// It says "skip".
    #[error("sign is \"skip\"")]
    Skipped,
    /// It is no Base64.
    #[error("sign is not Base64")]
    Malformed,
    /// It was not made with this key over this message.
    #[error("the signature does not match")]
    Mismatch,
    /// The message to be signed is none of this dialect.
    #[error("the message cannot be signed")]
    Unsignable,
}

/// What a message brings as its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// Nothing.
    Absent,
    /// `skip`: only some partners may.
    Skip,
    /// A signature, as it came.
    Given(String),
}

/// What a message is signed with.
#[derive(Clone, Copy)]
pub enum Signer<'k> {
    /// Nothing: `sign` is `skip`.
    Skip,
    /// A key.
    Key(&'k SigningKey),
}

impl Sign {
    /// The signature in a message or a reply.
    pub fn of(document: &Document<'_>) -> Self {
        let values = document.values();
        let found = values.into_iter().find(|(known, _)| *known == name::SIGN);
        match found {
            None => Self::Absent,
            Some((_, text)) if text == SKIP => Self::Skip,
            Some((_, text)) => Self::Given(text.into_owned()),
        }
    }

    /// Checks the signature over the document it came in.
    ///
    /// # Errors
    ///
    /// [`SignError`]: an absent and a skipped signature are errors too.
    pub fn verify(&self, key: &VerifyingKey, document: &Document<'_>) -> Result<(), SignError> {
        let text = match self {
            Self::Absent => return Err(SignError::Missing),
            Self::Skip => return Err(SignError::Skipped),
            Self::Given(text) => text,
        };
        // The sample's is broken over lines.
        let signature = BASE64_STANDARD.decode(without_white_space(text));
        let signature = signature.map_err(|_| SignError::Malformed)?;
        key.verify(canonical(document).as_bytes(), &signature)
    }
}

/// The text that is signed. It holds what the message says and no key.
pub fn canonical(document: &Document<'_>) -> String {
    let mut values = document.values();
    values.retain(|(known, _)| *known != name::SIGN);
    values.sort_unstable_by_key(|(known, _)| *known);
    let pairs = values
        .iter()
        .map(|(known, value)| format!("{known}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

/// Refuses what could be moved between members without changing the canonical text: by it,
/// anybody could turn a signed member into a part of its neighbour's value.
pub(super) fn refuse_ambiguous(document: &Document<'_>) -> Result<(), RequestError> {
    let is_ambiguous = |(known, value): &(&str, Cow<'_, str>)| {
        known.contains(['&', '=']) || value.split('&').skip(1).any(starts_a_member)
    };
    let values = document.values();
    let found = values.iter().find(|pair| is_ambiguous(pair));
    found.map_or(Ok(()), |(known, _)| {
        let field = document::label(known);
        Err(RequestError::Ambiguous { field })
    })
}

fn starts_a_member(piece: &str) -> bool {
    let name = piece.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| part_no::KNOWN.contains(&name))
}

/// A document of these members with its signature.
pub(super) fn sealed(mut members: Members<'_>, signer: Signer<'_>) -> Result<String, SignError> {
    let sign = match signer {
        Signer::Skip => SKIP.to_owned(),
        Signer::Key(key) => {
            let text = members.to_json();
            let document = Document::decode(text.as_bytes());
            let document = document.map_err(|_| SignError::Unsignable)?;
            let signature = key.sign(canonical(&document).as_bytes())?;
            BASE64_STANDARD.encode(signature)
        }
    };
    members.node(name::SIGN, Node::Text(Cow::Owned(sign)));
    Ok(members.to_json())
}
