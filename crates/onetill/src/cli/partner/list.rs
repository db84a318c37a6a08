//! `onetill partner list` and `onetill partner show`.

use crate::{
    admin::{Request, voucher},
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
    let request = Request::Voucher(voucher::Request::ListPartners);
    let found = client.ask(request).await;
    client.close().await;
    let found = found?;
    match shape {
        Shape::Json => output::print_json(&found),
        Shape::Text => output::print(&text(&found)),
    }
}

pub(super) async fn show(
    settings: Settings,
    number: u32,
    shape: Shape,
) -> Result<(), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let zone = client.zone().clone();
    let request = Request::Voucher(voucher::Request::ShowPartner { number });
    let found = client.ask(request).await;
    client.close().await;
    let found = found?;
    match shape {
        Shape::Json => output::print_json(&found),
        Shape::Text => output::print(&details(&found, &zone)),
    }
}

fn text(partners: &Value) -> String {
    let all = partners.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "there are no partners; add one with `onetill partner add`".to_owned();
    }
    let mut table = Table::new(&[
        ("partner", Side::Right),
        ("retailer", Side::Left),
        ("merchant id", Side::Left),
        ("name", Side::Left),
        ("tokens", Side::Right),
        ("keys", Side::Right),
        ("known by", Side::Left),
        ("rules", Side::Left),
    ]);
    for it in all {
        table.push([
            text_of(it, "partner"),
            text_of(it, "tenant"),
            text_of(it, "merchant_id"),
            text_of(it, "name"),
            count(it, "tokens").to_string(),
            count(it, "keys").to_string(),
            listed(it, "networks"),
            rules(it),
        ]);
    }
    table.render()
}

fn count(partner: &Value, name: &str) -> usize {
    let list = partner.get(name).and_then(Value::as_array);
    list.map_or(0, Vec::len)
}

fn listed(partner: &Value, name: &str) -> String {
    let list = partner.get(name).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.collect::<Vec<_>>().join(" ")
}

/// What is peculiar about a partner.
fn rules(partner: &Value) -> String {
    let settings = partner.get("settings").unwrap_or(&Value::Null);
    let is = |of: &Value, name: &str| of.get(name).and_then(Value::as_bool) == Some(true);
    let mut words = Vec::new();
    if is(partner, "blocked") {
        words.push("BLOCKED".to_owned());
    }
    for (name, word) in [
        ("skip_signature", "skip"),
        ("dated_trace_no", "dated"),
        ("check_number", "number checked"),
        ("english", "English"),
    ] {
        if is(settings, name) {
            words.push(word.to_owned());
        }
    }
    for (name, unit) in [
        ("codes_per_day", "codes/day"),
        ("requests_per_s", "requests/s"),
    ] {
        if let Some(limit) = settings.get(name).and_then(Value::as_i64) {
            words.push(format!("{limit} {unit}"));
        }
    }
    words.join(", ")
}

fn details(it: &Value, zone: &TimeZone) -> String {
    let lines = [
        ("partner", text_of(it, "partner")),
        ("retailer", text_of(it, "tenant")),
        ("merchant id", text_of(it, "merchant_id")),
        ("name", text_of(it, "name")),
        ("tokens", ends(it, "tokens", zone)),
        ("keys", ends(it, "keys", zone)),
        ("replies signed", yes(it, "has_reply_key")),
        ("known by", listed(it, "networks")),
        ("rules", rules(it)),
        ("activated today", text_of(it, "activated_today")),
    ];
    let history = it.get("history").and_then(Value::as_array);
    let mut table = Table::new(&["when", "who", "what"].map(|name| (name, Side::Left)));
    for entry in history.into_iter().flatten() {
        let at = entry.get("at").and_then(Value::as_i64);
        table.push([
            dates::show(at, zone),
            text_of(entry, "by"),
            text_of(entry, "what"),
        ]);
    }
    format!("{}\n\n{}", output::fields(&lines), table.render())
}

fn yes(it: &Value, name: &str) -> String {
    let is = it.get(name).and_then(Value::as_bool) == Some(true);
    if is { "yes" } else { "no" }.to_owned()
}

/// Tokens or keys, with when they stop being good.
fn ends(it: &Value, name: &str, zone: &TimeZone) -> String {
    let list = it.get(name).and_then(Value::as_array);
    let shown = list.into_iter().flatten().map(|it| {
        let key = it.get("key").and_then(Value::as_str).unwrap_or("one");
        match it.get("until").and_then(Value::as_i64) {
            Some(until) => format!("{key} until {}", dates::show(Some(until), zone)),
            None => key.to_owned(),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn partners_are_a_table() {
        let partner = json!({
            "partner": 1504, "tenant": "demo", "merchant_id": "10001", "name": "礼品店",
            "blocked": true, "tokens": [{ "until": null }], "keys": [],
            "networks": ["10.1.0.0/16"],
            "settings": { "skip_signature": true, "codes_per_day": 100, "requests_per_s": null },
            "history": [{ "at": 1_795_276_800_000_i64, "by": "li", "what": "added" }],
        });
        let all = json!([partner]);
        let expected = "\
partner  retailer  merchant id  name    tokens  keys  known by     rules
   1504  demo      10001        礼品店       1     0  10.1.0.0/16  BLOCKED, skip, 100 codes/day";
        assert_eq!(text(&all), expected);
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let shown = details(&partner, &zone);
        assert!(shown.ends_with("2026-11-22 00:00  li   added"), "{shown}");
        assert!(text(&json!([])).contains("partner add"));
    }
}
