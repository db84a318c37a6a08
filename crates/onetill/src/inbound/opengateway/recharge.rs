//! flowRecharge (source, section 9).

use super::{
    Encoded, Refusal,
    admit::{Admitted, illegal},
    info::Info,
    order::check_target,
};
use crate::app::{Gateway, recharge::NewRecharge};
use domain::recharge::{Reach, Recharge, RechargeState};
use std::sync::Arc;
use wire::opengateway::{
    FlowRecharge, Locale, ReturnCode,
    code::RechargeStatus,
    reply::{Flow, Outcome, RechargeReply},
    request::FlowType,
};

pub(super) async fn serve(
    gateway: &Arc<Gateway>,
    admitted: &Admitted<'_>,
) -> Result<Encoded, Refusal> {
    let document = admitted.document()?;
    let request =
        FlowRecharge::decode(&document).map_err(|error| illegal(error, admitted.locale))?;
    check_target(
        gateway,
        admitted,
        "notifyURL",
        request.notify_url.as_deref(),
    )?;
    let new = NewRecharge {
        signature: admitted.signature.clone().unwrap_or_default(),
        phone: request.phone_no,
        data_mb: i64::from(request.flow_mb),
        reach: match request.flow_type {
            FlowType::Nationwide => Reach::National,
            FlowType::Provincial => Reach::Provincial,
        },
        notify_url: request.notify_url,
    };
    let recharge = gateway.recharge(&admitted.account, new).await;
    let recharge = recharge.map_err(|error| Refusal::from_app(&error, admitted))?;
    let busi_code = &admitted.account.merchant.code;
    let reply = reply(gateway, &recharge, busi_code, admitted.locale);
    Ok(Encoded {
        code: reply.outcome.code,
        bytes: reply.encode(admitted.format),
    })
}

/// A top-up as the reply and the notification show it.
pub(super) fn reply(
    gateway: &Gateway,
    recharge: &Recharge,
    busi_code: &str,
    locale: Locale,
) -> RechargeReply {
    let (code, info, status) = match recharge.state {
        RechargeState::Created => (
            ReturnCode::Success,
            Info::RechargeAccepted,
            RechargeStatus::Created,
        ),
        RechargeState::AtProvider(_) => (
            ReturnCode::Success,
            Info::RechargeAccepted,
            RechargeStatus::AtProvider,
        ),
        RechargeState::Done(..) => (
            ReturnCode::Success,
            Info::RechargeDone,
            RechargeStatus::Done,
        ),
        RechargeState::Failed(..) => (
            ReturnCode::Fail,
            Info::RechargeFailed,
            RechargeStatus::Failed,
        ),
    };
    RechargeReply {
        outcome: Outcome::new(code, info.text(locale)),
        flow: Some(flow(gateway, recharge, busi_code, status)),
    }
}

fn flow(gateway: &Gateway, recharge: &Recharge, busi_code: &str, status: RechargeStatus) -> Flow {
    Flow {
        id: recharge.serial.to_string(),
        phone_no: recharge.phone.clone(),
        flow_mb: u32::try_from(recharge.data_mb).unwrap_or(u32::MAX),
        flow_type: match recharge.reach {
            Reach::National => FlowType::Nationwide,
            Reach::Provincial => FlowType::Provincial,
        },
        order_id: recharge.serial.to_string(),
        plat_order_id: recharge.provider_serial().map(str::to_owned),
        create_time: gateway.wire_time(recharge.created_at),
        status,
        busi_code: busi_code.to_owned(),
    }
}
