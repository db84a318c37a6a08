//! Replies about codes: what stands around the tree.

use super::tree::{Tree, TreeShape};
use super::writer::ReplyWriter;
use crate::node::{Members, Node};
use crate::voucher::action::Action;
use crate::voucher::name;
use crate::voucher::object::{MemberError, Object};
use crate::voucher::readings::{PRINT_CONTENT, ReturnCode};
use crate::voucher::time::CivilTime;

/// The reply to all actions but queryCodeTrace and activeByPartNo, without its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodesReply {
    /// `returnCode`. By it goes the order of members: the samples of lookups have another.
    pub code: ReturnCode,
    /// `returnDesc`.
    pub desc: String,
    /// `transDate`.
    pub trans_date: CivilTime,
    /// `traceNo`, of the message.
    pub trace_no: Option<String>,
    /// `orderNo`, of the activation or void.
    pub order_no: Option<String>,
    /// What was paid, where a lookup found codes.
    pub bill: Option<Bill>,
}

/// `paidAmount`, `invoiceAmount`, `receiptAmount` and `printDetail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// `paidAmount`: the activation's `totalAmount`, 0 before.
    pub paid_amount_fen: i64,
    /// `invoiceAmount`.
    pub invoice_amount_fen: i64,
    /// `receiptAmount`.
    pub receipt_amount_fen: i64,
    /// `content` of `printDetail`.
    pub print_content: String,
}

impl Bill {
    /// A bill of what was paid, the rest as in the samples.
    pub fn of_paid(paid_amount_fen: i64) -> Self {
        Self {
            paid_amount_fen,
            invoice_amount_fen: 0,
            receipt_amount_fen: 0,
            print_content: PRINT_CONTENT.to_owned(),
        }
    }

    fn maybe(object: &Object<'_>) -> Result<Option<Self>, MemberError> {
        if !object.has(name::PAID_AMOUNT) {
            return Ok(None);
        }
        let print = object.object(name::PRINT_DETAIL)?;
        let fen = |name| object.get(name, |text| text.parse().ok());
        Ok(Some(Self {
            paid_amount_fen: fen(name::PAID_AMOUNT)?,
            invoice_amount_fen: fen(name::INVOICE_AMOUNT)?,
            receipt_amount_fen: fen(name::RECEIPT_AMOUNT)?,
            print_content: print.map_or(Ok(String::new()), |print| print.text(name::CONTENT))?,
        }))
    }
}

impl CodesReply {
    /// A reply that names neither message nor order, and has no bill.
    pub const fn new(code: ReturnCode, desc: String, trans_date: CivilTime) -> Self {
        Self {
            code,
            desc,
            trans_date,
            trace_no: None,
            order_no: None,
            bill: None,
        }
    }

    /// The whole reply. A box, package or reel without codes is not written, and neighbours of one
    /// id are written as one: in the gateway's stock there are none such.
    pub fn encode(&self, tree: Option<&Tree>) -> String {
        let shape = tree.map_or(TreeShape::Packages, Tree::shape);
        let mut writer = ReplyWriter::new(self, shape);
        for (place, code) in tree.map(Tree::codes).unwrap_or_default() {
            writer.code(place, code);
        }
        writer.finish()
    }

    /// The members before the tree.
    pub(super) fn head(&self) -> Members<'_> {
        let mut members = Members::with_capacity(5);
        if !self.is_lookup() {
            members
                .maybe_text(name::TRACE_NO, self.trace_no.as_deref())
                .maybe_text(name::ORDER_NO, self.order_no.as_deref());
        }
        members.node(
            name::TRANS_DATE,
            Node::Text(self.trans_date.digits().into()),
        );
        if !self.is_lookup() {
            members.text(name::RETURN_CODE, self.code.code());
        }
        members.text(name::RETURN_DESC, &self.desc);
        members
    }

    /// The members after the tree.
    pub(super) fn tail(&self) -> Members<'_> {
        let mut members = Members::with_capacity(7);
        if !self.is_lookup() {
            return members;
        }
        if let Some(bill) = &self.bill {
            members
                .int(name::PAID_AMOUNT, bill.paid_amount_fen)
                .int(name::INVOICE_AMOUNT, bill.invoice_amount_fen);
        }
        members.text(name::RETURN_CODE, self.code.code());
        if let Some(bill) = &self.bill {
            let mut print = Members::with_capacity(1);
            print.text(name::CONTENT, &bill.print_content);
            members
                .int(name::RECEIPT_AMOUNT, bill.receipt_amount_fen)
                .node(name::PRINT_DETAIL, print.into_node());
        }
        members
            .maybe_text(name::ORDER_NO, self.order_no.as_deref())
            .maybe_text(name::TRACE_NO, self.trace_no.as_deref());
        members
    }

    const fn is_lookup(&self) -> bool {
        self.code.is_of(Action::QueryVerifyInfo) || self.code.is_of(Action::QueryVoucher)
    }

    pub(super) fn read(action: Action, object: &Object<'_>) -> Result<Self, MemberError> {
        let text = |name| object.maybe(name, |text| Some(text.to_owned()));
        Ok(Self {
            code: object.get(name::RETURN_CODE, |text| ReturnCode::decode(action, text))?,
            desc: object.text(name::RETURN_DESC)?,
            trans_date: object.get(name::TRANS_DATE, CivilTime::parse_digits)?,
            trace_no: text(name::TRACE_NO)?,
            order_no: text(name::ORDER_NO)?,
            bill: Bill::maybe(object)?,
        })
    }
}
