//! Dialect 3: a partner's message, a reply as clients read it, and the small parsers.

use crate::bytes::Bytes;
use wire::Locale;
use wire::voucher::reply::{Reply, Tree};
use wire::voucher::{
    Action, CivilTime, CodesReply, Document, PartNoReply, Request, RequestError, Sign, SignError,
    Signer, SigningKey, VerifyingKey, request, sign, yuan,
};

/// One byte for the action, then the body of a request.
pub fn request(bytes: &[u8]) {
    let mut choices = Bytes::new(bytes);
    let action = action(&mut choices);
    let Ok(document) = Document::decode(choices.rest()) else {
        return;
    };
    let _ = request::echo(action, &document);
    is_signed_without_its_sign(&document);
    match Request::decode(action, &document) {
        Ok(request) => comes_as_it_was_sent(&request),
        Err(error) => is_answered(&error),
    }
}

fn action(choices: &mut Bytes<'_>) -> Action {
    Action::ALL[choices.choose(Action::ALL.len())]
}

fn is_signed_without_its_sign(document: &Document<'_>) {
    let text = sign::canonical(document);
    let values = document.values();
    let length: usize = values
        .iter()
        .filter(|(name, _)| *name != "sign")
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum();
    assert_eq!(text.len(), length.saturating_sub(1));
}

/// What a client makes of the message is the same message.
fn comes_as_it_was_sent(request: &Request) {
    let (body, sign) = if let Request::ActiveByPartNo(message) = request {
        (message.to_json(Signer::Skip).expect("a body"), Sign::Skip)
    } else {
        (request.to_json(), Sign::Absent)
    };
    let document = Document::decode(body.as_bytes()).expect("our own body");
    let Ok(again) = Request::decode(request.action(), &document) else {
        panic!("our own message is refused: {body}");
    };
    assert!(again == *request, "{body}");
    assert!(again.content() == request.content());
    assert_eq!(Sign::of(&document), sign);
}

/// A refusal names the member at fault.
fn is_answered(error: &RequestError) {
    for locale in [Locale::Zh, Locale::En] {
        assert!(error.desc(locale).contains(error.field()));
    }
}

/// One byte for the action, then a reply.
pub fn reply(bytes: &[u8]) {
    let mut choices = Bytes::new(bytes);
    let action = action(&mut choices);
    let Ok(reply) = Reply::decode(action, choices.rest()) else {
        return;
    };
    match reply {
        Reply::Codes { reply, tree } => codes(action, &reply, tree.as_ref()),
        Reply::Trace(reply) => is_the_same(action, &reply.encode(), &Reply::Trace(reply)),
        Reply::PartNo(reply) => part_no(action, reply),
    }
}

/// Empty levels are left out, equal neighbours are one, and only lookups have bills; the codes and
/// everything else come again.
fn codes(action: Action, reply: &CodesReply, tree: Option<&Tree>) {
    let text = reply.encode(tree);
    let Ok(Reply::Codes {
        reply: again,
        tree: kept,
    }) = Reply::decode(action, text.as_bytes())
    else {
        panic!("our own reply cannot be read: {text}");
    };
    let mut expected = reply.clone();
    expected.bill = expected.bill.filter(|_| again.bill.is_some());
    assert_eq!(again, expected);
    let codes = |tree: Option<&Tree>| {
        let codes = tree.map(Tree::codes).unwrap_or_default().into_iter();
        codes
            .map(|(place, code)| (place.reel_id.to_owned(), code.clone()))
            .collect::<Vec<_>>()
    };
    assert!(codes(tree) == codes(kept.as_ref()), "{text}");
}

fn part_no(action: Action, reply: PartNoReply) {
    let text = reply.encode(Signer::Skip).expect("a reply");
    is_the_same(action, &text, &Reply::PartNo(reply));
}

fn is_the_same(action: Action, text: &str, reply: &Reply) {
    let Ok(again) = Reply::decode(action, text.as_bytes()) else {
        panic!("our own reply cannot be read: {text}");
    };
    assert!(again == *reply, "{text}");
}

/// Paths, times, face values, and keys, in PEM or in DER.
pub fn texts(bytes: &[u8]) {
    keys(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(action) = Action::parse_path(text) {
        assert_eq!(action.path(), text);
    }
    if let Some(time) = CivilTime::parse_digits(text) {
        assert_eq!(time.digits(), text);
        assert_eq!(CivilTime::parse_spaced(&time.to_string()), Some(time));
    }
    if let Some(time) = CivilTime::parse_spaced(text) {
        assert_eq!(time.to_string(), text);
    }
    if let Some(fen) = yuan::read(text) {
        assert_eq!(yuan::read(&yuan::write(fen)), Some(fen));
    }
    if let Ok(key) = VerifyingKey::from_pem(text) {
        assert_eq!(VerifyingKey::from_pem(&key.to_pem()), Ok(key));
    }
    let _ = SigningKey::from_pem(text).err();
}

fn keys(der: &[u8]) {
    if let Ok(key) = VerifyingKey::from_spki_der(der) {
        assert_eq!(key.spki_der(), der);
        assert!((2048..=8192).contains(&key.bits()));
        assert_eq!(key.verify(b"text", &[0; 256]), Err(SignError::Mismatch));
    }
    if let Ok(key) = SigningKey::from_pkcs8(der) {
        let public = VerifyingKey::from_spki_der(&key.public_spki_der());
        assert_eq!(public, Ok(key.verifying_key()));
    }
}
