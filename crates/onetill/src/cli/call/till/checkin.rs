//! `onetill call checkin`: terminal/checkin.

use super::{options::TillArgs, session::Session};
use crate::{
    admin::loyalty::demo,
    cli::{CommandError, call::is_loopback, output, prompt},
};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};
use wire::jpos::{Body, Key, Status};

/// Open the terminal's batch and get working keys, as each morning.
///
/// The working keys come under the terminal's master key. The demo's, which is public, is known
/// for a gateway on this machine; else it is taken from a file, the environment, or asked for.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call checkin
  onetill call checkin --terminal 20141112
  onetill call checkin --url https://pos.example.com --store 88001 --terminal 7 \\
      --tmk-file tmk.key")]
pub struct CheckinArgs {
    /// Who works at the terminal
    #[arg(long, value_name = "NO", default_value = "001")]
    operator: String,
    /// File with the terminal's master key, in hexadecimal digits; - for stdin
    #[arg(long, value_name = "FILE")]
    tmk_file: Option<PathBuf>,
    /// The terminal's master key; others on this machine can see it here
    #[arg(long, env = "ONETILL_TMK", hide_env_values = true, value_name = "HEX")]
    tmk: Option<String>,
    #[command(flatten)]
    pub till: TillArgs,
}

impl CheckinArgs {
    pub(super) async fn run(self, mut session: Session) -> Result<ExitCode, CommandError> {
        let master = self.master_key(&session)?;
        let answered = session
            .ask(|till| Ok(till.check_in(&self.operator)))
            .await?;
        let is_done = answered.reply.outcome.status() == Status::Approved;
        if let (true, Body::Checkin(reply)) = (is_done, &answered.reply.body) {
            let is_new = session.till.checked_in(reply, &master)?;
            session.save()?;
            output::note(&format!(
                "the keys are taken over, the batch {}; remembered in {}",
                if is_new { "begins" } else { "goes on" },
                session.path(),
            ));
        }
        session.show(&answered)
    }

    fn master_key(&self, session: &Session) -> Result<Key, CommandError> {
        let till = &self.till;
        let is_demo = till.store_no == demo::STORE
            && [demo::TERMINAL, demo::MAC_TERMINAL].contains(&till.terminal_no.as_str())
            && is_loopback(&session.url);
        let is_given = self.tmk_file.is_some() || self.tmk.is_some();
        if is_demo && !is_given {
            return Ok(Key::parse_hex(demo::MASTER_KEY)?);
        }
        let what = "terminal master key";
        let text = prompt::secret(self.tmk_file.as_deref(), self.tmk.as_deref(), what)?;
        Ok(Key::parse_hex(text.trim())?)
    }
}
