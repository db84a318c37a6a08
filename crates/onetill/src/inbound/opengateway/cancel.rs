//! cancelTrade (source, section 8).

use super::{
    Encoded, Refusal,
    admit::{Admitted, illegal},
    info::Info,
    present,
};
use crate::app::{Gateway, pay::payment_key};
use domain::{
    command::CancelReply,
    payment::{Payment, PaymentState},
    refund::RefundState,
};
use std::sync::Arc;
use wire::opengateway::{ReturnCode, reply, request::path_code};

pub(super) async fn serve(
    gateway: &Arc<Gateway>,
    admitted: &Admitted<'_>,
    code: &str,
) -> Result<Encoded, Refusal> {
    let code = path_code(code).map_err(|error| illegal(error, admitted.locale))?;
    let payment = payment_key(&admitted.account, code);
    let by_request = admitted.query.needs_approval;
    let reply = gateway.cancel(&admitted.account, payment, by_request).await;
    let reply = reply.map_err(|error| Refusal::from_app(&error, admitted))?;
    let (code, info) = outcome(&reply);
    let outcome = reply::Outcome::new(code, info.text(admitted.locale));
    Ok(Encoded {
        code,
        bytes: reply::CancelReply { outcome }.encode(admitted.format),
    })
}

fn reversed(payment: &Payment) -> Info<'static> {
    match &payment.state {
        PaymentState::Ended {
            paid: Some(paid), ..
        } if paid.refunded < payment.amount => Info::CancelInProgress,
        PaymentState::Ended { .. } => Info::Cancelled,
        PaymentState::Ending(_) | PaymentState::Open { .. } | PaymentState::Paid(_) => {
            Info::CancelUnderWay
        }
    }
}

fn outcome(reply: &CancelReply) -> (ReturnCode, Info<'static>) {
    match reply {
        CancelReply::NotFound => (ReturnCode::ChargeNonexistent, Info::NoSuchPayment),
        CancelReply::AlreadyCancelled => (ReturnCode::AreadyRevoked, Info::AlreadyCancelled),
        CancelReply::Requested(_) => (ReturnCode::Success, Info::CancelRequested),
        CancelReply::Refused(status) => (
            ReturnCode::Fail,
            Info::NotCancellable(present::state(*status)),
        ),
        // It is cancelled for the merchant whatever the channel still has to do.
        CancelReply::Reverse(payment) => (ReturnCode::Success, reversed(payment)),
        CancelReply::Refund(_, refund) => match refund.state {
            RefundState::Done(_) => (ReturnCode::Success, Info::Cancelled),
            RefundState::InProgress => (ReturnCode::Success, Info::CancelInProgress),
            RefundState::Failed(..) => (ReturnCode::Fail, Info::CancelFailed),
        },
    }
}
