//! query (source, section 7). An unpaid order is a found one: clients stop asking for good on
//! any other code than SUCCESS.

use super::{
    Encoded, Refusal,
    admit::{Admitted, illegal},
    info::Info,
    present,
};
use crate::app::{
    Gateway,
    pay::{payment_key, payment_serial},
};
use domain::{ids::Serial, payment::Payment};
use wire::opengateway::{
    ReturnCode, SerialType,
    reply::{Outcome, QueryReply},
    request::path_code,
};

pub(super) async fn serve(
    gateway: &Gateway,
    admitted: &Admitted<'_>,
    code: &str,
) -> Result<Encoded, Refusal> {
    let missing = || admitted.refuse(ReturnCode::ChargeNonexistent, Info::NoSuchPayment);
    let found = find(gateway, admitted, code).await?;
    let payment = found.filter(|it| it.merchant == admitted.account.merchant.no);
    let reply = answer(gateway, admitted, &payment.ok_or_else(missing)?);
    Ok(Encoded {
        code: reply.outcome.code,
        bytes: reply.encode(admitted.format),
    })
}

async fn find(
    gateway: &Gateway,
    admitted: &Admitted<'_>,
    code: &str,
) -> Result<Option<Payment>, Refusal> {
    let code = path_code(code).map_err(|error| illegal(error, admitted.locale))?;
    let account = &admitted.account;
    let by = match admitted.query.serial_type {
        SerialType::Merchant => Some(payment_key(account, code)),
        SerialType::Gateway => Serial::parse(code).map(|serial| payment_serial(account, serial)),
        SerialType::VerifyCode => {
            let found = gateway.payment_of_code(account, code).await;
            return found.map_err(|error| Refusal::from_app(&error, admitted));
        }
    };
    let Some(by) = by else { return Ok(None) };
    let found = gateway.reader.payment(by).await;
    found.map_err(|error| Refusal::from_app(&error.into(), admitted))
}

fn answer(gateway: &Gateway, admitted: &Admitted<'_>, payment: &Payment) -> QueryReply {
    let paid = payment.paid();
    let details = &payment.details;
    QueryReply {
        outcome: Outcome::new(ReturnCode::Success, Info::Found.text(admitted.locale)),
        real_amount_fen: Some(payment.amount.get()),
        busi_id: admitted.account.merchant.code.clone(),
        channel_type: present::channel(payment.channel),
        charge_code: payment.merchant_serial.clone(),
        goods: present::goods_out(&details.goods),
        dynamic_id: details.payer_code.clone(),
        end_time: payment.settled_at().map(|at| gateway.wire_time(at)),
        register_id: details.store_id.clone(),
        charge_down_code: payment.serial.to_string(),
        charge_third_code: paid.map(|paid| paid.receipt.channel_serial.clone()),
        fund_bills: paid
            .map(|paid| present::bills(payment, paid))
            .unwrap_or_default(),
        pay_subject: details.subject.clone(),
        state: present::state(payment.status()),
        oper_id: details.operator_id.clone(),
        begin_time: gateway.wire_time(payment.created_at),
        amount_fen: payment.price().get(),
        dev_id: details.device_id.clone(),
        merchant_para: details.echo.clone(),
    }
}
