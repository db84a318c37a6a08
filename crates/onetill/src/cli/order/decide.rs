//! `onetill order approve` and `onetill order reject`.

use crate::{
    admin::{
        Request,
        orders::{OrderName, status_text},
    },
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        output::{self, Shape, text_of},
    },
};
use domain::payment::PaymentStatus;
use serde_json::Value;

pub(super) async fn run(
    settings: Settings,
    order: OrderName,
    approve: bool,
    shape: Shape,
) -> Result<(), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let decided = decide(&mut client, order, approve).await;
    client.close().await;
    super::show::print(&decided?, shape)
}

/// Without a gateway no channel can be asked: the decision is recorded all the same, and the next
/// gateway carries it out.
async fn decide(
    client: &mut AdminClient,
    order: OrderName,
    approve: bool,
) -> Result<Value, CommandError> {
    let before = client.ask(Request::ShowOrder(order.clone())).await?;
    let request = Request::DecideOrder {
        order: order.clone(),
        approve,
    };
    let error = match client.ask(request).await {
        Ok(payment) => return Ok(payment),
        Err(error) => error,
    };
    let after = client.ask(Request::ShowOrder(order)).await?;
    if !client.is_alone() || !is_waiting(&before) || is_waiting(&after) {
        return Err(error);
    }
    output::note("The decision is recorded. No gateway runs: the next one carries it out.");
    Ok(after)
}

fn is_waiting(payment: &Value) -> bool {
    text_of(payment, "status") == status_text(PaymentStatus::CancelRequested)
}
