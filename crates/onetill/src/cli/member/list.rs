//! `onetill member list` and `onetill member export`: all cards, page by page.

use crate::{
    admin::{
        Request, loyalty,
        loyalty::listing::{CardPage, PAGE_CARDS_MAX},
    },
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        csv,
        output::{self, Shape, Side, Table, text_of},
    },
};
use clap::Args;
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

/// Write all cards as CSV, which import reads. Holders are in it; PINs are not.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill member export --tenant demo > members.csv
  onetill member export members.csv --tenant demo")]
pub struct ExportArgs {
    /// The file, which must not be there yet [default: stdout]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// The columns of an export, and what they are called in a card.
const COLUMNS: [(&str, &str); 11] = [
    ("card", "card"),
    ("status", "status"),
    ("name", "name"),
    ("gender", "gender"),
    ("mobile", "mobile"),
    ("id_type", "id_type"),
    ("id_no", "id_no"),
    ("address", "address"),
    ("email", "email"),
    ("grade", "grade"),
    ("points", "points_available"),
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
    let exported = async {
        writeln!(out, "{}", header())?;
        each(&mut client, &tenant, None, |card| {
            writeln!(out, "{}", row(card))?;
            progress.inc(1);
            Ok(true)
        })
        .await?;
        Ok(out.flush()?)
    };
    let exported: Result<(), CommandError> = exported.await;
    progress.finish_and_clear();
    client.close().await;
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
    csv::line(&COLUMNS.map(|(name, _)| name))
}

fn row(card: &Value) -> String {
    let holder = card.get("holder").unwrap_or(&Value::Null);
    let cells = COLUMNS.map(|(_, member)| {
        let own = card.get(member).or_else(|| holder.get(member));
        match own {
            Some(Value::String(text)) if member == "status" => text.to_lowercase(),
            Some(Value::String(text)) => text.clone(),
            Some(other) if !other.is_null() => other.to_string(),
            Some(_) | None => String::new(),
        }
    });
    csv::line(&cells)
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
            "points": "1000.00", "points_available": "900.00",
            "holder": { "name": "张三, 先生", "mobile": "13800000000", "gender": "01" },
        });
        let expected = "\
card              status  name        mobile       grade   points  PIN
9999999999025288  active  张三, 先生  13800000000      1  1000.00  set";
        assert_eq!(text(std::slice::from_ref(&card), 50), expected);
        assert!(text(std::slice::from_ref(&card), 1).ends_with("--after 9999999999025288"));
        assert_eq!(
            header(),
            "card,status,name,gender,mobile,id_type,id_no,address,email,grade,points"
        );
        let row = row(&card);
        assert_eq!(
            row,
            "9999999999025288,active,\"张三, 先生\",01,13800000000,,,,,1,900.00"
        );
        assert_eq!(csv::cells(&row).unwrap().len(), COLUMNS.len());
    }
}
