//! `onetill terminal list` and `onetill terminal show`.

use super::NameArgs;
use crate::{
    admin::{Request, loyalty},
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        dates,
        output::{self, Shape, Side, Table, text_of},
    },
};
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Show terminals, without keys.
#[derive(Args)]
pub struct ListArgs {
    /// Only this store's
    #[arg(value_name = "STORE")]
    store_no: Option<String>,
}

pub(super) async fn run(
    settings: Settings,
    args: ListArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let zone = client.zone().clone();
    let found = all(&mut client, args.store_no).await;
    client.close().await;
    let found = found?;
    match shape {
        Shape::Json => output::print_json(&found),
        Shape::Text => output::print(&text(&found, &zone)),
    }
}

pub(super) async fn show(
    settings: Settings,
    name: &NameArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let zone = client.zone().clone();
    let found = find(&mut client, name).await;
    client.close().await;
    let found = found?;
    match shape {
        Shape::Json => output::print_json(&found),
        Shape::Text => output::print(&details(&found, &zone)),
    }
}

/// One terminal.
pub(super) async fn find(client: &mut AdminClient, name: &NameArgs) -> Result<Value, CommandError> {
    let (store_no, number) = (&name.name.store_no, &name.name.number);
    let found = all(client, Some(store_no.clone())).await?;
    let mut all = found.as_array().into_iter().flatten();
    let is_it = |it: &&Value| it.get("terminal").and_then(Value::as_str) == Some(number);
    let found = all.find(is_it).cloned();
    found.ok_or_else(|| {
        format!("there is no terminal {number} in store {store_no}; see `onetill terminal list`")
            .into()
    })
}

async fn all(client: &mut AdminClient, store: Option<String>) -> Result<Value, CommandError> {
    let request = loyalty::Request::ListTerminals { store };
    client.ask(Request::Loyalty(request)).await
}

fn text(terminals: &Value, zone: &TimeZone) -> String {
    let all = terminals.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "there are no terminals; add one with `onetill terminal add`".to_owned();
    }
    let names = [
        "terminal",
        "master key",
        "batch",
        "checked in",
        "by",
        "profile",
    ];
    let mut table = Table::new(&names.map(|name| (name, Side::Left)));
    for it in all {
        table.push([
            format!("{}/{}", text_of(it, "store"), text_of(it, "terminal")),
            text_of(it, "master_key_check"),
            batch(it),
            dates::show(it.get("checked_in_at").and_then(Value::as_i64), zone),
            text_of(it, "operator"),
            profile(it),
        ]);
    }
    table.render()
}

fn batch(terminal: &Value) -> String {
    let is_open = terminal.get("batch_is_open").and_then(Value::as_bool);
    match (terminal.get("batch").and_then(Value::as_str), is_open) {
        (Some(batch), Some(true)) => format!("{batch} open"),
        (Some(batch), _) => format!("{batch} settled"),
        (None, _) => "-".to_owned(),
    }
}

/// What is peculiar about a terminal.
fn profile(terminal: &Value) -> String {
    let of = |name: &str| terminal.get("profile").and_then(|it| it.get(name));
    let is = |name: &str, word: &str| of(name).and_then(Value::as_str) == Some(word);
    let mut words = Vec::new();
    if terminal.get("blocked").and_then(Value::as_bool) == Some(true) {
        words.push("BLOCKED");
    }
    if of("mac_required").and_then(Value::as_bool) == Some(true) {
        words.push("MAC");
    }
    if is("key_layout", "Bytes40") {
        words.push("40 bytes");
    }
    if is("time_unit", "Milliseconds") {
        words.push("ms");
    }
    words.join(", ")
}

fn details(it: &Value, zone: &TimeZone) -> String {
    let lines = [
        ("store", text_of(it, "store")),
        ("terminal", text_of(it, "terminal")),
        ("master key's check value", text_of(it, "master_key_check")),
        ("batch", batch(it)),
        (
            "checked in",
            dates::show(it.get("checked_in_at").and_then(Value::as_i64), zone),
        ),
        ("by", text_of(it, "operator")),
        ("wrong MACs in a row", text_of(it, "mac_failures")),
        ("profile", profile(it)),
    ];
    output::fields(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn terminals_are_a_table() {
        let terminals = json!([
            { "store": "88001", "terminal": "7", "master_key_check": null, "blocked": true,
              "batch": null, "batch_is_open": false, "checked_in_at": null, "operator": null,
              "profile": { "key_layout": "Bytes40", "mac_required": true,
                           "time_unit": "Seconds" } },
            { "store": "88001", "terminal": "8", "master_key_check": "AABBCCDD",
              "blocked": false, "batch": "000002", "batch_is_open": true,
              "checked_in_at": 1_795_276_800_000_i64, "operator": "001",
              "profile": { "key_layout": "Bytes24", "mac_required": false,
                           "time_unit": "Milliseconds" } },
        ]);
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let expected = "\
terminal  master key  batch        checked in        by   profile
88001/7   -           -            -                 -    BLOCKED, MAC, 40 bytes
88001/8   AABBCCDD    000002 open  2026-11-22 00:00  001  ms";
        assert_eq!(text(&terminals, &zone), expected);
        assert!(text(&json!([]), &zone).contains("terminal add"));
    }
}
