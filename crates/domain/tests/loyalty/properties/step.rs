//! Arbitrary programs and steps.

use crate::fixture::{DAY_S, NOON, PIN, TILL, points, yuan};
use domain::{
    command::loyalty::{GiveBackKind, PinEvidence},
    loyalty::{
        card::CardStatus,
        program::{Campaign, Clawback, Gift, Limits, Rules},
        trans::TransKind,
    },
    money::Fen,
};
use proptest::prelude::*;

/// One step of a sequence. Small numbers, so that messages meet.
#[derive(Clone, Debug)]
pub enum Step {
    Buy {
        from: From,
        card: i64,
        point_amount: i64,
        cash: i64,
        vouchers: i64,
        pin: PinEvidence,
    },
    Tickets {
        from: From,
        card: i64,
        pieces: i64,
    },
    GiveBack {
        from: From,
        kind: GiveBackKind,
        card: i64,
        nth: usize,
        by_place: bool,
    },
    Reverse {
        from: From,
        kind: TransKind,
        card: i64,
        /// The reversal repeats this earlier message.
        nth: Option<usize>,
    },
    SendCode(usize),
    Activate {
        from: From,
        is_right: bool,
    },
    Settle {
        from: From,
        is_equal: bool,
    },
    Details {
        from: From,
        differing: i64,
    },
    CheckIn(usize),
    Repeat(usize),
    SetStatus {
        card: i64,
        status: CardStatus,
    },
    ResetPin,
    Expire(i64),
    ForgetCodes,
    Wait(i64),
    /// The next two messages come in one batch.
    Together,
}

/// Which message of which till.
#[derive(Clone, Copy, Debug)]
pub struct From {
    pub till: usize,
    /// `None` is one that was never used.
    pub trace: Option<u32>,

    /// How many batches ago it says it is; `None` where it names none.
    pub batches_ago: Option<u32>,
}

fn from() -> impl Strategy<Value = From> {
    let till = prop_oneof![4 => Just(0_usize), 2 => Just(1), 1 => Just(2)];
    let trace = proptest::option::weighted(0.2, 1..9_u32);
    let batches = prop_oneof![12 => Just(Some(0)), 1 => Just(Some(1)), 4 => Just(None)];
    (till, trace, batches).prop_map(|(till, trace, batches_ago)| From {
        till,
        trace,
        batches_ago,
    })
}

fn card() -> impl Strategy<Value = i64> {
    prop_oneof![12 => Just(2_i64), 2 => Just(1), 1 => Just(3), 1 => Just(4)]
}

fn fen() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => 0..20_000_i64,
        4 => Just(0_i64),
        4 => Just(10_000_i64),
        1 => Just(Fen::MAX_CHARGE.get()),
    ]
}

fn point_amount() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => Just(0_i64),
        12 => 0..80_i64,
        6 => Just(100_i64),
        1 => Just(Fen::MAX_CHARGE.get())
    ]
}

fn vouchers() -> impl Strategy<Value = i64> {
    prop_oneof![8 => Just(0_i64), 4 => 1..4_i64, 1 => Just(4_i64), 1 => Just(-1_i64)]
}

fn pin() -> impl Strategy<Value = PinEvidence> {
    prop_oneof![
        12 => Just(PinEvidence::Right(PIN.to_owned())),
        1 => Just(PinEvidence::Wrong(PIN.to_owned())),
        1 => Just(PinEvidence::Wrong("of another PIN".to_owned())),
        1 => Just(PinEvidence::None),
    ]
}

fn give_back_kind() -> impl Strategy<Value = GiveBackKind> {
    prop_oneof![
        Just(GiveBackKind::Cancel),
        Just(GiveBackKind::Refund),
        Just(GiveBackKind::RefundCancel)
    ]
}

fn reversed_kind() -> impl Strategy<Value = TransKind> {
    prop_oneof![
        Just(TransKind::Consume),
        Just(TransKind::Cancel),
        Just(TransKind::Refund),
        Just(TransKind::RefundCancel),
        Just(TransKind::TicketsConsume),
        Just(TransKind::Activate)
    ]
}

fn wait_s() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => 1..7_200_i64,
        3 => (1..4_i64).prop_map(|days| days * DAY_S),
        1 => (20..400_i64).prop_map(|days| days * DAY_S),
    ]
}

fn purchase_step() -> impl Strategy<Value = Step> {
    (from(), card(), point_amount(), fen(), vouchers(), pin()).prop_map(
        |(from, card, point_amount, cash, vouchers, pin)| Step::Buy {
            from,
            card,
            point_amount,
            cash,
            vouchers,
            pin,
        },
    )
}

fn money_step() -> impl Strategy<Value = Step> {
    let tickets = (from(), card(), vouchers()).prop_map(|(from, card, pieces)| Step::Tickets {
        from,
        card,
        pieces,
    });
    let give_back = (from(), give_back_kind(), card(), 0..6_usize, any::<bool>()).prop_map(
        |(from, kind, card, nth, by_place)| Step::GiveBack {
            from,
            kind,
            card,
            nth,
            by_place,
        },
    );
    let reverse = (
        from(),
        reversed_kind(),
        card(),
        proptest::option::weighted(0.9, 0..4_usize),
    )
        .prop_map(|(from, kind, card, nth)| Step::Reverse {
            from,
            kind,
            card,
            nth,
        });
    prop_oneof![8 => purchase_step(), 2 => tickets, 8 => give_back, 8 => reverse]
}

fn other_step() -> impl Strategy<Value = Step> {
    let status = prop_oneof![
        4 => Just(CardStatus::Active),
        1 => Just(CardStatus::Lost),
        1 => Just(CardStatus::Restricted)
    ];
    let settle =
        (from(), any::<bool>()).prop_map(|(from, is_equal)| Step::Settle { from, is_equal });
    let details =
        (from(), 0..2_i64).prop_map(|(from, differing)| Step::Details { from, differing });
    prop_oneof![
        1 => (0..3_usize).prop_map(Step::SendCode),
        1 => (from(), any::<bool>())
            .prop_map(|(from, is_right)| Step::Activate { from, is_right }),
        1 => settle,
        1 => details,
        8 => (0..3_usize).prop_map(Step::CheckIn),

        3 => (0..6_usize).prop_map(Step::Repeat),
        1 => (1..4_i64, status).prop_map(|(card, status)| Step::SetStatus { card, status }),
        1 => Just(Step::ResetPin),
        3 => (1..4_i64).prop_map(Step::Expire),
        1 => Just(Step::ForgetCodes),
        4 => wait_s().prop_map(Step::Wait),
        3 => Just(Step::Together),
    ]
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![3 => money_step(), 2 => other_step()];
    proptest::collection::vec(step, 1..60)
}

fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![
        3 => Just(Limits::default()),
        1 => Just(Limits {
            points_per_day: Some(points(150)),
            count_per_day: Some(3),
            points_per_trans: Some(points(120)),
        })
    ]
}

pub fn rules() -> impl Strategy<Value = Rules> {
    let clawback = prop_oneof![
        Just(Clawback::Cash),
        Just(Clawback::Negative),
        Just(Clawback::Refuse)
    ];
    let program = (
        clawback,
        0..3_u32,
        proptest::option::weighted(0.9, 0..4_u32),
        limits(),
        limits(),
        any::<bool>(),
    );
    program.prop_map(
        |(clawback, pending_days, expiry_months, card_limits, terminal_limits, has_more)| Rules {
            clawback,
            pending_days,
            expiry_months,
            card_limits,
            terminal_limits,
            grade_from: if has_more {
                vec![yuan(100), yuan(5_000)]
            } else {
                vec![]
            },
            refund_anywhere: has_more,
            campaigns: if has_more { vec![campaign()] } else { vec![] },
            ..Rules::default()
        },
    )
}

fn campaign() -> Campaign {
    Campaign {
        name: "double".to_owned(),
        from: NOON,
        until: NOON.plus_s(10 * DAY_S),
        stores: vec![TILL.store_no()],
        gift: Gift::Multiplier(250),
        advertisement: String::new(),
    }
}
