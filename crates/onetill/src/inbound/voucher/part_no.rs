//! activeByPartNo: activates all cards or vouchers of a segment, under a signature. Whatever comes
//! of it has HTTP 200 and is signed, once the partner is known.

use super::{Answered, Dialect, Refusal, admit, present};
use crate::app::{
    Gateway,
    voucher::{change::NewChange, names::Found, partners::KnownPartner},
};
use crate::vault::decode_hex;
use axum::{
    body::Body,
    http::{HeaderMap, StatusCode as HttpStatus},
};
use domain::{
    command::voucher::ChangeReply,
    money::Fen,
    time::UnixMs,
    voucher::{
        change::{Change, ChangeKind, Remarks, Verdict},
        partner::PartnerNo,
        ticket::Term,
    },
};
use jiff::{Span, civil};
use std::{net::IpAddr, sync::Arc};
use wire::{
    Locale,
    voucher::{
        CivilTime, Document, DocumentError, PartNoReply, RequestError, Sign, Signer, StatusCode,
        VerifyingKey, request::ActiveByPartNo,
    },
};

/// How long codes are valid where the partner does not say, in years.
const YEARS: i64 = 3;

/// The message of a partner that was let in.
struct Order<'a> {
    gateway: &'a Arc<Gateway>,
    partner: Arc<KnownPartner>,
    locale: Locale,
}

pub(super) async fn serve(
    dialect: &Dialect,
    headers: &HeaderMap,
    document: Result<Document<'_>, DocumentError>,
    peer: IpAddr,
) -> Result<Answered, Refusal> {
    let gateway = &dialect.gateway;
    let document = document.map_err(|error| unread(&error.into()))?;
    let number = ActiveByPartNo::partner_id(&document).map_err(|error| unread(&error))?;
    let partner = PartnerNo::parse(&number).and_then(|it| gateway.vouchers.partners.by_number(it));
    let partner = partner.ok_or(Refusal::NotAdmitted)?;
    if !is_admitted(gateway, &partner, headers, peer, &document) {
        return Err(Refusal::NotAdmitted);
    }
    dialect.allow(&partner)?;
    let order = Order {
        gateway,
        locale: present::locale(&partner),
        partner,
    };
    let reply = match ActiveByPartNo::decode(&document) {
        Ok(message) => order.carry_out(&message).await?,
        Err(error) => PartNoReply::refused(StatusCode::BadField, &error.desc(order.locale)),
    };
    order.answer(&reply)
}

/// The answer to a message that names no partner.
fn unread(error: &RequestError) -> Refusal {
    let desc = error.desc(Locale::default());
    Refusal::Text("400", unsigned(StatusCode::BadField, &desc))
}

/// A refusal to somebody who is not known, and so has no key.
pub(super) fn unsigned(status: StatusCode, desc: &str) -> String {
    let reply = PartNoReply::refused(status, desc);
    reply.encode(Signer::Skip).unwrap_or_default()
}

/// Whether the message is the partner's: signed with one of its keys, or, where its profile allows
/// that, not signed and sent with its token or from its network.
fn is_admitted(
    gateway: &Gateway,
    partner: &KnownPartner,
    headers: &HeaderMap,
    peer: IpAddr,
    document: &Document<'_>,
) -> bool {
    if partner.partner.blocked {
        return false;
    }
    match Sign::of(document) {
        Sign::Absent => false,
        Sign::Skip => {
            let caller = admit::caller(gateway, headers, peer);
            let is_theirs = caller.is_some_and(|it| it.partner.number == partner.partner.number);
            is_theirs && partner.partner.settings.skip_signature
        }
        sign @ Sign::Given(_) => {
            let keys = good_keys(partner, gateway.now());
            keys.iter().any(|key| sign.verify(key, document).is_ok())
        }
    }
}

fn good_keys(partner: &KnownPartner, now: UnixMs) -> Vec<VerifyingKey> {
    let keys = partner.partner.keys.iter();
    let good = keys.filter(|it| it.until.is_none_or(|until| now < until));
    let read = good.filter_map(|it| {
        let spki = decode_hex(&it.spki)?;
        VerifyingKey::from_spki_der(&spki).ok()
    });
    read.collect()
}

impl Order<'_> {
    async fn carry_out(&self, message: &ActiveByPartNo) -> Result<PartNoReply, Refusal> {
        let kind = ChangeKind::ActivateSegment;
        let number = &message.partner_order_id;
        let known = self.gateway.recorded_change(&self.partner, kind, number);
        if let Some(change) = known.await? {
            return Ok(self.standing(StatusCode::Done, &change));
        }
        let found = match self.find(message).await? {
            Ok(found) => found,
            Err(refused) => return Ok(refused),
        };
        let new = match self.new_change(message, &found) {
            Ok(new) => new,
            Err(refused) => return Ok(refused),
        };
        let found: Vec<Option<Found>> = found.into_iter().map(Some).collect();
        let reply = self.gateway.change_stock(&self.partner, new, &found);
        Ok(match reply.await? {
            ChangeReply::New(change) => self.decided(&change),
            ChangeReply::Repeat(change) | ChangeReply::Other(change) => {
                self.standing(StatusCode::Done, &change)
            }
        })
    }

    /// The codes of the segment, all of which must be this partner's.
    async fn find(
        &self,
        message: &ActiveByPartNo,
    ) -> Result<Result<Vec<Found>, PartNoReply>, Refusal> {
        let partner = &self.partner.partner;
        if message.merchant_id != partner.merchant_id {
            return Ok(Err(self.bad_field(
                "merchantId",
                "不是该合作方的商户",
                "is not this partner's",
            )));
        }
        let cartons = self.gateway.cartons_of(partner.tenant, partner.number);
        let found: Vec<Found> = cartons
            .await?
            .into_iter()
            .filter_map(|carton| {
                let range = carton.segment(&message.bin, message.start, message.end)?;
                Some(Found {
                    range,
                    level: None,
                    carton,
                })
            })
            .collect();
        let codes: i64 = found.iter().map(|it| it.range.len()).sum();
        let wanted = i64::from(message.end) - i64::from(message.start) + 1;
        if codes != wanted {
            let status = StatusCode::UnknownSegment;
            let reply = PartNoReply::refused(status, status.name(self.locale));
            return Ok(Err(reply));
        }
        let counts = partner.settings.check_number;
        if counts && message.number.map(i64::from) != Some(wanted) {
            return Ok(Err(self.bad_field(
                "number",
                "与号段数量不符",
                "is not the segment's",
            )));
        }
        Ok(Ok(found))
    }

    fn new_change(
        &self,
        message: &ActiveByPartNo,
        found: &[Found],
    ) -> Result<NewChange, PartNoReply> {
        let codes: i64 = found.iter().map(|it| it.range.len()).sum();
        let price = message.cost_price_fen.unwrap_or(0);
        let total = price
            .checked_mul(codes)
            .map(Fen::new)
            .ok_or_else(|| self.bad_field("costPrice", "过大", "is too large for so many cards"))?;
        Ok(NewChange {
            kind: ChangeKind::ActivateSegment,
            number: message.partner_order_id.clone(),
            content: 0,
            total,
            remarks: Remarks::default(),
            term: Some(self.term(message)?),
            forget_refusal: true,
        })
    }

    fn term(&self, message: &ActiveByPartNo) -> Result<Term, PartNoReply> {
        let wrong = || self.bad_field("valid_end", "已过期", "is over already");
        let now = self.gateway.now();
        let from = match message.valid_start {
            Some(it) => self.instant(it, Span::new()).ok_or_else(wrong)?,
            None => now,
        };
        let until = match message.valid_end {
            Some(it) => self.instant(it, Span::new()),
            None => {
                let years = Span::new().try_years(YEARS).ok();
                years.and_then(|it| self.instant(present::civil(self.gateway, from), it))
            }
        };
        let until = until
            .filter(|it| *it > now && *it > from)
            .ok_or_else(wrong)?;
        Ok(Term {
            from: Some(from),
            until: Some(until),
        })
    }

    /// A time of the gateway's zone, and so much later.
    fn instant(&self, at: CivilTime, later: Span) -> Option<UnixMs> {
        let (year, month, day) = at.date();
        let (hour, minute, second) = at.time();
        let date = civil::Date::new(year, month, day).ok()?;
        let time = civil::Time::new(hour, minute, second, 0).ok()?;
        let at = date.to_datetime(time).checked_add(later).ok()?;
        let zoned = at.to_zoned(self.gateway.rules.zone.clone()).ok()?;
        Some(UnixMs(zoned.timestamp().as_millisecond()))
    }

    fn decided(&self, change: &Change) -> PartNoReply {
        match &change.verdict {
            Verdict::Done(_) => self.standing(StatusCode::Created, change),
            Verdict::Conflict(_) => {
                let status = StatusCode::NotActivable;
                PartNoReply::refused(status, status.name(self.locale))
            }
            verdict @ (Verdict::Unknown(_) | Verdict::Duplicate(..) | Verdict::TooMany) => {
                let why = present::why(verdict, &[], &[], self.locale);
                PartNoReply::refused(StatusCode::NotActivable, &why.unwrap_or_default())
            }
        }
    }

    fn standing(&self, status: StatusCode, change: &Change) -> PartNoReply {
        let at = present::civil(self.gateway, change.at);
        PartNoReply::standing(status, at, self.locale)
    }

    fn bad_field(&self, field: &str, zh: &'static str, en: &'static str) -> PartNoReply {
        let what = self.locale.pick(zh, en);
        let desc = match self.locale {
            Locale::Zh => format!("参数 {field} {what}"),
            Locale::En => format!("parameter {field} {what}"),
        };
        PartNoReply::refused(StatusCode::BadField, &desc)
    }

    fn answer(&self, reply: &PartNoReply) -> Result<Answered, Refusal> {
        let key = self
            .gateway
            .vouchers
            .partners
            .reply_key(&self.partner.partner)?;
        let signer = key.as_ref().map_or(Signer::Skip, Signer::Key);
        let text = reply.encode(signer).map_err(|error| {
            tracing::error!(%error, "a reply cannot be signed");
            Refusal::Down(crate::app::AppError::OutcomeUnknown)
        })?;
        Ok(Answered {
            http: HttpStatus::OK,
            code: name(reply.status),
            body: Body::from(text),
        })
    }
}

/// How the metrics call it.
pub(super) const fn name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::Created => "100",
        StatusCode::InProgress => "80",
        StatusCode::Done => "81",
        StatusCode::BadField => "400",
        StatusCode::NotAdmitted => "401",
        StatusCode::UnknownSegment => "404",
        StatusCode::NotActivable => "409",
        StatusCode::Unavailable => "503",
    }
}
