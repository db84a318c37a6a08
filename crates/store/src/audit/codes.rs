//! One pass over spans and uses of voucher codes side by side, code by code.

use super::{
    Judge,
    merge::{Cursor, Source},
};
use crate::contract::StoreError;
use domain::voucher::{code_use::CodeUse, span::Span};

/// Shows spans and codes to `judge`, each span before its codes.
pub(super) async fn pass(
    source: &mut Source<'_>,
    judge: &mut impl Judge,
) -> Result<(), StoreError> {
    let mut spans: Cursor<Span> = Cursor::new();
    let mut uses: Cursor<CodeUse> = Cursor::new();
    loop {
        let code = uses.peek(source).await?;
        let span_at = spans.peek(source).await?;
        if let Some(at) = span_at.filter(|at| code.is_none_or(|code| *at <= code)) {
            let span = spans.take(source, at).await?;
            span.iter().for_each(|it| judge.span(it));
            continue;
        }
        let Some(code) = code else { return Ok(()) };
        let code_use = uses.take(source, code).await?;
        code_use.iter().for_each(|it| judge.code(it));
    }
}
