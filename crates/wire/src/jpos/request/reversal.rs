//! The five reversals: the form of the original once more (source: "冲正交易").

use super::error::RequestError;
use super::fields;
use super::head::Head;
use super::pieces::{self, Piece};
use crate::jpos::amount::Amount;
use crate::jpos::form::Form;
use crate::jpos::name;

/// What a reversal says again of its original. A terminal asks until the reversal is settled, so
/// only the key can refuse one; the rest may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeated<T> {
    /// Not said.
    Absent,
    /// Said, but in no form that an original can have had.
    Unreadable,
    /// Said.
    Said(T),
}

impl<T: PartialEq> Repeated<T> {
    /// Whether nothing else is said than what the original holds.
    pub fn agrees_with(&self, original: &T) -> bool {
        match self {
            Self::Absent => true,
            Self::Unreadable => false,
            Self::Said(said) => said == original,
        }
    }
}

impl<T> Repeated<T> {
    fn of(form: &Form<'_>, field: &str, read: impl FnOnce(&str) -> Option<T>) -> Self {
        form.get(field).map_or(Self::Absent, |text| {
            read(text).map_or(Self::Unreadable, Self::Said)
        })
    }

    const fn said(&self) -> Option<&T> {
        match self {
            Self::Said(said) => Some(said),
            Self::Absent | Self::Unreadable => None,
        }
    }
}

/// A reversal. Its head names the original by the original's own numbers; without `batchNo` the
/// original is of the open batch, or of the one before. No `Debug`: it names a card.
#[derive(Clone, PartialEq, Eq)]
pub struct Reversal {
    /// The original's sender and number.
    pub head: Head,
    /// `cardNo`.
    pub card_no: Repeated<String>,
    /// `pointAmount`.
    pub point_amount: Repeated<Amount>,
    /// `cashAmount`.
    pub cash_amount: Repeated<Amount>,
    /// `vaucher`.
    pub vouchers: Repeated<Vec<Piece>>,
    /// `ticket`.
    pub tickets: Repeated<Vec<Piece>>,
}

impl Reversal {
    /// Takes the message out of a form.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming a field of the head.
    pub fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        let amount = |text: &str| Amount::parse(text, Amount::TRANSACTION_MAX).ok();
        Ok(Self {
            head: Head::decode(form)?,
            card_no: Repeated::of(form, name::CARD_NO, fields::plain_card_no),
            point_amount: Repeated::of(form, name::POINT_AMOUNT, amount),
            cash_amount: Repeated::of(form, name::CASH_AMOUNT, amount),
            vouchers: repeated_pieces(pieces::vouchers(form)),
            tickets: repeated_pieces(pieces::tickets(form)),
        })
    }

    /// A form with what is said here. A terminal has its original's form to send instead.
    pub fn to_form(&self) -> Form<'_> {
        let mut form = Form::new();
        self.head.push(&mut form);
        form.maybe(name::CARD_NO, self.card_no.said().map(String::as_str))
            .maybe(
                name::POINT_AMOUNT,
                self.point_amount.said().map(Amount::to_string),
            )
            .maybe(
                name::CASH_AMOUNT,
                self.cash_amount.said().map(Amount::to_string),
            );
        for (field, said) in [
            (name::VAUCHER, &self.vouchers),
            (name::TICKET, &self.tickets),
        ] {
            pieces::push(&mut form, field, said.said().map_or(&[], Vec::as_slice));
        }
        form
    }
}

/// An empty list says that there were none, as an absent one does.
fn repeated_pieces(read: Result<Vec<Piece>, RequestError>) -> Repeated<Vec<Piece>> {
    match read {
        Err(_) => Repeated::Unreadable,
        Ok(pieces) if pieces.is_empty() => Repeated::Absent,
        Ok(pieces) => Repeated::Said(pieces),
    }
}
