//! Bodies as named texts.

use wire::jpos::Form;
use wire::jpos::form::{FIELDS_MAX, FormError, NAME_LEN_MAX};

const BYTES_MAX: usize = 1_000;

fn fields(body: &str) -> Vec<(String, String)> {
    let form = Form::decode(body.as_bytes(), BYTES_MAX).ok().unwrap();
    let fields = form.fields();
    fields.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

fn error(body: &[u8]) -> FormError {
    Form::decode(body, BYTES_MAX).err().unwrap()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn fields_are_decoded() {
    assert_eq!(fields(""), []);
    assert_eq!(
        fields("a=1+2&b=%E5%8D%A1%2B&&c&=d"),
        [
            pair("a", "1 2"),
            pair("b", "卡+"),
            pair("c", ""),
            pair("", "d")
        ]
    );
    assert_eq!(fields("a=%zz%4"), [pair("a", "%zz%4")]);
}

#[test]
fn an_empty_field_is_an_absent_one() {
    let form = Form::decode(b"a=&b=1", BYTES_MAX).ok().unwrap();
    assert_eq!(form.get("a"), None);
    assert_eq!(form.get("b"), Some("1"));
    assert_eq!(form.get("c"), None);
}

#[test]
fn a_name_comes_once() {
    let field = "a".to_owned();
    assert_eq!(error(b"a=1&b=2&a=1"), FormError::Duplicate { field });
    let field = "a".to_owned();
    assert_eq!(error(b"a=&%61="), FormError::Duplicate { field });
    assert_eq!(error(b"a=1&a=2").field(), "a");
}

#[test]
fn bytes_that_are_no_utf8_are_refused() {
    let field = "a".to_owned();
    assert_eq!(error(b"a=%FF"), FormError::NotUtf8 { field });
    let field = "a".to_owned();
    assert_eq!(error(b"a=\xFF"), FormError::NotUtf8 { field });
    assert_eq!(error(b"a=1&%C3=2").field(), "\u{FFFD}");
}

#[test]
fn sizes_are_bounded() {
    let body = |fields: usize| (0..fields).map(|n| format!("f{n}=")).collect::<Vec<_>>();
    assert_eq!(fields(&body(FIELDS_MAX).join("&")).len(), FIELDS_MAX);
    let many = body(FIELDS_MAX + 1).join("&");
    assert_eq!(error(many.as_bytes()), FormError::TooManyFields);
    assert_eq!(error(&[b'a'; BYTES_MAX + 1]), FormError::TooLarge);
    assert_eq!(error(&[b'a'; NAME_LEN_MAX + 1]), FormError::LongName);
    assert_eq!(fields(&"a".repeat(NAME_LEN_MAX)).len(), 1);
    assert_eq!(error(many.as_bytes()).field(), "body");
}

#[test]
fn a_form_is_written_as_it_was_read() {
    let mut form = Form::new();
    form.push("storeName", "卡 & 券=+%")
        .push("batchNo", "000001");
    let body = form.encode();
    assert_eq!(
        body,
        "storeName=%E5%8D%A1+%26+%E5%88%B8%3D%2B%25&batchNo=000001"
    );
    assert_eq!(
        fields(&body),
        [pair("storeName", "卡 & 券=+%"), pair("batchNo", "000001")]
    );
}
