//! A batch's totals and journal as messages.

use super::terminal::{Message, Till, TillError};
use wire::jpos::{
    Operation, Request,
    request::{Settle, SettleDetails},
};

impl Till {
    /// A settlement with the journal's totals. A settlement without an answer is sent once more
    /// as it was: the gateway may have closed the batch.
    ///
    /// # Errors
    /// When the terminal is not ready.
    pub fn settle(&mut self) -> Result<Message, TillError> {
        if matches!(self.unanswered(), Some((Operation::Settle, _))) {
            return self.repeat();
        }
        self.ready()?;
        let head = self.head()?;
        let trace_no = head.trace_no;
        let request = Request::Settle(Settle {
            head,
            card_no: None,
            totals: self.journal.totals(),
        });
        Ok(self.keep(&request, trace_no, None))
    }

    /// The journal, which closes a batch that does not balance.
    ///
    /// # Errors
    /// When the terminal is not ready.
    pub fn send_journal(&mut self) -> Result<Message, TillError> {
        if matches!(self.unanswered(), Some((Operation::SettleDetails, _))) {
            return self.repeat();
        }
        self.ready()?;
        let head = self.head()?;
        let trace_no = head.trace_no;
        let entries = self.journal.entries().iter();
        let request = Request::SettleDetails(SettleDetails {
            head,
            entries: entries.map(|it| it.to_wire()).collect(),
        });
        Ok(self.keep(&request, trace_no, None))
    }
}
