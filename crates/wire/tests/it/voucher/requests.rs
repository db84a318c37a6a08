//! What each member of a request must be.

use super::{accepted, read, refusal, sample, with, without};
use wire::Locale;
use wire::voucher::request::{ExtendData, Request};
use wire::voucher::{Action, TreeShape};

/// The items of a `qrcode`, or the field at fault.
fn items(qrcode: &str) -> Result<Vec<String>, String> {
    let body = with(Action::QueryVoucher, "qrcode", &format!("{qrcode:?}"));
    match read(Action::QueryVoucher, &body) {
        Ok(Request::QueryVoucher(codes)) => {
            let items = codes.items.items().iter();
            Ok(items.map(|item| item.as_str().to_owned()).collect())
        }
        Ok(_) => panic!("another message"),
        Err(error) => Err(error.field().to_owned()),
    }
}

#[test]
fn every_action_reads_its_sample_and_writes_it_again() {
    for action in Action::ALL {
        let request = accepted(*action, sample(*action));
        assert_eq!(request.action(), *action);
        let again = accepted(*action, &request.to_json());
        assert!(again == request, "{}", request.to_json());
    }
}

#[test]
fn what_must_be_there_must_be_there() {
    for (action, fields) in [
        (Action::ActiveVoucher, "traceNo qrcode totalAmount"),
        (Action::ReelActiveVoucher, "traceNo qrcode totalAmount"),
        (Action::ActiveResultQuery, "traceNo originalTraceNo"),
        (Action::DelVoucher, "traceNo qrcode"),
        (Action::ReelDelVoucher, "traceNo qrcode"),
        (Action::QueryVerifyInfo, "traceNo qrcode"),
        (Action::QueryVoucher, "traceNo qrcode"),
        (Action::QueryCodeTrace, "requestId qrcode"),
        (
            Action::ActiveByPartNo,
            "ver partnerId merchantId partnerOrderId type bin startCardSe endCardSe sellingPrice \
             costPrice",
        ),
    ] {
        for field in fields.split_whitespace() {
            let expected = format!("parameter {field} is missing or empty");
            assert_eq!(refusal(action, &without(action, field)), expected);
            for nothing in ["\"\"", "null"] {
                assert_eq!(refusal(action, &with(action, field, nothing)), expected);
            }
        }
    }
}

#[test]
fn what_may_be_absent_may_be_empty_too() {
    for (action, fields) in [
        (Action::ActiveVoucher, "businessType extendData"),
        (Action::ActiveResultQuery, "businessType"),
        (Action::DelVoucher, "businessType"),
        (
            Action::ActiveByPartNo,
            "number codeType validStart valid_end validEnd",
        ),
    ] {
        for field in fields.split_whitespace() {
            let bare = accepted(action, &without(action, field));
            for nothing in ["\"\"", "null"] {
                assert!(
                    accepted(action, &with(action, field, nothing)) == bare,
                    "{field}"
                );
            }
        }
    }
}

#[test]
fn scalars_are_strings_or_numbers() {
    for (action, field, one, other) in [
        (Action::ActiveVoucher, "totalAmount", "3000", "\"3000\""),
        (Action::ActiveVoucher, "businessType", "12", "\"12\""),
        (Action::ActiveVoucher, "traceNo", "990", "\"990\""),
        (
            Action::DelVoucher,
            "qrcode",
            "10014030013500006013",
            "\"10014030013500006013\"",
        ),
        (Action::QueryCodeTrace, "requestId", "17", "\"17\""),
        (
            Action::ActiveVoucher,
            "extendData",
            "{\"oms\":1.50}",
            "{\"oms\":\"1.50\"}",
        ),
        (Action::ActiveByPartNo, "ver", "2", "\"2\""),
        (Action::ActiveByPartNo, "partnerId", "1504", "\"1504\""),
        (Action::ActiveByPartNo, "merchantId", "10001", "\"10001\""),
        (Action::ActiveByPartNo, "type", "2", "\"2\""),
        (Action::ActiveByPartNo, "bin", "7020", "\"7020\""),
        (
            Action::ActiveByPartNo,
            "endCardSe",
            "1000045",
            "\"1000045\"",
        ),
        (Action::ActiveByPartNo, "costPrice", "8888", "\"8888\""),
        (Action::ActiveByPartNo, "number", "14", "\"14\""),
        (Action::ActiveByPartNo, "codeType", "3", "\"3\""),
    ] {
        let of = |json| accepted(action, &with(action, field, json));
        assert!(of(one) == of(other), "{field}");
    }
}

#[test]
fn a_bad_value_names_its_field() {
    let long = format!("\"{}\"", "1".repeat(65));
    let cases: [(Action, &str, &[&str]); 7] = [
        (
            Action::ActiveVoucher,
            "traceNo",
            &[
                &long,
                "\"a b\"",
                "\"a\\u0000\"",
                "\"流水\"",
                "true",
                "[]",
                "{}",
            ],
        ),
        (
            Action::ActiveResultQuery,
            "originalTraceNo",
            &[&long, "\" 1\"", "false"],
        ),
        (
            Action::QueryCodeTrace,
            "requestId",
            &[&long, "\"1\\n\"", "[1]"],
        ),
        (
            Action::ActiveVoucher,
            "totalAmount",
            &[
                "-1",
                "\"-1\"",
                "1.0",
                "1e3",
                "10000000000",
                "\"1,000\"",
                "\" 1\"",
                "true",
                "[1]",
            ],
        ),
        (
            Action::ActiveVoucher,
            "businessType",
            &["-12", "12.0", "\"box\"", "1234567890", "{}"],
        ),
        (
            Action::ActiveVoucher,
            "extendData",
            &["1", "\"x\"", "[]", "true"],
        ),
        (
            Action::QueryCodeTrace,
            "qrcode",
            &["\"10014030013500006013,10014030013500006014\""],
        ),
    ];
    for (action, field, values) in cases {
        for value in values {
            let body = with(action, field, value);
            let error = read(action, &body).err().unwrap();
            assert_eq!(error.field(), field, "{value}");
            for locale in [Locale::Zh, Locale::En] {
                assert!(error.desc(locale).contains(field));
            }
        }
    }
}

#[test]
fn amounts_are_bounded() {
    for amount in [0, 1, 9_999_999_999_i64] {
        let body = with(Action::ActiveVoucher, "totalAmount", &amount.to_string());
        let Request::ActiveVoucher(message) = accepted(Action::ActiveVoucher, &body) else {
            panic!("another message");
        };
        assert_eq!(message.total_amount_fen, amount);
    }
}

#[test]
fn codes_and_ids_come_in_a_list() {
    assert_eq!(
        items("R156A001-0000491-0505"),
        Ok(vec!["R156A001-0000491-0505".to_owned()])
    );
    assert_eq!(
        items(" R156A001-0000491-0505 ,\t1006250730320020870=gHN3981K,R156A001-0000491-0505"),
        Ok(vec![
            "R156A001-0000491-0505".to_owned(),
            "1006250730320020870=gHN3981K".to_owned(),
            "R156A001-0000491-0505".to_owned(),
        ])
    );
    let eight = "A".repeat(8);
    let sixty_four = "z".repeat(64);
    assert_eq!(
        items(&format!("{eight},{sixty_four}")),
        Ok(vec![eight.clone(), sixty_four.clone()])
    );
    for bad in [
        ",",
        &eight[1..],
        &format!("{sixty_four}z"),
        &format!("{eight},"),
        &format!(",{eight}"),
        &format!("{eight},,{eight}"),
        &format!("{eight};{eight}"),
        "1001901070000000258_M4DEDSfV",
        "1001901070000000258 M4DEDSfV",
        "１００１９０１０７",
    ] {
        assert_eq!(items(bad), Err("qrcode".to_owned()), "{bad}");
    }
}

#[test]
fn a_thousand_items_and_no_more() {
    let of = |count: usize| {
        let items = (0..count).map(|number| format!("{number:08}"));
        items.collect::<Vec<_>>().join(",")
    };
    assert_eq!(items(&of(1_000)).unwrap().len(), 1_000);
    assert_eq!(items(&of(1_001)), Err("qrcode".to_owned()));
}

#[test]
fn the_largest_request_fits() {
    let items = vec!["z".repeat(64); 1_000].join(", ");
    assert_eq!(self::items(&items).unwrap().len(), 1_000);
}

#[test]
fn what_a_shop_notes_is_kept() {
    let noted = |json: &str| {
        let body = with(Action::ReelActiveVoucher, "extendData", json);
        match read(Action::ReelActiveVoucher, &body) {
            Ok(Request::ReelActiveVoucher(message)) => Ok(message.extend_data),
            Ok(_) => panic!("another message"),
            Err(error) => Err(error.field().to_owned()),
        }
    };
    let all = ExtendData {
        shop_no: Some("1".into()),
        voucher_no: Some("二".repeat(64)),
        pos_serial_no: Some(" 3 ".into()),
        oms: None,
    };
    let json = format!(
        r#"{{"posSerialNo":" 3 ","x":[1],"shopNo":1,"voucherNo":"{}","oms":""}}"#,
        "二".repeat(64)
    );
    assert_eq!(noted(&json), Ok(all));
    assert_eq!(noted("{}"), Ok(ExtendData::default()));
    for (json, field) in [
        (
            format!("{{\"shopNo\":\"{}\"}}", "x".repeat(65)),
            "extendData.shopNo",
        ),
        (
            "{\"voucherNo\":\"a\\nb\"}".to_owned(),
            "extendData.voucherNo",
        ),
        ("{\"posSerialNo\":{}}".to_owned(), "extendData.posSerialNo"),
        ("{\"oms\":true}".to_owned(), "extendData.oms"),
        ("{\"oms\":\"1\",\"oms\":\"2\"}".to_owned(), "extendData.oms"),
    ] {
        assert_eq!(noted(&json), Err(field.to_owned()));
    }
}

#[test]
fn the_business_type_chooses_the_shape() {
    for (json, shape) in [
        ("12", TreeShape::Boxes),
        ("\"12\"", TreeShape::Boxes),
        ("\"012\"", TreeShape::Boxes),
        ("1", TreeShape::Packages),
        ("0", TreeShape::Packages),
        ("null", TreeShape::Packages),
    ] {
        for action in [
            Action::ActiveVoucher,
            Action::ActiveResultQuery,
            Action::QueryVoucher,
        ] {
            let request = accepted(action, &with(action, "businessType", json));
            assert_eq!(self::shape(&request), Some(shape), "{json}");
        }
    }
}

fn shape(request: &Request) -> Option<TreeShape> {
    if let Request::ActiveVoucher(message) = request {
        Some(message.shape())
    } else if let Request::ActiveResultQuery(message) = request {
        Some(message.shape())
    } else if let Request::QueryVoucher(message) = request {
        Some(message.shape())
    } else {
        None
    }
}
