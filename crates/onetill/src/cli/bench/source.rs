//! Where a connection's requests come from: a till of either dialect, and what it makes of the
//! answers.

use wire::jpos::form;
use wire::opengateway::call::Call;

use super::desk::Desk;
use super::mix::Kind;
use super::terminal::Terminal;
use super::till::{Promise, Sale, Till};
use super::wire_client::{JSON, Reply, content_type};

/// A request and what it is about.
pub(super) struct Errand {
    pub(super) kind: Kind,
    pub(super) call: Call,
    /// The payment; what a terminal asks for it remembers itself.
    pub(super) sale: Option<Sale>,
}

/// Somebody who asks.
pub(super) enum Source {
    /// A till of dialect 1.
    Till(Till),
    /// A terminal of dialect 2.
    Terminal(Box<Terminal>),
    /// A partner's middleware, of dialect 3, with the headers that let it in.
    Desk(Box<Desk>, String),
}

impl Source {
    /// The terminal, if it is one.
    pub(super) fn terminal(self) -> Option<Terminal> {
        match self {
            Self::Till(_) | Self::Desk(..) => None,
            Self::Terminal(terminal) => Some(*terminal),
        }
    }

    /// The header lines of its requests, each with its end.
    pub(super) fn headers(&self) -> String {
        match self {
            Self::Till(_) => content_type(JSON),
            Self::Terminal(_) => content_type(form::CONTENT_TYPE),
            Self::Desk(_, headers) => headers.clone(),
        }
    }

    /// The next request, made at `now_ms`; the error says what cannot be asked, and why.
    pub(super) fn next(&mut self, now_ms: i64) -> Result<Errand, (Kind, String)> {
        match self {
            Self::Till(till) => till.next(now_ms),
            Self::Terminal(terminal) => terminal.next(),
            Self::Desk(desk, _) => desk.next(),
        }
    }

    /// Takes the reply to the last request; the error is a wrong reply's code.
    pub(super) fn hear(
        &mut self,
        errand: &Errand,
        reply: &Reply<'_>,
    ) -> Result<Option<Promise>, String> {
        match self {
            Self::Till(till) if reply.has_code(errand.kind.right_code()) => {
                Ok(till.hear(errand, reply))
            }
            Self::Till(_) => Err(reply.code()),
            Self::Terminal(terminal) => terminal.hear(errand.kind, reply).map(|()| None),
            Self::Desk(..) => Desk::hear(errand.kind, reply).map(|()| None),
        }
    }

    /// Takes it that no reply to the last request will come.
    pub(super) fn miss(&mut self) {
        match self {
            Self::Till(_) | Self::Desk(..) => {}
            Self::Terminal(terminal) => terminal.miss(),
        }
    }
}
