//! `onetill voucher freeze`, `unfreeze` and `activate --dry-run`.

use super::Whose;
use crate::{
    admin::{
        Request,
        voucher::{
            self,
            changes::{Act, CodesChange},
        },
    },
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape, Side, Table, text_of},
    },
};
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

/// Freeze codes, or let them be used again: all that are named, or none.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill voucher freeze R112102F-0000242-2585 B1123-6430582-102F5 --reason 'lost in the mail'
  onetill voucher unfreeze R112102F-0000242-2585 --reason 'found again'")]
pub struct FreezeArgs {
    /// Boxes, packages and reels; a code does as well, but others on this machine can see it here
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Say what would be in the way of an activation. Exits with 0 only if nothing would.
///
/// Activating is for partners: `onetill call voucher activate`.
#[derive(Args)]
#[command(after_help = "Example:
  onetill voucher activate --dry-run X22169-3141157-33475")]
pub struct ActivateArgs {
    /// Boxes, packages and reels; a code does as well, but others on this machine can see it here
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Only try it out
    #[arg(long, required = true)]
    dry_run: bool,
}

pub(super) async fn freeze(
    settings: Settings,
    whose: Whose,
    args: FreezeArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    put(settings, whose, args, (Act::Freeze, "frozen"), shape).await
}

pub(super) async fn unfreeze(
    settings: Settings,
    whose: Whose,
    args: FreezeArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    put(settings, whose, args, (Act::Unfreeze, "free again"), shape).await
}

async fn put(
    settings: Settings,
    whose: Whose,
    args: FreezeArgs,
    (act, done): (Act, &str),
    shape: Shape,
) -> Result<(), CommandError> {
    let request = voucher::Request::ChangeCodes(CodesChange {
        tenant: whose.tenant,
        names: args.names,
        act,
        by: whose.by,
        reason: Some(args.reason),
    });
    let changed = admin_request(settings, Request::Voucher(request)).await?;
    match shape {
        Shape::Json => output::print_json(&changed),
        Shape::Text => output::print(&format!("{} codes are {done}", text_of(&changed, "codes"))),
    }
}

pub(super) async fn activate(
    settings: Settings,
    whose: Whose,
    args: ActivateArgs,
    shape: Shape,
) -> Result<ExitCode, CommandError> {
    let request = voucher::Request::ChangeCodes(CodesChange {
        tenant: whose.tenant,
        names: args.names,
        act: Act::TryActivation,
        by: whose.by,
        reason: None,
    });
    let tried = admin_request(settings, Request::Voucher(request)).await?;
    match shape {
        Shape::Json => output::print_json(&tried)?,
        Shape::Text => output::print(&text(&tried))?,
    }
    let is_free = tried.get("done").and_then(Value::as_bool) == Some(true);
    Ok(if is_free {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn text(tried: &Value) -> String {
    let conflicts = tried.get("conflicts").and_then(Value::as_array);
    let conflicts = conflicts.map_or(&[][..], Vec::as_slice);
    if conflicts.is_empty() {
        let codes = text_of(tried, "codes");
        return format!("nothing is in the way: {codes} codes could be activated");
    }
    let mut table = Table::new(&[
        ("box", Side::Left),
        ("reel", Side::Left),
        ("from its code", Side::Right),
        ("codes", Side::Right),
        ("why not", Side::Left),
    ]);
    for it in conflicts {
        table.push([
            text_of(it, "box"),
            text_of(it, "reel"),
            text_of(it, "place_in_reel"),
            text_of(it, "codes"),
            obstacle(&text_of(it, "why")).to_owned(),
        ]);
    }
    let more = tried.get("more").and_then(Value::as_bool) == Some(true);
    let more = if more { "\n…and more" } else { "" };
    format!("{}{more}", table.render())
}

fn obstacle(why: &str) -> &str {
    match why {
        "Active" => "active already",
        "Void" => "void",
        "Frozen" => "frozen",
        "Expired" => "expired",
        "InUse" => "used, or held by a payment",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conflicts_are_a_table() {
        let tried = json!({ "done": false, "codes": 20, "more": true, "conflicts": [
            { "box": "X1", "reel": "R1", "place_in_reel": 1, "codes": 2, "why": "Active" },
        ]});
        let expected = "\
box  reel  from its code  codes  why not
X1   R1                1      2  active already
…and more";
        assert_eq!(text(&tried), expected);
        let free = json!({ "done": true, "codes": 20, "conflicts": [] });
        assert!(text(&free).contains("20 codes could"), "{}", text(&free));
    }
}
