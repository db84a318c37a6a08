//! What waits for an operator's eyes, and the text messages of the sandbox.

use super::{AdminError, name_of, tenant_names};
use crate::app::{Gateway, loyalty::documents};
use domain::loyalty::{
    document::DocumentKind,
    work_item::{Matter, WorkItem},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// How many items are shown.
const SHOWN_MAX: u32 = 500;

/// What waits.
///
/// # Errors
/// When the store failed.
pub async fn list(gateway: &Arc<Gateway>) -> Result<Value, AdminError> {
    let tenants = tenant_names(gateway).await?;
    let kind = DocumentKind::WorkItem;
    let found = gateway
        .reader
        .documents(kind, None, None, SHOWN_MAX)
        .await?;
    let items = found.into_iter().filter_map(documents::work_item);
    Ok(items
        .map(|it| show(&it, name_of(&tenants, it.tenant)))
        .collect())
}

fn show(item: &WorkItem, tenant: &str) -> Value {
    let mut shown = json!({
        "tenant": tenant,
        "transaction": item.subject.to_string(),
        "at": item.at,
        "terminal": item.terminal,
    });
    let matter = match &item.matter {
        Matter::ReversedAfterSettlement { batch, number } => json!({
            "matter": "reversed after settlement",
            "batch": batch.to_string(),
            "number": number.to_string(),
        }),
        Matter::SettledWithDifferences { batch, differing } => json!({
            "matter": "settled with differences",
            "batch": batch.to_string(),
            "differing": differing,
        }),
    };
    if let (Value::Object(shown), Value::Object(matter)) = (&mut shown, matter) {
        shown.extend(matter);
    }
    shown
}

/// The text messages that the sandbox sent last, newest first, with their codes.
///
/// # Errors
/// When messages are not sent by the sandbox.
pub fn messages(gateway: &Arc<Gateway>) -> Result<Value, AdminError> {
    let messages = gateway.loyalty.codes.sandbox_messages();
    let messages = messages.ok_or_else(|| {
        AdminError::new("text messages are not sent by the sandbox; see `onetill serve --sandbox`")
    })?;
    serde_json::to_value(messages).map_err(|error| AdminError::new(error.to_string()))
}
