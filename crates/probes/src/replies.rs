//! What clients read: replies and notifications.

use wire::opengateway::{
    Format, Operation, ReturnCode, notification::NotifyTarget, notification::with_sign,
    received::Received, reply::ErrorReply,
};

/// Any bytes as a reply, and any text as the INFO of one of ours.
pub fn probe(bytes: &[u8]) {
    if let Ok(received) = Received::decode(bytes) {
        read(&received);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        info_comes_through(text);
        let _ = NotifyTarget::parse(text);
        let signed = with_sign(text, "00:1");
        assert!(signed.ends_with("sign=00:1") && !signed.contains('#'));
    }
}

fn read(received: &Received) {
    let _ = (received.code(), received.code_text(), received.info());
    let _ = (received.format(), received.root());
    for (path, _) in received.flattened() {
        let _ = received.field(&path);
    }
}

/// Our own reply reads as what was written, in both formats.
fn info_comes_through(info: &str) {
    // What the dialect lets in holds no control characters, and XML has no spelling for some.
    if info
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}'))
    {
        return;
    }
    for format in [Format::Json, Format::Xml] {
        let reply = ErrorReply::new(Operation::Refund, ReturnCode::Fail, info);
        let read = Received::decode(&reply.encode(format)).expect("our own reply");
        let is_blank = info.bytes().all(|b| b == b' ');
        let expected = if is_blank && format == Format::Xml {
            ""
        } else {
            info
        };
        assert_eq!(read.info().as_deref(), Some(expected));
        assert_eq!(read.code(), Some(ReturnCode::Fail));
    }
}
