//! `onetill partner`: who sells vouchers and calls dialect 3.
//!
//! | module | holds |
//! |---|---|
//! | [`add`], [`set`] | partners and how they are treated |
//! | [`list`] | all of them; one with its history |
//! | [`token`], [`key`] | what they show to be let in, and sign with |
//! | [`overlap`] | how long what was good before stays good |

mod add;
mod key;
mod list;
mod overlap;
mod set;
mod token;

use super::{CommandError, Place, operator::OperatorArgs, output::Shape};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Partners: add, set, token, key, bind-address, block, list, show.
///
/// Beside a running gateway these go through it, and take effect at once; other gateways of the
/// same database follow within seconds.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill partner add 1504 --tenant demo --merchant-id 10001 --name 'Gift shop'
  onetill partner token 1504
      what it sends as `Authorization: Bearer …`, printed this once
  onetill partner token 1504 --overlap 24h
      a new one; the old one stays good for a day
  onetill partner key 1504 --file partner.pub.pem --reply-key ours.key.pem
      the key it signs with, and the one that replies to it are signed with
  onetill partner bind-address 1504 203.0.113.7
      middleware that cannot send headers is known by its address
  onetill partner set 1504 --codes-per-day 100000 --requests-per-s 50
  onetill partner show 1504")]
pub struct PartnerArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    operator: OperatorArgs,
    #[command(subcommand)]
    command: PartnerCommand,
}

#[derive(Subcommand)]
enum PartnerCommand {
    /// Add a partner
    Add(add::AddArgs),
    /// Change a partner; what is not named stays
    Set(Box<set::SetArgs>),
    /// Show all partners, without tokens and keys
    List,
    /// Show one partner, with who changed what
    Show(NumberArgs),
    /// Make a token and print it, this once
    Token(token::TokenArgs),
    /// Take over the key a partner signs with, and the one that replies to it are signed with
    Key(key::KeyArgs),
    /// Say from which addresses a partner speaks
    BindAddress(set::BindArgs),
    /// Let a partner do nothing until it is unblocked
    Block(NumberArgs),
    /// Let a blocked partner go on
    Unblock(NumberArgs),
}

/// Which partner.
#[derive(Args, Clone, Copy)]
pub struct NumberArgs {
    /// The partner's number
    #[arg(value_name = "PARTNER")]
    number: u32,
}

/// Carries out the command.
///
/// # Errors
/// When it was refused or nothing could be reached; the text says what to do.
pub async fn run(args: PartnerArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let settings = args.place.settings;
    let by = args.operator.name();
    match args.command {
        PartnerCommand::Add(args) => add::run(settings, by, args, shape).await?,
        PartnerCommand::Set(args) => set::run(settings, by, *args, shape).await?,
        PartnerCommand::List => list::run(settings, shape).await?,
        PartnerCommand::Show(args) => list::show(settings, args.number, shape).await?,
        PartnerCommand::Token(args) => token::run(settings, by, args, shape).await?,
        PartnerCommand::Key(args) => key::run(settings, by, args, shape).await?,
        PartnerCommand::BindAddress(args) => set::bind(settings, by, args, shape).await?,
        PartnerCommand::Block(args) => set::block(settings, by, args.number, true, shape).await?,
        PartnerCommand::Unblock(args) => {
            set::block(settings, by, args.number, false, shape).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
