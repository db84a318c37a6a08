//! The documents merchants are notified with (source, section 5), ready to be posted: signed,
//! and sealed if the receiver's own address asks for it.

use super::{admit::locale_of, present, recharge};
use crate::app::{Gateway, directory::Account};
use domain::{payment::Payment, recharge::Recharge, time::UnixMs};
use wire::opengateway::{
    ChannelType, Encryption, Format, Node, State,
    notification::{ChannelResult, NotifyTarget, PayNotification, with_sign},
    seal, sign,
};

/// A message ready to be posted.
pub struct Posting {
    /// Where, with the signature in its query.
    pub url: String,
    /// The body's type.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// The news that `payment` was made, or `None` when nobody wants it.
#[must_use]
pub fn payment_paid(
    gateway: &Gateway,
    account: &Account,
    payment: &Payment,
    now: UnixMs,
) -> Option<Posting> {
    let url = payment.details.notify_url.as_deref()?;
    let target = NotifyTarget::parse(url);
    let plaintext = document(gateway, account, payment)?.encode(target.format);
    Some(post(account, url, target, plaintext, now))
}

/// The news that `recharge` ended, or `None` when nobody wants it. Always JSON.
#[must_use]
pub fn recharge_ended(
    gateway: &Gateway,
    account: &Account,
    recharge: &Recharge,
    now: UnixMs,
) -> Option<Posting> {
    let url = recharge.notify_url.as_deref()?;
    let target = NotifyTarget {
        format: Format::Json,
        ..NotifyTarget::parse(url)
    };
    let busi_code = &account.merchant.code;
    let reply = recharge::reply(gateway, recharge, busi_code, locale_of(account));
    Some(post(account, url, target, reply.encode(Format::Json), now))
}

fn post(
    account: &Account,
    url: &str,
    target: NotifyTarget,
    plaintext: Vec<u8>,
    now: UnixMs,
) -> Posting {
    let sign = sign::sign(&account.key, &now.0.to_string(), &plaintext);
    let body = match target.encryption {
        Encryption::None => plaintext,
        Encryption::TripleDes => seal::seal(&account.key, &plaintext).into_bytes(),
    };
    Posting {
        url: with_sign(url, &sign),
        content_type: target.format.content_type(),
        body,
    }
}

/// The payment as it was when it was made: what became of it later is not this message's news.
fn document(gateway: &Gateway, account: &Account, payment: &Payment) -> Option<PayNotification> {
    let paid = payment.paid()?;
    let details = &payment.details;
    let channel_type = present::channel(payment.channel);
    Some(PayNotification {
        begin_time: Some(gateway.wire_time(payment.created_at)),
        end_time: Some(gateway.wire_time(paid.receipt.paid_at)),
        channel_result: channel_result(channel_type, paid.receipt.channel_result.as_deref()),
        buyer_id: paid.receipt.buyer_id.clone(),
        charge_third_code: Some(paid.receipt.channel_serial.clone()),
        busi_id: account.merchant.code.clone(),
        charge_code: payment.merchant_serial.clone(),
        charge_down_code: payment.serial.to_string(),
        channel_type,
        state: State::Paid,
        oper_id: details.operator_id.clone(),
        pay_subject: details.subject.clone(),
        goods: present::goods_out(&details.goods),
        fund_bills: present::bills(payment, paid),
        amount_fen: payment.price().get(),
        dev_id: details.device_id.clone(),
        merchant_para: details.echo.clone(),
    })
}

/// The channel's own result, for the two wallets that the dialect has a place for.
fn channel_result(channel: ChannelType, result: Option<&str>) -> Option<ChannelResult> {
    let node = Node::from_json(result?)?;
    match channel {
        ChannelType::WeChat => Some(ChannelResult::WeChat(node)),
        ChannelType::Alipay | ChannelType::AlipayMobileWeb => Some(ChannelResult::Alipay(node)),
        ChannelType::Auto
        | ChannelType::ChinaMerchantsBank
        | ChannelType::ChinaConstructionBank
        | ChannelType::AgriculturalBank
        | ChannelType::PudongBank
        | ChannelType::Baidu
        | ChannelType::Bestpay
        | ChannelType::Qq
        | ChannelType::UnionPay => None,
    }
}
