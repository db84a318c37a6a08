//! What a batch adds up to, as settlement compares it (source: 结算).

use super::{
    is_default,
    trans::{Effect, Side, TicketUse, TransKind},
};
use crate::money::Fen;
use serde::{Deserialize, Serialize};

/// The totals of a batch: approved and unreversed messages only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Messages that spend: consume and the undoing of refunds.
    #[serde(
        rename = "pdn",
        alias = "point_debit_count",
        skip_serializing_if = "is_default"
    )]
    pub point_debit_count: i64,
    /// What they spent in points, at its value.
    #[serde(
        rename = "pda",
        alias = "point_debit_amount",
        skip_serializing_if = "is_default"
    )]
    pub point_debit_amount: Fen,
    /// Messages that give back: cancel and refund.
    #[serde(
        rename = "pcn",
        alias = "point_credit_count",
        skip_serializing_if = "is_default"
    )]
    pub point_credit_count: i64,
    /// What they gave back in points, at its value.
    #[serde(
        rename = "pca",
        alias = "point_credit_amount",
        skip_serializing_if = "is_default"
    )]
    pub point_credit_amount: Fen,
    /// Pieces of tickets and vouchers used.
    #[serde(
        rename = "tdn",
        alias = "ticket_debit_count",
        skip_serializing_if = "is_default"
    )]
    pub ticket_debit_count: i64,
    /// Their face value.
    #[serde(
        rename = "tda",
        alias = "ticket_debit_amount",
        skip_serializing_if = "is_default"
    )]
    pub ticket_debit_amount: Fen,
    /// Pieces given back.
    #[serde(
        rename = "tcn",
        alias = "ticket_credit_count",
        skip_serializing_if = "is_default"
    )]
    pub ticket_credit_count: i64,
    /// Their face value.
    #[serde(
        rename = "tca",
        alias = "ticket_credit_amount",
        skip_serializing_if = "is_default"
    )]
    pub ticket_credit_amount: Fen,
    /// All counted messages.
    #[serde(
        rename = "n",
        alias = "trans_count",
        skip_serializing_if = "is_default"
    )]
    pub trans_count: i64,
    /// Cancels.
    #[serde(
        rename = "cn",
        alias = "cancel_count",
        skip_serializing_if = "is_default"
    )]
    pub cancel_count: i64,
    /// Refunds.
    #[serde(
        rename = "rn",
        alias = "refund_count",
        skip_serializing_if = "is_default"
    )]
    pub refund_count: i64,
    /// Activations.
    #[serde(
        rename = "an",
        alias = "card_active_count",
        skip_serializing_if = "is_default"
    )]
    pub card_active_count: i64,
}

impl Totals {
    /// Counts an event in (`times` 1) or, when it is undone, out again (`times` -1).
    pub fn count(&mut self, kind: TransKind, effect: &Effect, times: i64) {
        if !kind.is_counted() {
            return;
        }
        let fen = |amount: Fen| amount.get().saturating_mul(times);
        let sum = |of: fn(&TicketUse) -> i64| {
            let all = effect.tickets.iter().map(of);
            all.fold(0, i64::saturating_add).saturating_mul(times)
        };
        let (pieces, face) = (sum(|it| it.pieces), sum(|it| it.value().get()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loyalty::card::TicketKind;

    #[test]
    fn sums_beyond_all_range_stay_at_its_end() {
        let used = |id| TicketUse {
            id,
            kind: TicketKind::Voucher,
            name: String::new(),
            face: Fen::new(i64::MAX),
            pieces: 9_999,
            expires_at: None,
            code: None,
            written_off: false,
        };
        let effect = Effect {
            tickets: vec![used(1), used(2)],
            ..Effect::default()
        };
        let mut totals = Totals::default();
        totals.count(TransKind::Consume, &effect, 1);
        totals.count(TransKind::Cancel, &effect, 1);
        let amounts = [totals.ticket_debit_amount, totals.ticket_credit_amount];
        assert_eq!(amounts, [Fen::new(i64::MAX); 2]);
        assert_eq!(totals.ticket_debit_count, 19_998);
        totals.count(TransKind::Consume, &effect, -1);
        assert_eq!(totals.ticket_debit_amount, Fen::ZERO);
    }
}
