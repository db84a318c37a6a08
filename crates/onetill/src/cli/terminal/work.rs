//! `onetill terminal work`: what waits for an operator's eyes.

use crate::{
    admin::{Request, loyalty},
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        dates,
        output::{self, Shape, Side, Table, text_of},
    },
};
use jiff::tz::TimeZone;
use serde_json::Value;

pub(super) async fn run(settings: Settings, shape: Shape) -> Result<(), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let zone = client.zone().clone();
    let found = client
        .ask(Request::Loyalty(loyalty::Request::ListWork))
        .await;
    client.close().await;
    let found = found?;
    match shape {
        Shape::Json => output::print_json(&found),
        Shape::Text => output::print(&text(&found, &zone)),
    }
}

fn text(items: &Value, zone: &TimeZone) -> String {
    let all = items.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "nothing waits for an operator".to_owned();
    }
    let columns = ["at", "tenant", "terminal", "batch", "matter"];
    let mut table = Table::new(&columns.map(|name| (name, Side::Left)));
    for it in all {
        let differing = it.get("differing").and_then(Value::as_i64);
        let number = it.get("number").and_then(Value::as_str);
        let more = match (differing, number) {
            (Some(count), _) => format!(": {count} messages"),
            (None, Some(number)) => format!(": {number}"),
            (None, None) => String::new(),
        };
        table.push([
            dates::show(it.get("at").and_then(Value::as_i64), zone),
            text_of(it, "tenant"),
            text_of(it, "terminal"),
            text_of(it, "batch"),
            format!("{}{more}", text_of(it, "matter")),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn matters_are_a_table() {
        let items = json!([{ "tenant": "demo", "transaction": "1", "at": 1_795_276_800_000_i64,
            "terminal": 2, "matter": "settled with differences", "batch": "000004",
            "differing": 1 }]);
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let expected = "\
at                tenant  terminal  batch   matter
2026-11-22 00:00  demo    2         000004  settled with differences: 1 messages";
        assert_eq!(text(&items, &zone), expected);
    }
}
