//! trans/settle: a batch's totals as the terminal counts them.

use super::error::{Demand, RequestError};
use super::fields;
use super::head::Head;
use crate::jpos::amount::Amount;
use crate::jpos::form::Form;
use crate::jpos::name;
use crate::jpos::reply::Difference;

/// The totals of a batch, on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// `pointDebitCount`: sales and cancelled refunds.
    pub point_debit_count: u32,
    /// `pointDebitAmount`: the `pointAmount` of these.
    pub point_debit_amount: Amount,
    /// `pointCeditCount`: cancellations and refunds.
    pub point_credit_count: u32,
    /// `pointCreditAmount`: the `pointAmount` these gave back.
    pub point_credit_amount: Amount,
    /// `ticketDebitCount`: pieces redeemed.
    pub ticket_debit_count: u32,
    /// `ticketDebitAmount`: the face values of these.
    pub ticket_debit_amount: Amount,
    /// `ticketCreditCount`: pieces given back.
    pub ticket_credit_count: u32,
    /// `ticketCreditAmount`: the face values of these.
    pub ticket_credit_amount: Amount,
    /// `totalTransCount`: all transactions.
    pub total_trans_count: u32,
    /// `cancelCount`: cancellations.
    pub cancel_count: u32,
    /// `refundCount`: refunds.
    pub refund_count: u32,
    /// `cardActiveCount`: activations.
    pub card_active_count: u32,
}

impl Totals {
    /// Each total with its name, in the source's order; counts are whole numbers.
    pub fn named(&self) -> [(&'static str, Amount); 12] {
        let count = Amount::of_count;
        [
            (name::POINT_DEBIT_COUNT, count(self.point_debit_count)),
            (name::POINT_DEBIT_AMOUNT, self.point_debit_amount),
            (name::POINT_CREDIT_COUNT, count(self.point_credit_count)),
            (name::POINT_CREDIT_AMOUNT, self.point_credit_amount),
            (name::TICKET_DEBIT_COUNT, count(self.ticket_debit_count)),
            (name::TICKET_DEBIT_AMOUNT, self.ticket_debit_amount),
            (name::TICKET_CREDIT_COUNT, count(self.ticket_credit_count)),
            (name::TICKET_CREDIT_AMOUNT, self.ticket_credit_amount),
            (name::TOTAL_TRANS_COUNT, count(self.total_trans_count)),
            (name::CANCEL_COUNT, count(self.cancel_count)),
            (name::REFUND_COUNT, count(self.refund_count)),
            (name::CARD_ACTIVE_COUNT, count(self.card_active_count)),
        ]
    }

    /// Where the terminal's totals are not the host's; none when they are equal.
    pub fn differences(host: &Self, terminal: &Self) -> Vec<Difference> {
        let pairs = host.named().into_iter().zip(terminal.named());
        let differing = pairs.filter(|((_, host), (_, terminal))| host != terminal);
        differing
            .map(|((field, host), (_, terminal))| Difference::new(field, host, terminal))
            .collect()
    }

    fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        let count = |field| fields::count(form, field);
        let amount = |field| fields::amount(form, field, Amount::TOTAL_MAX);
        Ok(Self {
            point_debit_count: count(name::POINT_DEBIT_COUNT)?,
            point_debit_amount: amount(name::POINT_DEBIT_AMOUNT)?,
            point_credit_count: count(name::POINT_CREDIT_COUNT)?,
            point_credit_amount: amount(name::POINT_CREDIT_AMOUNT)?,
            ticket_debit_count: count(name::TICKET_DEBIT_COUNT)?,
            ticket_debit_amount: amount(name::TICKET_DEBIT_AMOUNT)?,
            ticket_credit_count: count(name::TICKET_CREDIT_COUNT)?,
            ticket_credit_amount: amount(name::TICKET_CREDIT_AMOUNT)?,
            total_trans_count: count(name::TOTAL_TRANS_COUNT)?,
            cancel_count: count(name::CANCEL_COUNT)?,
            refund_count: count(name::REFUND_COUNT)?,
            card_active_count: count(name::CARD_ACTIVE_COUNT)?,
        })
    }
}

/// A settlement (source: "结算"). No `Debug`: it may name a card.
#[derive(Clone, PartialEq, Eq)]
pub struct Settle {
    /// Sender and number.
    pub head: Head,
    /// `cardNo`, a slip of the source: a batch has no card. Recorded only.
    pub card_no: Option<String>,
    /// What the terminal counted.
    pub totals: Totals,
}

impl Settle {
    /// Takes the message out of a form.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule.
    pub fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            head: Head::decode(form)?,
            card_no: fields::maybe(form, name::CARD_NO, Demand::CardNo, fields::plain_card_no)?,
            totals: Totals::decode(form)?,
        })
    }

    /// The form a client sends.
    pub fn to_form(&self) -> Form<'_> {
        let mut form = Form::new();
        self.head.push(&mut form);
        form.maybe(name::CARD_NO, self.card_no.as_deref());
        for (field, total) in self.totals.named() {
            form.push(field, total.to_string());
        }
        form
    }
}
