//! Events that undid another, and events that were undone: each says which.

use super::batches::{Batches, Counted};
use crate::audit::{
    broken::Broken,
    report::{AuditReport, Rule},
};
use domain::{
    ids::{Serial, TenantId},
    loyalty::trans::{Trans, TransKind, TransState},
    time::UnixMs,
};
use std::collections::{BTreeMap, btree_map::Entry};

/// The halves of links whose other half was not seen yet, by the event that undid the other.
#[derive(Default)]
pub(super) struct Links {
    undone: BTreeMap<Serial, Undone>,
    undoing: BTreeMap<Serial, Undoing>,
}

/// What an event that was undone says.
struct Undone {
    tenant: TenantId,
    serial: Serial,
    card: Option<Serial>,
    state: TransState,
    /// What it would have counted in its batch.
    counted: Option<Counted>,
}

/// What an event that undid another says.
struct Undoing {
    tenant: TenantId,
    original: Serial,
    card: Option<Serial>,
    kind: TransKind,
    at: UnixMs,
}

impl Links {
    /// Checks both halves that `trans` may be, where the other was seen. `counted` is what it
    /// counts in its batch.
    pub fn check(
        &mut self,
        trans: &Trans,
        counted: Option<Counted>,
        broken: &mut Broken<'_>,
        batches: &mut Batches,
    ) {
        if let Some(undoing) = Undoing::of(trans) {
            match self.undone.remove(&trans.serial) {
                Some(undone) => join(&undone, &undoing, broken, batches),
                None => drop(self.undoing.insert(trans.serial, undoing)),
            }
        }
        let by = match trans.state {
            TransState::Reversed(by) | TransState::GivenBack(by) => by,
            TransState::Approved | TransState::Declined(_) | TransState::Tombstone => return,
        };
        let undone = Undone::of(trans, counted);
        if let Some(undoing) = self.undoing.remove(&by) {
            return join(&undone, &undoing, broken, batches);
        }
        match self.undone.entry(by) {
            Entry::Vacant(free) => drop(free.insert(undone)),
            Entry::Occupied(taken) => {
                let other = taken.get().serial;
                let found = || format!("undone by {by}, as is {other}");
                broken.unless(false, Rule::TransLink, found);
            }
        }
    }

    /// An event may have undone another that stands again; one that says it was undone was.
    pub fn finish(self, report: &mut AuditReport) {
        for (by, undone) in self.undone {
            let mut broken = Broken::at(report, "event", undone.serial);
            broken.unless(false, Rule::TransLink, || {
                format!("{:?}, but {by} is not there or undid another", undone.state)
            });
        }
    }
}

impl Undoing {
    /// `None` for an event that undid nothing.
    fn of(trans: &Trans) -> Option<Self> {
        match trans.state {
            TransState::Approved | TransState::Reversed(_) | TransState::GivenBack(_) => {}
            TransState::Declined(_) | TransState::Tombstone => return None,
        }
        Some(Self {
            tenant: trans.tenant,
            original: trans.original?,
            card: trans.card_account,
            kind: trans.kind,
            at: trans.at,
        })
    }
}

impl Undone {
    const fn of(trans: &Trans, counted: Option<Counted>) -> Self {
        Self {
            tenant: trans.tenant,
            serial: trans.serial,
            card: trans.card_account,
            state: trans.state,
            counted,
        }
    }

    fn agrees_with(&self, undoing: &Undoing) -> bool {
        let is_kind = match self.state {
            TransState::Reversed(_) => undoing.kind == TransKind::Reversal,
            TransState::GivenBack(_) => matches!(
                undoing.kind,
                TransKind::Cancel | TransKind::Refund | TransKind::RefundCancel
            ),
            TransState::Approved | TransState::Declined(_) | TransState::Tombstone => false,
        };
        is_kind
            && self.tenant == undoing.tenant
            && self.card == undoing.card
            && self.serial == undoing.original
    }
}

fn join(undone: &Undone, undoing: &Undoing, broken: &mut Broken<'_>, batches: &mut Batches) {
    broken.unless(undone.agrees_with(undoing), Rule::TransLink, || {
        let Undoing { kind, original, .. } = undoing;
        let Undone { serial, state, .. } = undone;
        format!("{serial} is {state:?}, by a {kind:?} of {original}, perhaps on another card")
    });
    if let (TransState::Reversed(_), Some(counted)) = (undone.state, undone.counted) {
        batches.reversed(counted, undoing.at);
    }
}
