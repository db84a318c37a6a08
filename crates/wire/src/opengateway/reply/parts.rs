//! Parts that several replies and the notification share.

use std::borrow::Cow;

use super::money::{plain_number, yuan_text};
use crate::opengateway::channel::FundChannel;
use crate::opengateway::code::ReturnCode;
use crate::opengateway::node::{Members, Node};
use crate::opengateway::request::Good;

/// `RESULT`: how a request went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `CODE` (appendix 5).
    pub code: ReturnCode,
    /// `INFO`, a sentence for people that says what to do next.
    pub info: String,
}

impl Outcome {
    /// An outcome with its message.
    pub fn new(code: ReturnCode, info: impl Into<String>) -> Self {
        Self {
            code,
            info: info.into(),
        }
    }

    pub(super) fn node(&self) -> Node<'_> {
        let mut m = Members::with_capacity(2);
        m.text("CODE", self.code.as_str()).text("INFO", &self.info);
        m.into_node()
    }
}

/// `TRADEFUNDBILL`: how much was paid with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FundBill {
    /// `FUND_CHANNEL` (appendix 3).
    pub fund_channel: FundChannel,
    /// `AMOUNT`, in fen; written in yuan with two decimals.
    pub amount_fen: i64,
}

impl FundBill {
    fn node(&self) -> Node<'static> {
        let mut m = Members::with_capacity(2);
        m.text("FUND_CHANNEL", self.fund_channel.code())
            .node("AMOUNT", Node::Text(Cow::Owned(yuan_text(self.amount_fen))));
        m.into_node()
    }
}

/// `FUND_BILL_LIST`, whose `TRADEFUNDBILL` is a list even of one; `None` when empty.
pub(in crate::opengateway) fn fund_bill_list(bills: &[FundBill]) -> Option<Node<'static>> {
    if bills.is_empty() {
        return None;
    }
    let mut m = Members::with_capacity(1);
    let bills = bills.iter().map(FundBill::node).collect();
    m.node("TRADEFUNDBILL", Node::List(bills));
    Some(m.into_node())
}

/// `GOODS_DETAIL` as in sample 7.3; `None` when empty.
pub(in crate::opengateway) fn goods_detail(goods: &[Good]) -> Option<Node<'_>> {
    if goods.is_empty() {
        return None;
    }
    Some(Node::List(goods.iter().map(good_node).collect()))
}

fn good_node(good: &Good) -> Node<'_> {
    let mut m = Members::with_capacity(7);
    m.maybe_text("GOOD_SHOWURL", good.show_url.as_deref())
        .node("GOOD_QUANTITY", number_or_text(&good.quantity))
        .text("GOOD_CLASS", &good.class)
        .text("GOOD_ID", &good.id)
        .node("GOOD_PRICE", number_or_text(&good.price_yuan))
        .text("GOOD_SUBJECT", &good.subject)
        .text("GOOD_NAME", &good.name);
    m.into_node()
}

fn number_or_text(text: &str) -> Node<'_> {
    match plain_number(text) {
        Some(number) => Node::Number(Cow::Borrowed(number)),
        None => Node::Text(Cow::Borrowed(text)),
    }
}
