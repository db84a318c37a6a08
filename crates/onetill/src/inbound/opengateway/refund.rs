//! refund (source, section 6).

use super::{
    Encoded, Refusal,
    admit::{Admitted, illegal},
    info::Info,
    present,
};
use crate::app::{
    Gateway,
    pay::{payment_key, payment_serial},
    refund::NewRefund,
};
use domain::{
    command::RefundReply,
    ids::{ClaimKey, ClaimSpace, Serial},
    payment::Payment,
    refund::{FirstAnswer, Refund, RefundFailure, RefundState},
    rows::PaymentRef,
};
use std::sync::Arc;
use wire::opengateway::{ReturnCode, reply, request};

pub(super) async fn serve(
    gateway: &Arc<Gateway>,
    admitted: &Admitted<'_>,
) -> Result<Encoded, Refusal> {
    let new = read(admitted)?;
    let reply = gateway.refund(&admitted.account, new).await;
    let reply = reply.map_err(|error| Refusal::from_app(&error, admitted))?;
    let reply = match reply {
        // The first request and its repeats are told the same, whoever recorded more meanwhile.
        RefundReply::New(payment, refund) | RefundReply::Repeat(payment, refund) => {
            // A first request that has no answer yet is still under way.
            let first = refund.first_answer.unwrap_or(FirstAnswer::Accepted);
            answer(admitted, &payment, &refund, first)
        }
        refused @ (RefundReply::NotFound
        | RefundReply::Cancelled
        | RefundReply::Refused(_)
        | RefundReply::OverRemainder(_)
        | RefundReply::Conflict) => return Err(refuse(admitted, &refused)),
    };
    Ok(Encoded {
        code: reply.outcome.code,
        bytes: reply.encode(admitted.format),
    })
}

fn read(admitted: &Admitted<'_>) -> Result<NewRefund, Refusal> {
    let document = admitted.document()?;
    let request =
        request::Refund::decode(&document).map_err(|error| illegal(error, admitted.locale))?;
    admitted.check_busi_id(request.busi_id.as_deref())?;
    let amount = present::amount(admitted, "CHARGE_REFUND_FEE", &request.refund_yuan)?;
    Ok(NewRefund {
        payment: target(admitted, &request)?,
        key: claim(admitted, request.out_refund_no.as_deref()),
        merchant_serial: request.out_refund_no,
        amount,
        reason: request.refund_subject,
    })
}

/// The payment; the gateway's own serial wins over the merchant's.
fn target(admitted: &Admitted<'_>, request: &request::Refund) -> Result<PaymentRef, Refusal> {
    let account = &admitted.account;
    match (
        request.charge_down_code.as_deref(),
        request.charge_code.as_deref(),
    ) {
        (Some(serial), _) => Serial::parse(serial)
            .map(|serial| payment_serial(account, serial))
            .ok_or_else(|| admitted.refuse(ReturnCode::ChargeNonexistent, Info::NoSuchPayment)),
        (None, serial) => Ok(payment_key(account, serial.unwrap_or_default())),
    }
}

/// A refund without a number is known by its signature for ever.
fn claim(admitted: &Admitted<'_>, number: Option<&str>) -> ClaimKey {
    let merchant = &admitted.account.merchant;
    let (space, number) = match number {
        Some(number) => (ClaimSpace::Refund, number),
        None => (
            ClaimSpace::RefundSignature,
            admitted.signature.as_deref().unwrap_or_default(),
        ),
    };
    ClaimKey::of(merchant.tenant, merchant.no, space, number)
}

fn answer(
    admitted: &Admitted<'_>,
    payment: &Payment,
    refund: &Refund,
    first: FirstAnswer,
) -> reply::RefundReply {
    let (code, info) = match (first, refund.state) {
        (FirstAnswer::Accepted, RefundState::Done(_)) => (ReturnCode::Success, Info::Refunded),
        (FirstAnswer::Accepted, RefundState::InProgress | RefundState::Failed(..)) => {
            (ReturnCode::Success, Info::RefundInProgress)
        }
        (FirstAnswer::Refused, RefundState::Failed(_, RefundFailure::NotSent(why))) => {
            (present::not_sent(why), Info::RefundNotSent)
        }
        (
            FirstAnswer::Refused,
            RefundState::Failed(_, RefundFailure::Declined)
            | RefundState::InProgress
            | RefundState::Done(_),
        ) => (ReturnCode::Fail, Info::RefundFailed),
    };
    let bills = payment
        .paid()
        .map(|paid| present::bills_of(payment, paid, refund));
    let accepted = code == ReturnCode::Success;
    reply::RefundReply {
        outcome: reply::Outcome::new(code, info.text(admitted.locale)),
        fund_bills: bills.filter(|_| accepted).unwrap_or_default(),
        channel_type: Some(present::channel(payment.channel)),
    }
}

fn refuse(admitted: &Admitted<'_>, reply: &RefundReply) -> Refusal {
    let (code, info) = match reply {
        RefundReply::Cancelled => (ReturnCode::AreadyRevoked, Info::AlreadyCancelled),
        RefundReply::Refused(status) => (
            ReturnCode::Fail,
            Info::NotRefundable(present::state(*status)),
        ),
        RefundReply::OverRemainder(left) => (ReturnCode::AmtError, Info::OverRemainder(*left)),
        RefundReply::Conflict => (ReturnCode::SerialRepeat, Info::RefundNumberTaken),
        RefundReply::NotFound | RefundReply::Repeat(..) | RefundReply::New(..) => {
            (ReturnCode::ChargeNonexistent, Info::NoSuchPayment)
        }
    };
    admitted.refuse(code, info)
}
