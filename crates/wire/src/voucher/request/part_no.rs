//! activeByPartNo: a segment of card numbers (source: the newer of the two versions on its page).

use super::error::{Demand, RequestError};
use super::fields::{self, fen, get, maybe, whole};
use crate::node::{Members, Node};
use crate::text::is_digits;
use crate::voucher::document::Document;
use crate::voucher::name;
use crate::voucher::object::Object;
use crate::voucher::readings::{CODE_TYPE, VERSION};
use crate::voucher::sign::{self, SignError, Signer};
use crate::voucher::time::CivilTime;

/// Most characters of `partnerOrderId`.
const ORDER_ID_LEN_MAX: usize = 28;
/// Most characters of `partnerId` and `merchantId`.
const ACCOUNT_LEN_MAX: usize = 32;
/// Digits of a number within a segment.
const SEGMENT_DIGITS: usize = 7;
/// The other name of `valid_end`, which is taken too.
const VALID_END_TOO: &str = "validEnd";

/// The members that mean something: no value that is signed may seem to hold one.
pub(in crate::voucher) const KNOWN: [&str; 16] = [
    name::VER,
    name::PARTNER_ID,
    name::SIGN,
    name::MERCHANT_ID,
    name::PARTNER_ORDER_ID,
    name::TYPE,
    name::BIN,
    name::CODE_TYPE,
    name::START_CARD_SE,
    name::END_CARD_SE,
    name::NUMBER,
    name::SELLING_PRICE,
    name::COST_PRICE,
    name::VALID_START,
    name::VALID_END,
    VALID_END_TOO,
];

/// `type`: what a segment numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SegmentKind {
    /// `1`: cards.
    Card,
    /// `2`: vouchers.
    Voucher,
}

impl SegmentKind {
    /// The number on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Card => 1,
            Self::Voucher => 2,
        }
    }

    /// Digits of `bin`.
    pub const fn bin_digits(self) -> usize {
        match self {
            Self::Card => 6,
            Self::Voucher => 4,
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        match code {
            "1" => Some(Self::Card),
            "2" => Some(Self::Voucher),
            _ => None,
        }
    }
}

/// Activates all cards or vouchers of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveByPartNo {
    /// `partnerId`: 1 to 32 letters, digits, dots, dashes or underscores, as is `merchantId`.
    pub partner_id: String,
    /// `merchantId`: the partner at the gateway.
    pub merchant_id: String,
    /// `partnerOrderId`: the partner's own number, 1 to 28 visible ASCII characters.
    pub partner_order_id: String,
    /// `type`.
    pub kind: SegmentKind,
    /// `bin`: what the card numbers start with.
    pub bin: String,
    /// `startCardSe`: the first number, of seven digits.
    pub start: u32,
    /// `endCardSe`: the last number, not below the first.
    pub end: u32,
    /// `number`: how many the partner says there are. Nothing here compares it with the segment.
    pub number: Option<u32>,
    /// `sellingPrice`: the list price in fen (the source's glosses of the two are swapped);
    /// mandatory for vouchers.
    pub selling_price_fen: Option<i64>,
    /// `costPrice`: the price paid in fen, not above the list price; mandatory for vouchers.
    pub cost_price_fen: Option<i64>,
    /// `validStart`.
    pub valid_start: Option<CivilTime>,
    /// `valid_end`, after `validStart`; `validEnd` is read too.
    pub valid_end: Option<CivilTime>,
}

impl ActiveByPartNo {
    /// The partner that a message names, before anything else is looked at.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming `partnerId`.
    pub fn partner_id(document: &Document<'_>) -> Result<String, RequestError> {
        account(document.object(), name::PARTNER_ID)
    }

    /// Takes the message out of a body. Its signature is another matter: [`sign`].
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first member that misses its rule.
    pub fn decode(document: &Document<'_>) -> Result<Self, RequestError> {
        sign::refuse_ambiguous(document)?;
        let object = document.object();
        get(object, name::VER, Demand::Version, exactly(VERSION))?;
        maybe(
            object,
            name::CODE_TYPE,
            Demand::CodeType,
            exactly(CODE_TYPE),
        )?;
        let kind = get(
            object,
            name::TYPE,
            Demand::SegmentKind,
            SegmentKind::from_code,
        )?;
        let message = Self {
            partner_id: Self::partner_id(document)?,
            merchant_id: account(object, name::MERCHANT_ID)?,
            partner_order_id: get(object, name::PARTNER_ORDER_ID, Demand::OrderId, |text| {
                fields::visible(text, ORDER_ID_LEN_MAX)
            })?,
            kind,
            bin: get(object, name::BIN, Demand::Bin, |text| bin(kind, text))?,
            start: segment_no(object, name::START_CARD_SE)?,
            end: segment_no(object, name::END_CARD_SE)?,
            number: maybe(object, name::NUMBER, Demand::Whole, whole)?,
            selling_price_fen: price(object, name::SELLING_PRICE, kind)?,
            cost_price_fen: price(object, name::COST_PRICE, kind)?,
            valid_start: time(object, name::VALID_START)?,
            valid_end: valid_end(object)?,
        };
        message.agrees()
    }

    /// The body a client sends.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the message cannot be signed.
    pub fn to_json(&self, signer: Signer<'_>) -> Result<String, SignError> {
        let mut members = Members::with_capacity(16);
        self.push(&mut members);
        sign::sealed(members, signer)
    }

    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        members
            .int(name::VER, VERSION)
            .node(name::PARTNER_ID, numeric(&self.partner_id))
            .node(name::MERCHANT_ID, numeric(&self.merchant_id))
            .text(name::PARTNER_ORDER_ID, &self.partner_order_id)
            .int(name::TYPE, self.kind.code())
            .text(name::BIN, &self.bin)
            .node(name::START_CARD_SE, segment_digits(self.start))
            .node(name::END_CARD_SE, segment_digits(self.end))
            .maybe(
                name::SELLING_PRICE,
                self.selling_price_fen.as_ref().map(super::digits),
            )
            .maybe(
                name::COST_PRICE,
                self.cost_price_fen.as_ref().map(super::digits),
            )
            .maybe_int(name::NUMBER, self.number)
            .maybe(
                name::VALID_START,
                self.valid_start.as_ref().map(super::digits),
            )
            .maybe(name::VALID_END, self.valid_end.as_ref().map(super::digits));
    }

    /// The message, if its members agree with each other.
    fn agrees(self) -> Result<Self, RequestError> {
        let invalid = |field, demand| Err(RequestError::Invalid { field, demand });
        let prices = self.cost_price_fen.zip(self.selling_price_fen);
        let times = self.valid_start.zip(self.valid_end);
        if self.end < self.start {
            invalid(name::END_CARD_SE, Demand::SegmentEnd)
        } else if prices.is_some_and(|(cost, selling)| cost > selling) {
            invalid(name::COST_PRICE, Demand::CostPrice)
        } else if times.is_some_and(|(start, end)| end <= start) {
            invalid(name::VALID_END, Demand::ValidEnd)
        } else {
            Ok(self)
        }
    }
}

fn exactly(number: u32) -> impl FnOnce(&str) -> Option<()> {
    move |text| (whole(text) == Some(number)).then_some(())
}

fn account(object: &Object<'_>, field: &'static str) -> Result<String, RequestError> {
    get(object, field, Demand::Account, |text| {
        let is_in_it = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let is_account = text.len() <= ACCOUNT_LEN_MAX && text.bytes().all(is_in_it);
        is_account.then(|| text.to_owned())
    })
}

fn bin(kind: SegmentKind, text: &str) -> Option<String> {
    let is_bin = text.len() == kind.bin_digits() && is_digits(text);
    is_bin.then(|| text.to_owned())
}

fn segment_no(object: &Object<'_>, field: &'static str) -> Result<u32, RequestError> {
    get(object, field, Demand::SegmentNo, |text| {
        whole(text).filter(|_| text.len() == SEGMENT_DIGITS)
    })
}

/// A price; vouchers must have both.
fn price(
    object: &Object<'_>,
    field: &'static str,
    kind: SegmentKind,
) -> Result<Option<i64>, RequestError> {
    match kind {
        SegmentKind::Card => maybe(object, field, Demand::Fen, fen),
        SegmentKind::Voucher => get(object, field, Demand::Fen, fen).map(Some),
    }
}

fn time(object: &Object<'_>, field: &'static str) -> Result<Option<CivilTime>, RequestError> {
    maybe(object, field, Demand::Time, CivilTime::parse_spaced)
}

/// `valid_end` or `validEnd`, not both.
fn valid_end(object: &Object<'_>) -> Result<Option<CivilTime>, RequestError> {
    let (one, other) = (time(object, name::VALID_END)?, time(object, VALID_END_TOO)?);
    if one.is_some() && other.is_some() {
        let (field, demand) = (name::VALID_END, Demand::OneName);
        return Err(RequestError::Invalid { field, demand });
    }
    Ok(one.or(other))
}

/// A number where the text is one, as in the sample.
fn numeric(text: &str) -> Node<'_> {
    Node::Number(text.into())
}

fn segment_digits(number: u32) -> Node<'static> {
    Node::Text(format!("{number:07}").into())
}
