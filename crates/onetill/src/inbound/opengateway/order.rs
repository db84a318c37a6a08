//! order: the customer pays with a code, page, app or link (source, sections 3 and 4).

use super::{
    Encoded, Refusal,
    admit::{Admitted, illegal},
    info::Info,
    pre_order::digest,
    present,
};
use crate::{
    app::{Gateway, pay::NewPayment},
    outbound,
};
use domain::payment::{Details, Flow, Payment, PaymentState};
use std::sync::Arc;
use wire::opengateway::{ChannelType, Order, ReturnCode, reply::OrderReply, request::TradeType};
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
    let request = Order::decode(&document).map_err(|error| illegal(error, admitted.locale))?;
    admitted.check_busi_id(request.busi_id.as_deref())?;
    let amount = present::amount(admitted, "AMT", &request.amount_yuan)?;
    check_target(
        gateway,
        admitted,
        "NODIFY_URL",
        request.notify_url.as_deref(),
    )?;
    let flow = flow(admitted, &request)?;
    Ok(NewPayment {
        merchant_serial: request.charge_code,
        flow,
        channel: present::channel_no(request.channel_type),
        price: amount,
        voucher_code: request.verify_code.map(Zeroizing::new),
        window_s: request.time_expire_s,
        details: Details {
            operator_id: request.oper_id,
            device_id: request.dev_id,
            store_id: request.register_id,
            subject: request.pay_subject,
            echo: request.merchant_para,
            goods: present::goods_in(request.goods),
            notify_url: request.notify_url,
            payer_app_id: request.sub_appid,
            payer_open_id: request.sub_openid,
            request_digest: digest(admitted),
            ..Details::default()
        },
    })
}

fn flow(admitted: &Admitted<'_>, request: &Order) -> Result<Flow, Refusal> {
    match (request.channel_type, request.trade_type) {
        (ChannelType::Auto, _) => {
            Err(admitted.refuse(ReturnCode::IllegalParameter, Info::OrderNeedsChannel))
        }
        (ChannelType::AlipayMobileWeb, _) => Ok(Flow::MobileWeb),
        (_, TradeType::Native) => Ok(Flow::MerchantCode),
        (_, TradeType::JsApi) => Ok(Flow::WalletPage),
        (_, TradeType::App) => Ok(Flow::App),
    }
}

/// Refuses addresses that notifications may never reach; names are judged again at each attempt.
pub(super) fn check_target(
    gateway: &Gateway,
    admitted: &Admitted<'_>,
    field: &'static str,
    url: Option<&str>,
) -> Result<(), Refusal> {
    match url.map(|url| outbound::check_url(url, &gateway.rules.targets)) {
        Some(Err(_)) => Err(admitted.refuse(ReturnCode::IllegalParameter, Info::Target(field))),
        Some(Ok(_)) | None => Ok(()),
    }
}

fn answer(gateway: &Gateway, admitted: &Admitted<'_>, payment: &Payment) -> OrderReply {
    let payable = match payment.state {
        PaymentState::Open { .. } | PaymentState::Paid(_) => payment.credential.as_ref(),
        PaymentState::Ending(_) | PaymentState::Ended { .. } => None,
    };
    let Some(credential) = payable else {
        return present::order_reply(gateway, admitted, payment, present::failure(payment));
    };
    let outcome = (ReturnCode::Success, Info::Ordered);
    let reply = OrderReply {
        charge_code: Some(payment.merchant_serial.clone()),
        charge_down_code: Some(payment.serial.to_string()),
        merchant_para: payment.details.echo.clone(),
        ..OrderReply::new(outcome.0, outcome.1.text(admitted.locale))
    };
    present::with_credential(reply, credential)
}
