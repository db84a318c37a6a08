//! Properties: decoders are total, and what is written is read back.

use super::vectors::key;
use proptest::prelude::*;
use wire::opengateway::explain::explain;
use wire::opengateway::notification::{NotifyTarget, with_sign};
use wire::opengateway::query::{percent_decode, percent_encode};
use wire::opengateway::received::Received;
use wire::opengateway::reply::ErrorReply;
use wire::opengateway::request::path_code;
use wire::opengateway::{
    Document, FlowRecharge, Format, Node, Operation, Order, PreOrder, QueryString, Refund,
    ReturnCode, seal, sign,
};

const VALID: [&str; 3] = [
    r#"{"AMT":"0.01","PAY_SUBJECT":"收 款\u5feb","CHANNEL_TYPE":0,"DEV_ID":"1","OPER_ID":"1","DYNAMIC_ID":"284214903060794755","DYNAMIC_ID_TYPE":"1","CHARGE_CODE":"C1","GOODS_DETAIL":[{"GOOD_ID":"1"},{}],"x":{"y":[null,true,1e3]}}"#,
    "<?xml version='1.0' encoding='utf-8' ?><ORDER_REQ><AMT>0.10</AMT><CHANNEL_TYPE>2</CHANNEL_TYPE><PAY_SUBJECT>a&amp;&#92;<![CDATA[x]]></PAY_SUBJECT ><GOODS_DETAIL><GOOD_ID>1</GOOD_ID></GOODS_DETAIL><!-- c --></ORDER_REQ>",
    r#"{"phoneNo":"13812345678","flowVal":100,"flowType":"0","notifyURL":"http://127.0.0.1/n"}"#,
];

/// Runs every decoder of a body.
fn decode_all(body: &[u8]) {
    if let Ok(document) = Document::decode(body) {
        let _ = PreOrder::decode(&document);
        let _ = Order::decode(&document);
        let _ = Refund::decode(&document);
        let _ = FlowRecharge::decode(&document);
    }
    if let Ok(received) = Received::decode(body) {
        let _ = (received.code(), received.info(), received.flattened());
    }
    let _ = seal::open(&key(), body);
    let _ = std::str::from_utf8(body).map(Node::from_json);
}

/// A valid body with some bytes replaced, removed or repeated.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    (0..VALID.len(), prop::collection::vec(edit, 1..6)).prop_map(|(which, edits)| {
        let mut body = VALID[which].as_bytes().to_vec();
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
    fn bodies_of_syntax_never_panic(body in "[<>/!\\[\\]{}\":,&;#a-cA-T01 \\\\\\-?=]{0,80}") {
        decode_all(body.as_bytes());
        decode_all(format!("{{{body}").as_bytes());
        decode_all(format!("<R>{body}</R>").as_bytes());
    }

    #[test]
    fn mutated_bodies_never_panic(body in mutated()) {
        decode_all(&body);
    }

    #[test]
    fn texts_never_panic(text in "\\PC{0,60}|[%:=&?#0-9a-f]{0,60}") {
        let _ = QueryString::parse(&text);
        let _ = path_code(&percent_decode(&text));
        let _ = sign::verify(&key(), &text, b"x");
        let _ = sign::signed_at_ms(&text);
        let _ = explain(&key(), &text, text.as_bytes());
        let _ = with_sign(&text, "x");
        let _ = NotifyTarget::parse(&text);
    }

    #[test]
    fn sealing_is_undone(text in prop::collection::vec(any::<u8>(), 0..100)) {
        let sealed = seal::seal(&key(), &text);
        prop_assert_eq!(seal::open(&key(), sealed.as_bytes()).unwrap(), text);
    }

    #[test]
    fn a_signature_holds_for_its_content(content in prop::collection::vec(any::<u8>(), 0..100)) {
        let signed = sign::sign(&key(), "1795304887", &content);
        prop_assert!(sign::verify(&key(), &signed, &content).is_ok());
        prop_assert!(sign::verify(&key(), &signed, &sign::normalise(&content)).is_ok());
    }

    #[test]
    fn percent_encoding_is_undone(text in any::<String>()) {
        let encoded = percent_encode(&text);
        prop_assert_eq!(percent_decode(&encoded), text);
    }

    #[test]
    fn a_message_is_read_back(info in "[^\\x00-\\x1F\\x7F\\uFFFE\\uFFFF]{0,40}") {
        for format in [Format::Json, Format::Xml] {
            let reply = ErrorReply::new(Operation::Refund, ReturnCode::Fail, info.as_str());
            let read = Received::decode(&reply.encode(format)).unwrap();
            let is_blank = info.bytes().all(|b| b == b' ');
            let expected = if is_blank && format == Format::Xml { "" } else { &info };
            prop_assert_eq!(read.info().unwrap(), expected);
        }
    }

    #[test]
    fn a_field_is_read_back(value in "[^\\x00-\\x1F\\x7F]{0,40}") {
        let body = Node::Object(vec![("A".into(), Node::Text(value.as_str().into()))]).to_json();
        let document = Document::decode(body.as_bytes()).unwrap();
        let is_blank = value.bytes().all(|b| b == b' ');
        let expected = (!is_blank).then_some(value.as_str());
        prop_assert_eq!(document.fields().text("A").unwrap(), expected);
    }
}
