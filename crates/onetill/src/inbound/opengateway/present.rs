//! Domain values in the dialect's words.

use super::{Encoded, Refusal, admit::Admitted, info::Info};
use crate::app::{
    Gateway,
    pay::{NewPayment, PayReply},
    voucher::redeem::VoucherRefusal,
};
use axum::http::StatusCode;
use domain::{
    channel::{ChannelNo, NotSent},
    money::Fen,
    payment::{CloseReason, Credential, End, Good, Paid, Payment, PaymentState, PaymentStatus},
    refund::Refund,
    voucher::paying::CodeRefusal,
};
use wire::opengateway::{
    ChannelType, FundChannel, ReturnCode, State,
    reply::{FundBill, OrderReply, WalletCall},
    request,
};

/// An order's state (appendix 4).
pub(super) const fn state(status: PaymentStatus) -> State {
    match status {
        PaymentStatus::Unpaid => State::Unpaid,
        PaymentStatus::Paid => State::Paid,
        PaymentStatus::Cancelled => State::Cancelled,
        PaymentStatus::CancelRequested => State::CancelRequested,
        PaymentStatus::PartlyRefunded => State::PartlyRefunded,
        PaymentStatus::Refunded => State::Refunded,
        PaymentStatus::Closed => State::Closed,
        PaymentStatus::Refunding => State::Refunding,
        PaymentStatus::RefundFailed => State::RefundFailed,
    }
}

/// A channel (appendix 2). Only numbers of the dictionary are ever stored.
pub(super) fn channel(number: ChannelNo) -> ChannelType {
    ChannelType::from_code(u16::from(number.0)).unwrap_or(ChannelType::Auto)
}

/// The number a channel is stored by.
pub(super) fn channel_no(channel: ChannelType) -> ChannelNo {
    ChannelNo(u8::try_from(channel.code()).unwrap_or(u8::MAX))
}

/// What a payment was paid with (appendix 3): the voucher's part first.
pub(super) fn bills(payment: &Payment, paid: &Paid) -> Vec<FundBill> {
    let of_channel = paid.receipt.bills.iter();
    let of_channel = of_channel.filter_map(|bill| fund_bill(bill.source.0, bill.amount));
    voucher_bill(payment)
        .into_iter()
        .chain(of_channel)
        .collect()
}

/// A voucher for goods has no face value, and changes no amount.
fn voucher_bill(payment: &Payment) -> Option<FundBill> {
    let part = payment.details.voucher.as_ref()?;
    let fund_channel = if part.face == Fen::ZERO {
        FundChannel::SingleItemOffer
    } else {
        FundChannel::CashVoucher
    };
    Some(FundBill {
        fund_channel,
        amount_fen: part.pays.get(),
    })
}

/// The parts of a payment that a refund takes back, first part first.
pub(super) fn bills_of(payment: &Payment, paid: &Paid, refund: &Refund) -> Vec<FundBill> {
    let mut left = refund.amount;
    let of_voucher = voucher_bill(payment).filter(|_| refund.voucher_back);
    let parts = paid.receipt.bills.iter().filter_map(|bill| {
        let part = bill.amount.min(left);
        left = left.checked_sub(part).unwrap_or(Fen::ZERO);
        (part > Fen::ZERO).then(|| fund_bill(bill.source.0, part))?
    });
    of_voucher.into_iter().chain(parts).collect()
}

fn fund_bill(source: u16, amount: Fen) -> Option<FundBill> {
    let fund_channel = FundChannel::from_code(&format!("{source:02}"))?;
    Some(FundBill {
        fund_channel,
        amount_fen: amount.get(),
    })
}

/// The items of a sale as stored.
pub(super) fn goods_in(goods: Vec<request::Good>) -> Vec<Good> {
    let item = |good: request::Good| Good {
        id: good.id,
        name: good.name,
        class: good.class,
        price: good.price_yuan,
        summary: good.subject,
        quantity: good.quantity,
        show_url: good.show_url,
    };
    goods.into_iter().map(item).collect()
}

/// The items of a sale as shown.
pub(super) fn goods_out(goods: &[Good]) -> Vec<request::Good> {
    let item = |good: &Good| request::Good {
        id: good.id.clone(),
        name: good.name.clone(),
        class: good.class.clone(),
        price_yuan: good.price.clone(),
        subject: good.summary.clone(),
        quantity: good.quantity.clone(),
        show_url: good.show_url.clone(),
    };
    goods.iter().map(item).collect()
}

/// What the payer needs to pay, as the reply carries it.
pub(super) fn wallet_call(call: &domain::payment::WalletCall) -> WalletCall {
    WalletCall {
        app_id: call.app_id.clone(),
        time_stamp: call.timestamp.clone(),
        nonce_str: call.nonce.clone(),
        package_data: call.package.clone(),
        sign_type: call.sign_type.clone(),
        sign: call.sign.clone(),
        prepay_id: call.prepay_id.clone(),
    }
}

/// The amount that a field says in yuan, or AMT_ERROR.
pub(super) fn amount(
    admitted: &Admitted<'_>,
    field: &'static str,
    yuan: &str,
) -> Result<Fen, Refusal> {
    Fen::parse_yuan(yuan)
        .map_err(|why| admitted.refuse(ReturnCode::AmtError, Info::Amount(field, why)))
}

/// The code and message of a payment that did not come about. "Not charged" is only said when the
/// channel has confirmed it.
pub(super) fn failure(payment: &Payment) -> (ReturnCode, Info<'static>) {
    let end = match &payment.state {
        // It should have settled by now; until it has, nobody may call it failed.
        PaymentState::Open { .. } | PaymentState::Paid(_) => {
            return (ReturnCode::Exception, Info::OutcomeUnknown);
        }
        PaymentState::Ending(_) => return (ReturnCode::Fail, Info::Reversing),
        PaymentState::Ended {
            paid: Some(paid), ..
        } if paid.refunded < payment.amount => return (ReturnCode::Fail, Info::Reversing),
        PaymentState::Ended { paid: Some(_), .. } => return (ReturnCode::Fail, Info::Returned),
        PaymentState::Ended {
            end, paid: None, ..
        } => *end,
    };
    match end {
        End::Cancelled => (ReturnCode::Fail, Info::NotPaidInTime),
        End::Closed(CloseReason::Expired) => (ReturnCode::Fail, Info::NotPayable(State::Closed)),
        End::Closed(CloseReason::Declined(why)) => (ReturnCode::Fail, Info::Declined(why)),
        End::Closed(CloseReason::NotSent(why)) => (not_sent(why), Info::NotSent),
        End::Closed(CloseReason::Voucher(status)) => (
            ReturnCode::IllegalParameter,
            Info::Voucher(CodeRefusal::Status(status)),
        ),
    }
}

/// The code of a call that certainly did not reach the channel.
pub(super) const fn not_sent(why: NotSent) -> ReturnCode {
    match why {
        NotSent::Unavailable => ReturnCode::ServiceUnavailable,
        NotSent::Connect => ReturnCode::HttpException,
        NotSent::Secure => ReturnCode::CreateSecurityConnectionError,
        NotSent::Write => ReturnCode::IoException,
    }
}

/// The part of a reply that preOrder and order share.
pub(super) fn order_reply(
    gateway: &Gateway,
    admitted: &Admitted<'_>,
    payment: &Payment,
    (code, info): (ReturnCode, Info<'_>),
) -> OrderReply {
    OrderReply {
        channel_type: Some(channel(payment.channel)),
        charge_code: Some(payment.merchant_serial.clone()),
        charge_down_code: Some(payment.serial.to_string()),
        merchant_para: payment.details.echo.clone(),
        oper_id: Some(payment.details.operator_id.clone()),
        dev_id: Some(payment.details.device_id.clone()),
        begin_time: Some(gateway.wire_time(payment.created_at)),
        amount_fen: Some(payment.price().get()),
        ..OrderReply::new(code, info.text(admitted.locale))
    }
}

/// Adds what the payer needs.
pub(super) fn with_credential(reply: OrderReply, credential: &Credential) -> OrderReply {
    match credential {
        Credential::Link(link) => OrderReply {
            bar_code: Some(link.clone()),
            ..reply
        },
        Credential::Wallet(call) => OrderReply {
            wallet_call: Some(wallet_call(call)),
            ..reply
        },
    }
}

/// Collects a payment and writes its reply; `answer` says what one that was recorded is told.
pub(super) async fn sale(
    gateway: &Gateway,
    admitted: &Admitted<'_>,
    new: NewPayment,
    answer: impl FnOnce(&Gateway, &Admitted<'_>, &Payment) -> OrderReply,
) -> Result<Encoded, Refusal> {
    let reply = gateway.pay(&admitted.account, new).await;
    let reply = match reply.map_err(|error| Refusal::from_app(&error, admitted))? {
        PayReply::Payment(payment) => answer(gateway, admitted, &payment),
        PayReply::Repeat(earlier) => repeat(admitted, &earlier),
        PayReply::NoVoucher(VoucherRefusal::TooManyMisses) => {
            return Err(Refusal::Http(StatusCode::TOO_MANY_REQUESTS));
        }
        PayReply::NoVoucher(VoucherRefusal::Code(why)) => {
            return Err(admitted.refuse(ReturnCode::IllegalParameter, Info::Voucher(why)));
        }
    };
    Ok(Encoded {
        code: reply.outcome.code,
        bytes: reply.encode(admitted.format),
    })
}

/// The serial was used before; INFO says what became of that order, and nothing else is told.
fn repeat(admitted: &Admitted<'_>, earlier: &Payment) -> OrderReply {
    let info = Info::SerialRepeat(state(earlier.status())).text(admitted.locale);
    OrderReply {
        charge_code: Some(earlier.merchant_serial.clone()),
        ..OrderReply::new(ReturnCode::SerialRepeat, info)
    }
}
