//! `onetill merchant list`.

use crate::{
    admin::Request,
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape, Side, Table, text_of},
    },
};
use serde_json::Value;

pub(super) async fn run(settings: Settings, shape: Shape) -> Result<(), CommandError> {
    let merchants = admin_request(settings, Request::ListMerchants).await?;
    match shape {
        Shape::Json => output::print_json(&merchants),
        Shape::Text => output::print(&text(&merchants)),
    }
}

fn text(merchants: &Value) -> String {
    let all = merchants.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "there are no merchants; add one with `onetill merchant add`".to_owned();
    }
    let names = ["code", "tenant", "name", "channels", "rules"];
    let mut table = Table::new(&names.map(|name| (name, Side::Left)));
    for merchant in all {
        let [code, tenant, name] =
            ["code", "tenant", "name"].map(|member| text_of(merchant, member));
        table.push([code, tenant, name, channels(merchant), rules(merchant)]);
    }
    table.render()
}

fn channels(merchant: &Value) -> String {
    let numbers = merchant.get("channels").and_then(Value::as_array);
    let numbers = numbers.into_iter().flatten().map(Value::to_string);
    numbers.collect::<Vec<_>>().join(",")
}

/// What is peculiar about a merchant: what is as for everyone is not mentioned.
fn rules(merchant: &Value) -> String {
    let rule = |name: &str| merchant.get("settings").and_then(|it| it.get(name));
    let is_on = |name: &str| rule(name).and_then(Value::as_bool) == Some(true);
    let mut words = Vec::new();
    if merchant.get("suspended").and_then(Value::as_bool) == Some(true) {
        words.push("SUSPENDED".to_owned());
    }
    let switches = [
        ("english", "English"),
        ("replay_identical", "replays identical requests"),
        ("cancel_paid_by_approval", "cancels by approval"),
    ];
    let on = switches.into_iter().filter(|(name, _)| is_on(name));
    words.extend(on.map(|(_, word)| word.to_owned()));
    if !is_on("require_query_sign") {
        words.push("unsigned queries".to_owned());
    }
    let limits = [
        ("signature_max_age_s", "signatures up to {} s old"),
        ("requests_per_s", "{} requests/s"),
    ];
    for (name, word) in limits {
        if let Some(limit) = rule(name).and_then(Value::as_u64) {
            words.push(word.replace("{}", &limit.to_string()));
        }
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merchants_are_a_table() {
        let merchants = json!([
            { "code": "0010000001", "tenant": "demo", "name": "演示", "channels": [1, 2],
              "suspended": false,
              "settings": { "require_query_sign": false, "requests_per_s": 5 } },
            { "code": "M2", "tenant": "t", "name": "Shop", "channels": [],
              "suspended": true, "settings": { "require_query_sign": true } },
        ]);
        let expected = "\
code        tenant  name  channels  rules
0010000001  demo    演示  1,2       unsigned queries, 5 requests/s
M2          t       Shop            SUSPENDED";
        assert_eq!(text(&merchants), expected);
    }
}
