//! Points, tickets and uses of voucher codes that have expired are written off, and verify codes of
//! which nothing counts any more are forgotten. Balances never count what has expired, so nobody
//! waits for this.

use super::upkeep::is_due;
use crate::app::{AppError, Gateway};
use domain::{
    command::{
        loyalty::{Expire, ForgetCodes},
        voucher::ExpireSpan,
    },
    loyalty::document::{Document, DocumentKind},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet, time::MissedTickBehavior};

/// How often is looked when there was nothing more to do.
const EVERY: Duration = Duration::from_secs(2);
/// How many rows a pass takes on: they are changed together.
const ROWS_MAX: u32 = 200;

/// Looks until told to stop.
pub async fn keep(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while is_due(&mut ticks, &mut stopped).await {
        // At the end of a month much expires at once.
        while !*stopped.borrow() && run_once(&gateway).await {}
    }
}

/// One pass. May be done any number of times, by any number of gateways. Says whether there may
/// be more to do at once.
pub async fn run_once(gateway: &Arc<Gateway>) -> bool {
    let mut may_be_more = false;
    for kind in [DocumentKind::Card, DocumentKind::VerifyCodes] {
        match pass(gateway, kind).await {
            Ok(is_full) => may_be_more |= is_full,
            Err(error) => tracing::warn!(%error, "what has expired is looked for again later"),
        }
    }
    match expire_spans(gateway).await {
        Ok(is_full) => may_be_more |= is_full,
        Err(error) => tracing::warn!(%error, "expired vouchers are looked for again later"),
    }
    may_be_more
}

/// Writes off spans of voucher codes whose term is over; those that fail are left for the next
/// look.
async fn expire_spans(gateway: &Gateway) -> Result<bool, AppError> {
    let due = gateway
        .reader
        .due_spans(gateway.now(), None, ROWS_MAX)
        .await?;
    let is_full = u32::try_from(due.len()).is_ok_and(|rows| rows == ROWS_MAX);
    let mut all_done = true;
    for span in due {
        let Some(carton) = gateway.carton(span.tenant, span.range.carton).await? else {
            tracing::error!(carton = %span.range.carton, "a span belongs to no box");
            all_done = false;
            continue;
        };
        let expire = ExpireSpan {
            tenant: span.tenant,
            range: span.range,
            ticket: carton.ticket,
            terms: carton.terms,
            serial: gateway.next_serial()?,
        };
        all_done &= gateway.run(expire).await?;
    }
    Ok(is_full && all_done)
}

/// Whether all rows of a full page were done; a row that fails is left for the next look.
async fn pass(gateway: &Arc<Gateway>, kind: DocumentKind) -> Result<bool, AppError> {
    let due = gateway
        .reader
        .due_documents(kind, gateway.now(), ROWS_MAX)
        .await?;
    let is_full = u32::try_from(due.len()).is_ok_and(|rows| rows == ROWS_MAX);
    let mut work = JoinSet::new();
    for document in due {
        let gateway = Arc::clone(gateway);
        work.spawn(async move { carry_out(&gateway, document).await });
    }
    let mut all_done = true;
    while let Some(done) = work.join_next().await {
        if !matches!(done, Ok(Ok(()))) {
            tracing::warn!(?kind, "what has expired could not be written off yet");
            all_done = false;
        }
    }
    Ok(is_full && all_done)
}

async fn carry_out(gateway: &Gateway, document: Document) -> Result<(), AppError> {
    match document {
        Document::Card(card) => {
            let expire = Expire {
                tenant: card.tenant,
                card: card.number,
                serial: gateway.next_serial()?,
            };
            gateway.run(expire).await
        }
        Document::VerifyCodes(codes) => {
            let forget = ForgetCodes {
                tenant: codes.tenant,
                mobile: codes.mobile,
            };
            gateway.run(forget).await
        }
        Document::Store(_)
        | Document::Terminal(_)
        | Document::WorkItem(_)
        | Document::Partner(_)
        | Document::VoucherTicket(_)
        | Document::Activity(_)
        | Document::Carton(_)
        | Document::Change(_) => Ok(()),
    }
}
