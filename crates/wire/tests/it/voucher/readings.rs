//! The codes as the gateway reads the sources, and what goes with each.

use wire::Locale;
use wire::voucher::{Action, CodeStatus, ReturnCode, StatusCode, TraceKind};

/// Success, the other codes, and the last of them the "other error".
const CODES: [(&str, &str, &[&str], &str); 8] = [
    ("activeVoucher", "A00", &["A02", "A03"], "A03"),
    ("reelActiveVoucher", "A00", &["A02", "A03"], "A03"),
    ("activeResultQuery", "R00", &["R01", "R02", "R03"], "R03"),
    ("delVoucher", "V00", &["V01", "V02"], "V02"),
    ("reelDelVoucher", "V00", &["V01", "V02"], "V02"),
    ("queryVerifyInfo", "H00", &["H01", "H02"], "H02"),
    ("queryVoucher", "P00", &["P01"], "P01"),
    ("queryCodeTrace", "00", &["01", "02"], "02"),
];

#[test]
fn every_action_has_its_codes() {
    for (action, success, others, other_error) in CODES {
        let action = Action::from_name(action).unwrap();
        let found = ReturnCode::success(action).unwrap();
        assert_eq!((found.code(), found.is_success()), (success, true));
        assert_eq!(ReturnCode::other_error(action).unwrap().code(), other_error);
        let of: Vec<_> = ReturnCode::ALL
            .iter()
            .filter(|code| code.is_of(action))
            .collect();
        let codes: Vec<_> = of.iter().map(|code| code.code()).collect();
        assert_eq!(codes, [&[success], others].concat());
        assert!(of.iter().skip(1).all(|code| !code.is_success()));
        for code in ReturnCode::ALL {
            let read = ReturnCode::decode(action, code.code());
            assert!(read.is_none() || read == Some(*code) || read == Some(found));
            assert_eq!(read == Some(*code), code.is_of(action));
        }
    }
    assert_eq!(ReturnCode::success(Action::ActiveByPartNo), None);
    assert_eq!(ReturnCode::other_error(Action::ActiveByPartNo), None);
}

#[test]
fn the_samples_success_is_read_too() {
    for (action, text, code) in [
        (Action::ActiveVoucher, "00", Some(ReturnCode::Activating)),
        (
            Action::ReelActiveVoucher,
            "00",
            Some(ReturnCode::Activating),
        ),
        (Action::ActiveResultQuery, "00", Some(ReturnCode::AllActive)),
        (Action::DelVoucher, "00", Some(ReturnCode::Voided)),
        (Action::ReelDelVoucher, "00", Some(ReturnCode::Voided)),
        (Action::QueryVerifyInfo, "P00", Some(ReturnCode::Found)),
        (Action::QueryVerifyInfo, "00", None),
        (Action::QueryVoucher, "00", None),
        (Action::QueryCodeTrace, "P00", None),
        (Action::ActiveVoucher, "01", None),
        (Action::ActiveVoucher, "", None),
    ] {
        assert_eq!(ReturnCode::decode(action, text), code, "{action:?} {text}");
    }
}

#[test]
fn success_is_spelled_as_in_the_samples() {
    for code in ReturnCode::ALL.iter().filter(|code| code.is_success()) {
        let is_change = code.code().starts_with(['A', 'R', 'V']);
        let word = if is_change { "SUCCESS" } else { "success" };
        assert_eq!(code.name(Locale::Zh), word);
        assert_eq!(code.name(Locale::En), word);
    }
    assert_eq!(StatusCode::Created.name(Locale::Zh), "SUCCESS");
    assert_eq!(TraceKind::Used.name(Locale::Zh), "SUCCESS");
}

#[test]
fn states_kinds_and_statuses() {
    let states: Vec<_> = CodeStatus::ALL.iter().map(|it| it.code()).collect();
    assert_eq!(states, ["01", "02", "03", "04", "05", "06", "07", "08"]);
    assert_eq!(CodeStatus::from_code("03"), Some(CodeStatus::Active));
    assert_eq!(CodeStatus::Active.name(Locale::En), "active");
    assert_eq!(CodeStatus::from_code("3"), None);
    let kinds: Vec<_> = TraceKind::ALL.iter().map(|it| it.code()).collect();
    assert_eq!(kinds, ["1", "2", "3", "4"]);
    let statuses: Vec<_> = StatusCode::ALL.iter().map(|it| it.code()).collect();
    assert_eq!(statuses, [100, 80, 81, 400, 401, 404, 409, 503]);
    let standing: Vec<_> = StatusCode::ALL
        .iter()
        .filter(|it| it.is_success())
        .collect();
    assert_eq!(standing.len(), 3);
}
