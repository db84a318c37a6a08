//! `onetill program`: what a retailer's points are worth, version by version.
//!
//! | module | holds |
//! |---|---|
//! | [`show`] | the program as it stands, and its history |
//! | [`set`] | changes of rules |
//! | [`campaign`] | what runs for a time |
//! | [`hundredths`] | rates and amounts as people write them |

mod campaign;
mod hundredths;
mod set;
mod show;

use super::{CommandError, Place, operator, output::Shape};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// A retailer's member program: show, set, history, campaigns.
///
/// Each change makes a new version beside those before it, with who made it. Beside a running
/// gateway changes go through it, and take effect at once; other gateways of the same database
/// follow within seconds.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill program show --tenant demo
  onetill program set --tenant demo --earn-rate 1.5 --expiry-months 12
  onetill program campaign add 'Double points' --tenant demo --from 2026-12-01 \\
      --until 2026-12-24 --multiplier 2 --advertisement '双倍积分'
  onetill program campaign end 'Double points' --tenant demo
  onetill program history --tenant demo

ONETILL_TENANT=demo saves the --tenant.")]
pub struct ProgramArgs {
    #[command(flatten)]
    place: Place,
    /// The retailer whose program it is
    #[arg(long, env = "ONETILL_TENANT", value_name = "NAME", global = true)]
    tenant: Option<String>,
    /// Who makes the change, for the history [default: the user of this machine]
    #[arg(long, value_name = "NAME", global = true)]
    by: Option<String>,
    #[command(subcommand)]
    command: ProgramCommand,
}

#[derive(Subcommand)]
enum ProgramCommand {
    /// Show the rules and campaigns as they stand
    Show,
    /// Change rules; what is not named stays
    Set(Box<set::SetArgs>),
    /// Show the versions, newest first, and what each changed
    History,
    /// Campaigns: what runs for a time
    #[command(subcommand)]
    Campaign(CampaignCommand),
}

#[derive(Subcommand)]
enum CampaignCommand {
    /// Add a campaign
    Add(campaign::AddArgs),
    /// End a campaign; one that has not begun is taken out
    End(campaign::EndArgs),
}

/// Whose program, and who changes it.
struct Whose {
    tenant: String,
    by: String,
}

/// Carries out the command.
///
/// # Errors
/// When it was refused or nothing could be reached; the text says what to do.
pub async fn run(args: ProgramArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let settings = args.place.settings;
    let tenant = args.tenant;
    let tenant = tenant.ok_or("name the retailer with --tenant, or in ONETILL_TENANT")?;
    let by = operator::named(args.by);
    let whose = Whose { tenant, by };
    match args.command {
        ProgramCommand::Show => show::run(settings, whose, shape).await?,
        ProgramCommand::History => show::history(settings, whose, shape).await?,
        ProgramCommand::Set(args) => set::run(settings, whose, *args, shape).await?,
        ProgramCommand::Campaign(CampaignCommand::Add(args)) => {
            campaign::add(settings, whose, args, shape).await?;
        }
        ProgramCommand::Campaign(CampaignCommand::End(args)) => {
            campaign::end(settings, whose, args, shape).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
