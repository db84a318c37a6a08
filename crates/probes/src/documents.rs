//! Bodies of JSON and XML: every decoder is total, and what a message decodes to is what its
//! own encoding decodes to.

use serde::de::IgnoredAny;
use serde_json::Value;
use wire::opengateway::{
    Document, FlowRecharge, Node, Order, PreOrder, Refund, document::GOODS_DETAIL,
    request::RequestError, sign,
};

/// A body of JSON.
pub fn json(bytes: &[u8]) {
    let mut body = bytes.to_vec();
    if !body.trim_ascii_start().starts_with(b"{") {
        body.insert(0, b'{');
    }
    any(&body);
    agrees_with_serde(&body);
    nodes(&body);
}

/// A body of XML.
pub fn xml(bytes: &[u8]) {
    if bytes.trim_ascii_start().starts_with(b"<") {
        any(bytes);
    } else {
        any(&[b"<R>", bytes, b"</R>"].concat());
    }
}

/// Any body: all messages are tried on it, and each that fits survives its own encoding.
pub(crate) fn any(body: &[u8]) {
    let Ok(document) = Document::decode(body) else {
        return;
    };
    read_again(&document, PreOrder::decode, PreOrder::to_json);
    read_again(&document, Order::decode, Order::to_json);
    read_again(&document, Refund::decode, Refund::to_json);
    read_again(&document, FlowRecharge::decode, FlowRecharge::to_json);
}

fn read_again<T: PartialEq>(
    document: &Document<'_>,
    decode: impl Fn(&Document<'_>) -> Result<T, RequestError>,
    to_json: impl Fn(&T) -> String,
) {
    let Ok(message) = decode(document) else {
        return;
    };
    let written = to_json(&message);
    let document = Document::decode(written.as_bytes()).expect("our own document");
    let again = decode(&document).expect("our own message");
    assert!(message == again, "read as another message: {written}");
}

/// Our JSON is nobody's own: what is accepted here, serde_json reads too, and the same.
fn agrees_with_serde(body: &[u8]) {
    let Ok(document) = Document::decode(body) else {
        return;
    };
    // Around a document the dialect knows two spaces more than JSON does.
    let is_white = |byte: &u8| *byte == b' ' || (9..=13).contains(byte);
    let start = body.iter().position(|byte| !is_white(byte)).unwrap_or(0);
    let end = body.iter().rposition(|byte| !is_white(byte)).unwrap_or(0);
    let body = &body[start..=end];
    let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
    assert!(is_json, "JSON for us, but not for serde");
    // A number too large for a float is still one whose digits we keep.
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let members = value.as_object().expect("an object");
    for (name, value) in members {
        let Some(text) = value.as_str() else { continue };
        if name == GOODS_DETAIL {
            continue;
        }
        let is_blank = text.bytes().all(|b| b == b' ' || (9..=13).contains(&b));
        let expected = (!is_blank).then_some(text);
        assert_eq!(document.fields().text(name).unwrap(), expected, "{name}");
    }
}

/// A tree that was read is written as what reads as the same tree.
fn nodes(body: &[u8]) {
    let Ok(text) = std::str::from_utf8(body) else {
        return;
    };
    if let Some(node) = Node::from_json(text) {
        let written = node.to_json();
        assert_eq!(Node::from_json(&written), Some(node), "{written}");
    }
}

/// White space is not signed, so adding some must not give a message another meaning.
pub(crate) fn is_the_same_with_white_space(body: &[u8], spaced: &[u8]) {
    let (Ok(plain), Ok(spaced)) = (Document::decode(body), Document::decode(spaced)) else {
        return;
    };
    same(
        PreOrder::decode(&plain),
        PreOrder::decode(&spaced),
        PreOrder::to_json,
    );
    same(
        Order::decode(&plain),
        Order::decode(&spaced),
        Order::to_json,
    );
    same(
        Refund::decode(&plain),
        Refund::decode(&spaced),
        Refund::to_json,
    );
    let (plain, spaced) = (FlowRecharge::decode(&plain), FlowRecharge::decode(&spaced));
    same(plain, spaced, FlowRecharge::to_json);
}

fn same<T>(
    plain: Result<T, RequestError>,
    spaced: Result<T, RequestError>,
    to_json: impl Fn(&T) -> String,
) {
    let (Ok(plain), Ok(spaced)) = (plain, spaced) else {
        return;
    };
    let (plain, spaced) = (to_json(&plain), to_json(&spaced));
    let as_signed = |text: &str| sign::normalise(text.as_bytes()).into_owned();
    assert_eq!(
        as_signed(&plain),
        as_signed(&spaced),
        "{plain} became {spaced}"
    );
}
