//! One pass over spans, uses and events of voucher codes side by side, code by code.

use super::{
    Judge,
    merge::{Cursor, Source},
};
use crate::contract::StoreError;
use domain::voucher::{
    code::CodeNo,
    code_use::{CodeAct, CodeEvent, CodeUse},
    span::Span,
};

/// What is stored of one code beside its span.
#[derive(Debug)]
pub(crate) struct CodeRows {
    pub code: CodeNo,
    pub code_use: Option<CodeUse>,
    pub history: History,
}

/// What the events of one code come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// How many events there are.
    pub len: u32,
    /// How many of them are uses.
    pub used: u32,
    /// How many of them are uses that came back.
    pub given_back: u32,
    /// Events that are not numbered one after the other, or are another tenant's than the first.
    pub astray: u32,
}

impl History {
    fn add(&mut self, event: &CodeEvent, first: &CodeEvent) {
        if event.number != self.len || event.tenant != first.tenant {
            self.astray += 1;
        }
        self.len += 1;
        match event.act {
            CodeAct::Used => self.used += 1,
            CodeAct::GivenBack => self.given_back += 1,
        }
    }
}

/// Shows spans and codes to `judge`, each span before its codes.
pub(super) async fn pass(
    source: &mut Source<'_>,
    judge: &mut impl Judge,
) -> Result<(), StoreError> {
    let mut spans: Cursor<Span> = Cursor::new();
    let mut uses: Cursor<CodeUse> = Cursor::new();
    let mut events: Cursor<CodeEvent> = Cursor::new();
    loop {
        let (use_at, event_at) = (uses.peek(source).await?, events.peek(source).await?);
        let code = use_at.into_iter().chain(event_at).min();
        let span_at = spans.peek(source).await?;
        if let Some(at) = span_at.filter(|at| code.is_none_or(|code| *at <= code)) {
            let span = spans.take(source, at).await?;
            span.iter().for_each(|it| judge.span(it));
            continue;
        }
        let Some(code) = code else { return Ok(()) };
        let code_use = uses.take(source, code).await?;
        let history = history(source, &mut events, code).await?;
        judge.code(&CodeRows {
            code,
            code_use,
            history,
        });
    }
}

async fn history(
    source: &mut Source<'_>,
    events: &mut Cursor<CodeEvent>,
    code: CodeNo,
) -> Result<History, StoreError> {
    let mut history = History::default();
    let Some(first) = events.take(source, code).await? else {
        return Ok(history);
    };
    history.add(&first, &first);
    while let Some(event) = events.take(source, code).await? {
        history.add(&event, &first);
    }
    Ok(history)
}
