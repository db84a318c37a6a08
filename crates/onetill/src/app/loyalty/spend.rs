//! Purchases with a member's card, and tickets used.

use super::{
    Caller, Heading, Verdict, Wrong,
    look::ReadCard,
    messages::{Given, GivenPin},
};
use crate::app::{AppError, Gateway};
use domain::{
    command::loyalty::{Consume, TicketsConsume, Wanted},
    loyalty::trans::TransKind,
    money::Fen,
};
use wire::jpos::Pin;

/// A purchase.
#[derive(Clone)]
pub struct Purchase {
    /// The card.
    pub card: ReadCard,
    /// The PIN, if one was sent.
    pub pin: Option<Pin>,
    /// What is paid in points, at their value.
    pub point_amount: Fen,
    /// What is paid in cash.
    pub cash: Fen,
    /// The vouchers that are used.
    pub vouchers: Vec<Wanted>,
    /// The till's own receipt number.
    pub register_trace: Option<String>,
    /// How the card was read.
    pub entry_mode: String,
}

impl Gateway {
    /// Makes a purchase.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn purchase(
        &self,
        caller: &Caller,
        heading: &Heading,
        purchase: Purchase,
    ) -> Result<Verdict, AppError> {
        if let Some(refusal) = self.wrong_stripe(caller, &purchase.card).await? {
            let wrong = Wrong {
                kind: TransKind::Consume,
                card: Some(&purchase.card.number),
                refusal,
            };
            return self.decline(caller, heading, &wrong).await;
        }
        let card = &purchase.card.number;
        let pin = purchase.pin.clone().map(|pin| GivenPin {
            card: card.clone(),
            pin,
        });
        let rules = self.loyalty.estate.rules(caller.terminal.tenant);
        let command = |given: Given| Consume {
            message: given.message,
            card: card.clone(),
            pin: given.pin,
            point_amount: purchase.point_amount,
            cash: purchase.cash,
            vouchers: purchase.vouchers.clone(),
            register_trace: purchase.register_trace.clone(),
            entry_mode: purchase.entry_mode.clone(),
            rules: rules.clone(),
        };
        self.decide(caller, heading, pin.as_ref(), command).await
    }

    /// Uses tickets.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn use_tickets(
        &self,
        caller: &Caller,
        heading: &Heading,
        card: &ReadCard,
        tickets: &[Wanted],
    ) -> Result<Verdict, AppError> {
        if let Some(refusal) = self.wrong_stripe(caller, card).await? {
            let wrong = Wrong {
                kind: TransKind::TicketsConsume,
                card: Some(&card.number),
                refusal,
            };
            return self.decline(caller, heading, &wrong).await;
        }
        let rules = self.loyalty.estate.rules(caller.terminal.tenant);
        let command = |given: Given| TicketsConsume {
            message: given.message,
            card: card.number.clone(),
            tickets: tickets.to_vec(),
            rules: rules.clone(),
        };
        self.decide(caller, heading, None, command).await
    }
}
