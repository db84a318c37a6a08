//! Arbitrary sequences of all messages, with steps of the clock: whatever happens, the audit of
//! each step holds and nothing overflows.

mod step;

use super::{
    ask::Ask,
    fixture::{
        FAR_TILL, NEXT_TILL, TENANT, TILL, Till, VOUCHER, ZONE, card_no, differing_lines, wanted,
    },
    world::World,
};
use domain::{
    command::loyalty::{
        Answer, CardChange, Consume, Expire, ForgetCodes, GiveBack, GiveBackKind, Message,
        Original, Reverse, SendCode, SetCard, Settle, SettleDetails, TicketsConsume, Wanted,
    },
    loyalty::{
        card::CardStatus,
        points::Points,
        program::Rules,
        terminal::BatchNo,
        totals::Totals,
        trans::{Place, TraceNo, Trans, TransKind, TransState},
    },
    money::Fen,
};
use proptest::prelude::*;
use std::sync::Arc;
use step::{From, Step, rules, steps};

const TILLS: [Till; 3] = [TILL, NEXT_TILL, FAR_TILL];
const MOBILE: &str = "13800000000";

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
            lines: differing_lines(differing),
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
                    is_explicit: false,
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
