//! `onetill member list` and `onetill member export`: all cards, page by page.

use super::lists;
use crate::{
    admin::{
        Request, loyalty,
        loyalty::{
            held_codes::CodePlace,
            listing::{CardPage, PAGE_CARDS_MAX},
        },
    },
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        csv, dates,
        output::{self, Shape, Side, Table, text_of},
    },
};
use clap::Args;
use domain::{
    loyalty::card::{Holding, Lot},
    time::UnixMs,
};
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    fs::File,
    io::{self, BufWriter, ErrorKind, Write},
    path::PathBuf,
};

/// Show cards, by number.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill member list --tenant demo
  onetill member list --tenant demo --after 9999999999025320 --limit 1000")]
pub struct ListArgs {
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Only cards behind this one
    #[arg(long, value_name = "CARD")]
    after: Option<String>,
}

pub(super) async fn run(
    settings: Settings,
    tenant: String,
    args: ListArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let mut all: Vec<Value> = Vec::new();
    let limit = args.limit;
    let listed = each(&mut client, &tenant, args.after, |card| {
        all.push(card.clone());
        Ok(all.len() < limit)
    });
    let listed = listed.await;
    client.close().await;
    listed?;
    match shape {
        Shape::Json => output::print_json(&all.into()),
        Shape::Text => output::print(&text(&all, limit)),
    }
}

/// Write all cards as CSV, which import reads. Holders, points lot by lot, vouchers and tickets are in
/// it, and where the voucher codes that they hold lie; PINs, what members owe, and the texts of codes
/// are not.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill member export --tenant demo > members.csv
  onetill member export members.csv --tenant demo

`onetill member import --help` tells how the columns are written.")]
pub struct ExportArgs {
    /// The file, which must not be there yet [default: stdout]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// The columns of an export.
const COLUMNS: [&str; 16] = [
    "card",
    "status",
    "name",
    "gender",
    "mobile",
    "id_type",
    "id_no",
    "address",
    "email",
    "grade",
    "points",
    "vouchers",
    "tickets",
    "codes",
    "expires",
    "printed_expiry",
];

pub(super) async fn export(
    settings: Settings,
    tenant: String,
    args: ExportArgs,
) -> Result<(), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let mut out: Box<dyn Write> = match &args.file {
        Some(path) => {
            let file = File::create_new(path);
            Box::new(file.map_err(|error| format!("{}: {error}", path.display()))?)
        }
        None => Box::new(io::stdout().lock()),
    };
    let mut out = BufWriter::new(&mut out);
    let progress = output::spinner("{pos} cards {elapsed}");
    let zone = client.zone().clone();
    let mut debtors = 0_u64;
    let exported = async {
        writeln!(out, "{}", header())?;
        each(&mut client, &tenant, None, |card| {
            writeln!(out, "{}", row(card, &zone)?)?;
            progress.inc(1);
            debtors += u64::from(owes(card));
            Ok(true)
        })
        .await?;
        Ok(out.flush()?)
    };
    let exported: Result<(), CommandError> = exported.await;
    progress.finish_and_clear();
    client.close().await;
    if debtors > 0 {
        output::note(&format!(
            "{debtors} cards owe points or tickets; what is owed is not in the file"
        ));
    }
    match exported {
        Err(error) if is_broken_pipe(error.as_ref()) => Ok(()),
        other => other,
    }
}

/// Whoever read the pipe has seen enough.
fn is_broken_pipe(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|it| it.kind() == ErrorKind::BrokenPipe)
}

/// Hands over all cards, until it is enough.
async fn each(
    client: &mut AdminClient,
    tenant: &str,
    mut after: Option<String>,
    mut take: impl FnMut(&Value) -> Result<bool, CommandError>,
) -> Result<(), CommandError> {
    loop {
        let page = loyalty::Request::ListCards(CardPage {
            tenant: tenant.to_owned(),
            after: after.take(),
            limit: PAGE_CARDS_MAX,
        });
        let page = client.ask(Request::Loyalty(page)).await?;
        let cards = page.get("cards").and_then(Value::as_array);
        let cards = cards.ok_or("the gateway's answer is odd")?;
        for card in cards {
            if !take(card)? {
                return Ok(());
            }
        }
        match cards.last() {
            Some(last) => after = Some(text_of(last, "card")),
            None => return Ok(()),
        }
    }
}

fn header() -> String {
    csv::line(&COLUMNS)
}

fn row(card: &Value, zone: &TimeZone) -> Result<String, CommandError> {
    let holder = card.get("holder").unwrap_or(&Value::Null);
    let lots: Vec<Lot> = list(card, "lots")?;
    let tickets: Vec<Holding> = list(card, "tickets")?;
    let codes: Vec<CodePlace> = list(card, "codes")?;
    let expires_at = card.get("expires_at").and_then(Value::as_i64);
    let cells = COLUMNS.map(|column| match column {
        "points" => lists::write_lots(&lots, zone),
        "vouchers" => lists::write_holdings(&tickets, true, zone),
        "tickets" => lists::write_holdings(&tickets, false, zone),
        "codes" => lists::write_codes(&codes),
        "expires" => expires_at.map_or_else(String::new, |at| dates::write_end(UnixMs(at), zone)),
        "printed_expiry" => cell(card, "expiry_yymm"),
        "status" => cell(card, "status").to_lowercase(),
        "card" | "grade" => cell(card, column),
        _ => cell(holder, column),
    });
    Ok(csv::line(&cells))
}

/// A text or number; empty where there is none.
fn cell(value: &Value, member: &str) -> String {
    match value.get(member) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
            String::new()
        }
    }
}

fn list<T: DeserializeOwned>(card: &Value, member: &str) -> Result<Vec<T>, CommandError> {
    let list = card.get(member).cloned().unwrap_or_default();
    Ok(serde_json::from_value(list)?)
}

/// Whether points, or pieces of a ticket, are owed.
fn owes(card: &Value) -> bool {
    let tickets = card.get("tickets").and_then(Value::as_array);
    let pieces = |it: &Value| it.get("pieces").and_then(Value::as_i64);
    let mut tickets = tickets.into_iter().flatten().filter_map(pieces);
    text_of(card, "points_owed") != "0.00" || tickets.any(|pieces| pieces < 0)
}

fn text(cards: &[Value], limit: usize) -> String {
    if cards.is_empty() {
        return "there are no cards; add some with `onetill member add` or `import`".to_owned();
    }
    let mut table = Table::new(&[
        ("card", Side::Left),
        ("status", Side::Left),
        ("name", Side::Left),
        ("mobile", Side::Left),
        ("grade", Side::Right),
        ("points", Side::Right),
        ("PIN", Side::Left),
    ]);
    for card in cards {
        let holder = card.get("holder").unwrap_or(&Value::Null);
        let has_pin = card.get("has_pin").and_then(Value::as_bool) == Some(true);
        table.push([
            text_of(card, "card"),
            text_of(card, "status").to_lowercase(),
            text_of(holder, "name"),
            text_of(holder, "mobile"),
            text_of(card, "grade"),
            text_of(card, "points"),
            if has_pin { "set" } else { "" }.to_owned(),
        ]);
    }
    let shown = table.render();
    match cards.last() {
        Some(last) if cards.len() == limit => {
            format!("{shown}\n\nmore with --after {}", text_of(last, "card"))
        }
        Some(_) | None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cards_are_rows_of_a_table_and_of_a_file() {
        let card = json!({
            "card": "9999999999025288", "status": "Active", "grade": 1, "has_pin": true,
            "points": "1000.00", "points_available": "900.00", "points_owed": "0.00",
            "expires_at": 1_795_276_800_000_i64, "expiry_yymm": "4912",
            "lots": [
                { "points": 90_000, "available_at": 0, "expires_at": 1_795_276_800_000_i64 },
                { "points": 10_000, "available_at": 0, "expires_at": null },
            ],
            "tickets": [{ "id": 1, "kind": "Voucher", "name": "v", "face": 100, "pieces": 2,
                          "expires_at": null }],
            "codes": [{ "box": "X1", "index": 3, "kind": "Exchange" },
                      { "box": "X1", "index": 4, "kind": "Exchange" }],
            "holder": { "name": "张三, 先生", "mobile": "13800000000", "gender": "01" },
        });
        let expected = "\
card              status  name        mobile       grade   points  PIN
9999999999025288  active  张三, 先生  13800000000      1  1000.00  set";
        assert_eq!(text(std::slice::from_ref(&card), 50), expected);
        assert!(text(std::slice::from_ref(&card), 1).ends_with("--after 9999999999025288"));
        assert_eq!(
            header(),
            "card,status,name,gender,mobile,id_type,id_no,address,email,grade,points,vouchers,\
             tickets,codes,expires,printed_expiry"
        );
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let row = row(&card, &zone).unwrap();
        assert_eq!(
            row,
            "9999999999025288,active,\"张三, 先生\",01,13800000000,,,,,1,\
             900.00@2026-11-21;100.00,1:1:2:v,,X1:3:02;X1:4:02,2026-11-21,4912"
        );
        assert_eq!(csv::cells(&row).unwrap().len(), COLUMNS.len());
        assert!(!owes(&card));
        for (member, value) in [
            ("points_owed", json!("1.00")),
            ("tickets", json!([{ "pieces": -1 }])),
        ] {
            let mut debtor = card.clone();
            debtor[member] = value;
            assert!(owes(&debtor), "{member}");
        }
    }
}
