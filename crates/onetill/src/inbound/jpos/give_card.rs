//! mobile/sendVerifyCode and card/active (source: 发送验证码, 卡激活).

use super::{Done, admit::Admitted, decline, present, refused::Refused};
use crate::app::{
    Gateway,
    loyalty::{activate::NewMember, codes::CodeSent},
};
use domain::loyalty::trans::TransKind;
use wire::jpos::{
    Body, name,
    request::{CardActive, SendVerifyCode},
};

pub(super) async fn send_code(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &SendVerifyCode,
) -> Result<Done, Refused> {
    let sent = gateway.send_code(&admitted.caller, &request.mobile_no);
    match sent.await? {
        CodeSent::OnItsWay => Ok(Done {
            at: gateway.now(),
            body: Body::Plain,
        }),
        CodeSent::Refused(refusal) => Err(refusal.into()),
        CodeSent::BadNumber => Err(Refused::field(name::MOBILE_NO)),
    }
}

pub(super) async fn activate(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &CardActive,
    content: u128,
) -> Result<Done, Refused> {
    let heading = present::heading(&request.head, content)?;
    let kind = TransKind::Activate;
    let card = decline::card(gateway, admitted, &heading, kind, &request.card).await?;
    let member = NewMember {
        mobile: request.mobile_no.clone(),
        code: request.verify_code.clone(),
        id_type: request.id_type.code().to_owned(),
        id_no: request.id_no.clone().unwrap_or_default(),
    };
    let trans = gateway
        .activate(&admitted.caller, &heading, &card, &member)
        .await??;
    Ok(Done {
        at: trans.at,
        body: Body::CardActive(Some(present::serial_no(&trans)?)),
    })
}
