//! `onetill voucher receive`, `custody` and `discard`.

use super::Whose;
use crate::{
    admin::{
        Request,
        voucher::{
            self,
            boxes::{Discard, Receipt},
            stock::UnitName,
        },
    },
    cli::{
        CommandError, Settings,
        admin_client::{AdminClient, admin_request},
        dates,
        output::{self, Shape, Side, Table, text_of},
    },
};
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Note who has a box in hand: --by.
#[derive(Args)]
#[command(after_help = "Example:
  onetill voucher receive X22169-3141157-33475 --by 'Gift shop, Li'")]
pub struct ReceiveArgs {
    /// The box
    #[arg(value_name = "BOX")]
    name: String,
}

/// Show who had a box in hand, the newest last.
#[derive(Args)]
pub struct CustodyArgs {
    /// The box
    #[arg(value_name = "BOX")]
    name: String,
}

/// Remove a box that was never finished. A gateway does so by itself an hour later.
#[derive(Args)]
pub struct DiscardArgs {
    /// The box
    #[arg(value_name = "BOX")]
    name: String,
}

pub(super) async fn receive(
    settings: Settings,
    whose: Whose,
    args: ReceiveArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let text = format!("noted: {} has box {}", whose.by, args.name);
    let request = voucher::Request::Receive(Receipt {
        tenant: whose.tenant,
        name: args.name,
        by: whose.by,
    });
    let noted = admin_request(settings, Request::Voucher(request)).await?;
    match shape {
        Shape::Json => output::print_json(&noted),
        Shape::Text => output::print(&text),
    }
}

pub(super) async fn discard(
    settings: Settings,
    whose: Whose,
    args: DiscardArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let text = format!("box {} is removed", args.name);
    let request = voucher::Request::DiscardBox(Discard {
        name: args.name,
        by: whose.by,
    });
    let gone = admin_request(settings, Request::Voucher(request)).await?;
    match shape {
        Shape::Json => output::print_json(&gone),
        Shape::Text => output::print(&text),
    }
}

pub(super) async fn show(
    settings: Settings,
    whose: Whose,
    args: CustodyArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let zone = client.zone().clone();
    let request = voucher::Request::ShowUnit(UnitName {
        tenant: whose.tenant,
        name: args.name,
        after: None,
    });
    let found = client.ask(Request::Voucher(request)).await;
    client.close().await;
    let log = found?.get("custody").cloned().unwrap_or_default();
    match shape {
        Shape::Json => output::print_json(&log),
        Shape::Text => output::print(&table(&log, &zone)),
    }
}

fn table(log: &Value, zone: &TimeZone) -> String {
    let mut table = Table::new(&["when", "what", "who"].map(|name| (name, Side::Left)));
    for entry in log.as_array().into_iter().flatten() {
        let at = entry.get("at").and_then(Value::as_i64);
        table.push([
            dates::show(at, zone),
            text_of(entry, "act").to_lowercase(),
            text_of(entry, "by"),
        ]);
    }
    table.render()
}
