//! `onetill call journal`: what the terminal remembers.

use super::{options::TillArgs, session::Session};
use crate::{
    cli::{
        CommandError,
        output::{self, Shape, Side, Table},
    },
    till::{Entry, Till},
};
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;

/// What the terminal remembers of its open batch: its messages and what they add up to.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call journal
  onetill call journal --terminal 20141112 --json")]
pub struct JournalArgs {
    #[command(flatten)]
    pub till: TillArgs,
}

pub(super) fn run(session: &Session, shape: Shape) -> Result<ExitCode, CommandError> {
    match shape {
        Shape::Json => output::print_json(&as_json(&session.till))?,
        Shape::Text => output::print(&as_text(&session.till, &session.path()))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn as_text(till: &Till, path: &str) -> String {
    let mut lines = vec![
        ("remembered in", path.to_owned()),
        (
            "batch",
            till.batch_no()
                .map_or("not open".to_owned(), |no| no.to_string()),
        ),
        ("next traceNo", till.next_trace().to_string()),
    ];
    if let Some((operation, trace_no)) = till.unanswered() {
        lines.push((
            "without answer",
            format!("{trace_no} {}", operation.function()),
        ));
    }
    let mut parts = vec![output::fields(&lines)];
    if !till.journal.entries().is_empty() {
        parts.push(entries(till.journal.entries()));
        let totals = till.journal.totals().named();
        let counted = totals.iter().filter(|(_, total)| total.get() != 0);
        let counted = counted.map(|(name, total)| (*name, total.to_string()));
        parts.push(output::fields(&counted.collect::<Vec<_>>()));
    }
    parts.join("\n\n")
}

fn entries(entries: &[Entry]) -> String {
    let mut table = Table::new(&[
        ("traceNo", Side::Left),
        ("function", Side::Left),
        ("card", Side::Left),
        ("cash", Side::Right),
        ("points as yuan", Side::Right),
        ("pieces", Side::Right),
        ("serialNo", Side::Left),
    ]);
    for it in entries {
        let pieces: u32 = it.vouchers.iter().chain(&it.tickets).map(|it| it.num).sum();
        table.push([
            it.trace_no.to_string(),
            it.operation.function().to_owned(),
            it.card_no.clone(),
            output::yuan(it.cash_amount.get().into()),
            output::yuan(it.point_amount.get().into()),
            pieces.to_string(),
            it.serial_no.map_or("-".to_owned(), |no| no.to_string()),
        ]);
    }
    table.render()
}

fn as_json(till: &Till) -> Value {
    let unanswered = till.unanswered().map(|(operation, trace_no)| {
        json!({ "function": operation.function(), "traceNo": trace_no.to_string() })
    });
    let totals = till.journal.totals().named();
    let totals = totals.map(|(name, total)| (name.to_owned(), total.to_string().into()));
    json!({
        "storeNo": till.store_no,
        "terminalNo": till.terminal_no,
        "batchNo": till.batch_no().map(|no| no.to_string()),
        "nextTraceNo": till.next_trace().to_string(),
        "unanswered": unanswered,
        "entries": till.journal.entries(),
        "totals": serde_json::Map::from_iter(totals),
    })
}
