//! Stocked cards are given to members.

use super::{Caller, Heading, Verdict, Wrong, look::ReadCard, messages::Given};
use crate::app::{AppError, Gateway};
use domain::{command::loyalty::Activate, loyalty::trans::TransKind};
use zeroize::Zeroizing;

/// Who gets a card. Has no `Debug`: the code proves who they are.
pub struct NewMember {
    /// The mobile number.
    pub mobile: String,
    /// The code that was sent to it.
    pub code: Zeroizing<String>,
    /// The kind of identity document.
    pub id_type: String,
    /// Its number.
    pub id_no: String,
}

impl Gateway {
    /// Gives a card to the member who has the code.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn activate(
        &self,
        caller: &Caller,
        heading: &Heading,
        card: &ReadCard,
        member: &NewMember,
    ) -> Result<Verdict, AppError> {
        if let Some(refusal) = self.wrong_stripe(caller, card).await? {
            let wrong = Wrong {
                kind: TransKind::Activate,
                card: Some(&card.number),
                refusal,
            };
            return self.decline(caller, heading, &wrong).await;
        }
        let codes = &self.loyalty.codes;
        let digest = codes.digest(caller.terminal.tenant, &member.mobile, &member.code)?;
        let command = |given: Given| Activate {
            message: given.message,
            card: card.number.clone(),
            mobile: member.mobile.clone(),
            id_type: member.id_type.clone(),
            id_no: member.id_no.clone(),
            code_digest: digest.clone(),
        };
        self.decide(caller, heading, None, command).await
    }
}
