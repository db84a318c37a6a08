//! What replies about a code are explained, and which contradict each other.

use super::*;

const VALID: Term = Term {
    held: true,
    was_over: false,
};
const OVER: Term = Term {
    held: false,
    was_over: true,
};

/// A code of one use with what happens to it, one after the other.
struct Story(Code, u32);

impl Story {
    fn new() -> Self {
        Self(Code::new(1), 0)
    }

    /// An active one.
    fn active() -> Self {
        let mut story = Self::new();
        story.ends(Op::Change(Act::Activate), Phase::Done).unwrap();
        story
    }

    fn sent(&mut self, op: Op) -> u32 {
        self.1 += 1;
        if let Op::Pay(sale) = op {
            self.0.named_by(sale);
        }
        self.0.sent(self.1, op);
        self.1
    }

    /// Something is asked and answered so, while the term holds.
    fn ends(&mut self, op: Op, phase: Phase) -> Result<(), Contradiction> {
        let id = self.sent(op);
        self.0.spread(VALID);
        self.0.ended(id, &[phase])
    }

    fn shows(&mut self, status: CodeStatus, left: u32) -> bool {
        self.ends(Op::Look, Phase::Saw(status, left)).is_ok()
    }

    fn stands(&mut self, sale: u64, stand: Stand) -> bool {
        self.0.spread(VALID);
        self.0.narrow(sale, &BTreeSet::from([stand])).is_ok()
    }
}

#[test]
fn what_is_sold_may_be_used_once() {
    let mut story = Story::new();
    assert!(story.ends(Op::Pay(1), Phase::Useless).is_ok());
    assert!(story.ends(Op::Change(Act::Activate), Phase::Done).is_ok());
    assert!(story.ends(Op::Pay(1), Phase::Landed).is_ok());
    assert!(story.stands(1, Stand::Used));
    assert!(story.ends(Op::Pay(2), Phase::Useless).is_ok());
    assert!(story.shows(CodeStatus::UsedUp, 0));
}

#[test]
fn the_last_use_is_one_sales() {
    let mut story = Story::active();
    assert!(story.ends(Op::Pay(1), Phase::Landed).is_ok());
    assert!(story.stands(1, Stand::Used));
    assert!(story.ends(Op::Pay(2), Phase::Landed).is_ok());
    assert!(!story.stands(2, Stand::Used));
}

#[test]
fn an_active_code_that_nobody_holds_can_pay() {
    assert!(Story::active().ends(Op::Pay(1), Phase::Useless).is_err());
}

#[test]
fn a_sale_takes_no_use_without_a_request() {
    let mut story = Story::active();
    let id = story.sent(Op::Pay(1));
    story.0.ended(id, &[Phase::Sent]).unwrap();
    assert!(story.stands(1, Stand::Asked));
    assert!(!story.stands(1, Stand::Held));
}

#[test]
fn a_request_without_a_reply_may_take_a_use_later() {
    let mut story = Story::active();
    let id = story.sent(Op::Pay(1));
    story.0.left(id);
    assert!(story.shows(CodeStatus::Active, 1));
    assert!(story.shows(CodeStatus::Reserved, 0));
    assert!(story.shows(CodeStatus::Active, 1), "it was let go again");
    assert!(!story.shows(CodeStatus::Reserved, 0), "it took it once");
}

#[test]
fn a_use_comes_back_when_somebody_asks_for_it() {
    let mut story = Story::active();
    story.ends(Op::Pay(1), Phase::Landed).unwrap();
    assert!(story.stands(1, Stand::Used));
    assert!(!story.shows(CodeStatus::Active, 1));
    let mut story = Story::active();
    story.ends(Op::Pay(1), Phase::Landed).unwrap();
    assert!(story.stands(1, Stand::Used));
    story.0.may_come_back(1);
    assert!(story.shows(CodeStatus::Active, 1));
    assert!(story.stands(1, Stand::Back));
}

#[test]
fn what_is_held_used_or_void_is_in_the_way_of_a_void() {
    let mut story = Story::active();
    assert!(story.ends(Op::Change(Act::Void), Phase::Done).is_ok());
    assert!(story.ends(Op::Change(Act::Void), Phase::Blocked).is_ok());
    assert!(story.shows(CodeStatus::Void, 0));
    let mut story = Story::active();
    story.ends(Op::Pay(1), Phase::Landed).unwrap();
    assert!(story.stands(1, Stand::Held));
    assert!(story.ends(Op::Change(Act::Void), Phase::Blocked).is_ok());
    assert!(story.stands(1, Stand::Used));
    assert!(story.ends(Op::Change(Act::Void), Phase::Done).is_err());
}

#[test]
fn a_frozen_code_waits() {
    let mut story = Story::active();
    assert!(story.ends(Op::Change(Act::Freeze), Phase::Done).is_ok());
    assert!(story.shows(CodeStatus::Frozen, 1));
    assert!(story.ends(Op::Pay(1), Phase::Useless).is_ok());
    assert!(story.ends(Op::Change(Act::Void), Phase::Blocked).is_ok());
    assert!(story.ends(Op::Change(Act::Unfreeze), Phase::Done).is_ok());
    assert!(story.shows(CodeStatus::Active, 1));
}

#[test]
fn what_expired_is_written_off_at_rest() {
    let mut story = Story::active();
    let id = story.sent(Op::Look);
    story.0.spread(OVER);
    let saw = Phase::Saw(CodeStatus::Expired, 0);
    assert!(story.0.ended(id, &[saw]).is_ok());
    assert!(story.0.rest(OVER).is_ok());
    // The books do not forget it when the clock is set back.
    assert!(!story.shows(CodeStatus::Active, 1));
}
