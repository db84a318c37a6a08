//! Replies to trans/settle and trans/settle/details: where terminal and host differ.

use std::borrow::Cow;

use super::{digits, number};
use crate::jpos::amount::Amount;
use crate::jpos::name;
use crate::jpos::number::{SerialNo, TraceNo};
use crate::jpos::object::{MemberError, Object};
use crate::jpos::operation::Operation;
use crate::node::{Members, Node};

/// Most bytes of the name of a field that differs.
const FIELD_LEN_MAX: usize = 64;

/// `settleFlag` (source: "结算").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettleFlag {
    /// `ss`: the totals are equal, the batch is closed.
    Balanced,
    /// `ns`: they differ, the batch is open; the journal is asked for.
    Unbalanced,
}

impl SettleFlag {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Balanced => "ss",
            Self::Unbalanced => "ns",
        }
    }

    /// As a terminal reads it: everything but `ss` is unbalanced.
    fn read(text: &str) -> Self {
        match text {
            "ss" => Self::Balanced,
            _ => Self::Unbalanced,
        }
    }
}

/// One figure on which terminal and host differ; counts are whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `field`: the figure's name in the request.
    pub field: Cow<'static, str>,
    /// `host`.
    pub host: Amount,
    /// `terminal`.
    pub terminal: Amount,
}

impl Difference {
    /// A difference in a named figure.
    pub const fn new(field: &'static str, host: Amount, terminal: Amount) -> Self {
        Self {
            field: Cow::Borrowed(field),
            host,
            terminal,
        }
    }

    fn node(&self) -> Node<'_> {
        let mut members = Members::with_capacity(3);
        members
            .text(name::FIELD, &self.field)
            .node(name::HOST, number(self.host))
            .node(name::TERMINAL, number(self.terminal));
        members.into_node()
    }

    fn read(object: Object<'_>) -> Result<Self, MemberError> {
        let field = |text: &str| (text.len() <= FIELD_LEN_MAX).then(|| text.to_owned());
        Ok(Self {
            field: Cow::Owned(object.get(name::FIELD, field)?),
            host: object.amount(name::HOST)?,
            terminal: object.amount(name::TERMINAL)?,
        })
    }
}

fn differences(list: &[Difference]) -> Node<'_> {
    Node::List(list.iter().map(Difference::node).collect())
}

/// The reply to a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettleReply {
    /// `settleFlag`; absent on failure.
    pub flag: Option<SettleFlag>,
    /// `differences`; absent when there are none.
    pub differences: Vec<Difference>,
}

impl SettleReply {
    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        let differing = !self.differences.is_empty();
        members
            .maybe_text(name::SETTLE_FLAG, self.flag.map(SettleFlag::as_str))
            .maybe(
                name::DIFFERENCES,
                differing.then(|| differences(&self.differences)),
            );
    }

    pub(super) fn read(object: Object<'_>) -> Result<Self, MemberError> {
        let flag = object.maybe(name::SETTLE_FLAG, |text| Some(SettleFlag::read(text)))?;
        Ok(Self {
            flag,
            differences: object.list(name::DIFFERENCES, Difference::read)?,
        })
    }
}

/// What comparing one message of two journals found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// `matched`: both sides have it and agree.
    Matched,
    /// `terminalOnly`: the host has no such message.
    OnlyAtTerminal,
    /// `hostOnly`: the terminal's journal does not have it.
    OnlyAtHost,
    /// `different`: both have it, with other figures.
    AmountsDiffer(Vec<Difference>),
}

impl Verdict {
    /// The word on the wire, in `result`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::OnlyAtTerminal => "terminalOnly",
            Self::OnlyAtHost => "hostOnly",
            Self::AmountsDiffer(_) => "different",
        }
    }

    const fn differences(&self) -> Option<&Vec<Difference>> {
        match self {
            Self::AmountsDiffer(differences) => Some(differences),
            Self::Matched | Self::OnlyAtTerminal | Self::OnlyAtHost => None,
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "matched" => Some(Self::Matched),
            "terminalOnly" => Some(Self::OnlyAtTerminal),
            "hostOnly" => Some(Self::OnlyAtHost),
            "different" => Some(Self::AmountsDiffer(Vec::new())),
            _ => None,
        }
    }
}

/// One message of either journal, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryResult {
    /// `function`, as in the request.
    pub operation: Operation,
    /// `traceNo`.
    pub trace_no: TraceNo,
    /// `serialNo`, if either side has one.
    pub serial_no: Option<SerialNo>,
    /// `result`, and `differences` where figures differ.
    pub verdict: Verdict,
}

impl EntryResult {
    pub(super) fn node(&self) -> Node<'_> {
        let mut members = Members::with_capacity(5);
        let listed = self.verdict.differences().map(|list| differences(list));
        members
            .text(name::FUNCTION, self.operation.function())
            .node(name::TRACE_NO, digits(&self.trace_no))
            .maybe(name::SERIAL_NO, self.serial_no.as_ref().map(digits))
            .text(name::RESULT, self.verdict.as_str())
            .maybe(name::DIFFERENCES, listed);
        members.into_node()
    }

    pub(super) fn read(object: Object<'_>) -> Result<Self, MemberError> {
        let mut verdict = object.get(name::RESULT, Verdict::read)?;
        if let Verdict::AmountsDiffer(list) = &mut verdict {
            *list = object.list(name::DIFFERENCES, Difference::read)?;
        }
        Ok(Self {
            operation: object.get(name::FUNCTION, Operation::from_function)?,
            trace_no: object.get(name::TRACE_NO, TraceNo::parse)?,
            serial_no: object.maybe(name::SERIAL_NO, SerialNo::parse)?,
            verdict,
        })
    }
}
