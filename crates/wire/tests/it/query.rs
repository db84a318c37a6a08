//! The parameters of a URL.

use wire::opengateway::query::{QueryFault, percent_decode, percent_encode};
use wire::opengateway::{Encryption, Format, Locale, Operation, QueryString, SerialType};

#[test]
fn parameters_in_any_order_and_either_spelling() {
    for raw in [
        "sign=ab:1&_type=json&encrypt=3DES&busiCode=001&serType=2&opType=ACO",
        "opType=ACO&serType=2&BUSI_ID=&x&=&busiCode=001&encrypt=DES&%5Ftype=json&sign=ab%3a1",
    ] {
        let query = QueryString::parse(raw).unwrap();
        assert_eq!(query.sign.as_deref(), Some("ab:1"));
        assert_eq!(query.format, Some(Format::Json));
        assert_eq!(query.encryption, Encryption::TripleDes);
        assert_eq!(query.busi_code.as_deref(), Some("001"));
        assert_eq!(query.serial_type, SerialType::VerifyCode);
        assert!(query.needs_approval);
    }
}

#[test]
fn absent_and_empty_are_the_same() {
    let empty = "sign=&_type=&encrypt=&busiCode=&serType=&opType=";
    for raw in ["", empty] {
        assert_eq!(QueryString::parse(raw).unwrap(), QueryString::default());
    }
    let query = QueryString::default();
    assert_eq!(query.reply_format(Operation::Order), Format::Xml);
    assert_eq!(query.reply_format(Operation::FlowRecharge), Format::Json);
}

#[test]
fn each_faulty_parameter_is_named() {
    let rows = [
        ("_type=yaml", QueryFault::Unknown("_type")),
        ("_type=JSON", QueryFault::Unknown("_type")),
        ("encrypt=AES", QueryFault::Unknown("encrypt")),
        ("serType=3", QueryFault::Unknown("serType")),
        ("sign=a&sign=a", QueryFault::Duplicate("sign")),
        ("_type=json&_type=json", QueryFault::Duplicate("_type")),
        ("encrypt=&encrypt=3DES", QueryFault::Duplicate("encrypt")),
        ("busiCode=1&busi%43ode=1", QueryFault::Duplicate("busiCode")),
        ("serType=0&serType=1", QueryFault::Duplicate("serType")),
        ("opType=ACO&opType=", QueryFault::Duplicate("opType")),
    ];
    for (raw, fault) in rows {
        let error = QueryString::parse(raw).unwrap_err();
        assert_eq!(error.fault, fault, "{raw}");
        assert!(error.info(Locale::Zh).contains(error.field()));
        assert!(error.info(Locale::En).contains(error.field()));
    }
    assert!(!QueryString::parse("opType=other").unwrap().needs_approval);
}

#[test]
fn a_fault_leaves_the_rest_understood() {
    let error = QueryString::parse("serType=9&_type=json&encrypt=3DES").unwrap_err();
    assert_eq!(error.understood.format, Some(Format::Json));
    assert_eq!(error.understood.encryption, Encryption::TripleDes);
    let error = QueryString::parse("_type=csv").unwrap_err();
    let format = error.understood.reply_format(Operation::FlowRecharge);
    assert_eq!(format, Format::Xml);
}

#[test]
fn percent_decoding_is_total() {
    let rows = [
        ("a%3Ab", "a:b"),
        ("%E5%BF%AB", "快"),
        ("%", "%"),
        ("%4", "%4"),
        ("%zz%41", "%zzA"),
        ("a+b", "a+b"),
        ("%FF", "\u{FFFD}"),
        ("%%41", "%A"),
    ];
    for (raw, decoded) in rows {
        assert_eq!(percent_decode(raw), decoded, "{raw}");
    }
    assert_eq!(
        percent_decode(&percent_encode("快 收/?&=%:+")),
        "快 收/?&=%:+"
    );
}
