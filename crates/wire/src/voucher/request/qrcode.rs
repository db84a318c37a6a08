//! `qrcode`: what a message is about.

use super::error::{Demand, RequestError};
use super::fields;
use crate::node::{Members, Node};
use crate::voucher::name;
use crate::voucher::object::Object;

/// Most codes and ids of one message.
pub const ITEMS_MAX: usize = 1_000;
/// Fewest and most characters of a code or id.
const ITEM_LEN: std::ops::RangeInclusive<usize> = 8..=64;

/// A code, or the id of a reel, a package or a box: 8 to 64 of `0-9A-Za-z=-`, which holds the
/// codes and ids of all samples, and every code that may be imported. No `Debug`: a code's last
/// characters pay.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item(String);

impl Item {
    /// Reads a code or id; `None` when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_in_it = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'-');
        let is_item = ITEM_LEN.contains(&text.len()) && text.bytes().all(is_in_it);
        is_item.then(|| Self(text.to_owned()))
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn get(object: &Object<'_>) -> Result<Self, RequestError> {
        fields::get(object, name::QRCODE, Demand::Item, |text| {
            Self::parse(text.trim())
        })
    }
}

/// From one to [`ITEMS_MAX`] items, in the order they came. One may be there twice: that is for
/// the gateway to name. No `Debug`: see [`Item`].
#[derive(Clone, PartialEq, Eq)]
pub struct Items(Vec<Item>);

impl Items {
    /// Items to ask about; `None` when there are none or too many.
    pub fn new(items: Vec<Item>) -> Option<Self> {
        (1..=ITEMS_MAX)
            .contains(&items.len())
            .then_some(Self(items))
    }

    /// Reads a list with commas, each item with or without white space around it.
    pub fn parse(text: &str) -> Option<Self> {
        if text.split(',').nth(ITEMS_MAX).is_some() {
            return None;
        }
        let items = text.split(',').map(|item| Item::parse(item.trim()));
        Self::new(items.collect::<Option<_>>()?)
    }

    /// The items.
    pub fn items(&self) -> &[Item] {
        &self.0
    }

    pub(super) fn get(object: &Object<'_>) -> Result<Self, RequestError> {
        fields::get(object, name::QRCODE, Demand::Items, Self::parse)
    }

    /// The list as it is sent, without white space.
    pub(super) fn joined(&self) -> String {
        let items: Vec<&str> = self.0.iter().map(Item::as_str).collect();
        items.join(",")
    }

    pub(super) fn push(&self, members: &mut Members<'_>) {
        members.node(name::QRCODE, Node::Text(self.joined().into()));
    }
}
