//! Arbitrary sequences of all messages, with steps of the clock: whatever happens, the audit of
//! each step holds and nothing overflows.

use super::{
    ask::Ask,
    fixture::{
        DAY_S, FAR_TILL, NEXT_TILL, PIN, TENANT, TILL, Till, VOUCHER, ZONE, card_no, points,
        wanted, yuan,
    },
    world::World,
};
use domain::{
    command::loyalty::{
        Answer, CardChange, Consume, Expire, ForgetCodes, GiveBack, GiveBackKind, Message,
        Original, PinEvidence, Reverse, SendCode, SetCard, Settle, SettleDetails, TicketsConsume,
        Wanted,
    },
    loyalty::{
        card::CardStatus,
        points::Points,
        program::{Campaign, Clawback, Gift, Limits, Rules},
        terminal::BatchNo,
        totals::Totals,
        trans::{Place, TraceNo, Trans, TransKind, TransState},
    },
    money::Fen,
};
use proptest::prelude::*;
use std::sync::Arc;

const TILLS: [Till; 3] = [TILL, NEXT_TILL, FAR_TILL];
const MOBILE: &str = "13800000000";

/// One step of a sequence. Small numbers, so that messages meet.
#[derive(Clone, Debug)]
enum Step {
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
struct From {
    till: usize,
    /// `None` is one that was never used.
    trace: Option<u32>,

    /// How many batches ago it says it is; `None` where it names none.
    batches_ago: Option<u32>,
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

fn steps() -> impl Strategy<Value = Vec<Step>> {
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

fn rules() -> impl Strategy<Value = Rules> {
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
        from: super::fixture::NOON,
        until: super::fixture::NOON.plus_s(10 * DAY_S),
        stores: vec![TILL.store_no()],
        gift: Gift::Multiplier(250),
        advertisement: String::new(),
    }
}

/// A sequence as it is carried out.
struct Play {
    world: World,
    rules: Arc<Rules>,
    /// The last messages that were sent, for repeating and reversing.
    sent: Vec<Ask>,
    /// The last trace number that was never used before.
    trace: u32,
    /// Messages that wait to be sent in one batch.
    waiting: Option<Vec<Ask>>,
}

impl Play {
    fn new(rules: Rules) -> Self {
        Self {
            world: World::new(),
            rules: Arc::new(rules),
            sent: Vec::new(),
            trace: 100,
            waiting: None,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Wait(s) => self.world.later(s),
            Step::Together => self.waiting = Some(self.waiting.take().unwrap_or_default()),
            Step::CheckIn(till) => {
                self.world.check_in(TILLS[till]).unwrap();
            }
            Step::SendCode(till) => self.send_code(TILLS[till]),
            Step::ForgetCodes => self.world.run(&ForgetCodes {
                tenant: TENANT,
                mobile: MOBILE.to_owned(),
            }),
            Step::Expire(card) => {
                let serial = self.world.serial();
                let (tenant, card) = (TENANT, card_no(card));
                self.world.run(&Expire {
                    tenant,
                    card,
                    serial,
                });
            }
            Step::SetStatus { card, status } => self.set_status(card, status),
            Step::ResetPin => self.world.set_card(&card_no(1), CardChange::ResetPin),
            Step::Repeat(nth) => {
                if let Some(ask) = self.nth_sent(nth) {
                    self.send(ask);
                }
            }
            message => {
                if let Some(ask) = self.message_of(message) {
                    self.send(ask);
                }
            }
        }
    }

    fn set_status(&mut self, card: i64, status: CardStatus) {
        if self.world.card(&card_no(card)).status != CardStatus::Stocked {
            self.world.run(&SetCard {
                tenant: TENANT,
                number: card_no(card),
                change: CardChange::Status(status),
            });
        }
    }

    fn send_code(&mut self, till: Till) {
        let _refused_or_not = self.world.run(&SendCode {
            tenant: TENANT,
            store: till.store_no(),
            terminal: till.number(),
            mobile: MOBILE.to_owned(),
            digest: "right".to_owned(),
        });
    }

    fn nth_sent(&mut self, nth: usize) -> Option<Ask> {
        let at = self.sent.len().checked_sub(nth + 1)?;
        let mut again = self.sent[at].clone();
        again.message().serial = self.world.serial();
        Some(again)
    }

    /// Sends it, alone or with the one before it.
    fn send(&mut self, ask: Ask) {
        let asks = match self.waiting.take() {
            Some(waiting) if waiting.is_empty() => {
                self.waiting = Some(vec![ask]);
                return;
            }
            Some(waiting) => [waiting, vec![ask]].concat(),
            None => vec![ask],
        };
        let answers = self.world.batch(&asks);
        for (mut ask, answer) in asks.into_iter().zip(answers) {
            check_answer(&mut ask, &answer);
            self.sent.push(ask);
        }
    }

    fn message(&mut self, from: From) -> Message {
        let till = TILLS[from.till];
        self.trace += 1;
        let trace = from.trace.unwrap_or(self.trace);
        let message = self.world.message(till, trace);
        let mut batch: BatchNo = message.batch;
        for _ in 0..from.batches_ago.unwrap_or(0) {
            batch = batch.previous();
        }
        Message {
            batch,
            names_batch: from.batches_ago.is_some(),
            ..message
        }
    }

    fn message_of(&mut self, step: Step) -> Option<Ask> {
        let mut ask = match step {
            Step::Reverse {
                from,
                kind,
                card,
                nth,
            } => self.reversal(from, kind, card, nth)?,
            other => self.plain_message(other)?,
        };
        ask.digest();
        Some(ask)
    }

    fn plain_message(&mut self, step: Step) -> Option<Ask> {
        let rules = self.rules.clone();
        Some(match step {
            Step::Buy {
                from,
                card,
                point_amount,
                cash,
                vouchers,
                pin,
            } => Consume {
                message: self.message(from),
                card: card_no(card),
                pin,
                point_amount: Fen::new(point_amount),
                cash: Fen::new(cash),
                vouchers: lines(vouchers),
                register_trace: None,
                entry_mode: "021".to_owned(),
                rules,
            }
            .into(),
            Step::Tickets { from, card, pieces } => TicketsConsume {
                message: self.message(from),
                card: card_no(card),
                tickets: lines(pieces),
                rules,
            }
            .into(),
            Step::GiveBack {
                from,
                kind,
                card,
                nth,
                by_place,
            } => self.giving_back(from, kind, card, nth, by_place),
            Step::Activate { from, is_right } => {
                let mut activation = self.world.activation(TILLS[from.till], 1);
                activation.message = self.message(from);
                activation.code_digest = if is_right { "right" } else { "wrong" }.to_owned();
                activation.into()
            }
            Step::Settle { from, is_equal } => self.settlement(from, is_equal),
            Step::Details { from, differing } => self.details(from, differing),
            Step::Reverse { .. }
            | Step::SendCode(_)
            | Step::CheckIn(_)
            | Step::Repeat(_)
            | Step::SetStatus { .. }
            | Step::ResetPin
            | Step::Expire(_)
            | Step::ForgetCodes
            | Step::Wait(_)
            | Step::Together => return None,
        })
    }

    fn settlement(&mut self, from: From, is_equal: bool) -> Ask {
        let mut totals = self.world.totals(TILLS[from.till]);
        totals.trans_count += i64::from(!is_equal);
        Settle {
            message: self.message(from),
            totals,
        }
        .into()
    }

    fn details(&mut self, from: From, differing: i64) -> Ask {
        let batch = self.world.terminal(TILLS[from.till]).batch;
        SettleDetails {
            message: self.message(from),
            totals: Totals::default(),
            differing,
            entries: batch.unwrap().entries,
        }
        .into()
    }

    /// About one of the last events of the kind it undoes, if there is one.
    fn giving_back(
        &mut self,
        from: From,
        kind: GiveBackKind,
        card: i64,
        nth: usize,
        by_place: bool,
    ) -> Ask {
        let undoes = match kind {
            GiveBackKind::Cancel | GiveBackKind::Refund => TransKind::Consume,
            GiveBackKind::RefundCancel => TransKind::Refund,
        };
        let found = self.world.trans.values().rev();
        let is_meant = |it: &&Trans| {
            let may_go_back = it.state == TransState::Approved || nth == 0;
            it.kind == undoes && it.number.is_some() && may_go_back
        };
        let found = found.filter(is_meant).nth(nth / 2).cloned();
        let home = found.as_ref().and_then(|it| it.place).map(Place::terminal);
        let home = TILLS
            .iter()
            .position(|it| Some(it.index) == home && nth != 1);
        let from = From {
            till: home.unwrap_or(from.till),
            ..from
        };
        let trace = TraceNo::new(from.trace.unwrap_or(1)).unwrap();
        let place = Place::new(TILLS[from.till].index, BatchNo::FIRST, trace);
        let original = match &found {
            Some(trans) if !by_place => Original {
                number: trans.number,
                ..Original::default()
            },
            Some(trans) => Original {
                place: trans.place,
                day: Some(ZONE.day(trans.at)),
                ..Original::default()
            },
            None => Original {
                place: Some(place),
                ..Original::default()
            },
        };
        GiveBack {
            message: self.message(from),
            kind,
            card: found
                .and_then(|it| it.card)
                .unwrap_or_else(|| card_no(card)),
            original,
            needs: vec![],
            rules: self.rules.clone(),
        }
        .into()
    }

    fn reversal(
        &mut self,
        from: From,
        kind: TransKind,
        card: i64,
        nth: Option<usize>,
    ) -> Option<Ask> {
        let Some(nth) = nth else {
            return Some(
                Reverse {
                    message: self.message(from),
                    reverses: kind,
                    card: card_no(card),
                    amounts: None,
                    needs: vec![],
                    rules: self.rules.clone(),
                }
                .into(),
            );
        };
        let original = self.nth_sent(nth)?;
        match original {
            Ask::Consume(_) | Ask::Tickets(_) | Ask::GiveBack(_) => {
                Some(self.world.reversal(&original).into())
            }
            Ask::Reverse(_) | Ask::Activate(_) | Ask::Settle(_) | Ask::Details(_) => None,
        }
    }
}

fn lines(pieces: i64) -> Vec<Wanted> {
    match pieces {
        0 => vec![],
        // The same ticket in two lines, and one that nobody has.
        3 => [wanted(VOUCHER, 1), wanted(VOUCHER, 1)].concat(),
        4 => [wanted(VOUCHER, 1), wanted(99, 1)].concat(),
        pieces => wanted(VOUCHER, pieces),
    }
}

/// What is answered is about what was asked, and a reversal never leaves its message standing.
fn check_answer(ask: &mut Ask, answer: &Answer) {
    let Answer::Done(trans) = answer else { return };
    match ask {
        Ask::Reverse(reverse) => {
            assert!(matches!(trans.state, TransState::Reversed(_)), "{trans:?}");
            assert_eq!(trans.kind, reverse.reverses);
        }
        other => assert_eq!(trans.place, Some(other.message().place())),
    }
}

/// Live lots: one for each month that points may live to, one for each day that some may wait,
/// and what the card began with.
fn check_lots(play: &Play) {
    let rules = &play.rules;
    let months = rules.expiry_months.unwrap_or(0) as usize + 1;
    let most = 1 + months + 1 + 2 * rules.pending_days as usize;
    for card in [1, 2, 3] {
        let card = play.world.card(&card_no(card));
        let live = card.lots.iter().filter(|it| it.is_live(play.world.now));
        assert!(live.count() <= most, "more than {most}: {:?}", card.lots);
        let total: Points = card.lots.iter().map(|it| it.points).sum();
        assert!(total.get() < i64::MAX / 2, "{card:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_books_hold(rules in rules(), steps in steps()) {
        let mut play = Play::new(rules);
        for step in steps {
            play.step(step);
            check_lots(&play);
        }
    }
}
