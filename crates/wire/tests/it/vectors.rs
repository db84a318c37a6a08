//! The golden vectors, made by independent clients.

use serde_json::Value;
use wire::opengateway::query::percent_decode;
use wire::opengateway::{
    ChannelType, Document, Encryption, Format, MerchantKey, Order, PreOrder, QueryString, Refund,
    seal, sign,
};

pub fn file() -> Value {
    serde_json::from_str(include_str!("../vectors/open-gateway.json")).unwrap()
}

pub fn key() -> MerchantKey {
    MerchantKey::new(file()["K"].as_str().unwrap())
}

fn body(index: usize) -> String {
    let file = file();
    file["requests"][index]["body"].as_str().unwrap().to_owned()
}

/// The path's segments and the parameters of a vector's target.
fn target(index: usize) -> (Vec<String>, QueryString) {
    let file = file();
    let target = file["requests"][index]["target"].as_str().unwrap();
    let (path, query) = target.split_once('?').unwrap();
    let segments = path.split('/').map(|s| percent_decode(s).into_owned());
    (segments.collect(), QueryString::parse(query).unwrap())
}

/// What a vector's signature covers.
fn content(index: usize) -> Vec<u8> {
    let (path, query) = target(index);
    match path[0].as_str() {
        "query" => path[1].clone().into_bytes(),
        "cancelTrade" => sign::cancel_content(&path[1], &path[2]).into_bytes(),
        _ if query.encryption == Encryption::TripleDes => {
            seal::open(&key(), body(index).as_bytes()).unwrap()
        }
        _ => body(index).into_bytes(),
    }
}

#[test]
fn every_request_is_signed_as_we_sign() {
    let count = file()["requests"].as_array().unwrap().len();
    assert_eq!(count, 6);
    for index in 0..count {
        let (_, query) = target(index);
        let given = query.sign.unwrap();
        let content = content(index);
        assert_eq!(
            sign::verify(&key(), &given, &content),
            Ok(()),
            "request {index}"
        );
        let (_, timestamp) = given.split_once(':').unwrap();
        assert_eq!(
            sign::sign(&key(), timestamp, &content),
            given,
            "request {index}"
        );
    }
}

#[test]
fn the_sealed_request_opens_to_the_first_ones_body() {
    let opened = seal::open(&key(), body(1).as_bytes()).unwrap();
    assert_eq!(String::from_utf8(opened).unwrap(), body(0));
    assert_eq!(seal::seal(&key(), body(0).as_bytes()), body(1));
}

#[test]
fn seal_vectors() {
    for vector in file()["seal_3des"].as_array().unwrap() {
        let key = MerchantKey::new(vector["key"].as_str().unwrap());
        let plaintext = vector["plaintext"].as_str().unwrap().as_bytes();
        let sealed = vector["base64"].as_str().unwrap();
        assert_eq!(seal::seal(&key, plaintext), sealed);
        assert_eq!(seal::open(&key, sealed.as_bytes()).unwrap(), plaintext);
    }
}

#[test]
fn the_notification_is_signed_as_we_sign() {
    let file = file();
    let notification = &file["notification"];
    let body = notification["body"].as_str().unwrap().as_bytes();
    let given = notification["sign"].as_str().unwrap();
    assert_eq!(sign::verify(&key(), given, body), Ok(()));
}

#[test]
fn the_requests_decode() {
    let text = body(0);
    let document = Document::decode(text.as_bytes()).unwrap();
    let request = PreOrder::decode(&document).unwrap();
    assert_eq!(request.pay_subject, "收 款");
    assert!(request.channel_type == ChannelType::Auto);

    let text = body(4);
    let document = Document::decode(text.as_bytes()).unwrap();
    let request = Refund::decode(&document).unwrap();
    assert_eq!(request.refund_yuan, "0.01");

    let text = body(5);
    let document = Document::decode(text.as_bytes()).unwrap();
    assert_eq!(document.format(), Format::Xml);
    let request = Order::decode(&document).unwrap();
    assert_eq!(request.pay_subject, "测试 商品1");
    assert_eq!(request.time_expire_s, Some(1800));
    let url = request.notify_url.unwrap();
    assert_eq!(url, "http://127.0.0.1:18090/PF.aspx?pid=7");
}
