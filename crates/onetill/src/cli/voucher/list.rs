//! `onetill voucher list`: boxes with their stock, or the demo's codes.

use super::Whose;
use crate::{
    admin::{
        Request,
        voucher::{self, stock::BoxPage},
    },
    cli::{
        CommandError, Settings,
        admin_client::{AdminClient, admin_request},
        output::{self, Shape, Side, Table, text_of},
    },
};
use clap::Args;
use serde_json::Value;

/// Show boxes with their stock: how many codes stand how.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill voucher list
  onetill voucher list --partner 1504 --json
  onetill voucher list --demo
      the demo's codes, which are public")]
pub struct ListArgs {
    /// Only this partner's
    #[arg(long, value_name = "NUMBER")]
    partner: Option<u32>,
    /// The codes of the demo data
    #[arg(long, conflicts_with = "partner")]
    demo: bool,
}

pub(super) async fn run(
    settings: Settings,
    whose: Whose,
    args: ListArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    if args.demo {
        return demo(settings, shape).await;
    }
    let mut client = AdminClient::new(settings)?;
    let found = all(&mut client, whose.tenant, args.partner).await;
    client.close().await;
    let found = found?;
    match shape {
        Shape::Json => output::print_json(&found.into()),
        Shape::Text => output::print(&text(&found)),
    }
}

async fn all(
    client: &mut AdminClient,
    tenant: Option<String>,
    partner: Option<u32>,
) -> Result<Vec<Value>, CommandError> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = voucher::Request::ListBoxes(BoxPage {
            tenant: tenant.clone(),
            partner,
            after,
        });
        let page = client.ask(Request::Voucher(page)).await?;
        let boxes = page.get("boxes").and_then(Value::as_array);
        all.extend(boxes.into_iter().flatten().cloned());
        after = serde_json::from_value(page.get("after").cloned().unwrap_or_default())?;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// The names of the counts, and how their columns are called.
pub(super) const COUNTS: [(&str, &str); 8] = [
    ("in_stock", "in stock"),
    ("active", "active"),
    ("used_up", "used up"),
    ("void", "void"),
    ("expired", "expired"),
    ("reserved", "reserved"),
    ("frozen", "frozen"),
    ("uses_left", "uses left"),
];

/// How codes stand, one cell a count; the first says so where a box is not finished.
pub(super) fn cells(it: &Value) -> Vec<String> {
    let counts = it.get("counts").filter(|it| !it.is_null());
    match counts {
        Some(counts) => COUNTS
            .iter()
            .map(|(name, _)| text_of(counts, name))
            .collect(),
        None => vec!["unfinished".to_owned()],
    }
}

fn text(boxes: &[Value]) -> String {
    if boxes.is_empty() {
        return "there are no boxes; make one with `onetill voucher issue`".to_owned();
    }
    let mut columns = vec![
        ("box", Side::Left),
        ("partner", Side::Right),
        ("ticket", Side::Right),
        ("cards", Side::Left),
        ("codes", Side::Right),
    ];
    columns.extend(COUNTS.map(|(_, title)| (title, Side::Right)));
    let mut table = Table::new(&columns);
    for it in boxes {
        let mut row = vec![
            text_of(it, "box"),
            text_of(it, "partner"),
            text_of(it, "ticket"),
            cards(it),
            text_of(it, "codes"),
        ];
        row.extend(cells(it));
        table.push(row);
    }
    table.render()
}

/// The card numbers of a box, such as `7020 0000041-0000060`.
pub(super) fn cards(it: &Value) -> String {
    let number = |name| it.get(name).and_then(Value::as_u64);
    match (number("first_segment"), number("codes")) {
        (Some(first), Some(codes)) => {
            let last = first + codes.saturating_sub(1);
            format!("{} {first:07}-{last:07}", text_of(it, "bin"))
        }
        (None, _) | (_, None) => "-".to_owned(),
    }
}

async fn demo(settings: Settings, shape: Shape) -> Result<(), CommandError> {
    let request = Request::Voucher(voucher::Request::ListDemoCodes);
    let codes = admin_request(settings, request).await?;
    match shape {
        Shape::Json => output::print_json(&codes),
        Shape::Text => output::print(&demo_text(&codes)),
    }
}

fn demo_text(codes: &Value) -> String {
    let mut table = Table::new(&[
        ("box", Side::Left),
        ("reel", Side::Left),
        ("code", Side::Left),
        ("status", Side::Left),
        ("uses left", Side::Right),
        ("ticket", Side::Right),
        ("card", Side::Left),
    ]);
    for it in codes.as_array().into_iter().flatten() {
        let card = it.get("segment").and_then(Value::as_u64);
        let card = card.map_or("-".to_owned(), |it_no| {
            format!("{} {it_no:07}", text_of(it, "bin"))
        });
        table.push([
            text_of(it, "box"),
            text_of(it, "reel"),
            text_of(it, "code"),
            status(&text_of(it, "status")).to_owned(),
            text_of(it, "uses_left"),
            text_of(it, "ticket"),
            card,
        ]);
    }
    table.render()
}

/// A status in words.
pub(super) fn status(name: &str) -> &str {
    match name {
        "InStock" => "in stock",
        "Active" => "active",
        "UsedUp" => "used up",
        "Void" => "void",
        "Expired" => "expired",
        "Reserved" => "reserved",
        "Frozen" => "frozen",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn boxes_are_a_table_and_unfinished_ones_say_so() {
        let boxes = [
            json!({ "box": "X1", "partner": 1504, "ticket": 500_812, "codes": 20, "bin": "7020",
                    "first_segment": 41, "counts": { "in_stock": 18, "active": 2, "used_up": 0,
                    "void": 0, "expired": 0, "reserved": 0, "frozen": 0, "uses_left": 20 } }),
            json!({ "box": "X2", "partner": 1504, "ticket": 500_811, "codes": 5,
                    "first_segment": null, "counts": null }),
        ];
        let shown = text(&boxes);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(
            lines[1].starts_with("X1      1504  500812  7020 0000041-0000060     20"),
            "{shown}"
        );
        assert!(lines[1].ends_with("20"), "{shown}");
        assert!(
            lines[2].contains("-") && lines[2].ends_with("unfinished"),
            "{shown}"
        );
    }
}
