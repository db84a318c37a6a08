//! Properties: decoders are total, and what is written is read back.

use super::any::{
    Unseen, action, codes_reply, part_no, part_no_reply, request, time, trace_reply, tree,
};
use super::{read, sample};
use proptest::prelude::*;
use wire::Locale;
use wire::voucher::reply::Reply;
use wire::voucher::request::Request;
use wire::voucher::{
    Action, CivilTime, Document, ReplyWriter, Sign, Signer, SigningKey, VerifyingKey, sign, yuan,
};

/// Runs every decoder of a body.
fn decode_all(body: &[u8]) {
    if let Ok(document) = Document::decode(body) {
        let _ = (Sign::of(&document), sign::canonical(&document));
        for action in Action::ALL {
            match Request::decode(*action, &document) {
                Ok(request) => drop((request.content(), request.to_json())),
                Err(error) => drop((error.desc(Locale::Zh), error.to_string())),
            }
        }
    }
    for action in Action::ALL {
        let _ = Reply::decode(*action, body);
    }
}

/// A valid body with some bytes replaced, removed or repeated.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    (action(), prop::collection::vec(edit, 1..6)).prop_map(|(action, edits)| {
        let mut body = sample(action).as_bytes().to_vec();
        for (at, byte, kind) in edits {
            let at = at.index(body.len());
            match kind {
                0 => body[at] = byte,
                1 => drop(body.remove(at)),
                _ => body.extend_from_within(at..),
            }
        }
        body
    })
}

proptest! {
    #[test]
    fn bodies_never_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        decode_all(&body);
    }

    #[test]
    fn bodies_of_syntax_never_panic(body in "[{}\\[\\]\":,a-c0-9.\\-]{0,80}") {
        decode_all(body.as_bytes());
        decode_all(format!("{{{body}").as_bytes());
        decode_all(format!(r#"{{"returnCode":"00","transTime":1,{body}}}"#).as_bytes());
    }

    #[test]
    fn mutated_bodies_never_panic(body in mutated()) {
        decode_all(&body);
    }

    #[test]
    fn texts_never_panic(text in "\\PC{0,40}|[0-9.:\\- ]{0,24}") {
        let _ = Action::parse_path(&text);
        let _ = VerifyingKey::from_pem(&text);
        let _ = SigningKey::from_pem(&text).err();
        if let Some(fen) = yuan::read(&text) {
            prop_assert_eq!(yuan::read(&yuan::write(fen)), Some(fen));
        }
        if let Some(time) = CivilTime::parse_spaced(&text) {
            prop_assert_eq!(time.to_string(), text);
        }
    }

    #[test]
    fn keys_never_panic(mut der in prop::collection::vec(any::<u8>(), 0..64), at in 0..64_usize) {
        der.insert(0, 0x30);
        der.insert(at.min(der.len()), 0x82);
        let _ = VerifyingKey::from_spki_der(&der);
        let _ = SigningKey::from_pkcs8(&der).err();
    }

    #[test]
    fn times_are_read_back(time in time()) {
        prop_assert_eq!(CivilTime::parse_digits(&time.digits()), Some(time));
        prop_assert_eq!(CivilTime::parse_spaced(&time.to_string()), Some(time));
    }

    #[test]
    fn a_request_comes_as_it_was_sent(Unseen(sent) in request()) {
        let body = sent.to_json();
        let received = read(sent.action(), &body);
        prop_assert!(received.as_ref().is_ok_and(|it| *it == sent), "{}", body);
        prop_assert!(received.is_ok_and(|it| it.content() == sent.content()));
    }

    #[test]
    fn a_segment_comes_as_it_was_sent(sent in part_no()) {
        let body = sent.to_json(Signer::Skip).unwrap();
        let received = read(Action::ActiveByPartNo, &body);
        prop_assert!(received.is_ok_and(|it| it == Request::ActiveByPartNo(sent)), "{}", body);
    }

    #[test]
    fn a_reply_comes_as_it_was_sent((action, reply) in codes_reply(), Unseen(tree) in tree()) {
        let text = reply.encode(tree.as_ref());
        let sent = Reply::Codes { reply, tree };
        let read = Reply::decode(action, text.as_bytes());
        prop_assert!(read.is_ok_and(|read| read == sent), "{}", text);
    }

    #[test]
    fn pieces_make_the_whole((_, reply) in codes_reply(), Unseen(tree) in tree(), every in 1..4_usize) {
        let Some(tree) = tree else { return Ok(()) };
        let mut writer = ReplyWriter::new(&reply, tree.shape());
        let mut pieces = String::new();
        for (number, (place, code)) in tree.codes().into_iter().enumerate() {
            writer.code(place, code);
            if number % every == 0 {
                pieces.push_str(&writer.take());
            }
        }
        pieces.push_str(&writer.finish());
        prop_assert_eq!(pieces, reply.encode(Some(&tree)));
    }

    #[test]
    fn a_history_comes_as_it_was_sent(Unseen(reply) in trace_reply()) {
        let text = reply.encode();
        let read = Reply::decode(Action::QueryCodeTrace, text.as_bytes());
        prop_assert!(read.is_ok_and(|read| read == Reply::Trace(reply)), "{}", text);
    }

    #[test]
    fn a_standing_comes_as_it_was_sent(reply in part_no_reply()) {
        let text = reply.encode(Signer::Skip).unwrap();
        let read = Reply::decode(Action::ActiveByPartNo, text.as_bytes());
        prop_assert!(read.is_ok_and(|read| read == Reply::PartNo(reply)), "{}", text);
    }
}
