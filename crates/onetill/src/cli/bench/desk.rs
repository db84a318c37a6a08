//! A connection of dialect 3: a partner's middleware, which asks how codes stand.

use std::sync::Arc;

use wire::opengateway::call::Call;
use wire::voucher::Request;
use wire::voucher::request::{Codes as Names, Item, Items};

use super::codes::Codes;
use super::mix::{Dice, Kind, Shares, VoucherKind};
use super::source::Errand;
use super::wire_client::Reply;

/// What a lookup is called; it is answered afresh under any number.
const TRACE_NO: &str = "bench";

/// The middleware, and the codes that it knows.
pub(super) struct Desk {
    codes: Arc<Codes>,
    shares: Shares<VoucherKind>,
    dice: Dice,
}

impl Desk {
    pub(super) const fn new(codes: Arc<Codes>, shares: Shares<VoucherKind>, dice: Dice) -> Self {
        Self {
            codes,
            shares,
            dice,
        }
    }

    /// The next lookup; the error says what cannot be asked, and why.
    pub(super) fn next(&mut self) -> Result<Errand, (Kind, String)> {
        let kind = Kind::Voucher(self.shares.pick(self.dice.roll()));
        let name = self.codes.any(&mut self.dice);
        let look = look(name).ok_or_else(|| (kind, "NO_CODE".to_owned()))?;
        Ok(Errand {
            kind,
            call: Call {
                method: "POST",
                target: look.action().path(),
                body: look.to_json().into_bytes(),
            },
            sale: None,
        })
    }

    /// Takes the reply to the last message; the error is a wrong reply's code.
    pub(super) fn hear(kind: Kind, reply: &Reply<'_>) -> Result<(), String> {
        let is_right = reply.has_return_code(kind.right_code());
        is_right.then_some(()).ok_or_else(|| reply.return_code())
    }
}

/// queryVerifyInfo of one name; `None` if it is none.
pub(super) fn look(name: &str) -> Option<Request> {
    Some(Request::QueryVerifyInfo(Names {
        trace_no: TRACE_NO.to_owned(),
        items: items(name)?,
        business_type: None,
    }))
}

/// One name.
pub(super) fn items(name: &str) -> Option<Items> {
    Items::new(vec![Item::parse(name)?])
}
