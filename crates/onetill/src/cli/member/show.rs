//! `onetill member show`.

use crate::{
    admin::{Request, loyalty, loyalty::cards::CardName},
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        dates,
        output::{self, Shape, Side, Table, text_of},
    },
};
use jiff::tz::TimeZone;
use serde_json::Value;

pub(super) async fn run(
    settings: Settings,
    tenant: String,
    number: String,
    shape: Shape,
) -> Result<(), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let zone = client.zone().clone();
    let request = loyalty::Request::ShowCard(CardName { tenant, number });
    let card = client.ask(Request::Loyalty(request)).await;
    client.close().await;
    let card = card?;
    match shape {
        Shape::Json => output::print_json(&card),
        Shape::Text => output::print(&text(&card, &zone)),
    }
}

fn text(card: &Value, zone: &TimeZone) -> String {
    let mut lines = vec![
        ("card", text_of(card, "card")),
        ("status", text_of(card, "status").to_lowercase()),
        ("grade", text_of(card, "grade")),
        ("PIN", pin(card).to_owned()),
        ("points", text_of(card, "points")),
        ("to be spent now", text_of(card, "points_available")),
    ];
    if let Some(expires_at) = card.get("expires_at").and_then(Value::as_i64) {
        lines.push(("ends", dates::show(Some(expires_at), zone)));
    }
    if text_of(card, "points_owed") != "0.00" {
        lines.push(("owed", text_of(card, "points_owed")));
    }
    let holder = card.get("holder").and_then(Value::as_object);
    let known = holder.into_iter().flatten();
    let known: Vec<(String, String)> = known
        .filter_map(|(name, value)| Some((name.replace('_', " "), value.as_str()?.to_owned())))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let mut all: Vec<(&str, String)> = lines;
    all.extend(
        known
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone())),
    );
    let mut parts = vec![output::fields(&all)];
    parts.extend(tickets(card, zone));
    parts.extend(codes(card));
    parts.join("\n\n")
}

fn pin(card: &Value) -> &'static str {
    let is = |name: &str| card.get(name).and_then(Value::as_bool) == Some(true);
    match (is("has_pin"), is("pin_is_locked")) {
        (false, _) => "none",
        (true, false) => "set",
        (true, true) => "LOCKED; onetill member reset-pin",
    }
}

fn tickets(card: &Value, zone: &TimeZone) -> Option<String> {
    let held = card.get("tickets").and_then(Value::as_array)?;
    if held.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        ("ticket", Side::Right),
        ("kind", Side::Left),
        ("name", Side::Left),
        ("yuan", Side::Right),
        ("pieces", Side::Right),
        ("ends", Side::Left),
    ]);
    for it in held {
        let face = it.get("face").and_then(Value::as_i64).unwrap_or(0);
        table.push([
            text_of(it, "id"),
            text_of(it, "kind").to_lowercase(),
            text_of(it, "name"),
            output::yuan(face.into()),
            text_of(it, "pieces"),
            dates::show(it.get("expires_at").and_then(Value::as_i64), zone),
        ]);
    }
    Some(table.render())
}

/// Voucher codes are told by where they lie: their texts pay.
pub(super) fn codes(card: &Value) -> Option<String> {
    let held = card.get("codes").and_then(Value::as_array)?;
    if held.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        ("ticket", Side::Right),
        ("kind", Side::Left),
        ("name", Side::Left),
        ("yuan", Side::Right),
        ("uses left", Side::Right),
        ("status", Side::Left),
        ("code", Side::Left),
    ]);
    for it in held {
        let face = it.get("face").and_then(Value::as_i64).unwrap_or(0);
        table.push([
            text_of(it, "ticket"),
            text_of(it, "kind").to_lowercase(),
            text_of(it, "name"),
            output::yuan(face.into()),
            text_of(it, "uses_left"),
            text_of(it, "status").to_lowercase(),
            format!("{} of {}", text_of(it, "index"), text_of(it, "box")),
        ]);
    }
    Some(table.render())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_card_is_shown_with_what_is_known() {
        let card = json!({
            "card": "9999999999025288", "status": "Active", "grade": 0, "has_pin": true,
            "pin_is_locked": true, "points": "1000.00", "points_available": "900.00",
            "points_owed": "0.00", "expires_at": null,
            "holder": { "name": "张三", "mobile": "", "id_no": "01" },
            "tickets": [{ "id": 1, "kind": "Voucher", "name": "v", "face": 100, "pieces": 2,
                          "expires_at": null }],
        });
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let expected = "\
card             9999999999025288
status           active
grade            0
PIN              LOCKED; onetill member reset-pin
points           1000.00
to be spent now  900.00
id no            01
name             张三

ticket  kind     name  yuan  pieces  ends
     1  voucher  v     1.00       2  -";
        assert_eq!(text(&card, &zone), expected);
    }
}
