//! Paths and what follows from an action alone.

use wire::voucher::{Action, Change, PathError};

#[test]
fn every_action_has_its_path() {
    let paths: Vec<_> = Action::ALL.iter().map(|action| action.path()).collect();
    assert_eq!(
        paths,
        [
            "/ebuyweb-posp/api/activeVoucher",
            "/ebuyweb-posp/api/activeResultQuery",
            "/ebuyweb-posp/api/delVoucher",
            "/ebuyweb-posp/api/queryVerifyInfo",
            "/ebuyweb-posp/api/reelActiveVoucher",
            "/ebuyweb-posp/api/reelDelVoucher",
            "/ebuyweb-posp/api/queryVoucher",
            "/ebuyweb-posp/api/queryCodeTrace",
            "/b2b/code/activeByPartNo",
        ]
    );
    for (action, path) in Action::ALL.iter().zip(paths) {
        assert_eq!(Action::parse_path(&path), Ok(*action));
        assert_eq!(Action::from_name(action.name()), Some(*action));
    }
}

#[test]
fn other_paths_lead_nowhere() {
    for (path, error) in [
        ("", PathError::Foreign),
        ("/", PathError::Foreign),
        ("/v1/jpos/cards", PathError::Foreign),
        ("ebuyweb-posp/api/activeVoucher", PathError::Foreign),
        ("/prefix/ebuyweb-posp/api/activeVoucher", PathError::Foreign),
        ("/b2b/code", PathError::Foreign),
        ("/b2b/code/", PathError::UnknownAction),
        ("/ebuyweb-posp/api/", PathError::UnknownAction),
        ("/ebuyweb-posp/api/activevoucher", PathError::UnknownAction),
        ("/ebuyweb-posp/api/activeVoucher/", PathError::UnknownAction),
        ("/ebuyweb-posp/api/activeByPartNo", PathError::UnknownAction),
        ("/b2b/code/activeVoucher", PathError::UnknownAction),
    ] {
        assert_eq!(Action::parse_path(path), Err(error), "{path}");
    }
}

#[test]
fn both_ways_to_activate_share_their_numbers() {
    for action in Action::ALL {
        let change = match action.name() {
            "activeVoucher" | "reelActiveVoucher" => Some(Change::Activation),
            "delVoucher" | "reelDelVoucher" => Some(Change::Void),
            _ => None,
        };
        assert_eq!(action.change(), change);
    }
}
