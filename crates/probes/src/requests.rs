//! A whole request as it comes in: the URL, the seal, the signature, the message.

use crate::{bytes::Bytes, documents};
use wire::opengateway::{
    Encryption, Format, MerchantKey, Operation, QueryString, call::Caller, explain::explain,
    query::percent_decode, request::path_code, seal, sign,
};

/// The key of the published vectors.
pub(crate) fn key() -> MerchantKey {
    MerchantKey::new("0123456789ABCDEFGHIJKLMNOPQRSTUV")
}

const TIMESTAMP: &str = "1795304887805";
const BUSI_CODE: &str = "0010000001";

/// First a few places for white space, then a line with path and query, then the body.
pub fn probe(bytes: &[u8]) {
    let mut choices = Bytes::new(bytes);
    let spaces: Vec<(u16, u8)> = (0..choices.choose(6))
        .map(|_| (choices.pair(), choices.byte()))
        .collect();
    let rest = choices.rest();
    let end = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
    let (target, body) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
    as_received(&String::from_utf8_lossy(target), body);
    documents::is_the_same_with_white_space(body, &spaced(body, &spaces));
    holds_what_was_signed(body, &spaces);
    comes_as_it_was_sent(body);
}

/// Every step that the gateway takes before it knows who asks.
fn as_received(target: &str, body: &[u8]) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    for segment in path.split('/') {
        let _ = path_code(&percent_decode(segment));
    }
    let parsed = QueryString::parse(query);
    let query = parsed.unwrap_or_else(|error| *error.understood);
    let opened = match query.encryption {
        Encryption::None => Some(body.to_vec()),
        Encryption::TripleDes => seal::open(&key(), body).ok(),
    };
    let plaintext = opened.unwrap_or_default();
    if let Some(given) = &query.sign {
        let verified = sign::verify(&key(), given, &plaintext);
        assert!(verified.is_err() || sign::signed_at_ms(given).is_none_or(|at| at >= 0));
        let _ = explain(&key(), given, &plaintext);
    }
    documents::any(&plaintext);
}

fn spaced(body: &[u8], spaces: &[(u16, u8)]) -> Vec<u8> {
    const WHITE: [u8; 6] = [b' ', b'\t', b'\n', 0x0B, 0x0C, b'\r'];
    let mut body = body.to_vec();
    for (at, which) in spaces {
        let at = usize::from(*at) % (body.len() + 1);
        body.insert(at, WHITE[usize::from(*which) % WHITE.len()]);
    }
    body
}

/// A signature holds for its content and for it with white space, and for nothing else.
fn holds_what_was_signed(body: &[u8], spaces: &[(u16, u8)]) {
    let signed = sign::sign(&key(), TIMESTAMP, body);
    assert_eq!(sign::verify(&key(), &signed, body), Ok(()));
    assert_eq!(sign::verify(&key(), &signed, &spaced(body, spaces)), Ok(()));
    if let Some((at, which)) = spaces.first() {
        let mut other = sign::normalise(body).into_owned();
        let at = usize::from(*at) % (other.len() + 1);
        other.insert(at, which | 0x40);
        assert!(sign::verify(&key(), &signed, &other).is_err());
    }
}

/// What our client sends is what the gateway reads.
fn comes_as_it_was_sent(body: &[u8]) {
    for encryption in [Encryption::None, Encryption::TripleDes] {
        let caller = Caller {
            busi_code: BUSI_CODE,
            key: &key(),
            timestamp: TIMESTAMP,
            format: Format::Json,
            encryption,
        };
        let call = caller.post(Operation::PreOrder, body);
        let (_, query) = call.target.split_once('?').unwrap();
        let query = QueryString::parse(query).unwrap();
        assert_eq!(query.busi_code.as_deref(), Some(BUSI_CODE));
        let plaintext = match query.encryption {
            Encryption::None => call.body,
            Encryption::TripleDes => seal::open(&key(), &call.body).unwrap(),
        };
        assert_eq!(plaintext, body);
        let given = query.sign.unwrap();
        assert_eq!(sign::verify(&key(), &given, &plaintext), Ok(()));
    }
}
