//! `onetill terminal sms`: what the sandbox would have sent to mobile phones.

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
        .ask(Request::Loyalty(loyalty::Request::ListSms))
        .await;
    client.close().await;
    let found = found?;
    match shape {
        Shape::Json => output::print_json(&found),
        Shape::Text => output::print(&text(&found, &zone)),
    }
}

fn text(messages: &Value, zone: &TimeZone) -> String {
    let all = messages.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "no message was sent; ask for a code with `onetill call code MOBILE`".to_owned();
    }
    let columns = ["sent", "mobile", "code"].map(|name| (name, Side::Left));
    let mut table = Table::new(&columns);
    for it in all {
        table.push([
            dates::show(it.get("sent_at").and_then(Value::as_i64), zone),
            text_of(it, "mobile"),
            text_of(it, "code"),
        ]);
    }
    table.render()
}
