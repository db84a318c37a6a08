//! An operator takes an item off the list.

use crate::{
    command::Command,
    ids::{Serial, TenantId},
    loyalty::{
        document::{Document, DocumentKey},
        work_item::{WorkDone, WorkItem},
    },
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};

/// Takes an item off the list; answers what it is now, or `None` when there is none. Whoever was
/// first stays who did it.
#[derive(Clone, Debug)]
pub struct FinishWork {
    /// Whose.
    pub tenant: TenantId,
    /// The event that raised it.
    pub subject: Serial,
    /// Who does it.
    pub by: String,
    /// What was done about it.
    pub note: String,
}

impl Command for FinishWork {
    type Reply = Option<WorkItem>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::work_item(self.tenant, self.subject);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Option<WorkItem>, Inconsistent> {
        let Some(mut item) = rows.loyalty.work_item(self.tenant, self.subject).cloned() else {
            return Ok(None);
        };
        if item.done.is_none() {
            item.done = Some(WorkDone {
                by: self.by.clone(),
                at: now,
                note: self.note.clone(),
            });
            let document = Document::WorkItem(Box::new(item.clone()));
            rows.loyalty.put_document(document);
        }
        Ok(Some(item))
    }
}
