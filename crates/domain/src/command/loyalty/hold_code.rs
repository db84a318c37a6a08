//! A card comes to hold a voucher code, or lets go of it, as an operator wants.

use crate::{
    command::Command,
    ids::TenantId,
    loyalty::{
        card::{CODES_HELD_MAX, Card, CardNo, HeldCode},
        document::{Document, DocumentKey},
    },
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
    voucher::{
        code::CodeNo,
        status::{CodeStatus, standing},
    },
};

/// A card holds a code from now on. Nothing moves: the code's uses stay what they are, and whoever
/// has its text may use it still.
#[derive(Clone, Debug)]
pub struct HoldCode {
    /// Whose.
    pub tenant: TenantId,
    /// The card.
    pub card: CardNo,
    /// The code, as its box says.
    pub held: HeldCode,
}

/// The answer to [`HoldCode`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldReply {
    /// The card holds it, since now or before.
    Held(Box<Card>),
    /// There is no such card.
    NoCard,
    /// The code stands so that nobody can use it.
    Useless(CodeStatus),
    /// The card has another ticket under the number of this one.
    NumberTaken,
    /// The card holds as many codes as one may.
    Full,
}

impl Command for HoldCode {
    type Reply = HoldReply;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let card = DocumentKey::card(self.tenant, &self.card);
        plan.voucher.cards.push(card.clone());
        plan.loyalty.documents.push(card);
        plan.voucher.codes.push(self.held.backing.code);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<HoldReply, Inconsistent> {
        let Some(mut card) = rows.loyalty.card(self.tenant, &self.card).cloned() else {
            return Ok(HoldReply::NoCard);
        };
        let holds = |it: &HeldCode| it.backing.code == self.held.backing.code;
        if card.codes.iter().any(holds) {
            return Ok(HoldReply::Held(Box::new(card)));
        }
        let status = self.status(rows, &self.held, now)?;
        if status != CodeStatus::Active {
            return Ok(HoldReply::Useless(status));
        }
        if !self.held.fits_beside(&card.tickets, &card.codes) {
            return Ok(HoldReply::NumberTaken);
        }
        if card.codes.len() >= CODES_HELD_MAX {
            self.forget_useless(rows, &mut card, now)?;
        }
        if card.codes.len() >= CODES_HELD_MAX {
            return Ok(HoldReply::Full);
        }
        card.put_code(self.held.clone());
        rows.loyalty
            .put_document(Document::Card(Box::new(card.clone())));
        Ok(HoldReply::Held(Box::new(card)))
    }
}

impl HoldCode {
    fn status(
        &self,
        rows: &Rows,
        held: &HeldCode,
        now: UnixMs,
    ) -> Result<CodeStatus, Inconsistent> {
        let (code, uses) = (held.backing.code, held.backing.uses);
        let span = rows.voucher.span_of(self.tenant, code)?;
        let code_use = rows.voucher.code_use(self.tenant, code);
        Ok(standing(span, Some(&code_use), uses, now).status)
    }

    /// Makes room: codes that are used up, void or over are held for nothing. A reversal that gives a
    /// use back brings its code back as well.
    fn forget_useless(
        &self,
        rows: &Rows,
        card: &mut Card,
        now: UnixMs,
    ) -> Result<(), Inconsistent> {
        let mut kept = Vec::with_capacity(card.codes.len());
        for held in card.codes.drain(..) {
            match self.status(rows, &held, now)? {
                CodeStatus::UsedUp | CodeStatus::Void | CodeStatus::Expired => {}
                CodeStatus::InStock
                | CodeStatus::Active
                | CodeStatus::Reserved
                | CodeStatus::Frozen => kept.push(held),
            }
        }
        card.codes = kept;
        Ok(())
    }
}

/// A card holds a code no more; answers what it is now, or `None` when there is none. What was used
/// of the code with it stays used.
#[derive(Clone, Debug)]
pub struct LetGoOfCode {
    /// Whose.
    pub tenant: TenantId,
    /// The card.
    pub card: CardNo,
    /// The code.
    pub code: CodeNo,
}

impl Command for LetGoOfCode {
    type Reply = Option<Card>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let card = DocumentKey::card(self.tenant, &self.card);
        plan.loyalty.documents.push(card);
    }

    fn decide(&self, rows: &mut Rows, _now: UnixMs) -> Result<Option<Card>, Inconsistent> {
        let Some(mut card) = rows.loyalty.card(self.tenant, &self.card).cloned() else {
            return Ok(None);
        };
        card.codes.retain(|it| it.backing.code != self.code);
        rows.loyalty
            .put_document(Document::Card(Box::new(card.clone())));
        Ok(Some(card))
    }
}
