//! How terminals, cards, amounts and pieces are named on the command line.

use crate::{
    admin::loyalty::demo,
    cli::{CommandError, prompt},
    till::Swipe,
};
use clap::Args;
use std::path::PathBuf;
use wire::jpos::{Amount, BatchNo, Pin, TraceNo, Track2};

/// Which terminal asks, and where it remembers.
#[derive(Args)]
#[command(next_help_heading = "The terminal")]
pub struct TillArgs {
    /// Its store's number
    #[arg(long = "store", env = "ONETILL_TILL_STORE", value_name = "NO", default_value = demo::STORE)]
    pub store_no: String,
    /// Its own number
    #[arg(long = "terminal", env = "ONETILL_TILL_TERMINAL", value_name = "NO", default_value = demo::TERMINAL)]
    pub terminal_no: String,
    /// Where it keeps its keys, batch and journal, for its owner only [default:
    /// ~/.local/state/onetill/tills/HOST_PORT-STORE-TERMINAL.json, or below $XDG_STATE_HOME]
    #[arg(long, env = "ONETILL_TILL_STATE", value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Send no MAC
    #[arg(long)]
    pub no_mac: bool,
    /// Use this number for the message, and go on from it
    #[arg(long = "trace-no", value_name = "N", value_parser = trace_no)]
    pub trace_no: Option<TraceNo>,
}

/// A card.
#[derive(Args)]
pub struct CardOption {
    /// The card's number
    #[arg(long = "card", value_name = "NO")]
    card_no: String,
    /// Its track 2, as if it was swiped
    #[arg(long, value_name = "TRACK", value_parser = track2)]
    track2: Option<String>,
}

impl CardOption {
    pub fn swipe(&self) -> Swipe {
        swipe(&self.card_no, self.track2.as_deref())
    }
}

pub(super) fn swipe(card_no: &str, track2: Option<&str>) -> Swipe {
    Swipe {
        card_no: card_no.to_owned(),
        track2: track2.and_then(Track2::parse),
    }
}

/// A PIN, if the card has one.
#[derive(Args)]
pub struct PinArgs {
    /// The card has a PIN: ask for it, or take a line of stdin
    #[arg(long)]
    ask_pin: bool,
    /// File that holds the PIN; - for stdin
    #[arg(long, value_name = "FILE", conflicts_with = "ask_pin")]
    pin_file: Option<PathBuf>,
    /// The PIN; others on this machine can see it here
    #[arg(long, value_name = "DIGITS", conflicts_with_all = ["ask_pin", "pin_file"])]
    pin: Option<String>,
}

impl PinArgs {
    pub fn read(&self) -> Result<Option<Pin>, CommandError> {
        if !self.ask_pin && self.pin_file.is_none() && self.pin.is_none() {
            return Ok(None);
        }
        let text = prompt::secret(self.pin_file.as_deref(), self.pin.as_deref(), "PIN")?;
        Ok(Some(Pin::parse(&text)?))
    }
}

/// Pieces of a voucher or ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PieceArg {
    pub id: i64,
    pub num: u32,
}

/// Reads `ID` or `ID:PIECES`.
pub(super) fn piece(text: &str) -> Result<PieceArg, String> {
    let (id, num) = text.split_once(':').unwrap_or((text, "1"));
    let read = || {
        Some(PieceArg {
            id: id.parse().ok().filter(|id| *id > 0)?,
            num: num.parse().ok().filter(|num| *num > 0)?,
        })
    };
    read().ok_or_else(|| "write it as ID or ID:PIECES, such as 2 or 2:3".to_owned())
}

/// Reads an amount of one transaction, in yuan.
pub(super) fn yuan(text: &str) -> Result<Amount, String> {
    let read = Amount::parse(text, Amount::TRANSACTION_MAX);
    read.map_err(|error| format!("{error}; write yuan with at most two decimals"))
}

/// Reads a message's number, with or without its leading zeros.
pub(super) fn trace_no(text: &str) -> Result<TraceNo, String> {
    let number = text.parse().ok().and_then(TraceNo::new);
    number.ok_or_else(|| "a message's number is 1 to 999999".to_owned())
}

/// Reads a batch's number, with or without its leading zeros.
pub(super) fn batch_no(text: &str) -> Result<BatchNo, String> {
    let number = text.parse().ok().and_then(BatchNo::new);
    number.ok_or_else(|| "a batch's number is 1 to 999999".to_owned())
}

/// Checks a track 2.
pub(super) fn track2(text: &str) -> Result<String, String> {
    match Track2::parse(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("a track 2 is NUMBER=YYMM…".to_owned()),
    }
}
