//! The command line.
//!
//! | module | command |
//! |---|---|
//! | [`serve`] | runs the gateway |
//! | [`sandbox`] | runs the pretended wallet as a process of its own |
//! | [`call`] | asks a gateway as a merchant's till does |
//! | [`sign`] | shows and checks signatures |
//! | [`merchant`] | merchants: adding, changing, listing, importing |
//! | [`mod@store`], [`terminal`] | a retailer's stores; their terminals, and these terminals' keys |
//! | [`member`], [`program`] | member cards; what points are worth |
//! | [`mod@partner`], [`voucher`] | partners who sell vouchers; stock and codes |
//! | [`order`] | payments for operators |
//! | [`audit`] | proves the ledger |
//! | [`doctor`] | checks a gateway's surroundings |
//! | [`backup`], [`migrate`] | copies the store; brings it to the newest schema |
//! | [`mod@bench`] | loads a gateway and measures it |
//! | [`mod@simulate`] | runs the program in a seeded world of faults, or a shop's day at the tills |
//!
//! [`output`] is how all of them print, [`secret`] and [`prompt`] how they take keys, [`mod@csv`] how
//! they read and write tables, [`admin_client`] how they reach the rows, [`operator`] who gives the
//! order.
//!
//! Exit status: 0 done; 1 refused, failed, or something was found wrong; 2 wrong usage.

pub mod admin_client;
pub mod audit;
pub mod backup;
pub mod bench;
pub mod call;
pub mod csv;
pub mod dates;
pub mod doctor;
pub mod member;
pub mod merchant;
pub mod migrate;
pub mod operator;
pub mod order;
pub mod output;
pub mod partner;
pub mod program;
pub mod prompt;
pub mod sandbox;
pub mod secret;
pub mod serve;
pub mod sign;
pub mod simulate;
pub mod store;
pub mod terminal;
pub mod voucher;

use crate::config::Options;
use clap::{Arg, Args, Command as Clap, Parser, Subcommand};
use output::Shape;
use rustix::{fs::Mode, process::umask};
use std::{collections::BTreeSet, path::PathBuf, process::ExitCode, sync::LazyLock};

/// One self-hosted server behind every till of a retailer.
#[derive(Parser)]
#[command(
    name = "onetill",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Start here:
  onetill serve --demo
      a gateway to try, with demo data and a pretended wallet
  onetill call pay --amount 0.01 --code 284214903060794755
      charge a customer's code through it
  onetill audit
      prove the ledger

Exit status: 0 done; 1 refused, failed, or something is wrong; 2 wrong usage."
)]
pub struct Cli {
    /// Print the result as JSON
    #[arg(long, global = true)]
    json: bool,
    /// The command.
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway
    Serve(serve::ServeArgs),
    /// Run the pretended wallet as a process of its own, for several gateways
    Sandbox(sandbox::SandboxArgs),
    /// Ask a gateway as a till does: pay, order, refund, …; checkin, card, consume, …, settle
    Call(call::CallArgs),
    /// Show what a request's signature is made of, and where a given one goes wrong
    Sign(sign::SignArgs),
    /// Check a gateway's settings, store, keys, clock and disk
    Doctor(doctor::DoctorArgs),
    /// Merchants: add, set, list, import
    Merchant(merchant::MerchantArgs),
    /// Stores: add, set, list
    Store(store::StoreArgs),
    /// Terminals and their keys: add, list, show, block, inject-key, keytool
    Terminal(terminal::TerminalArgs),
    /// Member cards: add, show, list, import, export, set-status, set-pin, reset-pin
    Member(member::MemberArgs),
    /// A retailer's member program: show, set, history, campaigns
    Program(program::ProgramArgs),
    /// Partners who sell vouchers: add, set, token, key, bind-address, list
    Partner(partner::PartnerArgs),
    /// Prepaid vouchers: issue, import, list, show, freeze, export, custody
    Voucher(voucher::VoucherArgs),
    /// Payments: list, show, approve, reject, renotify
    Order(order::OrderArgs),
    /// Prove the ledger and every invariant from the raw rows
    Audit(audit::AuditArgs),
    /// Copy the store while it is in use
    Backup(backup::BackupArgs),
    /// Bring the store to this program's schema
    Migrate(migrate::MigrateArgs),
    /// Load a gateway and measure it
    Bench(bench::BenchArgs),
    /// Run the program in a seeded world of faults, or a shop's day at a real gateway's tills
    Simulate(simulate::SimulateArgs),
}

/// Why a command failed: a text for the person who typed it.
pub type CommandError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command of the program's arguments.
#[must_use]
pub fn main() -> ExitCode {
    // Every file the program makes holds payments, keys or a way in: none is for others to read.
    // Done before a second thread runs, since the mask is the whole process's.
    umask(Mode::RWXG | Mode::RWXO);
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
    let shape = if cli.json { Shape::Json } else { Shape::Text };
    match cli.command {
        Command::Serve(args) => serve::run(args).await,
        Command::Sandbox(args) => sandbox::run(args).await,
        Command::Call(args) => call::run(args, shape).await,
        Command::Sign(args) => sign::run(args, shape).await,
        Command::Doctor(args) => doctor::run(args, shape).await,
        Command::Merchant(args) => merchant::run(args, shape).await,
        Command::Store(args) => store::run(args, shape).await,
        Command::Terminal(args) => terminal::run(args, shape).await,
        Command::Member(args) => member::run(args, shape).await,
        Command::Program(args) => program::run(args, shape).await,
        Command::Partner(args) => partner::run(args, shape).await,
        Command::Voucher(args) => voucher::run(args, shape).await,
        Command::Order(args) => order::run(args, shape).await,
        Command::Audit(args) => audit::run(args, shape).await,
        Command::Backup(args) => backup::run(args, shape).await,
        Command::Migrate(args) => migrate::run(args, shape).await,
        Command::Bench(args) => {
            bench::run(args).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Simulate(args) => simulate::run(args, shape).await,
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    output::note(&format!("onetill: {error}"));
    ExitCode::FAILURE
}

/// Where settings come from: flags, environment, and a file.
#[derive(clap::Args, Clone)]
pub struct Settings {
    /// File with settings (TOML); flags and environment win over it
    #[arg(long, env = "ONETILL_CONFIG", value_name = "FILE", global = true)]
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

/// Where a command finds a gateway's rows. It understands all settings of `serve`, since serials
/// and times depend on some of them, but its help shows only those that say where.
#[derive(clap::Args, Clone)]
#[command(next_help_heading = "Where the data is", mut_args = hide_serving)]
pub struct Place {
    /// The settings.
    #[command(flatten)]
    pub settings: Settings,
}

/// The settings that matter to `serve` only.
static SERVING: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let all = Options::augment_args(Clap::new("serve"));
    let names = all.get_arguments().map(|arg| arg.get_id().to_string());
    names
        .filter(|name| name != "data" && name != "store")
        .collect()
});

fn hide_serving(arg: Arg) -> Arg {
    let is_serving = SERVING.contains(arg.get_id().as_str());
    if is_serving { arg.hide(true) } else { arg }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn verify_cli() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_shows_where_and_not_how_to_serve() {
        let mut cli = Cli::command();
        let audit = cli.find_subcommand_mut("audit").unwrap();
        let help = audit.render_long_help().to_string();
        assert!(
            help.contains("--data") && help.contains("--config"),
            "{help}"
        );
        assert!(!help.contains("--tls-cert"), "{help}");
    }

    #[test]
    fn every_command_teaches_with_examples() {
        let cli = Cli::command();
        for command in cli.get_subcommands().filter(|it| it.get_name() != "bench") {
            let name = command.get_name();
            let after = command.get_after_help().map(ToString::to_string);
            let text = after.unwrap_or_default();
            assert!(text.contains(&format!("onetill {name}")), "{name}: {text}");
        }
    }
}
