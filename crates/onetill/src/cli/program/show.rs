//! `onetill program show` and `onetill program history`.

use super::{Whose, hundredths};
use crate::{
    admin::{Request, loyalty},
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        dates,
        output::{self, Shape, Side, Table, text_of},
    },
};
use domain::loyalty::program::Rules;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

pub(super) async fn run(
    settings: Settings,
    whose: Whose,
    shape: Shape,
) -> Result<(), CommandError> {
    let (shown, zone) = ask(settings, whose).await?;
    let rules = shown.get("rules").ok_or("the gateway's answer is odd")?;
    match shape {
        Shape::Json => output::print_json(rules),
        Shape::Text => output::print(&text(rules, &zone)),
    }
}

pub(super) async fn history(
    settings: Settings,
    whose: Whose,
    shape: Shape,
) -> Result<(), CommandError> {
    let (shown, zone) = ask(settings, whose).await?;
    let versions = shown.get("versions").ok_or("the gateway's answer is odd")?;
    match shape {
        Shape::Json => output::print_json(versions),
        Shape::Text => output::print(&versions_text(versions, &zone)),
    }
}

async fn ask(settings: Settings, whose: Whose) -> Result<(Value, TimeZone), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let zone = client.zone().clone();
    let request = loyalty::Request::ShowProgram {
        tenant: whose.tenant,
    };
    let shown = client.ask(Request::Loyalty(request)).await;
    client.close().await;
    Ok((shown?, zone))
}

/// Rules that are hundredths.
const HUNDREDTHS: [&str; 8] = [
    "earn_rate",
    "grade_multipliers",
    "grade_from",
    "points_per_day",
    "points_per_trans",
    "points",
    "cash_min",
    "Multiplier",
];

fn text(rules: &Value, zone: &TimeZone) -> String {
    let members = rules.as_object().into_iter().flatten();
    let lines: Vec<(String, String)> = members
        .filter(|(name, _)| *name != "campaigns")
        .map(|(name, value)| (name.replace('_', " "), shown(name, value)))
        .collect();
    let mut parts = vec![output::fields(&lines)];
    parts.extend(campaigns(rules, zone));
    parts.join("\n\n")
}

/// A rule for people.
fn shown(name: &str, value: &Value) -> String {
    let is_hundredths = HUNDREDTHS.contains(&name);
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(_) if is_hundredths => hundredths::show(Some(value)),
        Value::Array(all) if all.is_empty() => "none".to_owned(),
        Value::Array(all) => {
            let all = all.iter().map(|it| shown(name, it));
            all.collect::<Vec<_>>().join(", ")
        }
        Value::Object(members) => {
            let set = members.iter().filter(|(_, value)| !value.is_null());
            let set = set
                .map(|(name, value)| format!("{} {}", name.replace('_', " "), shown(name, value)));
            let set: Vec<_> = set.collect();
            if set.is_empty() {
                "none".to_owned()
            } else {
                set.join(", ")
            }
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn campaigns(rules: &Value, zone: &TimeZone) -> Option<String> {
    let all = rules.get("campaigns").and_then(Value::as_array)?;
    if all.is_empty() {
        return None;
    }
    let columns = [
        "campaign",
        "from",
        "until",
        "stores",
        "gift",
        "advertisement",
    ];
    let mut table = Table::new(&columns.map(|name| (name, Side::Left)));
    for it in all {
        let at = |name: &str| dates::show(it.get(name).and_then(Value::as_i64), zone);
        let stores = it
            .get("stores")
            .map_or_else(String::new, |it| shown("stores", it));
        table.push([
            text_of(it, "name"),
            at("from"),
            at("until"),
            if stores == "none" {
                "all".to_owned()
            } else {
                stores
            },
            it.get("gift")
                .map_or_else(String::new, |it| shown("gift", it))
                .to_lowercase(),
            text_of(it, "advertisement"),
        ]);
    }
    Some(table.render())
}

fn versions_text(versions: &Value, zone: &TimeZone) -> String {
    let all = versions.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "the program is as it was delivered; nobody has changed it".to_owned();
    }
    let mut table = Table::new(&[
        ("version", Side::Right),
        ("at", Side::Left),
        ("by", Side::Left),
        ("changed", Side::Left),
    ]);
    for (index, it) in all.iter().enumerate() {
        let before = all.get(index + 1);
        table.push([
            text_of(it, "version"),
            dates::show(it.get("at").and_then(Value::as_i64), zone),
            text_of(it, "by"),
            changed(it, before),
        ]);
    }
    table.render()
}

/// Which rules a version changed, from what to what. The first one changed those that programs are
/// delivered with.
fn changed(version: &Value, before: Option<&Value>) -> String {
    let rules = |it: &Value| it.get("rules").and_then(Value::as_object).cloned();
    let then = match before {
        Some(before) => rules(before),
        None if is_first(version) => delivered(),
        None => return "the version before it is not shown".to_owned(),
    };
    let (now, then) = (rules(version).unwrap_or_default(), then.unwrap_or_default());
    let differing = now
        .iter()
        .filter(|(name, value)| then.get(*name) != Some(*value));
    let texts = differing.map(|(name, value)| {
        let before = then.get(name).unwrap_or(&Value::Null);
        match name.as_str() {
            "campaigns" => campaigns_changed(before, value),
            _ => {
                let [before, value] = [before, value].map(|it| shown(name, it));
                format!("{} {before} \u{2192} {value}", name.replace('_', " "))
            }
        }
    });
    let texts: Vec<_> = texts.collect();
    if texts.is_empty() {
        return "nothing".to_owned();
    }
    texts.join("; ")
}

fn is_first(version: &Value) -> bool {
    version.get("version").and_then(Value::as_i64) == Some(1)
}

/// The rules before anybody changed any.
fn delivered() -> Option<Map<String, Value>> {
    let rules = serde_json::to_value(Rules::default()).ok()?;
    rules.as_object().cloned()
}

/// What became of campaigns, by their names.
fn campaigns_changed(before: &Value, now: &Value) -> String {
    let all = |it: &Value| it.as_array().cloned().unwrap_or_default();
    let (before, now) = (all(before), all(now));
    let named = |all: &[Value], it: &Value| {
        let same = all.iter().find(|other| other.get("name") == it.get("name"));
        same.cloned()
    };
    let added_or_changed = now.iter().filter_map(|it| {
        let what = match named(&before, it) {
            None => "added",
            Some(same) if same != *it => "changed",
            Some(_) => return None,
        };
        Some(format!("campaign {} {what}", text_of(it, "name")))
    });
    let taken_out = before.iter().filter(|it| named(&now, it).is_none());
    let taken_out = taken_out.map(|it| format!("campaign {} taken out", text_of(it, "name")));
    added_or_changed
        .chain(taken_out)
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_are_shown_as_people_write_them() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let mut rules = serde_json::to_value(Rules::default()).unwrap();
        rules["card_limits"]["points_per_day"] = json!(500_000);
        rules["campaigns"] = json!([{ "name": "Double", "from": 1_795_276_800_000_i64,
            "until": 1_795_363_200_000_i64, "stores": [], "gift": { "Multiplier": 200 },
            "advertisement": "双倍" }]);
        let text = text(&rules, &zone);
        assert!(
            text.contains("grade multipliers  1, 1.2, 1.5, 2\n"),
            "{text}"
        );
        assert!(
            text.contains("card limits        points per day 5000\n"),
            "{text}"
        );
        assert!(text.contains("terminal limits    none\n"), "{text}");
        let row = "Double    2026-11-22 00:00  2026-11-23 00:00  all     multiplier 2  双倍";
        assert!(text.ends_with(row), "{text}");
    }

    #[test]
    fn a_version_tells_what_it_changed() {
        let campaign = |name: &str, until: i64| json!({ "name": name, "until": until });
        let rules = |earn_rate: i64, campaigns: Value| {
            let mut rules = serde_json::to_value(Rules::default()).unwrap();
            rules["earn_rate"] = earn_rate.into();
            rules["campaigns"] = campaigns;
            rules
        };
        let version = |version: i64, by: &str, rules: Value| json!({ "version": version, "at": 1_795_276_800_000_i64, "by": by, "rules": rules });
        let versions = json!([
            version(4, "Li", rules(150, json!([]))),
            version(
                3,
                "Li",
                rules(150, json!([campaign("a", 2), campaign("b", 1)]))
            ),
            version(2, "Li", rules(150, json!([campaign("a", 1)]))),
            version(1, "demo", rules(100, json!([campaign("a", 1)]))),
        ]);
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let expected = "\
version  at                by    changed
      4  2026-11-22 00:00  Li    campaign a taken out; campaign b taken out
      3  2026-11-22 00:00  Li    campaign a changed; campaign b added
      2  2026-11-22 00:00  Li    earn rate 1 \u{2192} 1.5
      1  2026-11-22 00:00  demo  campaign a added";
        assert_eq!(versions_text(&versions, &zone), expected);
        let as_delivered = json!([version(1, "demo", rules(100, json!([])))]);
        assert!(versions_text(&as_delivered, &zone).ends_with("demo  nothing"));
        let cut = json!([version(101, "Li", rules(100, json!([])))]);
        assert!(versions_text(&cut, &zone).ends_with("is not shown"));
    }
}
