//! What replies are explained, and which contradict each other.

use super::*;
use wire::opengateway::State as Shown;

const PAY: Op = Op::Pay { fen: 100 };
const REFUND: Op = Op::Refund { number: 1, fen: 60 };

/// A sale whose requests were answered so, one after the other.
fn told(kind: Kind, replies: &[(Op, Said)]) -> Result<Model, String> {
    let mut model = Model::new(kind);
    for (op, said) in replies {
        let id = model.sent(*op);
        model.answered(id, *said)?;
    }
    Ok(model)
}

const BY_CODE: Kind = Kind {
    by_code: true,
    replays: false,
    code: Code::None,
};
/// Of the 100 a code pays 30.
const WITH_CODE: Kind = Kind {
    code: Code::Worth { fen: 30 },
    ..BY_CODE
};

fn shown(state: Shown) -> Said {
    Said::State(state.code())
}

#[test]
fn what_can_be_is_explained() {
    for replies in [
        &[(PAY, Said::Success), (Op::Query, shown(Shown::Paid))] as &[_],
        &[(PAY, Said::Fail), (Op::Query, shown(Shown::Closed))],
        &[
            (PAY, Said::NotRecorded),
            (PAY, Said::Success),
            (PAY, Said::Repeat),
        ],
        &[(PAY, Said::Unknown), (Op::Query, Said::Nonexistent)],
        &[
            (PAY, Said::Success),
            (REFUND, Said::Success),
            (REFUND, Said::Success),
        ],
        &[
            (PAY, Said::Success),
            (REFUND, Said::Fail),
            (REFUND, Said::Fail),
        ],
        &[
            (PAY, Said::Success),
            (Op::Cancel, Said::Success),
            (Op::Cancel, Said::Fail),
        ],
        &[
            (PAY, Said::Success),
            (Op::Cancel, Said::Success),
            (Op::Cancel, Said::Revoked),
        ],
    ] {
        assert!(told(BY_CODE, replies).is_ok(), "{replies:?}");
    }
}

#[test]
fn what_cannot_be_is_a_contradiction() {
    for replies in [
        &[(Op::Query, shown(Shown::Paid))] as &[_],
        &[(PAY, Said::Success), (Op::Query, Said::Nonexistent)],
        &[(PAY, Said::Success), (Op::Query, shown(Shown::Closed))],
        &[(PAY, Said::Success), (PAY, Said::Success)],
        &[(PAY, Said::Fail), (Op::Query, shown(Shown::Paid))],
        &[(PAY, Said::NotRecorded), (Op::Query, shown(Shown::Paid))],
        &[
            (PAY, Said::Success),
            (Op::Query, shown(Shown::PartlyRefunded)),
        ],
        &[
            (PAY, Said::Success),
            (
                Op::Refund {
                    number: 1,
                    fen: 101,
                },
                Said::Success,
            ),
        ],
        &[
            (PAY, Said::Success),
            (REFUND, Said::Success),
            (Op::Refund { number: 2, fen: 60 }, Said::Success),
            (Op::Query, shown(Shown::Refunded)),
        ],
        &[
            (PAY, Said::Success),
            (REFUND, Said::Success),
            (REFUND, Said::Repeat),
        ],
    ] {
        let wrong = told(BY_CODE, replies);
        assert!(wrong.is_err(), "{replies:?}");
    }
}

#[test]
fn a_request_without_a_reply_may_have_happened_or_not_until_a_reply_tells() {
    let seen = |state| {
        let mut model = told(BY_CODE, &[(PAY, Said::Success)]).unwrap();
        let lost = model.sent(REFUND);
        model.left(lost);
        let id = model.sent(Op::Query);
        model.answered(id, state).map(|()| model)
    };
    assert!(seen(shown(Shown::Paid)).is_ok());
    let mut known = seen(shown(Shown::PartlyRefunded)).unwrap();
    let id = known.sent(Op::Query);
    assert!(known.answered(id, shown(Shown::Paid)).is_err());
}

#[test]
fn requests_at_the_same_time_are_taken_in_any_order() {
    let mut model = told(BY_CODE, &[(PAY, Said::Success)]).unwrap();
    let (refund, cancel) = (model.sent(REFUND), model.sent(Op::Cancel));
    model.answered(refund, Said::Amount).unwrap();
    model.answered(cancel, Said::Success).unwrap();
    let mut model = told(BY_CODE, &[(PAY, Said::Success)]).unwrap();
    let (refund, cancel) = (model.sent(REFUND), model.sent(Op::Cancel));
    model.answered(refund, Said::Success).unwrap();
    // Both were accepted, so the channel refuses one of them later: the cancellation.
    model.answered(cancel, Said::Success).unwrap();
    let id = model.sent(Op::Query);
    assert!(model.answered(id, shown(Shown::Cancelled)).is_err());
}

const fn back(number: u8, fen: i64) -> Op {
    Op::Refund { number, fen }
}

#[test]
fn what_a_code_paid_comes_back_whole_with_the_rest() {
    let paid = (PAY, Said::Success);
    for replies in [
        &[paid, (back(1, 80), Said::Amount), (REFUND, Said::Success)] as &[_],
        &[paid, (REFUND, Said::Success), (back(2, 40), Said::Success)],
        &[paid, (back(1, 100), Said::Success)],
    ] {
        assert!(told(WITH_CODE, replies).is_ok(), "{replies:?}");
    }
    let part = [paid, (back(1, 80), Said::Success)];
    assert!(told(WITH_CODE, &part).is_err());
}

#[test]
fn the_use_of_a_code_goes_the_way_of_its_sale() {
    let stands = |replies: &[(Op, Said)]| told(WITH_CODE, replies).unwrap().stands().unwrap();
    let paid = (PAY, Said::Success);
    for (replies, expected) in [
        (&[(PAY, Said::NoCode)] as &[_], vec![Stand::Asked]),
        (&[(PAY, Said::CodeGone)], vec![Stand::Free]),
        (&[paid], vec![Stand::Used]),
        (&[(PAY, Said::Fail)], vec![Stand::Held, Stand::Free]),
        (
            &[
                paid,
                (REFUND, Said::Success),
                (Op::Query, shown(Shown::PartlyRefunded)),
            ],
            vec![Stand::Used],
        ),
        (
            &[
                paid,
                (back(1, 100), Said::Success),
                (Op::Query, shown(Shown::Refunded)),
            ],
            vec![Stand::Back],
        ),
        (
            &[
                paid,
                (Op::Cancel, Said::Success),
                (Op::Query, shown(Shown::Cancelled)),
            ],
            vec![Stand::Back],
        ),
    ] {
        assert_eq!(
            stands(replies),
            expected.into_iter().collect(),
            "{replies:?}"
        );
    }
}

#[test]
fn a_code_that_pays_all_asks_no_channel() {
    let kind = Kind {
        code: Code::Worth { fen: 500 },
        ..BY_CODE
    };
    assert!(told(kind, &[(PAY, Said::Fail)]).is_err());
    let whole = [
        (PAY, Said::Success),
        (back(1, 60), Said::Amount),
        (Op::Cancel, Said::Success),
        (Op::Query, shown(Shown::Cancelled)),
    ];
    assert!(told(kind, &whole).is_ok());
}

#[test]
fn what_is_no_code_never_pays() {
    let kind = Kind {
        code: Code::Useless,
        ..BY_CODE
    };
    assert!(told(kind, &[(PAY, Said::NoCode), (PAY, Said::NoCode)]).is_ok());
    assert!(told(kind, &[(PAY, Said::Success)]).is_err());
    assert!(told(BY_CODE, &[(PAY, Said::NoCode)]).is_err());
}
