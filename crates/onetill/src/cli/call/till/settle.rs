//! `onetill call settle`: trans/settle, and trans/settle/details.

use super::{options::TillArgs, reply, session::Session};
use crate::cli::{CommandError, output};
use clap::Args;
use std::process::ExitCode;
use wire::jpos::{
    Body,
    reply::{EntryResult, SettleFlag, Verdict},
};

/// Compare the totals of the terminal's journal with the gateway's, and close the batch if they
/// are equal.
///
/// Exits with 0 only if they are (ss), or if --details finds that all messages agree.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call settle
  onetill call settle --details
      where they are not equal, send the journal: each message that differs is named, and the
      batch is closed for an operator to look at
  onetill call journal
      what the terminal counts")]
pub struct SettleArgs {
    /// Where the totals differ, send the journal, which closes the batch
    #[arg(long)]
    details: bool,
    #[command(flatten)]
    pub till: TillArgs,
}

impl SettleArgs {
    pub(super) async fn run(self, mut session: Session) -> Result<ExitCode, CommandError> {
        let answered = session.transact(|till| till.settle()).await?;
        if !is_unbalanced(&answered.reply.body) {
            return session.show(&answered);
        }
        session.print(&answered)?;
        if !self.details {
            output::note("`onetill call settle --details` sends the journal and closes the batch");
            return Ok(ExitCode::FAILURE);
        }
        let answered = session.transact(|till| till.send_journal()).await?;
        session.print(&answered)?;
        if do_all_agree(&answered.reply.body) {
            return Ok(reply::exit_code(&answered.reply));
        }
        Ok(ExitCode::FAILURE)
    }
}

fn is_unbalanced(body: &Body) -> bool {
    matches!(body, Body::Settle(reply) if reply.flag == Some(SettleFlag::Unbalanced))
}

fn do_all_agree(body: &Body) -> bool {
    let is_matched = |it: &EntryResult| it.verdict == Verdict::Matched;
    matches!(body, Body::SettleDetails(all) if all.iter().all(is_matched))
}
