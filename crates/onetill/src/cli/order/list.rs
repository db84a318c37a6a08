//! `onetill order list`.

use crate::{
    admin::{Request, orders::OrderFilter},
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape, Side, Table, text_of},
    },
};
use clap::Args;
use serde_json::Value;

/// Show payments, newest first.
#[derive(Args)]
pub struct ListArgs {
    /// Only this merchant's
    #[arg(long, value_name = "CODE")]
    merchant: Option<String>,
    /// Only those that are open or wait for an operator
    #[arg(long)]
    undecided: bool,
    /// Only those whose cancellation waits for an operator
    #[arg(long)]
    cancel_requested: bool,
    /// At most this many, up to 1000
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Only older ones than this gateway serial
    #[arg(long, value_name = "SERIAL")]
    before: Option<String>,
}

pub(super) async fn run(
    settings: Settings,
    args: ListArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let limit = args.limit as usize;
    let filter = OrderFilter {
        merchant: args.merchant,
        undecided: args.undecided,
        cancel_requested: args.cancel_requested,
        limit: Some(args.limit),
        before: args.before,
    };
    let payments = admin_request(settings, Request::ListOrders(filter)).await?;
    match shape {
        Shape::Json => output::print_json(&payments),
        Shape::Text => output::print(&text(&payments, limit)),
    }
}

const COLUMNS: [(&str, &str, Side); 8] = [
    ("gateway serial", "gateway_serial", Side::Left),
    ("merchant", "merchant", Side::Left),
    ("merchant serial", "merchant_serial", Side::Left),
    ("status", "status", Side::Left),
    ("yuan", "amount_yuan", Side::Right),
    ("refunded", "refunded_yuan", Side::Right),
    ("channel", "channel", Side::Right),
    ("created", "created_at", Side::Left),
];

fn text(payments: &Value, limit: usize) -> String {
    let all = payments.as_array().map_or(&[][..], Vec::as_slice);
    let Some(last) = all.last() else {
        return "there are no such payments".to_owned();
    };
    let mut table = Table::new(&COLUMNS.map(|(title, _, side)| (title, side)));
    for payment in all {
        table.push(COLUMNS.map(|(_, member, _)| text_of(payment, member)));
    }
    let shown = table.render();
    if all.len() < limit {
        return shown;
    }
    let serial = text_of(last, "gateway_serial");
    format!("{shown}\nthere may be older ones: --before {serial}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_full_page_says_how_to_go_on() {
        let payments = json!([{ "gateway_serial": "20261122000000000742", "merchant": "M1",
            "merchant_serial": "S1", "status": "paid", "amount_yuan": "10.00", "channel": 2,
            "refunded_yuan": null, "created_at": "2026-11-22 08:00:00" }]);
        let expected = "\
gateway serial        merchant  merchant serial  status   yuan  refunded  channel  created
20261122000000000742  M1        S1               paid    10.00         -        2  2026-11-22 08:00:00";
        assert_eq!(text(&payments, 2), expected);
        assert!(text(&payments, 1).ends_with("--before 20261122000000000742"));
        assert_eq!(text(&json!([]), 1), "there are no such payments");
    }
}
