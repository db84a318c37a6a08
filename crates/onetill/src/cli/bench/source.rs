//! Where a connection's requests come from: a till of either dialect, and what it makes of the
//! answers.

use wire::jpos::form;
use wire::opengateway::call::Call;

use super::mix::Kind;
use super::terminal::Terminal;
use super::till::{Promise, Sale, Till};
use super::wire_client::{JSON, Reply};

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
}

impl Source {
    /// The terminal, if it is one.
    pub(super) fn terminal(self) -> Option<Terminal> {
        match self {
            Self::Till(_) => None,
            Self::Terminal(terminal) => Some(*terminal),
        }
    }

    /// The `Content-Type` of its requests.
    pub(super) const fn content_type(&self) -> &'static str {
        match self {
            Self::Till(_) => JSON,
            Self::Terminal(_) => form::CONTENT_TYPE,
        }
    }

    /// The next request, made at `now_ms`; the error says what cannot be asked, and why.
    pub(super) fn next(&mut self, now_ms: i64) -> Result<Errand, (Kind, String)> {
        match self {
            Self::Till(till) => Ok(till.next(now_ms)),
            Self::Terminal(terminal) => terminal.next(),
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
        }
    }

    /// Takes it that no reply to the last request will come.
    pub(super) fn miss(&mut self) {
        match self {
            Self::Till(_) => {}
            Self::Terminal(terminal) => terminal.miss(),
        }
    }
}
