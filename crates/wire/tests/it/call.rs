//! A client's requests are what the server reads.

use super::vectors::key;
use wire::opengateway::call::Caller;
use wire::opengateway::query::percent_decode;
use wire::opengateway::{
    Encryption, Format, MerchantKey, Operation, QueryString, SerialType, seal, sign,
};

fn caller(key: &MerchantKey, encryption: Encryption) -> Caller<'_> {
    Caller {
        busi_code: "0010000001",
        key,
        timestamp: "1795304887",
        format: Format::Json,
        encryption,
    }
}

fn parse(target: &str) -> (Vec<String>, QueryString) {
    let (path, query) = target.split_once('?').unwrap();
    let segments = path.split('/').map(|s| percent_decode(s).into_owned());
    (segments.collect(), QueryString::parse(query).unwrap())
}

#[test]
fn posts() {
    let key = key();
    let body = "{\"A\": \"快\"}".as_bytes();
    for encryption in [Encryption::None, Encryption::TripleDes] {
        for operation in Operation::ALL.into_iter().filter(|o| o.has_body()) {
            let call = caller(&key, encryption).post(operation, body);
            assert_eq!(call.method, "POST");
            let start = format!("{}{}", operation.base(), operation.segment());
            assert!(call.target.starts_with(&start), "{}", call.target);
            let (_, query) = parse(&call.target);
            assert_eq!(query.encryption, encryption);
            let plaintext = match encryption {
                Encryption::None => call.body,
                Encryption::TripleDes => seal::open(&key, &call.body).unwrap(),
            };
            assert_eq!(plaintext, body);
            assert_eq!(sign::verify(&key, &query.sign.unwrap(), &plaintext), Ok(()));
        }
    }
}

#[test]
fn gets() {
    let key = key();
    let caller = caller(&key, Encryption::None);
    let (path, query) = parse(&caller.query("a/快", SerialType::Gateway, true).target);
    assert_eq!(path[3..], ["query", "a/快", "0010000001"]);
    assert_eq!(query.serial_type, SerialType::Gateway);
    assert_eq!(
        sign::verify(&key, &query.sign.unwrap(), "a/快".as_bytes()),
        Ok(())
    );
    let (_, query) = parse(&caller.query("C1", SerialType::Merchant, false).target);
    assert_eq!(query.sign, None);
    let (path, query) = parse(&caller.cancel("C1", true).target);
    assert_eq!(path[3..], ["cancelTrade", "C1", "0010000001"]);
    assert!(query.needs_approval);
    let content = sign::cancel_content("C1", "0010000001");
    assert_eq!(
        sign::verify(&key, &query.sign.unwrap(), content.as_bytes()),
        Ok(())
    );
}
