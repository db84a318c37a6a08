//! Messages whose answer was lost are undone.

use super::{Caller, Heading, Verdict, messages::Given};
use crate::app::{AppError, Gateway};
use domain::{
    command::loyalty::Reverse,
    loyalty::{
        card::CardNo,
        trans::{Place, Refusal, Trans, TransKind},
    },
    money::Fen,
};

/// What a reversal says again of its original: nothing, something that no original can have said,
/// or a value. A terminal repeats a reversal until it is settled, so all of them are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repeated<T> {
    /// Nothing.
    Absent,
    /// What no original can have said.
    Impossible,
    /// This.
    Said(T),
}

/// A reversal.
#[derive(Clone)]
pub struct Reversal {
    /// What the original was.
    pub reverses: TransKind,
    /// Its card.
    pub card: Repeated<CardNo>,
    /// What was paid in points, at their value.
    pub point_amount: Repeated<Fen>,
    /// What was paid in cash.
    pub cash: Repeated<Fen>,
}

/// Never the amount of anything.
const IMPOSSIBLE: Fen = Fen::new(-1);

impl Gateway {
    /// Undoes a message.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn undo_message(
        &self,
        caller: &Caller,
        heading: &Heading,
        reversal: &Reversal,
    ) -> Result<Verdict, AppError> {
        if caller.batch(heading.batch).is_none() {
            // A terminal that has never checked in cannot have sent anything to be undone.
            return Ok(Err(Refusal::OriginalMissing.into()));
        }
        let original = self.original(caller, heading, reversal).await?;
        let card = match reversal.card_of(original.as_ref()) {
            Ok(card) => card,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let amounts = reversal.amounts(original.as_ref());
        let rules = self.loyalty.estate.rules(caller.terminal.tenant);
        let command = |given: Given| Reverse {
            message: given.message,
            reverses: reversal.reverses,
            card: card.clone(),
            amounts,
            is_explicit: reversal.is_explicit(),
            needs: given.needs,
            rules: rules.clone(),
        };
        self.decide(caller, heading, None, command).await
    }

    /// The message that is meant, if it is there already: of the batch that is named, else of the
    /// newest, else, where the reversal itself says what it means, of the one before.
    async fn original(
        &self,
        caller: &Caller,
        heading: &Heading,
        reversal: &Reversal,
    ) -> Result<Option<Trans>, AppError> {
        let Some(batch) = caller.batch(heading.batch) else {
            return Ok(None);
        };
        let may_be_before = heading.batch.is_none() && reversal.is_explicit();
        let before = may_be_before.then(|| batch.previous());
        for batch in [batch].into_iter().chain(before) {
            let place = Place::new(caller.terminal.index, batch, heading.trace);
            let found = self.reader.trans_at(caller.terminal.tenant, place).await?;
            if let Some(found) = found.filter(|it| it.kind == reversal.reverses) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

impl Reversal {
    /// Whether it says by itself which message it means: the card, and for a purchase the amounts.
    fn is_explicit(&self) -> bool {
        let says_card = matches!(self.card, Repeated::Said(_));
        let says_amounts = matches!(
            (&self.point_amount, &self.cash),
            (Repeated::Said(_), Repeated::Said(_))
        );
        says_card && (says_amounts || self.reverses != TransKind::Consume)
    }

    /// The card that is meant: where the reversal does not say it, the original's.
    fn card_of(&self, original: Option<&Trans>) -> Result<CardNo, Refusal> {
        let original = original.and_then(|it| it.card.as_ref());
        match (&self.card, original) {
            (Repeated::Said(card), _) => Ok(card.clone()),
            (Repeated::Impossible, Some(_)) => Err(Refusal::UnknownCard),
            (Repeated::Absent, Some(card)) => Ok(card.clone()),
            // The original was never seen, or declined for what it called a card: nobody's.
            (Repeated::Absent | Repeated::Impossible, None) => {
                CardNo::parse("00000000").ok_or(Refusal::OriginalMissing)
            }
        }
    }

    /// What was paid, as the reversal says it; what it does not say, the original says. `None`
    /// where neither says anything.
    fn amounts(&self, original: Option<&Trans>) -> Option<(Fen, Fen)> {
        if (&self.point_amount, &self.cash) == (&Repeated::Absent, &Repeated::Absent) {
            return None;
        }
        let effect = original.map(|it| &it.effect);
        let said = |said: &Repeated<Fen>, original: Option<Fen>| match said {
            Repeated::Said(amount) => *amount,
            Repeated::Impossible => IMPOSSIBLE,
            Repeated::Absent => original.unwrap_or_default(),
        };
        Some((
            said(&self.point_amount, effect.map(|it| it.point_amount)),
            said(&self.cash, effect.map(|it| it.cash)),
        ))
    }
}
