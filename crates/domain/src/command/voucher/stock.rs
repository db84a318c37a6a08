//! New stock: a box is opened, its codes are stored, and then it is ready.

use crate::{
    command::Command,
    ids::{Serial, TenantId},
    loyalty::document::{Document, DocumentKey},
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
    voucher::{
        postings::issue,
        span::{Span, Stage},
        stock::{CUSTODY_MAX, Carton, Custody, CustodyAct},
    },
};

/// Records a box whose codes are about to be stored. Until it is finished nobody can use it.
/// Answers whether it was recorded: only where it may be issued ([`Carton::may_be_issued`]).
#[derive(Clone, Debug)]
pub struct OpenCarton {
    /// The box, not ready.
    pub carton: Carton,
}

impl Command for OpenCarton {
    type Reply = bool;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::carton(self.carton.tenant, self.carton.serial);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, _now: UnixMs) -> Result<bool, Inconsistent> {
        if !self.carton.may_be_issued() {
            return Ok(false);
        }
        let carton = Box::new(self.carton.clone());
        rows.loyalty.put_document(Document::Carton(carton));
        Ok(true)
    }
}

/// All codes of a box are stored: it comes into stock. Answers whether it was open.
#[derive(Clone, Debug)]
pub struct FinishCarton {
    /// Whose.
    pub tenant: TenantId,
    /// The box.
    pub serial: Serial,
}

impl Command for FinishCarton {
    type Reply = bool;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::carton(self.tenant, self.serial);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, _now: UnixMs) -> Result<bool, Inconsistent> {
        let carton = rows.loyalty.carton(self.tenant, self.serial);
        let Some(mut carton) = carton.filter(|it| it.is_open()).cloned() else {
            return Ok(false);
        };
        carton.ready = true;
        rows.voucher.put_span(Span {
            tenant: carton.tenant,
            range: carton.range(),
            stage: Stage::InStock,
            frozen: false,
        });
        rows.post(issue(&carton));
        rows.loyalty
            .put_document(Document::Carton(Box::new(carton)));
        Ok(true)
    }
}

/// Somebody has a box in hand. Answers whether there is such a box, ready.
#[derive(Clone, Debug)]
pub struct NoteCustody {
    /// Whose.
    pub tenant: TenantId,
    /// The box.
    pub serial: Serial,
    /// What to note.
    pub entry: Custody,
}

impl Command for NoteCustody {
    type Reply = bool;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::carton(self.tenant, self.serial);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, _now: UnixMs) -> Result<bool, Inconsistent> {
        let carton = rows.loyalty.carton(self.tenant, self.serial);
        let Some(mut carton) = carton.filter(|it| it.ready).cloned() else {
            return Ok(false);
        };
        carton.custody.push(self.entry.clone());
        let too_many = carton.custody.len().saturating_sub(CUSTODY_MAX);
        carton.custody.drain(..too_many);
        rows.loyalty
            .put_document(Document::Carton(Box::new(carton)));
        Ok(true)
    }
}

/// A box is given up before it was ready: from here on nobody can finish it, and what is stored of
/// it may be removed. Answers whether it is given up, now or before.
#[derive(Clone, Debug)]
pub struct DiscardCarton {
    /// Whose.
    pub tenant: TenantId,
    /// The box.
    pub serial: Serial,
    /// Who gives it up.
    pub by: String,
}

impl Command for DiscardCarton {
    type Reply = bool;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::carton(self.tenant, self.serial);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<bool, Inconsistent> {
        let carton = rows.loyalty.carton(self.tenant, self.serial);
        let Some(mut carton) = carton.filter(|it| !it.ready).cloned() else {
            return Ok(false);
        };
        if carton.is_open() {
            carton.custody.push(Custody {
                at: now,
                by: self.by.clone(),
                act: CustodyAct::Discarded,
            });
            rows.loyalty
                .put_document(Document::Carton(Box::new(carton)));
        }
        Ok(true)
    }
}

/// Removes the record of a box that was given up and of which nothing else is stored any more.
#[derive(Clone, Debug)]
pub struct ForgetCarton {
    /// Whose.
    pub tenant: TenantId,
    /// The box.
    pub serial: Serial,
}

impl Command for ForgetCarton {
    type Reply = ();

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::carton(self.tenant, self.serial);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, _now: UnixMs) -> Result<(), Inconsistent> {
        let carton = rows.loyalty.carton(self.tenant, self.serial);
        if carton.is_some_and(|it| !it.ready && !it.is_open()) {
            let key = DocumentKey::carton(self.tenant, self.serial);
            rows.loyalty.remove_document(key);
        }
        Ok(())
    }
}
