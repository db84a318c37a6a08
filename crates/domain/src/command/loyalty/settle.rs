//! The end of a batch (source: 结算).

use super::{Answer, Message, Missing, desk::Desk};
use crate::{
    command::Command,
    loyalty::{
        document::Document,
        journal::Compared,
        terminal::Batch,
        totals::Totals,
        trans::{Settlement, Trans, TransKind},
        work_item::{Matter, WorkItem},
    },
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};

/// The terminal's totals against the host's: equal ones close the batch, others leave it open.
#[derive(Clone, Debug)]
pub struct Settle {
    /// The message.
    pub message: Message,
    /// The terminal's totals.
    pub totals: Totals,
}

/// The terminal's journal was compared with the host's: the batch is closed, and what differs is
/// left to an operator.
#[derive(Clone, Debug)]
pub struct SettleDetails {
    /// The message.
    pub message: Message,
    /// The totals of the terminal's journal.
    pub totals: Totals,
    /// What comparing it line by line found.
    pub lines: Vec<Compared>,
    /// How often the batch had moved when it was compared.
    pub entries: i64,
}

impl Command for Settle {
    type Reply = Answer;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.message.plan(plan);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Answer, Inconsistent> {
        let opened = Desk::open(&self.message, TransKind::Settle, rows, now);
        Ok(opened.map_or_else(
            |answer| answer,
            |desk| {
                let host = host_totals(&desk);
                let settlement = Settlement {
                    host,
                    terminal: self.totals,
                    closed: host == self.totals,
                    lines: Vec::new(),
                };
                end(desk, rows, settlement)
            },
        ))
    }
}

impl Command for SettleDetails {
    type Reply = Answer;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.message.plan(plan);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Answer, Inconsistent> {
        let desk = match Desk::open(&self.message, TransKind::SettleDetails, rows, now) {
            Ok(desk) => desk,
            Err(answer) => return Ok(answer),
        };
        let moved = desk.terminal.batch.map(|it| it.entries) != Some(self.entries);
        if moved {
            return Ok(Answer::Again(Missing::Batch));
        }
        let differing = self.lines.iter().filter(|it| it.differs()).count();
        if differing > 0 {
            self.tell_operator(rows, &desk, i64::try_from(differing).unwrap_or(i64::MAX));
        }
        let settlement = Settlement {
            host: host_totals(&desk),
            terminal: self.totals,
            closed: true,
            lines: self.lines.clone(),
        };
        Ok(end(desk, rows, settlement))
    }
}

impl SettleDetails {
    fn tell_operator(&self, rows: &mut Rows, desk: &Desk<'_>, differing: i64) {
        let item = WorkItem {
            tenant: self.message.tenant,
            subject: self.message.serial,
            at: desk.now,
            terminal: desk.terminal.index,
            matter: Matter::SettledWithDifferences {
                batch: self.message.batch,
                differing,
            },
            done: None,
        };
        rows.loyalty
            .put_document(Document::WorkItem(Box::new(item)));
    }
}

fn host_totals(desk: &Desk<'_>) -> Totals {
    desk.terminal.batch.map(|it| it.totals).unwrap_or_default()
}

/// Records what was compared, and closes the batch if that is what came of it.
fn end(mut desk: Desk<'_>, rows: &mut Rows, settlement: Settlement) -> Answer {
    let is_over = settlement.closed;
    let trans = Trans {
        settlement: Some(Box::new(settlement)),
        ..desk.trans()
    };
    if let (true, Some(batch)) = (is_over, desk.terminal.batch) {
        desk.terminal.batch = Some(Batch {
            closed_at: Some(desk.now),
            ..batch
        });
    }
    desk.approve(rows, trans)
}
