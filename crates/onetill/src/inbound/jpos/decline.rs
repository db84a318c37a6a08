//! Messages that are wrong in themselves. Where their kind is known by its number they are refused on
//! record: repeated they hear the same, and nothing else comes under their number.

use super::{admit::Admitted, present, refused::Refused};
use crate::app::{
    Gateway,
    loyalty::{Heading, Verdict, Wrong, look::ReadCard},
};
use domain::loyalty::{
    card::CardNo,
    trans::{Refusal, TransKind},
};
use wire::jpos::{Form, Operation, Request, RequestError, Status, name, request};

/// The card that a message is about. What is no card's number is nobody's card.
pub(super) async fn card(
    gateway: &Gateway,
    admitted: &Admitted,
    heading: &Heading,
    kind: TransKind,
    card: &request::Card,
) -> Result<ReadCard, Refused> {
    if let Some(card) = present::card(card) {
        return Ok(card);
    }
    let wrong = Wrong {
        kind,
        card: None,
        refusal: Refusal::UnknownCard,
    };
    let declined = gateway.decline(&admitted.caller, heading, &wrong);
    Err(rejected(declined.await?))
}

/// Refuses a message that cannot be read. Amounts that cannot be (13) are refused on record; of
/// what is missing or bad (30) nothing is kept.
pub(super) async fn unreadable(
    gateway: &Gateway,
    admitted: &Admitted,
    operation: Operation,
    form: &Form<'_>,
    error: RequestError,
) -> Result<Refused, Refused> {
    let (Some(kind), Status::BadAmount) = (present::kind(operation), error.status()) else {
        return Ok(error.into());
    };
    let Some((head, content)) = Request::identify(operation, form) else {
        return Ok(error.into());
    };
    let heading = present::heading(&head, present::digest(&content))?;
    let card = form.get(name::CARD_NO).and_then(CardNo::parse);
    let wrong = Wrong {
        kind,
        card: card.as_ref(),
        refusal: Refusal::AmountInvalid,
    };
    let declined = gateway.decline(&admitted.caller, &heading, &wrong).await?;
    let refused = rejected(declined);
    // The record does not say which amount it was; the same message says it again.
    Ok(if refused.outcome.status() == Status::BadAmount {
        Refused {
            at: refused.at,
            ..error.into()
        }
    } else {
        refused
    })
}

/// What was declined was approved by nobody: its content cannot be decided on.
fn rejected(verdict: Verdict) -> Refused {
    match verdict {
        Err(rejection) => rejection.into(),
        Ok(trans) => {
            tracing::error!(serial = %trans.serial, "an unreadable message was approved before");
            Refused::new(Status::Internal)
        }
    }
}
