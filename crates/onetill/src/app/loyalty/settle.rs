//! The end of a batch: totals against totals, and where they differ line against line.

use super::{
    Caller, Heading, Verdict,
    journal::{Comparison, Entry},
    messages::{Given, ROUNDS_MAX, verdict, went_round},
};
use crate::app::{AppError, Gateway};
use domain::{
    command::loyalty::{Answer, Missing, Settle, SettleDetails},
    loyalty::{journal::Compared, terminal::BatchNo, totals::Totals, trans::Refusal},
};

/// How many events one question to the store brings at most.
const PAGE_ROWS: u32 = 500;

impl Gateway {
    /// Compares a terminal's totals with ours; equal ones close the batch.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn settle(
        &self,
        caller: &Caller,
        heading: &Heading,
        totals: Totals,
    ) -> Result<Verdict, AppError> {
        let command = |given: Given| Settle {
            message: given.message,
            totals,
        };
        self.decide(caller, heading, None, command).await
    }

    /// Compares a terminal's journal with ours, line by line, and closes the batch. A repeated one
    /// gets what was found first.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn settle_details(
        &self,
        caller: &Caller,
        heading: &Heading,
        entries: &[Entry],
    ) -> Result<Verdict, AppError> {
        let mut caller = caller.clone();
        for _ in 0..ROUNDS_MAX {
            let Some(message) = self.message(&caller, heading)? else {
                return Ok(Err(Refusal::NotCheckedIn.into()));
            };
            let moved = caller.terminal.batch.map_or(0, |it| it.entries);
            let (lines, totals) = self
                .compare_journal(&caller, message.batch, entries)
                .await?;
            let details = SettleDetails {
                message,
                totals,
                lines,
                entries: moved,
            };
            match self.run(details).await? {
                Answer::Done(trans) => return Ok(verdict(trans)),
                Answer::Refused(refusal) => return Ok(Err(refusal.into())),
                Answer::Again(Missing::Batch | Missing::Pin | Missing::Original(_)) => {
                    caller = self.afresh(&caller).await?;
                }
            }
        }
        Err(went_round())
    }

    /// What comparing a terminal's journal with all events of a batch finds, and what it adds up to.
    async fn compare_journal(
        &self,
        caller: &Caller,
        batch: BatchNo,
        entries: &[Entry],
    ) -> Result<(Vec<Compared>, Totals), AppError> {
        let (tenant, terminal) = (caller.terminal.tenant, caller.terminal.index);
        let mut comparison = Comparison::of(entries);
        let mut after = None;
        loop {
            let page = self
                .reader
                .trans_of_batch(tenant, terminal, batch, after, PAGE_ROWS)
                .await?;
            page.iter().for_each(|it| comparison.take(it));
            match page.last() {
                Some(last) if page.len() == PAGE_ROWS as usize => after = last.place,
                Some(_) | None => return Ok(comparison.end()),
            }
        }
    }
}
