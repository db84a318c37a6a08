//! trans/settle and trans/settle/details (source: 结算).

use super::{Done, admit::Admitted, present, refused::Refused};
use crate::app::{
    Gateway,
    loyalty::journal::{Entry, Pieces},
};
use domain::loyalty::{
    card::TicketId,
    journal::{Compared, Difference, Figure, Finding},
    trans::{Settlement, Trans, TransNo},
};
use wire::jpos::{
    Amount, Body, Status, TraceNo, name, reply,
    reply::{EntryResult, SettleFlag, SettleReply, Verdict},
    request::{JournalEntry, Piece, Settle, SettleDetails, Totals},
};

pub(super) async fn totals(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &Settle,
    content: u128,
) -> Result<Done, Refused> {
    let heading = present::heading(&request.head, content)?;
    let said = present::totals(&request.totals);
    let trans = gateway.settle(&admitted.caller, &heading, said).await??;
    let settlement = settlement(&trans)?;
    let (host, terminal) = (&settlement.host, &settlement.terminal);
    let (host, terminal) = (present::shown_totals(host), present::shown_totals(terminal));
    let reply = SettleReply {
        flag: Some(if settlement.closed {
            SettleFlag::Balanced
        } else {
            SettleFlag::Unbalanced
        }),
        differences: Totals::differences(&host, &terminal),
    };
    Ok(Done {
        at: trans.at,
        body: Body::Settle(reply),
    })
}

pub(super) async fn details(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &SettleDetails,
    content: u128,
) -> Result<Done, Refused> {
    let heading = present::heading(&request.head, content)?;
    let entries = request.entries.iter().enumerate().map(entry);
    let entries = entries.collect::<Result<Vec<Entry>, Refused>>()?;
    let trans = gateway
        .settle_details(&admitted.caller, &heading, &entries)
        .await??;
    let settlement = settlement(&trans)?;
    let results = settlement.lines.iter().filter_map(result).collect();
    Ok(Done {
        at: trans.at,
        body: Body::SettleDetails(results),
    })
}

/// What a settlement compared. Every approved one has it on record.
fn settlement(trans: &Trans) -> Result<&Settlement, Refused> {
    let settlement = trans.settlement.as_deref();
    settlement.ok_or_else(|| {
        tracing::error!(serial = %trans.serial, "a settlement compared nothing");
        Refused::new(Status::Internal)
    })
}

fn entry((index, entry): (usize, &JournalEntry)) -> Result<Entry, Refused> {
    let pieces = |pieces: &[Piece], voucher| -> Vec<Pieces> {
        let ticket = |id| TicketId { voucher, id };
        let pieces = pieces.iter().map(|it| Pieces {
            ticket: ticket(it.id),
            pieces: i64::from(it.num),
        });
        pieces.collect()
    };
    let kind = present::kind(entry.operation)
        .ok_or_else(|| Refused::field(&format!("{}[{index}].{}", name::DETAILS, name::FUNCTION)))?;
    let number = entry.serial_no.and_then(|it| i64::try_from(it.get()).ok());
    let mut all = pieces(&entry.vouchers, true);
    all.extend(pieces(&entry.tickets, false));
    Ok(Entry {
        kind,
        trace: present::trace(entry.trace_no)?,
        number: number.map(TransNo::from_stored),
        point_amount: present::fen(entry.point_amount),
        cash: present::fen(entry.cash_amount),
        pieces: all,
    })
}

fn result(compared: &Compared) -> Option<EntryResult> {
    Some(EntryResult {
        operation: present::operation(compared.kind)?,
        trace_no: TraceNo::new(compared.trace.get())?,
        serial_no: present::number(compared.number),
        verdict: match &compared.finding {
            Finding::Matched => Verdict::Matched,
            Finding::OnlyAtTerminal => Verdict::OnlyAtTerminal,
            Finding::OnlyAtHost => Verdict::OnlyAtHost,
            Finding::Differs(differences) => {
                Verdict::AmountsDiffer(differences.iter().map(difference).collect())
            }
        },
    })
}

fn difference(difference: &Difference) -> reply::Difference {
    // Counts and numbers are written as whole amounts.
    let (field, scale) = match difference.figure {
        Figure::PointAmount => (name::POINT_AMOUNT, 1),
        Figure::Cash => (name::CASH_AMOUNT, 1),
        Figure::Vouchers => (name::VAUCHER, 100),
        Figure::Tickets => (name::TICKET, 100),
        Figure::Number => (name::SERIAL_NO, 100),
    };
    let amount = |figure: i64| Amount::new(figure.saturating_mul(scale));
    reply::Difference::new(field, amount(difference.host), amount(difference.terminal))
}
