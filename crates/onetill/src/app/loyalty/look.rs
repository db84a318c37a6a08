//! What a card shows, and whether what was read off it is this card's.

use super::Caller;
use crate::app::{AppError, Gateway};
use domain::{
    loyalty::{
        card::{Card, CardNo, CardStatus, Holding},
        trans::Refusal,
    },
    time::UnixMs,
    voucher::status::CodeStatus,
};

/// What was read off a card: its number, and what its stripe says.
#[derive(Clone)]
pub struct ReadCard {
    /// The number that the message names.
    pub number: CardNo,
    /// The stripe, if the card was swiped.
    pub stripe: Option<Stripe>,
}

/// What a card's stripe says.
#[derive(Clone)]
pub struct Stripe {
    /// The card's number.
    pub number: String,
    /// The month it expires, as `YYMM`.
    pub expiry_yymm: Option<String>,
}

impl Gateway {
    /// The card, if it may be looked at. `known` is what was looked up with the terminal.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn look_at_card(
        &self,
        caller: &Caller,
        card: &ReadCard,
        known: Option<Card>,
    ) -> Result<Result<Card, Refusal>, AppError> {
        let found = match known.filter(|it| it.number == card.number) {
            Some(known) => Some(known),
            None => self.card(caller, &card.number).await?,
        };
        if let Err(refusal) = self.check_stripe(caller, card, found.as_ref()) {
            return Ok(Err(refusal));
        }
        Ok(found.ok_or(Refusal::UnknownCard).and_then(|card| {
            may_be_looked_at(&card, self.now())?;
            Ok(card)
        }))
    }

    /// What the voucher codes of a card are good for now, as tickets; nothing where the card's own
    /// tickets stand under the same number, since those are used first.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn tickets_of_codes(&self, card: &Card) -> Result<Vec<Holding>, AppError> {
        let mut tickets: Vec<Holding> = Vec::new();
        for held in &card.codes {
            let (code, uses) = (held.backing.code, held.backing.uses);
            let (stands, until) = self.standing_in_term(code, uses).await?;
            if stands.status != CodeStatus::Active {
                continue;
            }
            let pieces = i64::from(stands.uses_left);
            match tickets.iter_mut().find(|it| it.ticket() == held.ticket()) {
                Some(ticket) => ticket.pieces += pieces,
                None => tickets.push(Holding {
                    id: held.ticket().id,
                    kind: held.kind,
                    name: held.name.clone(),
                    face: held.face,
                    pieces,
                    expires_at: until,
                }),
            }
        }
        let now = self.now();
        let is_own = |it: &Holding| {
            card.holding(it.ticket())
                .is_some_and(|it| it.is_usable(now))
        };
        tickets.retain(|it| !is_own(it));
        Ok(tickets)
    }

    /// What the stripe says against a message, if it was swiped: nothing of it is decided then.
    ///
    /// # Errors
    /// When the store failed.
    pub(super) async fn wrong_stripe(
        &self,
        caller: &Caller,
        card: &ReadCard,
    ) -> Result<Option<Refusal>, AppError> {
        if card.stripe.is_none() {
            return Ok(None);
        }
        let found = self.card(caller, &card.number).await?;
        Ok(self.check_stripe(caller, card, found.as_ref()).err())
    }

    fn check_stripe(
        &self,
        caller: &Caller,
        read: &ReadCard,
        card: Option<&Card>,
    ) -> Result<(), Refusal> {
        let Some(stripe) = &read.stripe else {
            return Ok(());
        };
        if stripe.number != read.number.as_str() {
            return Err(Refusal::UnknownCard);
        }
        let is_asked = self
            .loyalty
            .estate
            .rules(caller.terminal.tenant)
            .track2_expiry;
        let printed = card.and_then(|it| it.expiry_yymm.as_ref());
        match (printed, is_asked) {
            (Some(printed), true) if stripe.expiry_yymm.as_ref() != Some(printed) => {
                Err(Refusal::CardExpired)
            }
            (Some(_) | None, _) => Ok(()),
        }
    }
}

/// A restricted card may be looked at, not used.
fn may_be_looked_at(card: &Card, now: UnixMs) -> Result<(), Refusal> {
    let is_over = card.expires_at.is_some_and(|end| end <= now);
    if is_over && card.status != CardStatus::Stocked {
        return Err(Refusal::CardExpired);
    }
    match card.status {
        CardStatus::Stocked => Err(Refusal::NotActive),
        CardStatus::Lost | CardStatus::Blocked => Err(Refusal::CardBlocked),
        CardStatus::Restricted | CardStatus::Active => Ok(()),
    }
}
