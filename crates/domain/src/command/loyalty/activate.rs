//! Codes sent to a mobile phone (source: 发送验证码), and cards given to members with them (卡激活).

use super::{Answer, Message, consume::may_be_used, desk::Desk};
use crate::{
    command::Command,
    ids::TenantId,
    loyalty::{
        card::{Card, CardNo, CardStatus},
        document::{Document, DocumentKey},
        store::StoreNo,
        terminal::{Terminal, TerminalNo},
        trans::{Refusal, Trans, TransKind},
        verify_code::{
            CODE_LIFE_S, CODE_PAUSE_S, CODE_TRIES_MAX, CODES_PER_HOUR_MAX,
            TERMINAL_CODES_PER_HOUR_MAX, VerifyCode, VerifyCodes,
        },
    },
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};
use std::sync::Arc;

const HOUR_S: i64 = 3600;

/// Notes a code before it is sent.
#[derive(Clone)]
pub struct SendCode {
    /// Whose terminal.
    pub tenant: TenantId,
    /// Its store.
    pub store: StoreNo,
    /// Its number on the wire.
    pub terminal: TerminalNo,
    /// The mobile number.
    pub mobile: String,
    /// The code's keyed digest, in hex.
    pub digest: String,
}

impl Command for SendCode {
    type Reply = Result<(), Refusal>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let documents = &mut plan.loyalty.documents;
        documents.push(DocumentKey::terminal(
            self.tenant,
            &self.store,
            &self.terminal,
        ));
        documents.push(DocumentKey::verify_codes(self.tenant, &self.mobile));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Self::Reply, Inconsistent> {
        Ok(self.note(rows, now))
    }
}

impl SendCode {
    fn note(&self, rows: &mut Rows, now: UnixMs) -> Result<(), Refusal> {
        let mut terminal = self.terminal(rows)?;
        let known = rows.loyalty.verify_codes(self.tenant, &self.mobile);
        let mut codes = known.cloned().unwrap_or_else(|| VerifyCodes {
            tenant: self.tenant,
            mobile: self.mobile.clone(),
            current: None,
            sent_at: Vec::new(),
        });
        let within_hour = |at: &UnixMs| now < at.plus_s(HOUR_S);
        codes.sent_at.retain(within_hour);
        terminal.codes_sent_at.retain(within_hour);
        let is_too_soon = |at: &UnixMs| now < at.plus_s(CODE_PAUSE_S);
        if codes.sent_at.iter().any(is_too_soon)
            || codes.sent_at.len() >= CODES_PER_HOUR_MAX
            || terminal.codes_sent_at.len() >= TERMINAL_CODES_PER_HOUR_MAX
        {
            return Err(Refusal::TooMany);
        }
        codes.sent_at.push(now);
        terminal.codes_sent_at.push(now);
        codes.current = Some(VerifyCode {
            digest: self.digest.clone(),
            expires_at: now.plus_s(CODE_LIFE_S),
            tries: 0,
        });
        let loyalty = &mut rows.loyalty;
        loyalty.put_document(Document::VerifyCodes(Box::new(codes)));
        loyalty.put_document(Document::Terminal(Box::new(terminal)));
        Ok(())
    }

    fn terminal(&self, rows: &Rows) -> Result<Terminal, Refusal> {
        let terminal = rows
            .loyalty
            .terminal(self.tenant, &self.store, &self.terminal)
            .ok_or(Refusal::UnknownTerminal)?;
        if terminal.blocked {
            return Err(Refusal::TerminalInvalid);
        }
        terminal.checked_in_batch().ok_or(Refusal::NotCheckedIn)?;
        Ok(terminal.clone())
    }
}

/// Gives a stocked card to the member who has the code.
#[derive(Clone)]
pub struct Activate {
    /// The message.
    pub message: Message,
    /// The card.
    pub card: CardNo,
    /// The member's mobile number.
    pub mobile: String,
    /// The kind of the member's identity document.
    pub id_type: String,
    /// Its number.
    pub id_no: String,
    /// The keyed digest of the code that the member told, in hex.
    pub code_digest: String,
}

impl Command for Activate {
    type Reply = Answer;
    const BEGINS: bool = true;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.message.plan(plan);
        let tenant = self.message.tenant;
        let documents = &mut plan.loyalty.documents;
        documents.push(DocumentKey::card(tenant, &self.card));
        documents.push(DocumentKey::verify_codes(tenant, &self.mobile));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Answer, Inconsistent> {
        let desk = match Desk::open(&self.message, TransKind::Activate, rows, now) {
            Ok(desk) => desk,
            Err(answer) => return Ok(answer),
        };
        let card = rows.loyalty.card(self.message.tenant, &self.card).cloned();
        let trans = Trans {
            card: Some(self.card.clone()),
            card_account: card.as_ref().map(|it| it.account),
            ..desk.trans()
        };
        let checked = desk
            .has_numbers_left()
            .and_then(|()| may_be_given(card, now))
            .and_then(|card| Ok((is_stocked(&card), card, self.check_code(rows, now)?)))
            .and_then(|(is_stocked, card, codes)| is_stocked.map(|()| (card, codes)));
        Ok(match checked {
            Ok((card, codes)) => {
                let card = Document::Card(Box::new(self.give(card)));
                rows.loyalty.put_document(card);
                let codes = Document::VerifyCodes(Box::new(codes));
                rows.loyalty.put_document(codes);
                desk.approve(rows, trans)
            }
            Err(refusal) => desk.decline(rows, trans, refusal),
        })
    }
}

/// Whether nothing but that a member has it already speaks against giving it to one.
fn may_be_given(card: Option<Card>, now: UnixMs) -> Result<Card, Refusal> {
    let card = card.ok_or(Refusal::UnknownCard)?;
    if card.expires_at.is_some_and(|end| end <= now) {
        return Err(Refusal::CardExpired);
    }
    match may_be_used(&card, now) {
        Ok(()) | Err(Refusal::NotActive) => Ok(card),
        Err(refusal) => Err(refusal),
    }
}

/// Named after a wrong code: who has none is not told whose card it is.
fn is_stocked(card: &Card) -> Result<(), Refusal> {
    if card.status == CardStatus::Stocked {
        Ok(())
    } else {
        Err(Refusal::InConflict)
    }
}

impl Activate {
    fn give(&self, mut card: Card) -> Card {
        card.status = CardStatus::Active;
        let holder = Arc::make_mut(&mut card.holder);
        holder.mobile = self.mobile.clone();
        holder.id_type = self.id_type.clone();
        holder.id_no = self.id_no.clone();
        card
    }

    /// The codes without this one, if it is right; a wrong one counts.
    fn check_code(&self, rows: &mut Rows, now: UnixMs) -> Result<VerifyCodes, Refusal> {
        let codes = rows.loyalty.verify_codes(self.message.tenant, &self.mobile);
        let mut codes = codes.cloned().ok_or(Refusal::CodeWrong)?;
        let mut code = codes.current.take().ok_or(Refusal::CodeWrong)?;
        if now >= code.expires_at || code.tries >= CODE_TRIES_MAX {
            return Err(Refusal::CodeWrong);
        }
        if code.digest == self.code_digest {
            return Ok(codes);
        }
        code.tries += 1;
        codes.current = Some(code);
        rows.loyalty
            .put_document(Document::VerifyCodes(Box::new(codes)));
        Err(Refusal::CodeWrong)
    }
}
