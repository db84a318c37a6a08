//! `onetill order show`.

use crate::{
    admin::{Request, orders::OrderName},
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape, Side, Table, text_of},
    },
};
use serde_json::Value;
use wire::opengateway::{ChannelType, code::Locale};

pub(super) async fn run(
    settings: Settings,
    name: OrderName,
    shape: Shape,
) -> Result<(), CommandError> {
    let payment = admin_request(settings, Request::ShowOrder(name)).await?;
    print(&payment, shape)
}

/// Prints a payment.
pub(super) fn print(payment: &Value, shape: Shape) -> Result<(), CommandError> {
    match shape {
        Shape::Json => output::print_json(payment),
        Shape::Text => output::print(&text(payment)),
    }
}

const FIELDS: [(&str, &str); 13] = [
    ("gateway serial", "gateway_serial"),
    ("merchant", "merchant"),
    ("merchant serial", "merchant_serial"),
    ("status", "status"),
    ("amount", "amount_yuan"),
    ("refunded", "refunded_yuan"),
    ("being refunded", "refunding_yuan"),
    ("channel serial", "channel_serial"),
    ("subject", "subject"),
    ("operator", "operator"),
    ("device", "device"),
    ("created", "created_at"),
    ("settled", "settled_at"),
];

fn text(payment: &Value) -> String {
    let known = FIELDS.iter().filter(|(_, member)| has(payment, member));
    let mut lines: Vec<_> = known
        .map(|(title, member)| (*title, text_of(payment, member)))
        .collect();
    lines.extend(channel(payment).map(|channel| ("channel", channel)));
    let notification = payment.get("notification").filter(|it| !it.is_null());
    lines.extend(notification.map(|it| ("notification", notification_text(it))));
    lines.extend(contradictions(payment).map(|it| ("contradiction", it)));
    let refunds = payment.get("refunds").and_then(Value::as_array);
    match refunds.filter(|refunds| !refunds.is_empty()) {
        None => output::fields(&lines),
        Some(refunds) => format!("{}\n\n{}", output::fields(&lines), refunds_text(refunds)),
    }
}

fn has(payment: &Value, member: &str) -> bool {
    payment.get(member).is_some_and(|it| !it.is_null())
}

fn channel(payment: &Value) -> Option<String> {
    let number = payment.get("channel")?.as_u64()?;
    let known = u16::try_from(number).ok().and_then(ChannelType::from_code);
    let name = known.map_or("unknown", |it| it.name(Locale::En));
    Some(format!("{number} ({name})"))
}

/// What the channel said against the books, each in one line.
fn contradictions(payment: &Value) -> impl Iterator<Item = String> {
    let notes = payment.get("contradictions").and_then(Value::as_array);
    let text = |note: &Value| {
        let (said, at) = (text_of(note, "said"), text_of(note, "at"));
        format!("the channel told at {at}: {said}")
    };
    notes.into_iter().flatten().map(text)
}

/// A notification in one line.
pub(super) fn notification_text(notification: &Value) -> String {
    format!(
        "{} at {}, attempts so far: {}",
        text_of(notification, "state"),
        text_of(notification, "at"),
        text_of(notification, "attempts")
    )
}

fn refunds_text(refunds: &[Value]) -> String {
    const COLUMNS: [(&str, &str, Side); 6] = [
        ("refund", "gateway_serial", Side::Left),
        ("number", "merchant_serial", Side::Left),
        ("origin", "origin", Side::Left),
        ("yuan", "amount_yuan", Side::Right),
        ("state", "state", Side::Left),
        ("created", "created_at", Side::Left),
    ];
    let mut table = Table::new(&COLUMNS.map(|(title, _, side)| (title, side)));
    for refund in refunds {
        table.push(COLUMNS.map(|(_, member, _)| text_of(refund, member)));
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_known_is_left_out() {
        let payment = json!({ "gateway_serial": "20261122000000000742", "status": "paid",
            "channel": 2, "settled_at": null, "notification": { "state": "dead",
            "at": "2026-11-22 08:00:00", "attempts": 30 }, "contradictions": [{
            "at": "2026-11-22 09:00:00", "said": "never charged" }], "refunds": [{ "gateway_serial": "1",
            "merchant_serial": null, "origin": "cancellation", "amount_yuan": "1.00",
            "state": "done", "created_at": "now" }] });
        let expected = "\
gateway serial  20261122000000000742
status          paid
channel         2 (WeChat Pay)
notification    dead at 2026-11-22 08:00:00, attempts so far: 30
contradiction   the channel told at 2026-11-22 09:00:00: never charged

refund  number  origin        yuan  state  created
1       -       cancellation  1.00  done   now";
        assert_eq!(text(&payment), expected);
    }
}
