//! The command line.
//!
//! | module | command |
//! |---|---|
//! | [`serve`] | runs the gateway |
//! | [`bench`] | loads a gateway and measures it |

pub mod serve;

use crate::config::Options;
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// One self-hosted server behind every till of a retailer.
#[derive(Parser)]
#[command(
    name = "onetill",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the gateway
    Serve(serve::ServeArgs),
}

/// Why a command failed: a text for the person who typed it.
pub type CommandError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command of the program's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => fail(error.as_ref()),
    }
}

async fn run(cli: Cli) -> Result<ExitCode, CommandError> {
    match cli.command {
        Command::Serve(args) => serve::run(args).await,
    }
}

#[expect(
    clippy::print_stderr,
    reason = "this is where a command says why it failed"
)]
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("onetill: {error}");
    ExitCode::FAILURE
}

/// Where settings come from: flags, environment, and a file.
#[derive(clap::Args, Clone)]
pub struct Settings {
    /// File with settings (TOML); flags and environment win over it
    #[arg(long, env = "ONETILL_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The settings themselves.
    #[command(flatten)]
    pub options: Options,
}

impl Settings {
    /// All settings together.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(self) -> Result<Options, CommandError> {
        Ok(self.options.with_file(self.config.as_deref())?)
    }
}
