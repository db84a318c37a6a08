//! Purchases go back, and refunds are undone.

use super::{Caller, Heading, Verdict, Wrong, look::ReadCard, messages::Given};
use crate::app::{AppError, Gateway};
use domain::{
    command::loyalty::{GiveBack, GiveBackKind, Original},
    loyalty::{
        terminal::BatchNo,
        trans::{Place, TraceNo, TransNo},
    },
};

/// How a message names the transaction it is about.
#[derive(Clone)]
pub struct Named {
    /// By the host's number; then the place is not looked at.
    pub number: Option<TransNo>,
    /// By batch and number of the message that made it.
    pub trace: Option<TraceNo>,
    /// That batch; `None` is the message's own.
    pub batch: Option<BatchNo>,
    /// The day it was made, since 1970.
    pub day: Option<i64>,
    /// The till's receipt number.
    pub register_trace: Option<String>,
}

impl Named {
    fn original(&self, caller: &Caller, heading: &Heading) -> Original {
        let batch = self.batch.or(caller.batch(heading.batch));
        let place = batch.zip(self.trace).filter(|_| self.number.is_none());
        Original {
            number: self.number,
            place: place.map(|(batch, trace)| Place::new(caller.terminal.index, batch, trace)),
            day: self.day,
            register_trace: self.register_trace.clone(),
        }
    }
}

impl Gateway {
    /// Gives a purchase back, or undoes a refund.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn give_back(
        &self,
        caller: &Caller,
        heading: &Heading,
        kind: GiveBackKind,
        card: &ReadCard,
        original: &Named,
    ) -> Result<Verdict, AppError> {
        if let Some(refusal) = self.wrong_stripe(caller, card).await? {
            let wrong = Wrong {
                kind: kind.makes(),
                card: Some(&card.number),
                refusal,
            };
            return self.decline(caller, heading, &wrong).await;
        }
        let rules = self.loyalty.estate.rules(caller.terminal.tenant);
        let command = |given: Given| GiveBack {
            kind,
            card: card.number.clone(),
            original: original.original(caller, heading),
            needs: given.needs,
            rules: rules.clone(),
            message: given.message,
        };
        self.decide(caller, heading, None, command).await
    }
}
