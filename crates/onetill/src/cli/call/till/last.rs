//! `onetill call reverse` and `onetill call repeat`: the last message undone, or sent once more.

use super::{options::TillArgs, session::Session};
use crate::cli::{CommandError, output};
use clap::Args;
use std::process::ExitCode;

/// The last message that this terminal sent.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call consume --card 9999999999025288 --cash 12.50
  onetill call repeat
      the same answer again; nothing is sold twice
  onetill call reverse
      undone; 00, 25 and 12 end the matter, after anything else ask again")]
pub struct LastArgs {
    #[command(flatten)]
    pub till: TillArgs,
}

pub(super) async fn reverse(mut session: Session) -> Result<ExitCode, CommandError> {
    let (answered, is_end) = session.reverse().await?;
    session.print(&answered)?;
    if is_end {
        output::note("the reversal is through: nothing of the message stands");
        return Ok(ExitCode::SUCCESS);
    }
    output::note("the reversal is not through");
    Ok(ExitCode::FAILURE)
}

pub(super) async fn repeat(mut session: Session) -> Result<ExitCode, CommandError> {
    let answered = session.transact(|till| till.repeat()).await?;
    session.show(&answered)
}
