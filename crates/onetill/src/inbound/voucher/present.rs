//! Domain values in the dialect's words.

use crate::app::{
    AppError, Gateway,
    voucher::{
        names::Found,
        partners::KnownPartner,
        tree::{Page, ShownCode},
    },
};
use axum::http::StatusCode;
use domain::{
    time::UnixMs,
    voucher::{
        change::{Conflict, Obstacle, Remarks, Verdict},
        status,
    },
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use wire::{
    Locale,
    voucher::{
        CivilTime, CodeStatus, Request,
        reply::CodeDetail,
        request::{ExtendData, Item},
    },
};

/// To whom asks too often.
pub(super) const TOO_MANY: &str = "请求过于频繁，请稍后重试 (too many requests, retry later)";
/// How many names a description repeats at most.
const NAMED_MAX: usize = 5;

/// The partner's language.
pub(super) fn locale(partner: &KnownPartner) -> Locale {
    if partner.partner.settings.english {
        Locale::En
    } else {
        Locale::Zh
    }
}

/// A point in time as the wire writes it, in the gateway's zone.
pub(super) fn civil(gateway: &Gateway, at: UnixMs) -> CivilTime {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = at.to_zoned(gateway.rules.zone.clone());
    let date = (at.year(), at.month(), at.day());
    let time = (at.hour(), at.minute(), at.second());
    CivilTime::new(date, time).unwrap_or(CivilTime::EPOCH)
}

/// What was asked, so that the same request is known again.
pub(super) fn digest(request: &Request) -> u128 {
    let hash = Sha256::digest(request.content().as_bytes());
    let bytes = hash.first_chunk().copied().unwrap_or_default();
    u128::from_be_bytes(bytes)
}

/// The HTTP status of a request that was not decided, or of which nobody knows whether it was.
pub(super) const fn http(error: &AppError) -> StatusCode {
    match error {
        AppError::Overloaded | AppError::Unavailable | AppError::StoreDown => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        AppError::OutcomeUnknown | AppError::Unforeseen | AppError::NoContract => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// To whom could not be served.
pub(super) const fn down(error: &AppError) -> &'static str {
    match error {
        AppError::Overloaded | AppError::Unavailable => {
            "系统繁忙，未处理，请稍后重试 (busy, nothing was done: retry later)"
        }
        AppError::StoreDown => {
            "存储不可用，未处理，请稍后重试 (the store is down, nothing was done: retry later)"
        }
        AppError::OutcomeUnknown | AppError::Unforeseen | AppError::NoContract => {
            "处理结果未知，请用原流水号重新提交或查询 (outcome unknown: send it again under the same number, or query it)"
        }
    }
}

/// What a caller wants kept.
pub(super) fn remarks(data: &ExtendData) -> Remarks {
    Remarks {
        shop: data.shop_no.clone(),
        receipt: data.voucher_no.clone(),
        till_serial: data.pos_serial_no.clone(),
        order_system: data.oms.clone(),
        reason: None,
    }
}

/// What was kept.
pub(super) fn extend_data(remarks: &Remarks) -> ExtendData {
    ExtendData {
        shop_no: remarks.shop.clone(),
        voucher_no: remarks.receipt.clone(),
        pos_serial_no: remarks.till_serial.clone(),
        oms: remarks.order_system.clone(),
    }
}

/// The dialect's status of a code.
pub(super) const fn code_status(status: status::CodeStatus) -> CodeStatus {
    match status {
        status::CodeStatus::InStock => CodeStatus::InStock,
        status::CodeStatus::Active => CodeStatus::Active,
        status::CodeStatus::UsedUp => CodeStatus::UsedUp,
        status::CodeStatus::Void => CodeStatus::Void,
        status::CodeStatus::Expired => CodeStatus::Expired,
        status::CodeStatus::Reserved => CodeStatus::Reserved,
        status::CodeStatus::Frozen => CodeStatus::Frozen,
    }
}

/// A code of a page, in the tree's words.
pub(super) fn detail<'a>(
    gateway: &Gateway,
    page: &'a Page,
    shown: &'a ShownCode,
    order_id: Option<&'a str>,
    locale: Locale,
) -> CodeDetail<'a> {
    let carton = &*page.carton;
    let status = code_status(shown.standing.status);
    let time = |at: Option<UnixMs>| at.map(|at| civil(gateway, at));
    CodeDetail {
        create_time: civil(gateway, carton.issued_at),
        sale_channel_order_id: Cow::Borrowed(order_id.unwrap_or_default()),
        remain_times: shown.standing.uses_left,
        status,
        status_desc: CodeDetail::status_desc(status, locale),
        code: Cow::Borrowed(shown.text.as_str()),
        activity_id: i64::from(carton.activity.0),
        activity_name: Cow::Borrowed(&carton.activity_name),
        sale_channel_name: Cow::Borrowed(&carton.sale_channel),
        send_channel_name: Cow::Borrowed(&carton.send_channel),
        ticket_id: i64::from(carton.ticket.0),
        ticket_name: Cow::Borrowed(&carton.ticket_name),
        face_value_fen: carton.terms.face_value.get(),
        valid_start: time(shown.term.from),
        valid_end: time(shown.term.until),
    }
}

/// Why a change was refused, naming what the caller named; `None` where it was carried out.
pub(super) fn why(
    verdict: &Verdict,
    items: &[Item],
    found: &[Option<Found>],
    locale: Locale,
) -> Option<String> {
    let name = |place: u32| {
        let item = usize::try_from(place).ok().and_then(|at| items.get(at));
        item.map_or("", Item::as_str)
    };
    Some(match verdict {
        Verdict::Done(_) => return None,
        Verdict::Unknown(places) => {
            let names: Vec<&str> = places.iter().take(NAMED_MAX).map(|it| name(*it)).collect();
            let what = locale.pick("券不存在", "nothing is known of");
            format!("{what}: {}", listed(&names, places.len() > NAMED_MAX))
        }
        Verdict::Duplicate(one, other) => {
            let what = locale.pick("请求中的券重复", "codes are named twice");
            format!("{what}: {}, {}", name(*one), name(*other))
        }
        Verdict::TooMany => locale
            .pick(
                "超出当日激活数量限制",
                "more codes than may be activated in a day",
            )
            .to_owned(),
        Verdict::Conflict(conflicts) => {
            let named = conflicts
                .first
                .iter()
                .map(|it| conflict(it, items, found, locale));
            let mut named: Vec<String> = named.collect();
            named.dedup();
            let more = conflicts.more || named.len() > NAMED_MAX;
            named.truncate(NAMED_MAX);
            listed(&named, more)
        }
    })
}

/// The name in the request that holds codes in the way, and why they are.
fn conflict(
    conflict: &Conflict,
    items: &[Item],
    found: &[Option<Found>],
    locale: Locale,
) -> String {
    let named = items.iter().zip(found).find_map(|(item, found)| {
        let shares = found.as_ref()?.range.intersect(&conflict.range);
        shares.map(|_| item.as_str())
    });
    let why = match conflict.why {
        Obstacle::Active => locale.pick("已激活", "active already"),
        Obstacle::Void => locale.pick("已作废", "void"),
        Obstacle::Frozen => locale.pick("已冻结", "frozen"),
        Obstacle::Expired => locale.pick("已过期", "expired"),
        Obstacle::InUse => locale.pick("已使用或使用中", "used, or held by a payment"),
    };
    match named {
        Some(named) => format!("{named} {why}"),
        None => why.to_owned(),
    }
}

fn listed(names: &[impl AsRef<str>], more: bool) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let more = if more { " …" } else { "" };
    format!("{}{more}", names.join(", "))
}
