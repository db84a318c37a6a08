//! What partners send, and what the answers say.

use super::{
    code::Act,
    stock::{BIN, MERCHANT_ID, Stock, partner_no},
};
use wire::{
    opengateway::call::Call,
    voucher::{
        CivilTime, Request, ReturnCode, Signer, StatusCode,
        reply::{Reply, Tree},
        request::{
            Activate, ActiveByPartNo, Codes, ExtendData, Item, Items, ResultQuery, SegmentKind,
            TraceQuery,
        },
    },
};

/// A name that leads nowhere.
pub const NOBODYS: &str = "X99999-0000000-00000";

/// The number of what changes nothing.
const QUERY: &str = "q";

/// What a partner asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// An activation of what is listed.
    Activation,
    /// A voiding of what is listed.
    Voiding,
    /// An activation by card numbers, whose number is free again when it is refused.
    Segment,
}

/// What a partner is told of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was carried out.
    Done,
    /// Codes were in the way.
    Conflict,
    /// The message itself is wrong.
    Error,
}

impl Wanted {
    /// What it does to codes.
    #[must_use]
    pub const fn act(self) -> Act {
        match self {
            Self::Activation | Self::Segment => Act::Activate,
            Self::Voiding => Act::Void,
        }
    }
}

fn items(names: &[String]) -> Option<Items> {
    let items = names.iter().map(|it| Item::parse(it));
    Items::new(items.collect::<Option<_>>()?)
}

/// A message that asks for a change of what is listed; `None` where a name is none.
pub fn message(wanted: Wanted, number: &str, names: &[String]) -> Option<Call> {
    let (trace_no, items) = (number.to_owned(), items(names)?);
    Some(call(&match wanted {
        Wanted::Voiding => Request::DelVoucher(Codes {
            trace_no,
            items,
            business_type: None,
        }),
        Wanted::Activation | Wanted::Segment => Request::ActiveVoucher(Activate {
            trace_no,
            items,
            total_amount_fen: 100,
            business_type: None,
            extend_data: ExtendData::default(),
        }),
    }))
}

/// An order that activates the cards from one to another of a box.
pub fn segment(stock: &Stock, number: &str, (first, last): (u64, u64)) -> Option<Call> {
    let card = |index| Some(stock.first_card() + u32::try_from(index).ok()?);
    let order = ActiveByPartNo {
        partner_id: partner_no(stock.tenant).to_string(),
        merchant_id: MERCHANT_ID.to_owned(),
        partner_order_id: number.to_owned(),
        kind: SegmentKind::Card,
        bin: BIN.to_owned(),
        start: card(first)?,
        end: card(last)?,
        number: None,
        selling_price_fen: None,
        cost_price_fen: None,
        // Long before any run, and long after.
        valid_start: CivilTime::new((2026, 1, 1), (0, 0, 0)),
        valid_end: CivilTime::new((2036, 1, 1), (0, 0, 0)),
    };
    Some(Call {
        method: "POST",
        target: "/b2b/code/activeByPartNo".to_owned(),
        body: order.to_json(Signer::Skip).ok()?.into_bytes(),
    })
}

/// A look at what a name leads to.
pub fn look(name: &str) -> Option<Call> {
    Some(call(&Request::QueryVerifyInfo(Codes {
        trace_no: QUERY.to_owned(),
        items: items(&[name.to_owned()])?,
        business_type: None,
    })))
}

/// What became of the activation under a number?
pub fn result_query(number: &str) -> Call {
    call(&Request::ActiveResultQuery(ResultQuery {
        trace_no: QUERY.to_owned(),
        original_trace_no: number.to_owned(),
        business_type: None,
    }))
}

/// What happened to a code?
pub fn trace_query(text: &str) -> Option<Call> {
    Some(call(&Request::QueryCodeTrace(TraceQuery {
        request_id: QUERY.to_owned(),
        item: Item::parse(text)?,
    })))
}

fn call(request: &Request) -> Call {
    Call {
        method: "POST",
        target: format!("/ebuyweb-posp/api/{}", request.action().name()),
        body: request.to_json().into_bytes(),
    }
}

/// What a reply says of a change.
pub fn told(wanted: Wanted, reply: &Reply) -> Option<Told> {
    match reply {
        Reply::Codes { reply, .. } => match (wanted, reply.code) {
            (Wanted::Activation, ReturnCode::Activating)
            | (Wanted::Voiding, ReturnCode::Voided) => Some(Told::Done),
            (Wanted::Activation, ReturnCode::NotActivable)
            | (Wanted::Voiding, ReturnCode::NotVoidable) => Some(Told::Conflict),
            (Wanted::Activation, ReturnCode::ActivationError)
            | (Wanted::Voiding, ReturnCode::VoidError) => Some(Told::Error),
            _ => None,
        },
        Reply::PartNo(reply) => Some(match reply.status {
            StatusCode::Created | StatusCode::Done => Told::Done,
            StatusCode::NotActivable => Told::Conflict,
            StatusCode::InProgress
            | StatusCode::BadField
            | StatusCode::NotAdmitted
            | StatusCode::UnknownSegment
            | StatusCode::Unavailable => Told::Error,
        }),
        Reply::Trace(_) => None,
    }
}

/// The tree in a reply, if there is one.
pub fn tree(reply: &Reply) -> Option<&Tree> {
    match reply {
        Reply::Codes { tree, .. } => tree.as_ref(),
        Reply::Trace(_) | Reply::PartNo(_) => None,
    }
}
