//! `onetill voucher show`: a box, a package or a reel with its stock; one code with its history.

use super::{
    Whose,
    list::{COUNTS, cards, cells, status},
};
use crate::{
    admin::{
        Request,
        voucher::{self, codes::CodeName, stock::UnitName},
    },
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        dates,
        output::{self, Shape, Side, Table, text_of},
        prompt,
    },
};
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Show a box, a package or a reel with its stock and what lies in it; or where a code stands and
/// what happened to it.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill voucher show X22169-3141157-33475
  onetill voucher show B1123-6430582-102F5
  onetill voucher show --code -
      asks for a code; it is not shown again, and never logged
  onetill voucher show --code 1001901070000000258-M4DEDSfV
      others on this machine can see it here")]
pub struct ShowArgs {
    /// A box, a package or a reel
    #[arg(value_name = "NAME", required_unless_present = "code")]
    name: Option<String>,
    /// A code; - asks for it, or reads it from stdin
    #[arg(long, conflicts_with = "name")]
    code: Option<String>,
    /// Only what lies behind the code of this index, where there is much
    #[arg(long, value_name = "INDEX", conflicts_with = "code")]
    after: Option<u32>,
}

pub(super) async fn run(
    settings: Settings,
    whose: Whose,
    args: ShowArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let tenant = whose.tenant;
    let is_code = args.code.is_some();
    let request = match (args.code, args.name) {
        (Some(code), _) => {
            let code = prompt::code(&code)?.to_string();
            voucher::Request::ShowCode(CodeName { tenant, code })
        }
        (None, name) => voucher::Request::ShowUnit(UnitName {
            tenant,
            name: name.unwrap_or_default(),
            after: args.after,
        }),
    };
    let mut client = AdminClient::new(settings)?;
    let zone = client.zone().clone();
    let found = client.ask(Request::Voucher(request)).await;
    client.close().await;
    let found = found?;
    match shape {
        Shape::Json => output::print_json(&found),
        Shape::Text if is_code => output::print(&code_text(&found, &zone)),
        Shape::Text => output::print(&unit_text(&found, &zone)),
    }
}

fn unit_text(it: &Value, zone: &TimeZone) -> String {
    let issued = it.get("issued_at").and_then(Value::as_i64);
    let mut lines = vec![
        ("name", text_of(it, "name")),
        ("box", text_of(it, "box")),
        ("retailer", text_of(it, "tenant")),
        ("partner", text_of(it, "partner")),
        (
            "ticket",
            format!("{} {}", text_of(it, "ticket"), text_of(it, "ticket_name")),
        ),
        ("uses of a code", text_of(it, "uses")),
        ("face value", yuan(it)),
        ("card numbers", cards(it)),
        ("issued", dates::show(issued, zone)),
        ("codes", text_of(it, "codes")),
    ];
    let counts = cells(it);
    let standing = COUNTS.iter().zip(counts).filter(|(_, count)| count != "0");
    lines.extend(standing.map(|((_, title), count)| (*title, count)));
    let shown = output::fields(&lines);
    let units = it.get("units").and_then(Value::as_array);
    match units.map_or(&[][..], Vec::as_slice) {
        [] => shown,
        units => format!("{shown}\n\n{}", units_text(units)),
    }
}

fn units_text(units: &[Value]) -> String {
    let mut columns = vec![("in it", Side::Left), ("codes", Side::Right)];
    columns.extend(COUNTS.map(|(_, title)| (title, Side::Right)));
    let mut table = Table::new(&columns);
    for unit in units {
        let mut row = vec![text_of(unit, "name"), text_of(unit, "codes")];
        row.extend(cells(unit));
        table.push(row);
    }
    table.render()
}

fn yuan(it: &Value) -> String {
    let fen = it.get("face_value_fen").and_then(Value::as_i64);
    output::yuan(fen.unwrap_or(0).into())
}

fn code_text(it: &Value, zone: &TimeZone) -> String {
    let date = |name| dates::show(it.get(name).and_then(Value::as_i64), zone);
    let lines = [
        ("status", status(&text_of(it, "status")).to_owned()),
        (
            "uses left",
            format!("{} of {}", text_of(it, "uses_left"), text_of(it, "uses")),
        ),
        ("face value", yuan(it)),
        (
            "valid",
            format!("{} to {}", date("valid_from"), date("valid_until")),
        ),
        (
            "ticket",
            format!("{} {}", text_of(it, "ticket"), text_of(it, "ticket_name")),
        ),
        ("retailer", text_of(it, "tenant")),
        ("partner", text_of(it, "partner")),
        ("box", text_of(it, "box")),
        ("package", text_of(it, "package")),
        ("reel", text_of(it, "reel")),
    ];
    let history = it.get("history").and_then(Value::as_array);
    let history = history.map_or(&[][..], Vec::as_slice);
    let shown = output::fields(&lines);
    if history.is_empty() {
        return format!("{shown}\n\nnothing has happened to it yet");
    }
    format!("{shown}\n\n{}", history_text(history, zone))
}

fn history_text(history: &[Value], zone: &TimeZone) -> String {
    let names = ["when", "what", "where", "number"];
    let mut table = Table::new(&names.map(|name| (name, Side::Left)));
    for entry in history {
        let at = entry.get("at").and_then(Value::as_i64);
        let place = match entry.get("by").and_then(Value::as_u64) {
            Some(partner) => format!("partner {partner}"),
            None => format!("{} {}", text_of(entry, "store"), text_of(entry, "terminal")),
        };
        table.push([
            dates::show(at, zone),
            text_of(entry, "what"),
            place.trim().to_owned(),
            text_of(entry, "number"),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_code_is_shown_with_its_history_and_without_its_text() {
        let code = json!({
            "status": "UsedUp", "uses": 1, "uses_left": 0, "face_value_fen": 2000,
            "ticket": 500_812, "ticket_name": "20元代金券", "tenant": "demo", "partner": 1504,
            "box": "X1", "package": "B1", "reel": "R1", "valid_from": null, "valid_until": null,
            "history": [
                { "at": 1_795_276_800_000_i64, "what": "activated", "by": 1504, "number": "T1" },
                { "at": 1_795_276_860_000_i64, "what": "used", "store": "88001",
                  "terminal": "7", "number": "S1" },
            ],
        });
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let shown = code_text(&code, &zone);
        assert!(
            shown.starts_with("status      used up\nuses left   0 of 1"),
            "{shown}"
        );
        assert!(shown.contains("face value  20.00"), "{shown}");
        assert!(
            shown.ends_with("2026-11-22 00:01  used       88001 7       S1"),
            "{shown}"
        );
    }
}
