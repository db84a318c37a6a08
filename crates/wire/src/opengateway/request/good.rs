//! An item of `GOODS_DETAIL` (appendix 1).

use super::fields::{optional, required};
use super::{RequestError, rules};
use crate::opengateway::document::{Document, Fields, GOODS_DETAIL};
use crate::opengateway::node::{Members, Node};

/// One article of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Good {
    /// `GOOD_ID`.
    pub id: String,
    /// `GOOD_NAME`.
    pub name: String,
    /// `GOOD_CLASS`.
    pub class: String,
    /// `GOOD_PRICE`, in yuan, as sent.
    pub price_yuan: String,
    /// `GOOD_SUBJECT`.
    pub subject: String,
    /// `GOOD_QUANTITY`, as sent.
    pub quantity: String,
    /// `GOOD_SHOWURL`.
    pub show_url: Option<String>,
}

impl Good {
    fn decode(item: &Fields<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            id: required(item, &rules::GOOD_ID)?,
            name: required(item, &rules::GOOD_NAME)?,
            class: required(item, &rules::GOOD_CLASS)?,
            price_yuan: required(item, &rules::GOOD_PRICE)?,
            subject: required(item, &rules::GOOD_SUBJECT)?,
            quantity: required(item, &rules::GOOD_QUANTITY)?,
            show_url: optional(item, &rules::GOOD_SHOWURL)?,
        })
    }

    fn node(&self) -> Node<'_> {
        let mut members = Members::with_capacity(7);
        members
            .text(rules::GOOD_NAME.name, &self.name)
            .text(rules::GOOD_CLASS.name, &self.class)
            .text(rules::GOOD_QUANTITY.name, &self.quantity)
            .text(rules::GOOD_SUBJECT.name, &self.subject)
            .text(rules::GOOD_ID.name, &self.id)
            .text(rules::GOOD_PRICE.name, &self.price_yuan)
            .maybe_text(rules::GOOD_SHOWURL.name, self.show_url.as_deref());
        members.into_node()
    }
}

/// The items of a document.
pub(super) fn decode_all(document: &Document<'_>) -> Result<Vec<Good>, RequestError> {
    document.goods().iter().map(Good::decode).collect()
}

/// Adds the items, as a client sends them, if there are any.
pub(super) fn push_all<'a>(members: &mut Members<'a>, goods: &'a [Good]) {
    if !goods.is_empty() {
        let items = goods.iter().map(Good::node).collect();
        members.node(GOODS_DETAIL, Node::List(items));
    }
}
