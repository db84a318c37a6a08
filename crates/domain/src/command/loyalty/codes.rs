//! Voucher codes that a card holds: their uses are tickets of the card, spent with its other
//! tickets and given back with them (source: 券消费, 券消费冲正). What a code has left is its own
//! row's to say, so a till of another dialect and this card's can never both have the last use.

use super::{Message, Wanted};
use crate::{
    loyalty::{
        card::{Card, HeldCode, TicketCode, TicketId},
        trans::{Effect, Place, TicketUse, Trans},
    },
    rows::{Inconsistent, Rows},
    time::UnixMs,
    voucher::{
        code_use::{CodeAct, CodeUse, Scene},
        status::{CodeStatus, standing},
    },
};

/// Uses of a held code that may be spent now.
pub(super) struct Free {
    held: HeldCode,
    uses: i64,
    until: Option<UnixMs>,
}

/// What the codes of a card have left, those whose term ends first at the front.
///
/// # Errors
/// When a code's span was not loaded.
pub(super) fn free(rows: &Rows, card: &Card, now: UnixMs) -> Result<Vec<Free>, Inconsistent> {
    let free = card.codes.iter().map(|held| {
        let (code, uses) = (held.backing.code, held.backing.uses);
        let span = rows.voucher.span_of(card.tenant, code)?;
        let code_use = rows.voucher.code_use(card.tenant, code);
        let stands = standing(span, Some(&code_use), uses, now);
        let is_active = stands.status == CodeStatus::Active;
        Ok(is_active.then(|| Free {
            held: held.clone(),
            uses: i64::from(stands.uses_left),
            until: span.activation().and_then(|it| it.term.until),
        }))
    });
    let free: Result<Vec<Option<Free>>, Inconsistent> = free.collect();
    let mut free: Vec<Free> = free?.into_iter().flatten().collect();
    free.sort_by_key(|it| it.until.map_or(i64::MAX, |it| it.0));
    Ok(free)
}

/// Lines that take the wanted pieces from `free`; `None` where it has fewer.
pub(super) fn take(free: &mut [Free], wanted: &Wanted) -> Option<Vec<TicketUse>> {
    let (mut missing, mut lines) = (wanted.pieces, Vec::new());
    let ticket = TicketId {
        voucher: false,
        id: wanted.id,
    };
    for it in free.iter_mut().filter(|it| it.held.ticket() == ticket) {
        let pieces = missing.min(it.uses);
        if pieces > 0 {
            missing -= pieces;
            it.uses -= pieces;
            lines.push(it.held.used(pieces, it.until));
        }
    }
    (missing == 0).then_some(lines)
}

/// Where a message used codes.
pub(super) struct Till {
    scene: Scene,
}

impl Till {
    /// At the terminal of `message`, which knows what was used by the batch and trace number of
    /// `place`.
    pub(super) fn new(message: &Message, place: Option<Place>) -> Self {
        let sale = place.and_then(|it| {
            let batch = it.batch()?.get();
            Some(format!("{batch:06}/{:06}", it.trace()))
        });
        let scene = Scene {
            merchant: None,
            store: message.store.as_str().to_owned(),
            terminal: message.terminal.as_str().to_owned(),
            sale: sale.unwrap_or_default(),
        };
        Self { scene }
    }

    /// The uses that `trans` names are gone.
    ///
    /// # Errors
    /// When a code has not as many: it was looked at before.
    pub(super) fn spend(&self, rows: &mut Rows, trans: &Trans) -> Result<(), Inconsistent> {
        let wrong = Inconsistent(trans.serial);
        for (used, code) in codes(&trans.effect) {
            let pieces = u32::try_from(used.pieces).map_err(|_| wrong)?;
            let mut code_use = rows.voucher.code_use(trans.tenant, code.code);
            code_use.used = code_use.used.checked_add(pieces).ok_or(wrong)?;
            for _ in 0..pieces {
                self.note(rows, trans, &mut code_use, CodeAct::Used);
            }
            rows.voucher.put_use(code_use);
        }
        Ok(())
    }

    /// The uses that `undone` spent come back, as `reversal` says. Answers its lines, which tell
    /// where a code's term has been written off meanwhile.
    ///
    /// # Errors
    /// When a code has no such uses, or its rows were not loaded.
    pub(super) fn give_back(
        &self,
        rows: &mut Rows,
        undone: &Trans,
        reversal: &Trans,
    ) -> Result<Vec<TicketUse>, Inconsistent> {
        let wrong = Inconsistent(undone.serial);
        let mut lines = undone.effect.tickets.clone();
        for used in &mut lines {
            let Some(code) = used.code else { continue };
            let pieces = u32::try_from(used.pieces).map_err(|_| wrong)?;
            let mut code_use = rows.voucher.code_use(undone.tenant, code.code);
            code_use.used = code_use.used.checked_sub(pieces).ok_or(wrong)?;
            for _ in 0..pieces {
                self.note(rows, reversal, &mut code_use, CodeAct::GivenBack);
            }
            rows.voucher.put_use(code_use);
            let span = rows.voucher.span_of(undone.tenant, code.code)?;
            used.written_off = span.is_written_off();
        }
        Ok(lines)
    }

    fn note(&self, rows: &mut Rows, trans: &Trans, code_use: &mut CodeUse, act: CodeAct) {
        let events = code_use.note(act, trans.at, trans.serial, self.scene.clone());
        events.for_each(|it| rows.voucher.put_event(it));
    }
}

fn codes(effect: &Effect) -> impl Iterator<Item = (&TicketUse, TicketCode)> {
    let tickets = effect.tickets.iter();
    tickets.filter_map(|it| Some((it, it.code?)))
}
