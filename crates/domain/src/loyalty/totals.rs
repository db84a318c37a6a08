//! What a batch adds up to, as settlement compares it (source: 结算).

use super::trans::{Effect, Side, TransKind};
use crate::money::Fen;
use serde::{Deserialize, Serialize};

/// The totals of a batch: approved and unreversed messages only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Messages that spend: consume and the undoing of refunds.
    pub point_debit_count: i64,
    /// What they spent in points, at its value.
    pub point_debit_amount: Fen,
    /// Messages that give back: cancel and refund.
    pub point_credit_count: i64,
    /// What they gave back in points, at its value.
    pub point_credit_amount: Fen,
    /// Pieces of tickets and vouchers used.
    pub ticket_debit_count: i64,
    /// Their face value.
    pub ticket_debit_amount: Fen,
    /// Pieces given back.
    pub ticket_credit_count: i64,
    /// Their face value.
    pub ticket_credit_amount: Fen,
    /// All counted messages.
    pub trans_count: i64,
    /// Cancels.
    pub cancel_count: i64,
    /// Refunds.
    pub refund_count: i64,
    /// Activations.
    pub card_active_count: i64,
}

impl Totals {
    /// Counts an event in (`times` 1) or, when it is undone, out again (`times` -1).
    pub fn count(&mut self, kind: TransKind, effect: &Effect, times: i64) {
        if !kind.is_counted() {
            return;
        }
        let fen = |amount: Fen| amount.get() * times;
        let pieces = effect.tickets.iter().map(|it| it.pieces).sum::<i64>() * times;
        let face = effect.tickets.iter().map(|it| fen(it.value())).sum();
        if kind.points_side() == Some(Side::Credit) {
            self.ticket_credit_count += pieces;
            add(&mut self.ticket_credit_amount, face);
        } else {
            self.ticket_debit_count += pieces;
            add(&mut self.ticket_debit_amount, face);
        }
        match kind.points_side() {
            Some(Side::Debit) => {
                self.point_debit_count += times;
                add(&mut self.point_debit_amount, fen(effect.point_amount));
            }
            Some(Side::Credit) => {
                self.point_credit_count += times;
                add(&mut self.point_credit_amount, fen(effect.point_amount));
            }
            None => {}
        }
        self.trans_count += times;
        self.cancel_count += times * i64::from(kind == TransKind::Cancel);
        self.refund_count += times * i64::from(kind == TransKind::Refund);
        self.card_active_count += times * i64::from(kind == TransKind::Activate);
    }
}

const fn add(sum: &mut Fen, fen: i64) {
    *sum = Fen::new(sum.get().saturating_add(fen));
}
