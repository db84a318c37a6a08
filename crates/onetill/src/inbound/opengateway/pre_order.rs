//! preOrder: the merchant scans a code that the customer shows (source, section 2).

use super::{
    Encoded, Refusal,
    admit::{Admitted, illegal},
    info::Info,
    present,
};
use crate::app::{Gateway, pay::NewPayment};
use domain::{
    channel::ChannelNo,
    payment::{Details, Flow, Payment, PaymentState},
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use wire::opengateway::{ChannelType, PreOrder, ReturnCode, reply::OrderReply, sign};
use zeroize::Zeroizing;

pub(super) async fn serve(
    gateway: &Arc<Gateway>,
    admitted: &Admitted<'_>,
) -> Result<Encoded, Refusal> {
    let new = read(gateway, admitted)?;
    present::sale(gateway, admitted, new, answer).await
}

fn read(gateway: &Gateway, admitted: &Admitted<'_>) -> Result<NewPayment, Refusal> {
    let document = admitted.document()?;
    let request = PreOrder::decode(&document).map_err(|error| illegal(error, admitted.locale))?;
    admitted.check_busi_id(request.busi_id.as_deref())?;
    let amount = present::amount(admitted, "AMT", &request.amount_yuan)?;
    let channel = find_channel(gateway, admitted, &request)?;
    Ok(NewPayment {
        merchant_serial: request.charge_code,
        flow: Flow::PayerCode,
        channel,
        price: amount,
        voucher_code: request.verify_code.map(Zeroizing::new),
        window_s: request.time_expire_s,
        details: Details {
            operator_id: request.oper_id,
            device_id: request.dev_id,
            store_id: request.register_id,
            subject: request.pay_subject,
            echo: request.merchant_para,
            payer_code: Some(request.dynamic_id),
            payer_code_kind: Some(request.dynamic_id_type.code()),
            goods: present::goods_in(request.goods),
            request_digest: digest(admitted),
            ..Details::default()
        },
    })
}

/// The channel asked for, or the one that the customer's code belongs to.
fn find_channel(
    gateway: &Gateway,
    admitted: &Admitted<'_>,
    request: &PreOrder,
) -> Result<ChannelNo, Refusal> {
    if request.channel_type != ChannelType::Auto {
        return Ok(present::channel_no(request.channel_type));
    }
    let detected = gateway.rules.payer_codes.detect(&request.dynamic_id);
    detected.ok_or_else(|| admitted.refuse(ReturnCode::IllegalParameter, Info::UnknownPayerCode))
}

/// The digest of the normalised body, for merchants who want identical requests replayed.
pub(super) fn digest(admitted: &Admitted<'_>) -> Option<String> {
    let wanted = admitted.account.merchant.settings.replay_identical;
    wanted.then(|| crate::vault::encode_hex(&Sha256::digest(sign::normalise(&admitted.plaintext))))
}

fn answer(gateway: &Gateway, admitted: &Admitted<'_>, payment: &Payment) -> OrderReply {
    let PaymentState::Paid(paid) = &payment.state else {
        return present::order_reply(gateway, admitted, payment, present::failure(payment));
    };
    let outcome = (ReturnCode::Success, Info::Paid);
    OrderReply {
        charge_third_code: Some(paid.receipt.channel_serial.clone()),
        fund_bills: present::bills(payment, paid),
        ..present::order_reply(gateway, admitted, payment, outcome)
    }
}
