//! Bodies as documents.

use wire::opengateway::Document;
use wire::opengateway::document::{BODY_BYTES_MAX, DocumentError};

fn error(body: &[u8]) -> DocumentError {
    match Document::decode(body) {
        Ok(_) => panic!("accepted {:?}", String::from_utf8_lossy(body)),
        Err(error) => error,
    }
}

fn text(body: &str, field: &str) -> Option<String> {
    let document = Document::decode(body.as_bytes()).unwrap();
    document.fields().text(field).unwrap().map(str::to_owned)
}

#[test]
fn scalars_keep_their_text() {
    let rows = [
        (r#"{"A":"0.1"}"#, Some("0.1")),
        (r#"{"A":158.0}"#, Some("158.0")),
        (r#"{"A":1.0E7}"#, Some("1.0E7")),
        (
            r#"{"A":12345678901234567890123.45}"#,
            Some("12345678901234567890123.45"),
        ),
        (r#"{"A":"\u5feb\/\"\\"}"#, Some("快/\"\\")),
        (r#"{"A":null}"#, None),
        (r#"{"A":""}"#, None),
        (r#"{"A":"  "}"#, None),
        (r#"{"B":1}"#, None),
        ("\u{b}\n {\"A\":1}\r\n\t \u{c}", Some("1")),
        ("<R><A>1</A></R>", Some("1")),
        ("<R><A>1</A ></R>\n", Some("1")),
        ("<R>\n <A> a b </A>\n</R>", Some(" a b ")),
        ("<R><A>\n</A></R>", None),
        ("<R><A/></R>", None),
        (
            "<R><A>a&amp;&lt;&gt;&quot;&apos;&#92;&#x5FEB;</A></R>",
            Some("a&<>\"'\\快"),
        ),
        ("<R><A><![CDATA[<b>&amp;]]></A></R>", Some("<b>&amp;")),
        ("<R><A>a<!-- no -->b<![CDATA[c]]></A></R>", Some("abc")),
        (
            "<?xml version='1.0'?><!-- x --><R a='1'><A b=\"2\">1</A></R><!-- y -->",
            Some("1"),
        ),
    ];
    for (body, expected) in rows {
        assert_eq!(text(body, "A").as_deref(), expected, "{body}");
    }
}

#[test]
fn refused_documents() {
    let deep_json = format!("{{\"A\":{}{}}}", "[".repeat(32), "]".repeat(32));
    let bomb_json = "[".repeat(200_000);
    let bomb_object = format!("{{\"A\":{}", "{\"A\":".repeat(50_000));
    let deep_xml = format!("{}{}", "<A>".repeat(33), "</A>".repeat(33));
    let bomb_xml = "<A>".repeat(80_000);
    let wide_xml = format!("<R>{}</R>", "<A/>".repeat(5_000));
    let rows: Vec<(&str, DocumentError)> = vec![
        ("", DocumentError::Empty),
        (" \r\n\t", DocumentError::Empty),
        ("AMT=1", DocumentError::Malformed),
        ("[]", DocumentError::Malformed),
        ("\u{FEFF}{}", DocumentError::Malformed),
        ("{", DocumentError::Malformed),
        ("{\"A\":}", DocumentError::Malformed),
        ("{\"A\":1,}", DocumentError::Malformed),
        ("{\"A\":01}", DocumentError::Malformed),
        ("{\"A\":NaN}", DocumentError::Malformed),
        ("{\"A\":\"\\ud800\"}", DocumentError::Malformed),
        ("{\"A\":\"a\nb\"}", DocumentError::Malformed),
        ("{\"A\":1}x", DocumentError::Trailing),
        ("{\"A\":1}{\"A\":2}", DocumentError::Trailing),
        (&deep_json, DocumentError::TooDeep),
        (&bomb_json, DocumentError::Malformed),
        (&bomb_object, DocumentError::TooDeep),
        ("<", DocumentError::Malformed),
        ("<R>", DocumentError::Malformed),
        ("<R></S>", DocumentError::Malformed),
        ("<R>x<A/></R>", DocumentError::Malformed),
        ("<R><A>1<B/></A></R>", DocumentError::Malformed),
        ("<R><A>a&b</A></R>", DocumentError::Malformed),
        ("<?php x ?><R/>", DocumentError::Malformed),
        ("<R/>x", DocumentError::Trailing),
        ("<R/><R/>", DocumentError::Trailing),
        ("<R/><![CDATA[x]]>", DocumentError::Trailing),
        (&deep_xml, DocumentError::TooDeep),
        (&bomb_xml, DocumentError::TooDeep),
        (&wide_xml, DocumentError::TooLarge),
        ("<!DOCTYPE R><R/>", DocumentError::Doctype),
        (
            "<!DOCTYPE R [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><R><A>&b;</A></R>",
            DocumentError::Doctype,
        ),
        (
            "<!DOCTYPE R SYSTEM \"http://example.com/x\"><R/>",
            DocumentError::Doctype,
        ),
        ("<R><A>&nbsp;</A></R>", DocumentError::Entity),
        ("<R><A>&xxe;</A></R>", DocumentError::Entity),
    ];
    for (body, expected) in rows {
        let shown: String = body.chars().take(60).collect();
        assert_eq!(error(body.as_bytes()), expected, "{shown}");
    }
    assert_eq!(error(b"{\"A\":\"\xFF\"}"), DocumentError::NotUtf8);
    assert_eq!(
        error(&vec![b' '; BODY_BYTES_MAX + 1]),
        DocumentError::TooLarge
    );
    let many: Vec<String> = (0..129).map(|i| format!("\"F{i}\":1")).collect();
    let many = format!("{{{}}}", many.join(","));
    assert_eq!(error(many.as_bytes()), DocumentError::TooLarge);
}

#[test]
fn faults_of_a_field_name_it() {
    let duplicate = |field: &str| DocumentError::Duplicate {
        field: field.into(),
    };
    let control = |field: &str| DocumentError::ControlCharacter {
        field: field.into(),
    };
    let wrong = |field: &str| DocumentError::WrongType {
        field: field.into(),
    };
    let rows = [
        (r#"{"AMT":"1","AMT":"2"}"#, duplicate("AMT")),
        (r#"{"AMT":"1","AMT":null}"#, duplicate("AMT")),
        (r#"{"AMT":"1","\u0041MT":"2"}"#, duplicate("AMT")),
        (
            r#"{"GOODS_DETAIL":[],"GOODS_DETAIL":[]}"#,
            duplicate("GOODS_DETAIL"),
        ),
        ("<R><AMT>1</AMT><AMT>2</AMT></R>", duplicate("AMT")),
        (
            r#"{"GOODS_DETAIL":[{"GOOD_ID":1,"GOOD_ID":2}]}"#,
            duplicate("GOOD_ID"),
        ),
        (r#"{"A":"a\nb"}"#, control("A")),
        (r#"{"A":"a\u0000"}"#, control("A")),
        (r#"{"A":"a\u007fb"}"#, control("A")),
        ("<R><A>a\tb</A></R>", control("A")),
        ("<R><A>a&#13;b</A></R>", control("A")),
        (
            "<R><GOODS_DETAIL><GOOD_ID>a\nb</GOOD_ID></GOODS_DETAIL></R>",
            control("GOOD_ID"),
        ),
        (r#"{"GOODS_DETAIL":"x"}"#, wrong("GOODS_DETAIL")),
        (r#"{"GOODS_DETAIL":[1]}"#, wrong("GOODS_DETAIL")),
        (r#"{"GOODS_DETAIL":true}"#, wrong("GOODS_DETAIL")),
        (
            "<R><GOODS_DETAIL>x</GOODS_DETAIL></R>",
            wrong("GOODS_DETAIL"),
        ),
    ];
    for (body, expected) in rows {
        assert_eq!(error(body.as_bytes()), expected, "{body}");
    }
}

#[test]
fn unusable_values_matter_only_when_asked_for() {
    for body in [
        r#"{"A":true,"B":1}"#,
        r#"{"A":{"x":[1]},"B":1}"#,
        r#"{"A":[1,2],"B":1}"#,
        "<R><A><x>1</x></A><B>1</B></R>",
    ] {
        let document = Document::decode(body.as_bytes()).unwrap();
        assert_eq!(document.fields().text("B"), Ok(Some("1")), "{body}");
        let refused = document.fields().text("A");
        assert_eq!(
            refused,
            Err(DocumentError::WrongType { field: "A".into() }),
            "{body}"
        );
    }
}

#[test]
fn goods_in_every_accepted_shape() {
    let rows = [
        (r#"{"GOODS_DETAIL":[{"GOOD_ID":"1"},{"GOOD_ID":"2"}]}"#, 2),
        (r#"{"GOODS_DETAIL":{"GOOD_ID":"1"}}"#, 1),
        (r#"{"GOODS_DETAIL":[]}"#, 0),
        (r#"{"GOODS_DETAIL":""}"#, 0),
        (r#"{"GOODS_DETAIL":null}"#, 0),
        (
            "<R><GOODS_DETAIL><GOOD_ID>1</GOOD_ID></GOODS_DETAIL>\
             <GOODS_DETAIL><GOOD_ID>2</GOOD_ID></GOODS_DETAIL></R>",
            2,
        ),
        (
            "<R><GOODS_DETAIL><GOOD><GOOD_ID>1</GOOD_ID></GOOD>\
             <GOOD><GOOD_ID>2</GOOD_ID></GOOD></GOODS_DETAIL></R>",
            2,
        ),
        ("<R><GOODS_DETAIL/></R>", 0),
    ];
    for (body, count) in rows {
        let document = Document::decode(body.as_bytes()).unwrap();
        assert_eq!(document.goods().len(), count, "{body}");
        for (index, item) in document.goods().iter().enumerate() {
            let id = (index + 1).to_string();
            assert_eq!(item.text("GOOD_ID"), Ok(Some(id.as_str())), "{body}");
        }
    }
    let items = vec![r#"{"GOOD_ID":"1"}"#; 101].join(",");
    let body = format!(r#"{{"GOODS_DETAIL":[{items}]}}"#);
    assert_eq!(error(body.as_bytes()), DocumentError::TooManyGoods);
}

/// Whoever adds white space must not change what a signed body says.
#[test]
fn white_space_cannot_hide_a_signed_field() {
    let name = |field: &str| DocumentError::NameWithSpace {
        field: field.into(),
    };
    let rows = [
        (r#"{"OUT_REFUND_ NO":"1"}"#, name("OUT_REFUND_ NO")),
        (r#"{" AMT":"1"}"#, name(" AMT")),
        (r#"{"GOODS_DETAIL":[{"GOOD_ ID":"1"}]}"#, name("GOOD_ ID")),
        (
            "<R><OUT_REFUND _NO>1</OUT_REFUND _NO></R>",
            DocumentError::Malformed,
        ),
        ("<R>< AMT>1</ AMT></R>", DocumentError::Malformed),
        ("<R>< AMT/></R>", DocumentError::Malformed),
        ("<R><!--a-- ><A>1</A><!--b--></R>", DocumentError::Malformed),
        (
            "<R><A><![CDATA[1]] ></A><A><![CDATA[2]]></A></R>",
            DocumentError::Malformed,
        ),
    ];
    for (body, expected) in rows {
        assert_eq!(error(body.as_bytes()), expected, "{body}");
    }
}
