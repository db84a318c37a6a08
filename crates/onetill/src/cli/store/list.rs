//! `onetill store list`.

use crate::{
    admin::{Request, loyalty},
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape, Side, Table, text_of},
    },
};
use serde_json::Value;

pub(super) async fn run(settings: Settings, shape: Shape) -> Result<(), CommandError> {
    let request = Request::Loyalty(loyalty::Request::ListStores);
    let stores = admin_request(settings, request).await?;
    match shape {
        Shape::Json => output::print_json(&stores),
        Shape::Text => output::print(&text(&stores)),
    }
}

fn text(stores: &Value) -> String {
    let all = stores.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "there are no stores; add one with `onetill store add`".to_owned();
    }
    let names = ["store", "tenant", "name", "networks", "certificates"];
    let mut table = Table::new(&names.map(|name| (name, Side::Left)));
    for store in all {
        let [number, tenant, name] = ["store", "tenant", "name"].map(|it| text_of(store, it));
        let networks = texts(store, "networks").join(" ");
        // Their beginnings tell them apart; --json shows them whole.
        let certificates = texts(store, "certificates");
        let certificates = certificates.iter().filter_map(|it| it.get(..16));
        let certificates = certificates.collect::<Vec<_>>().join(" ");
        table.push([number, tenant, name, networks, certificates]);
    }
    table.render()
}

fn texts<'a>(store: &'a Value, member: &str) -> Vec<&'a str> {
    let list = store.get(member).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn stores_are_a_table() {
        let stores = json!([
            { "store": "102100099990001", "tenant": "demo", "name": "演示门店",
              "networks": ["10.1.0.0/16", "::1"],
              "certificates": ["00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"] },
        ]);
        let expected = "\
store            tenant  name      networks         certificates
102100099990001  demo    演示门店  10.1.0.0/16 ::1  0011223344556677";
        assert_eq!(text(&stores), expected);
        assert!(text(&json!([])).contains("store add"));
    }
}
