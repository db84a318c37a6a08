//! The signature of activeByPartNo: the text that is signed, and signatures that openssl made.
//!
//! Made by `openssl dgst -sha256 -sign private.pem` over the canonical text.

use super::sample;
use wire::Locale;
use wire::voucher::request::{ActiveByPartNo, Request};
use wire::voucher::{
    Action, CivilTime, Document, KeyError, PartNoReply, Sign, SignError, Signer, SigningKey,
    StatusCode, VerifyingKey, sign,
};

const ACTION: Action = Action::ActiveByPartNo;
const SAMPLE_TEXT: &str = "bin=7020&costPrice=8888&endCardSe=0000045&merchantId=10001&number=14\
    &partnerId=1504&partnerOrderId=2040132213w9181w0q77awwwd8&sellingPrice=10000\
    &startCardSe=0000041&type=2&ver=2";
/// Over [`SAMPLE_TEXT`].
const SAMPLE_SIGN: &str = concat!(
    "TFvZesDNgksMT1aPswXNoALNU9twHHyzZZgw5uB+I4wx1xA193Deh5seecM+H0HY1Slv4rNeqhTT7rx2",
    "SI+GiBudrViYNBCPFX3wOacT8Bkpq3C87d55RcuEvdkOyEfYKUtyaKzDIbSGCkWh3twwAnFJgBvLRSVO",
    "xd/HG5mW/DHcAy8wUj4DOyo+NKEVMlvEBa/0lgYaAPY80NuNNIsuJty6QY0hXmIUeSzGISspzt96bw+7",
    "F5RRt3+mDTa1+M1m9/eJTDNWCK97mP4jC8MFSSipm2/u3H+MApJDbmXRBSMlSLIHxXwFyLS4nGMgNCyU",
    "ZmzVrbwsrLTTULR1irMLLA==",
);
/// Numbers by their own text, truth values, what is nested as it came; nothing empty.
const MIXED: &str = r#"{"remark":"说明 \"a\" \u0026 b","amount":1.50,"partnerId":1504,"bin":"7020","nothing":"",
    "price":1e3,"nested":{"b": [1, 2], "a":null},"_tag":"x","flag":true,"void":null,"Zone":"A",
    "valid_end":"2029-01-01 23:59:59"}"#;
const MIXED_TEXT: &str = "Zone=A&_tag=x&amount=1.50&bin=7020&flag=true&nested={\"b\": [1, 2], \"a\":null}\
    &partnerId=1504&price=1e3&remark=说明 \"a\" & b&valid_end=2029-01-01 23:59:59";
/// Over [`MIXED_TEXT`].
const MIXED_SIGN: &str = concat!(
    "bH73nca3KYFNh+ynFWZJpN9xQ5S48crWUDT2abvwjeRp0IjGBTUKQZ/FXNLIkOG05psJ0031WXZkSa/t",
    "T2t7M8P9Ut2080pIeOoI4X7o5I2p4BJDDJU65G7pfM1RW9b6dM7Ak4J923n3JytkPmzmyimpgPzwMt6A",
    "mhW2DN9kgwDVZjy1iesOojcTgIqv32Ao0BpUgibmGeWbq8y/HcE4B0otFwOYptC2zjlbLWJZwgpZIm2g",
    "owO5fXRfRzXi77+aoAz0J4JRqcPtyrbCug5pT93HC5PoJ61i24l/kktEbHJIf5QiDGr07zXPE5TFFsST",
    "admw0e4ShI11/npdrIJUCA==",
);
/// Over the members of the reply below.
const REPLY_SIGN: &str = concat!(
    "be+B0cdkFYpnCnTUhzOLbAxWk97OGkkgR2t+GPYuy1HCuAGjl/kr68IImhpnZ8LZ/OWNDmD/U5GwW6/Y",
    "n5+HMD7epMK8UoRRDeBw4qgBWl52Osfb6Nf4XQmty1jdxGWP5/GlDbn7kF8FIj9aQ+Lbqc07hUF/0hcj",
    "7xXqkKKGFFlxrCQag0Lcbc7zRXHwQBRVziZJU9E0bzz4TnqXGnE1VQcvLQDfgNhCLpzjcCaC2DAYhd1H",
    "7pkPhMR9OOowf/54So9wu7RxrhEVVkkEoSwXhbJsqJMwaktaJXC1vWH5c0MXN7RmjRjfUq3FYz9eIkzJ",
    "PuWoK2TbrY6Kubv7RnTlng==",
);

fn private() -> SigningKey {
    SigningKey::from_pem(include_str!("keys/private.pem"))
        .ok()
        .unwrap()
}

fn public() -> VerifyingKey {
    VerifyingKey::from_pem(include_str!("keys/public.pem")).unwrap()
}

fn canonical(body: &str) -> String {
    sign::canonical(&Document::decode(body.as_bytes()).ok().unwrap())
}

/// Whether a body carries a good signature.
fn verified(body: &str) -> Result<(), SignError> {
    let document = Document::decode(body.as_bytes()).ok().unwrap();
    Sign::of(&document).verify(&public(), &document)
}

fn message() -> ActiveByPartNo {
    let Request::ActiveByPartNo(message) = super::accepted(ACTION, sample(ACTION)) else {
        panic!("another message");
    };
    message
}

fn signed(body: &str, sign: &str) -> String {
    let unsigned = body.strip_suffix('}').unwrap();
    format!("{unsigned},\"sign\":\"{sign}\"}}")
}

#[test]
fn the_text_that_is_signed() {
    assert_eq!(canonical(sample(ACTION)), SAMPLE_TEXT);
    assert_eq!(canonical(MIXED), MIXED_TEXT);
    assert_eq!(canonical(&signed(MIXED, "x")), MIXED_TEXT);
    assert_eq!(canonical("{}"), "");
    assert_eq!(
        canonical(r#"{"sign":"x","Sign":"y","b":0,"a":-1.0E+2}"#),
        "Sign=y&a=-1.0E+2&b=0"
    );
}

#[test]
fn signatures_of_openssl_hold() {
    let key = private();
    for (text, expected) in [(SAMPLE_TEXT, SAMPLE_SIGN), (MIXED_TEXT, MIXED_SIGN)] {
        let signature = key.sign(text.as_bytes()).unwrap();
        assert_eq!(base64(&signature), expected);
        assert_eq!(public().verify(text.as_bytes(), &signature), Ok(()));
    }
    assert_eq!(
        verified(&sample(ACTION).replace("skip", SAMPLE_SIGN)),
        Ok(())
    );
    assert_eq!(verified(&signed(MIXED, MIXED_SIGN)), Ok(()));
}

#[test]
fn a_message_is_signed_as_it_is_sent() {
    let key = private();
    let body = message().to_json(Signer::Key(&key)).unwrap();
    assert!(
        body.ends_with(&format!("\"sign\":\"{SAMPLE_SIGN}\"}}")),
        "{body}"
    );
    assert_eq!(verified(&body), Ok(()));
    assert!(super::accepted(ACTION, &body) == Request::ActiveByPartNo(message()));
}

#[test]
fn a_reply_is_signed_too() {
    let at = CivilTime::parse_digits("20200212100234").unwrap();
    let reply = PartNoReply::standing(StatusCode::InProgress, at, Locale::Zh);
    let text = reply.encode(Signer::Key(&private())).unwrap();
    assert_eq!(
        text,
        format!(
            r#"{{"createTime":"20200212100234","message":"处理中","statusCode":80,"ver":2,"sign":"{REPLY_SIGN}"}}"#
        )
    );
    assert_eq!(verified(&text), Ok(()));
}

#[test]
fn line_breaks_do_not_matter() {
    let (one, rest) = SAMPLE_SIGN.split_at(100);
    for between in ["\\n", "\\r\\n", " "] {
        let body = sample(ACTION).replace("skip", &format!("{one}{between}{rest}"));
        assert_eq!(verified(&body), Ok(()), "{between}");
    }
}

#[test]
fn whatever_changes_breaks_the_signature() {
    let body = sample(ACTION).replace("skip", SAMPLE_SIGN);
    for (from, to) in [
        ("\"number\":14", "\"number\":15"),
        ("\"number\":14", "\"number\":14.0"),
        ("\"number\":14", "\"number\":14,\"unknown\":0"),
        ("\"number\":14", "\"numbers\":14"),
        (",\"number\":14", ""),
        ("\"0000045\"", "\"0000046\""),
        ("\"8888\"", "\" 8888\""),
    ] {
        let changed = body.replace(from, to);
        assert_ne!(changed, body);
        assert_eq!(verified(&changed), Err(SignError::Mismatch), "{to}");
    }
    // What says the same: a number in quotation marks, an empty member, another order.
    let same = body
        .replace(
            "\"number\":14",
            "\"number\":\"14\",\"unknown\":\"\",\"void\":null",
        )
        .replace("\"ver\":2,", "")
        .replace("{", "{\"type\":2,\"ver\":2,")
        .replacen(",\"type\":2", "", 1);
    assert_eq!(verified(&same), Ok(()), "{same}");
}

#[test]
fn a_sign_that_is_none_says_what_it_is() {
    for (sign, error) in [
        ("\"\"", SignError::Missing),
        ("null", SignError::Missing),
        ("\"skip\"", SignError::Skipped),
        ("\"SKIP\"", SignError::Mismatch),
        ("\"!\"", SignError::Malformed),
        ("\"QUJD\"", SignError::Mismatch),
        ("\"QUJ\"", SignError::Malformed),
        ("{}", SignError::Malformed),
        ("1", SignError::Malformed),
    ] {
        let body = super::with(ACTION, "sign", sign);
        assert_eq!(verified(&body), Err(error), "{sign}");
    }
    assert_eq!(
        verified(&super::without(ACTION, "sign")),
        Err(SignError::Missing)
    );
}

#[test]
fn another_key_does_not_verify() {
    let body = sample(ACTION).replace("skip", SAMPLE_SIGN);
    let document = Document::decode(body.as_bytes()).ok().unwrap();
    let other = VerifyingKey::from_pem(include_str!("keys/other_public.pem")).unwrap();
    let verified = Sign::of(&document).verify(&other, &document);
    assert_eq!(verified, Err(SignError::Mismatch));
    assert_ne!(other, public());
    assert_eq!(other.bits(), 3072);
    assert_eq!(
        KeyError::TooShort { bits: 1024 }.to_string(),
        "the key has 1024 bits; 2048 are the least"
    );
}

fn base64(bytes: &[u8]) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    BASE64_STANDARD.encode(bytes)
}
