//! What waits for an operator's eyes, and the text messages of the sandbox.

use super::{AdminError, name_of, tenant_names, terminals};
use crate::app::{Gateway, loyalty::documents};
use domain::{
    command::loyalty::FinishWork,
    ids::{Serial, TenantId},
    loyalty::{
        document::{Document, DocumentKey, DocumentKind},
        work_item::{Matter, WorkItem},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// How many items are shown.
const SHOWN_MAX: usize = 500;
/// How many rows one question to the store brings at most.
const PAGE_ROWS: u32 = 500;
/// Most characters of who did it, and of what was done.
const TEXT_CHARS_MAX: usize = 200;

/// Which items are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Those that wait.
    Waiting,
    /// Those that were taken off the list.
    Done,
}

/// Items that were looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finished {
    /// The transactions that raised them.
    pub transactions: Vec<String>,
    /// Who looked at them.
    pub by: String,
    /// What was done about it.
    pub note: String,
}

/// What waits, or was done, the oldest first.
///
/// # Errors
/// When the store failed.
pub async fn list(gateway: &Arc<Gateway>, listed: Listed) -> Result<Value, AdminError> {
    let tenants = tenant_names(gateway).await?;
    let wanted = |it: &WorkItem| it.done.is_some() == (listed == Listed::Done);
    let mut shown = Vec::new();
    for item in items(gateway, wanted, SHOWN_MAX).await? {
        shown.push(show(gateway, &tenants, &item).await?);
    }
    Ok(Value::Array(shown))
}

/// The items that are wanted, at most `limit`.
async fn items(
    gateway: &Gateway,
    is_wanted: impl Fn(&WorkItem) -> bool,
    limit: usize,
) -> Result<Vec<WorkItem>, AdminError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let kind = DocumentKind::WorkItem;
        let page = gateway.reader.documents(kind, None, after, PAGE_ROWS);
        let page = page.await?;
        let Some(last) = page.last().map(Document::key) else {
            return Ok(found);
        };
        let page = page.into_iter().filter_map(documents::work_item);
        found.extend(page.filter(&is_wanted).take(limit - found.len()));
        if found.len() == limit {
            return Ok(found);
        }
        after = Some((last.tenant, last.key));
    }
}

/// Takes items off the list; answers what each is now. All are looked for before the first is taken
/// off.
///
/// # Errors
/// When there is no such item, or a value does not do.
pub async fn finish(gateway: &Arc<Gateway>, finished: Finished) -> Result<Value, AdminError> {
    let is_short = |text: &str| text.chars().count() <= TEXT_CHARS_MAX;
    if finished.by.is_empty() || !is_short(&finished.by) || !is_short(&finished.note) {
        let text = format!("say who did it, in at most {TEXT_CHARS_MAX} characters, as the note");
        return Err(AdminError::new(text));
    }
    let mut named = Vec::new();
    for transaction in &finished.transactions {
        named.push(find(gateway, transaction).await?);
    }
    let tenants = tenant_names(gateway).await?;
    let mut shown = Vec::new();
    for item in named {
        let finish = FinishWork {
            tenant: item.tenant,
            subject: item.subject,
            by: finished.by.clone(),
            note: finished.note.clone(),
        };
        let now = gateway.run(finish).await?.unwrap_or(item);
        shown.push(show(gateway, &tenants, &now).await?);
    }
    Ok(Value::Array(shown))
}

/// The item that a transaction raised, whoever's it is: serials are unique over all tenants.
async fn find(gateway: &Gateway, transaction: &str) -> Result<WorkItem, AdminError> {
    let missing = || {
        let text = format!("there is no item {transaction}; see `onetill terminal work`");
        AdminError::new(text)
    };
    let subject = Serial::parse(transaction).ok_or_else(missing)?;
    for tenant in gateway.reader.tenants().await? {
        let key = DocumentKey::work_item(tenant.id, subject);
        let found = gateway.reader.document(key).await?;
        if let Some(item) = found.and_then(documents::work_item) {
            return Ok(item);
        }
    }
    Err(missing())
}

async fn show(
    gateway: &Gateway,
    tenants: &[(TenantId, String)],
    item: &WorkItem,
) -> Result<Value, AdminError> {
    let terminal = terminals::name_of_index(gateway, item.tenant, item.terminal).await?;
    let mut shown = json!({
        "tenant": name_of(tenants, item.tenant),
        "transaction": item.subject.to_string(),
        "at": item.at,
        "terminal": terminal,
        "done": item.done,
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
    Ok(shown)
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
