//! What payments, and events on cards, say of the codes they name.

use super::{
    are,
    events::{Acts, Chain, Untold, acts_of},
    posted,
    stock::Stock,
};
use crate::audit::{
    broken::Broken,
    merge::Subject,
    report::{AuditReport, Rule},
};
use domain::{
    ledger::Posting,
    loyalty::trans::{Direction, Trans},
    payment::{CloseReason, End, Payment, PaymentState, VoucherFate, VoucherPart},
    time::UnixMs,
    voucher::{
        code::CodeNo,
        code_use::CodeEvent,
        postings::{of_give_back, of_late_expiry, of_use},
    },
};
use std::{collections::BTreeMap, mem};

/// How many refunds of a payment give its voucher back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::audit) struct BackSums {
    pub done: u32,
    pub under_way: u32,
}

/// What all payments that name a code, and all events on cards, did with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// Uses that undecided payments hold.
    pub reserved: u32,
    /// Uses that ever paid, or were tickets, and those of them that came back.
    pub acts: Acts,
    /// The recorded events that tell of these.
    pub chain: Chain,
    /// What none of them tells.
    pub untold: Untold,
}

/// What is said of codes.
#[derive(Default)]
pub(super) struct Holds {
    /// Those that payments or events name and whose own rows were not seen yet.
    codes: BTreeMap<CodeNo, Held>,
    /// What the number at hand did, as its payment or event on a card says.
    done: BTreeMap<CodeNo, Acts>,
}

/// What became of the use that a payment names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Reserved,
    Used,
    GivenBack,
    /// It was held, and let go.
    Released,
    /// It could not be held.
    Refused,
}

impl Outcome {
    fn of(payment: &Payment, back: BackSums) -> Self {
        match &payment.state {
            PaymentState::Open { .. } | PaymentState::Ending(_) => Self::Reserved,
            PaymentState::Paid(paid) => match paid.voucher {
                VoucherFate::Used | VoucherFate::Returning => Self::Used,
                VoucherFate::Returned => Self::GivenBack,
            },
            PaymentState::Ended { paid: Some(_), .. } if back.done > 0 => Self::GivenBack,
            PaymentState::Ended {
                end: End::Closed(CloseReason::Voucher(_)),
                ..
            } => Self::Refused,
            PaymentState::Ended { .. } => Self::Released,
        }
    }

    /// What it did to its code.
    const fn acts(self) -> Acts {
        let (used, given_back) = match self {
            Self::Reserved | Self::Released | Self::Refused => (0, 0),
            Self::Used => (1, 0),
            Self::GivenBack => (1, 1),
        };
        Acts { used, given_back }
    }

    /// The postings that follow from it, one way or another: a use whose term is over when it
    /// becomes free is written off at once.
    fn postings(self, payment: &Payment, part: &VoucherPart) -> Vec<Vec<Posting>> {
        let at = UnixMs(0);
        let back = |expired| {
            let used = of_use(payment, part, at).into_iter();
            used.chain(of_give_back(payment, part, expired, at))
                .collect()
        };
        match self {
            Self::Reserved | Self::Refused => vec![Vec::new()],
            Self::Used => vec![of_use(payment, part, at)],
            Self::GivenBack => vec![back(false), back(true)],
            Self::Released => vec![Vec::new(), of_late_expiry(payment, part, at)],
        }
    }
}

impl Holds {
    pub fn check(
        &mut self,
        payment: &Payment,
        back: BackSums,
        stock: &Stock,
        subject: &Subject,
        broken: &mut Broken<'_>,
    ) {
        let posted: Vec<Posting> = posted(subject).collect();
        let Some(part) = &payment.details.voucher else {
            broken.unless(posted.is_empty(), Rule::VoucherPosting, || {
                format!("posted {posted:?} without a voucher")
            });
            broken.unless(back == BackSums::default(), Rule::VoucherUse, || {
                format!("{back:?} of no voucher")
            });
            return;
        };
        let outcome = Outcome::of(payment, back);
        if outcome == Outcome::Reserved {
            self.codes.entry(part.code).or_default().reserved += 1;
        }
        self.note(part.code, outcome.acts());
        let mut expected = outcome.postings(payment, part).into_iter();
        broken.unless(
            expected.any(|it| are(&posted, it)),
            Rule::VoucherPosting,
            || {
                let expected = outcome.postings(payment, part);
                format!("posted {posted:?}, expected {expected:?}")
            },
        );
        unless_refunds_agree(payment, back, broken);
        unless_terms_agree(payment, part, stock, broken);
    }

    /// Counts the uses that an event spent, or gave back. What was undone keeps its own: what undid
    /// it says the opposite.
    pub fn check_trans(&mut self, trans: &Trans, stock: &Stock, broken: &mut Broken<'_>) {
        let direction = trans.kind.direction(trans.undoes);
        for used in &trans.effect.tickets {
            let Some(code) = used.code else { continue };
            let pieces = u32::try_from(used.pieces);
            let (acts, is_counted) = match (direction, pieces) {
                (Direction::Spend, Ok(used_up)) => (Acts::used(used_up), !used.written_off),
                (Direction::GiveBack, Ok(back)) => (Acts::given_back(back), true),
                (Direction::Expire | Direction::Grant | Direction::None, _) | (_, Err(_)) => {
                    (Acts::default(), false)
                }
            };
            self.note(code.code, acts);
            let agrees = stock.agrees(trans.tenant, &code, used.face);
            broken.unless(is_counted && agrees, Rule::VoucherUse, || {
                format!("{used:?} is no use of a code as its box says")
            });
        }
    }

    fn note(&mut self, code: CodeNo, acts: Acts) {
        if acts != Acts::default() {
            self.codes.entry(code).or_default().acts.add(acts);
            self.done.entry(code).or_default().add(acts);
        }
    }

    /// The events of codes that have this number are what was noted of it, but for one of a payment that the
    /// code's row may keep.
    pub fn check_events(&mut self, subject: &Subject, report: &mut AuditReport) {
        for event in &subject.code_events {
            self.codes.entry(event.code).or_default().chain.add(event);
        }
        let (said, mut told) = (mem::take(&mut self.done), acts_of(subject));
        if subject.payment.is_some() {
            for (code, said) in &said {
                let of_code = told.entry(*code).or_default();
                if let Some(act) = of_code.lack(*said) {
                    let held = self.codes.entry(*code).or_default();
                    held.untold.add(subject.serial, act);
                    *of_code = *said;
                }
            }
        }
        let owner = subject.payment.as_ref().map(|it| it.tenant);
        let owner = owner.or(subject.trans.as_ref().map(|it| it.tenant));
        // Only a payment tells where it was: what happened elsewhere says so itself.
        let tells = |it: &CodeEvent| it.scene.is_some() || subject.payment.is_some();
        let is_its = |it: &CodeEvent| Some(it.tenant) == owner && tells(it);
        if said != told || !subject.code_events.iter().all(is_its) {
            let found = format!("did {said:?} to codes, their events tell {told:?}");
            report.add(Rule::CodeUses, format!("number {}", subject.serial), found);
        }
    }

    /// What payments and events say of a code.
    pub fn take(&mut self, code: CodeNo) -> Held {
        self.codes.remove(&code).unwrap_or_default()
    }

    /// What is left has no rows of its own.
    pub fn finish(self, report: &mut AuditReport) {
        for (code, held) in self.codes {
            let found = format!("payments say {held:?}, it has no row");
            report.add(Rule::CodeUses, name(code), found);
        }
    }
}

pub(super) fn name(code: CodeNo) -> String {
    format!("code {} of box {}", code.index, code.carton)
}

/// The use comes back once, by a refund that says so, and the payment says the same.
fn unless_refunds_agree(payment: &Payment, back: BackSums, broken: &mut Broken<'_>) {
    let BackSums { done, under_way } = back;
    let fate = payment.paid().map(|it| it.voucher);
    let holds = match (&payment.state, fate) {
        (PaymentState::Paid(_), Some(VoucherFate::Used)) => (done, under_way) == (0, 0),
        (PaymentState::Paid(_), Some(VoucherFate::Returning)) => (done, under_way) == (0, 1),
        (PaymentState::Paid(_), Some(VoucherFate::Returned)) => (done, under_way) == (1, 0),
        // Money that came too late never used it.
        (PaymentState::Ended { .. }, Some(VoucherFate::Returned)) => done <= 1 && under_way == 0,
        (_, Some(_)) => false,
        (_, None) => (done, under_way) == (0, 0),
    };
    broken.unless(holds, Rule::VoucherUse, || {
        format!("{fate:?}, its refunds {back:?}")
    });
}

fn unless_terms_agree(
    payment: &Payment,
    part: &VoucherPart,
    stock: &Stock,
    broken: &mut Broken<'_>,
) {
    let carton = stock.carton(part.code.carton);
    let holds = carton.is_some_and(|it| {
        it.ready
            && it.tenant == payment.tenant
            && it.range.contains(part.code)
            && (it.ticket, it.terms.uses) == (part.ticket, part.uses)
            && it.terms.face_value == part.face
            && part.pays <= part.face
    });
    broken.unless(holds, Rule::VoucherUse, || {
        format!("{part:?} is not as its box says")
    });
}
