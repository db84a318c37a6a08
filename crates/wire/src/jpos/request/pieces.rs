//! `vaucher` and `ticket`: lists in JSON of what is redeemed, in one field of the form.

use std::borrow::Cow;

use super::error::{Demand, RequestError};
use crate::jpos::form::Form;
use crate::jpos::name;
use crate::jpos::object::{MemberError, Object, elements, tree};
use crate::jpos::person::TicketKind;
use crate::node::{Members, Node};
use crate::text::is_digits;

/// Most elements of a list.
pub const PIECES_MAX: usize = 100;
/// Most bytes of one element of a list.
const ITEM_BYTES_MAX: usize = 64 * 1024;
/// Most pieces of one ticket.
pub const NUM_MAX: u32 = 9_999;

/// So many pieces of one voucher or ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Piece {
    /// `id`, from 1.
    pub id: i64,
    /// `num`, from 1 to [`NUM_MAX`].
    pub num: u32,
    /// `type`, if the terminal says it; vouchers have none.
    pub kind: Option<TicketKind>,
}

impl Piece {
    pub(super) fn voucher(object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            id: object.get(name::ID, |text| positive(text, i64::MAX))?,
            num: object.get(name::NUM, num)?,
            kind: None,
        })
    }

    pub(super) fn ticket(object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            kind: object.maybe(name::TYPE, TicketKind::from_code)?,
            ..Self::voucher(object)?
        })
    }

    fn node(self) -> Node<'static> {
        let mut members = Members::with_capacity(3);
        members
            .int(name::ID, self.id)
            .int(name::NUM, self.num)
            .maybe_text(name::TYPE, self.kind.map(TicketKind::code));
        members.into_node()
    }
}

/// `vaucher`; none when it is absent, empty or null.
pub(super) fn vouchers(form: &Form<'_>) -> Result<Vec<Piece>, RequestError> {
    distinct(form, name::VAUCHER, Piece::voucher)
}

/// `ticket`; none when it is absent, empty or null.
pub(super) fn tickets(form: &Form<'_>) -> Result<Vec<Piece>, RequestError> {
    distinct(form, name::TICKET, Piece::ticket)
}

fn distinct(
    form: &Form<'_>,
    field: &'static str,
    read: impl Fn(Object<'_>) -> Result<Piece, MemberError>,
) -> Result<Vec<Piece>, RequestError> {
    let pieces = items(form, field, PIECES_MAX, read)?.unwrap_or_default();
    if are_distinct(&pieces) {
        return Ok(pieces);
    }
    let demand = Demand::DistinctIds;
    Err(RequestError::Invalid { field, demand })
}

/// What `read` makes of the objects in a field's JSON list; `None` when the field is absent,
/// empty or null.
pub(super) fn items<T>(
    form: &Form<'_>,
    field: &'static str,
    items_max: usize,
    read: impl Fn(Object<'_>) -> Result<T, MemberError>,
) -> Result<Option<Vec<T>>, RequestError> {
    let text = form.get(field).map(str::trim);
    let Some(text) = text.filter(|text| !matches!(*text, "" | "null")) else {
        return Ok(None);
    };
    let demand = Demand::List { items_max };
    let invalid = || RequestError::Invalid { field, demand };
    let elements = elements(text, items_max).ok_or_else(invalid)?;
    let item = |(index, element): (usize, &&str)| {
        // One at a time, so that a long list is never in memory as a tree.
        let short = (element.len() <= ITEM_BYTES_MAX).then_some(*element);
        let node = short.and_then(tree).ok_or_else(invalid)?;
        let object = Object::of(&node).ok_or_else(invalid)?;
        read(object).map_err(|error| RequestError::Item {
            list: field,
            index,
            error,
        })
    };
    let items: Result<Vec<T>, _> = elements.iter().enumerate().map(item).collect();
    items.map(Some)
}

/// The list as a node; `None` when it is empty.
pub(super) fn list(pieces: &[Piece]) -> Option<Node<'static>> {
    let nodes = || pieces.iter().map(|piece| piece.node()).collect();
    (!pieces.is_empty()).then(|| Node::List(nodes()))
}

pub(super) fn push(form: &mut Form<'_>, field: &'static str, pieces: &[Piece]) {
    form.maybe(
        field,
        list(pieces).map(|list| Cow::Owned::<str>(list.to_json())),
    );
}

/// A voucher that is named twice could be counted once or spent twice.
pub(super) fn are_distinct(pieces: &[Piece]) -> bool {
    let mut ids: Vec<i64> = pieces.iter().map(|piece| piece.id).collect();
    ids.sort_unstable();
    ids.is_sorted_by(|one, next| one < next)
}

fn num(text: &str) -> Option<u32> {
    u32::try_from(positive(text, i64::from(NUM_MAX))?).ok()
}

fn positive(text: &str, max: i64) -> Option<i64> {
    let number: i64 = is_digits(text).then(|| text.parse().ok()).flatten()?;
    (1..=max).contains(&number).then_some(number)
}
