//! `onetill call void`, `return` and `return-void`: trans/cancel, refunds and refunds/cancel.

use super::{
    options::{TillArgs, batch_no, trace_no},
    session::Session,
};
use crate::{
    cli::CommandError,
    till::{TakeBackKind, Which},
};
use clap::Args;
use std::process::ExitCode;
use wire::jpos::{BatchNo, TraceNo};

/// Which message is taken back.
#[derive(Args)]
struct OriginalArgs {
    /// Its number; the newest one that still stands when absent
    #[arg(value_name = "TRACE", value_parser = trace_no)]
    trace: Option<TraceNo>,
    /// Its batch, where the number alone does not say
    #[arg(long, value_name = "NO", value_parser = batch_no, requires = "trace")]
    batch: Option<BatchNo>,
    /// The gateway's serial of it, 12 digits
    #[arg(long, value_name = "SERIAL", conflicts_with = "trace")]
    serial: Option<String>,
    /// Its card, where the terminal does not remember it
    #[arg(long = "card", value_name = "NO")]
    card_no: Option<String>,
}

impl OriginalArgs {
    async fn run(self, kind: TakeBackKind, mut session: Session) -> Result<ExitCode, CommandError> {
        let which = match (self.serial, self.trace) {
            (Some(serial), _) => Which::Serial(serial),
            (None, Some(trace)) => Which::Trace(trace, self.batch),
            (None, None) => Which::Newest,
        };
        let card_no = self.card_no.as_deref();
        let answered = session
            .transact(|till| till.take_back(kind, &which, card_no))
            .await?;
        session.show(&answered)
    }
}

/// Take back a sale of the open batch, as a whole.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call void
      the last sale
  onetill call void 000003
  onetill call void --serial 000010000012 --card 9999999999025288")]
pub struct VoidArgs {
    #[command(flatten)]
    original: OriginalArgs,
    #[command(flatten)]
    pub till: TillArgs,
}

impl VoidArgs {
    pub(super) async fn run(self, session: Session) -> Result<ExitCode, CommandError> {
        self.original.run(TakeBackKind::Void, session).await
    }
}

/// Take back a sale of any batch, as a whole, at the same store.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call return
      the last sale
  onetill call return 000003 --batch 000041
  onetill call return --serial 000010000012 --card 9999999999025288
      a sale of another terminal of the store")]
pub struct ReturnArgs {
    #[command(flatten)]
    original: OriginalArgs,
    #[command(flatten)]
    pub till: TillArgs,
}

impl ReturnArgs {
    pub(super) async fn run(self, session: Session) -> Result<ExitCode, CommandError> {
        self.original.run(TakeBackKind::Return, session).await
    }
}

/// Take back a return of the open batch: the sale stands again.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call return-void
      the last return
  onetill call return-void 000004")]
pub struct ReturnVoidArgs {
    #[command(flatten)]
    original: OriginalArgs,
    #[command(flatten)]
    pub till: TillArgs,
}

impl ReturnVoidArgs {
    pub(super) async fn run(self, session: Session) -> Result<ExitCode, CommandError> {
        self.original.run(TakeBackKind::ReturnVoid, session).await
    }
}
