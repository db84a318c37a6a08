//! A store in memory. It loads only what a plan names, and audits all it holds after each batch.

use super::audit;
use domain::{
    command::Command,
    ids::Serial,
    job::Job,
    ledger::{Account, Posting},
    loyalty::{
        document::{Document, DocumentKey},
        rows::LoyaltyPlan,
        trans::Trans,
    },
    payment::Payment,
    refund::{Origin, Refund},
    rows::{Changes, Inconsistent, Plan, Rows},
    time::UnixMs,
    voucher::{
        code::{CodeNo, CodeRange},
        code_use::{CodeEvent, CodeUse},
        rows::{BUSY_MAX, UseSum, VoucherChanges, VoucherPlan, VoucherRows},
        span::Span,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// All that is stored, and the time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    pub now: UnixMs,
    pub documents: BTreeMap<DocumentKey, Document>,
    pub spans: BTreeMap<CodeNo, Span>,
    pub uses: BTreeMap<CodeNo, CodeUse>,
    pub events: BTreeMap<(CodeNo, u32), CodeEvent>,
    pub payments: BTreeMap<Serial, Payment>,
    pub refunds: BTreeMap<Serial, Refund>,
    pub jobs: BTreeMap<Serial, Job>,
    pub trans: BTreeMap<Serial, Trans>,
    pub postings: BTreeMap<i64, Posting>,
    pub serial: i64,
}

/// A command whose answer does not matter, so that a batch may hold several kinds.
pub trait Act: std::fmt::Debug {
    fn name_rows<'a>(&'a self, plan: &mut Plan<'a>);
    fn act(&self, rows: &mut Rows, now: UnixMs) -> Result<(), Inconsistent>;
}

impl<C: Command + std::fmt::Debug> Act for C {
    fn name_rows<'a>(&'a self, plan: &mut Plan<'a>) {
        self.plan(plan);
    }

    fn act(&self, rows: &mut Rows, now: UnixMs) -> Result<(), Inconsistent> {
        self.decide(rows, now).map(drop)
    }
}

impl World {
    /// All events of a code, oldest first: those that are recorded, and the one that its row keeps.
    pub fn events_of(&self, code_use: &CodeUse) -> Vec<CodeEvent> {
        let code = code_use.code;
        let recorded = self.events.range((code, 0)..=(code, u32::MAX));
        let recorded = recorded.map(|(_, event)| event.clone());
        recorded.chain(code_use.kept_event()).collect()
    }

    /// A serial nobody had.
    pub fn serial(&mut self) -> Serial {
        self.serial += 1;
        Serial(self.serial)
    }

    pub fn later(&mut self, s: i64) {
        self.now = self.now.plus_s(s);
    }

    /// Decides one command, alone in its batch.
    pub fn run<C: Command>(&mut self, command: &C) -> C::Reply {
        self.try_run(command)
            .expect("the rows contradict each other")
    }

    /// The same, where the rows may contradict each other.
    pub fn try_run<C: Command>(&mut self, command: &C) -> Result<C::Reply, Inconsistent> {
        let mut plan = Plan::default();
        command.plan(&mut plan);
        let (claimed, mut rows) = self.load(plan);
        let reply = command.decide(&mut rows, self.now)?;
        self.apply(claimed, rows.into_changes());
        audit::check(self);
        Ok(reply)
    }

    /// Decides commands in one batch. It ends as if each had been alone.
    pub fn batch(&mut self, acts: &[Box<dyn Act>]) {
        let mut alone = self.clone();
        for act in acts {
            alone.decide(std::slice::from_ref(act));
        }
        self.decide(acts);
        assert_eq!(*self, alone, "batched and alone differ: {acts:?}");
        audit::check(self);
    }

    /// Decides commands in one batch, which may know less than each would alone.
    pub fn together(&mut self, acts: &[Box<dyn Act>]) {
        self.decide(acts);
        audit::check(self);
    }

    fn decide(&mut self, acts: &[Box<dyn Act>]) {
        let mut plan = Plan::default();
        acts.iter().for_each(|it| it.name_rows(&mut plan));
        let (claimed, mut rows) = self.load(plan);
        for act in acts {
            act.act(&mut rows, self.now)
                .expect("the rows contradict each other");
        }
        self.apply(claimed, rows.into_changes());
    }

    /// What an account holds: received less given.
    pub fn balance(&self, account: Account) -> i64 {
        let of = |it: &Posting| {
            i64::from(it.debit == account) * it.amount - i64::from(it.credit == account) * it.amount
        };
        self.postings.values().map(of).sum()
    }

    fn load(&self, mut plan: Plan<'_>) -> (Vec<Payment>, Rows) {
        plan.normalise();
        let mut rows = Rows::default();
        let mut claimed: Vec<Payment> = Vec::new();
        for claim in &plan.claims {
            let new = claim.payment;
            let same = |it: &&Payment| (it.tenant, it.key) == (new.tenant, new.key);
            if let Some(existing) = self.payments.values().find(same) {
                rows.add_payment(existing.clone());
            } else if !claimed.iter().any(|it| same(&it)) {
                rows.add_claimed(new.serial);
                rows.add_payment(new.clone());
                claimed.push(new.clone());
            }
        }
        self.load_payments(&plan, &mut rows);
        self.load_loyalty(&plan.loyalty, &mut rows);
        let held = rows.codes_held(&plan.voucher.cards);
        self.load_vouchers(&plan.voucher, &held, &mut rows.voucher);
        (claimed, rows)
    }

    fn load_loyalty(&self, plan: &LoyaltyPlan, rows: &mut Rows) {
        let documents = plan.documents.iter();
        let documents = documents.filter_map(|it| self.documents.get(it).cloned());
        documents.for_each(|it| rows.loyalty.add_document(it.key(), it.into()));
        let wanted = |it: &&Trans| {
            let of = |place| plan.places.contains(&(it.tenant, place));
            plan.trans.contains(&(it.tenant, it.serial)) || it.place.is_some_and(of)
        };
        let trans = self.trans.values().filter(wanted).cloned();
        trans.for_each(|it| rows.loyalty.add_trans(it));
    }

    fn load_payments(&self, plan: &Plan<'_>, rows: &mut Rows) {
        for it in self.payments.values() {
            let by_serial = plan.payments.contains(&(it.tenant, it.serial));
            if by_serial || plan.payment_keys.contains(&(it.tenant, it.key)) {
                rows.add_payment(it.clone());
            }
        }
        for it in self.refunds.values() {
            let by_serial = plan.refunds.contains(&(it.tenant, it.serial));
            let by_key = match &it.origin {
                Origin::Request { key, .. } => plan.refund_keys.contains(&(it.tenant, *key)),
                Origin::Cancellation | Origin::LateSuccess => false,
            };
            if by_serial || by_key {
                rows.add_refund(it.clone());
            }
        }
        let jobs = plan.jobs.iter().filter_map(|it| self.jobs.get(&it.1));
        jobs.for_each(|it| rows.add_job(*it));
    }

    fn load_vouchers(&self, plan: &VoucherPlan, held: &[CodeNo], rows: &mut VoucherRows) {
        for range in &plan.ranges {
            self.spans_in(range)
                .for_each(|it| rows.add_span(it.clone()));
        }
        for range in &plan.busy {
            let mut busy = self.uses_in(range).filter(|it| it.is_busy());
            let first = busy.by_ref().take(BUSY_MAX as usize);
            first.for_each(|it| rows.add_use(it.clone()));
            if busy.next().is_some() {
                rows.add_crowded(*range);
            }
        }
        for range in &plan.sums {
            let sum = self
                .uses_in(range)
                .fold(UseSum::default(), |sum, it| UseSum {
                    used: sum.used + i64::from(it.used),
                    reserved: sum.reserved + i64::from(it.reserved),
                });
            rows.add_sum(*range, sum);
        }
        let codes: BTreeSet<CodeNo> = plan.codes.iter().chain(held).copied().collect();
        for code in codes {
            self.spans_in(&code.range())
                .for_each(|it| rows.add_span(it.clone()));
            self.uses_in(&code.range())
                .for_each(|it| rows.add_use(it.clone()));
        }
    }

    pub fn spans_in(&self, range: &CodeRange) -> impl Iterator<Item = &Span> {
        let spans = self.spans.values();
        spans.filter(|it| it.range.intersect(range).is_some())
    }

    fn uses_in(&self, range: &CodeRange) -> impl Iterator<Item = &CodeUse> {
        self.uses.values().filter(|it| range.contains(it.code))
    }

    fn apply(&mut self, claimed: Vec<Payment>, changes: Changes) {
        for it in claimed {
            let before = self.payments.insert(it.serial, it);
            assert_eq!(before, None, "recorded twice");
        }
        for it in changes.payments {
            assert!(self.payments.insert(it.serial, it).is_some(), "not there");
        }
        let refunds = changes.refunds.into_iter().map(|it| (it.serial, it));
        self.refunds.extend(refunds);
        let jobs = changes.jobs.into_iter().map(|it| (it.subject, it));
        self.jobs.extend(jobs);
        for (_, subject) in changes.jobs_removed {
            self.jobs.remove(&subject);
        }
        for it in changes.postings {
            let before = self.postings.insert(it.number(), it);
            assert_eq!(before, None, "posted twice");
        }
        for key in changes.loyalty.documents_removed {
            assert!(self.documents.remove(&key).is_some(), "not there");
        }
        for it in changes.loyalty.documents_added {
            assert!(self.documents.insert(it.key(), it).is_none(), "added twice");
        }
        for it in changes.loyalty.documents {
            assert!(self.documents.insert(it.key(), it).is_some(), "not there");
        }
        for it in changes.loyalty.trans_added {
            assert!(
                self.trans
                    .insert(it.serial, Arc::unwrap_or_clone(it))
                    .is_none(),
                "added twice"
            );
        }
        for it in changes.loyalty.trans {
            assert!(
                self.trans
                    .insert(it.serial, Arc::unwrap_or_clone(it))
                    .is_some(),
                "not there"
            );
        }
        self.apply_vouchers(changes.voucher);
    }

    fn apply_vouchers(&mut self, changes: VoucherChanges) {
        for first in changes.spans_removed {
            assert!(self.spans.remove(&first).is_some(), "not there");
        }
        for it in changes.spans {
            let (carton, index) = (it.range.carton, it.range.first);
            self.spans.insert(CodeNo { carton, index }, it);
        }
        for it in changes.uses_added {
            assert!(self.uses.insert(it.code, it).is_none(), "added twice");
        }
        for it in changes.uses {
            assert!(self.uses.insert(it.code, it).is_some(), "not there");
        }
        for it in changes.events {
            assert!(
                !self.uses[&it.code]
                    .kept_event()
                    .is_some_and(|kept| kept.link() == it.link())
            );
            let before = self.events.insert((it.code, it.number), it);
            assert_eq!(before, None, "happened twice");
        }
    }
}
