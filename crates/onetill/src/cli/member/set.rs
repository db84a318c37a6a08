//! `onetill member set-status`, `set-grade`, `set-pin` and `reset-pin`.

use super::{CardArgs, fields::StatusArg};
use crate::{
    admin::{
        Request, loyalty,
        loyalty::cards::{CardChange, CardName},
    },
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape},
        prompt,
    },
};
use clap::Args;
use std::path::PathBuf;

/// Change where a card stands.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill member set-status 9999999999025288 lost --tenant demo
  onetill member set-status 9999999999025288 active --tenant demo")]
pub struct StatusArgs {
    #[command(flatten)]
    card: CardArgs,
    /// Where it stands
    #[arg(value_enum)]
    status: StatusArg,
}

/// Change a member's grade.
#[derive(Args)]
#[command(after_help = "Example:
  onetill member set-grade 9999999999025288 2 --tenant demo")]
pub struct GradeArgs {
    #[command(flatten)]
    card: CardArgs,
    /// 0 green, 1 gold, 2 platinum, 3 diamond
    #[arg(value_parser = clap::value_parser!(u8).range(0..=3))]
    grade: u8,
}

/// Give a card a PIN, which is asked for, or take it away.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill member set-pin 9999999999025320 --tenant demo
  onetill member set-pin 9999999999025320 --tenant demo --pin-file pin.txt
  onetill member set-pin 9999999999025320 --tenant demo --remove")]
pub struct PinArgs {
    #[command(flatten)]
    card: CardArgs,
    /// File that holds the PIN; - for stdin
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// Take the PIN away
    #[arg(long, conflicts_with = "pin_file")]
    remove: bool,
}

pub(super) async fn status(
    settings: Settings,
    tenant: String,
    args: StatusArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let change = CardChange {
        status: Some(args.status.status()),
        ..nothing(tenant, args.card.number)
    };
    ask(settings, change, shape).await
}

pub(super) async fn grade(
    settings: Settings,
    tenant: String,
    args: GradeArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let change = CardChange {
        grade: Some(args.grade),
        ..nothing(tenant, args.card.number)
    };
    ask(settings, change, shape).await
}

pub(super) async fn pin(
    settings: Settings,
    tenant: String,
    args: PinArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let pin = if args.remove {
        String::new()
    } else {
        let pin = prompt::secret(args.pin_file.as_deref(), None, "new PIN")?;
        pin.to_string()
    };
    let change = CardChange {
        pin: Some(pin),
        ..nothing(tenant, args.card.number)
    };
    ask(settings, change, shape).await
}

pub(super) async fn reset_pin(
    settings: Settings,
    tenant: String,
    number: String,
    shape: Shape,
) -> Result<(), CommandError> {
    let change = CardChange {
        reset_pin: true,
        ..nothing(tenant, number)
    };
    ask(settings, change, shape).await
}

const fn nothing(tenant: String, number: String) -> CardChange {
    CardChange {
        card: CardName { tenant, number },
        status: None,
        grade: None,
        pin: None,
        reset_pin: false,
    }
}

async fn ask(settings: Settings, change: CardChange, shape: Shape) -> Result<(), CommandError> {
    let text = format!("card {} is changed", change.card.number);
    let request = Request::Loyalty(loyalty::Request::SetCard(change));
    let changed = admin_request(settings, request).await?;
    match shape {
        Shape::Json => output::print_json(&changed),
        Shape::Text => output::print(&text),
    }
}
