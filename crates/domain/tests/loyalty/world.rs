//! A store in memory. It loads only what a plan names, and audits all it holds after each batch.

use super::{ask::Ask, audit};
use domain::{
    command::{
        Command,
        loyalty::{Answer, Missing},
    },
    ids::{Serial, TenantId},
    ledger::{Account, Posting},
    loyalty::{
        document::{Document, DocumentKey},
        trans::{Place, Trans, TransNo},
    },
    rows::{Changes, Plan, Rows},
    time::UnixMs,
};
use std::{collections::BTreeMap, sync::Arc};

/// All that is stored, and the time.
#[derive(Default, Clone)]
pub struct World {
    pub now: UnixMs,
    pub documents: BTreeMap<DocumentKey, Document>,
    pub trans: BTreeMap<Serial, Trans>,
    pub postings: BTreeMap<i64, Posting>,
    pub serial: i64,
}

impl World {
    /// A serial nobody had.
    pub fn serial(&mut self) -> Serial {
        self.serial += 1;
        Serial(self.serial)
    }

    /// Decides one command, alone in its batch.
    pub fn run<C: Command>(&mut self, command: &C) -> C::Reply {
        let mut plan = Plan::default();
        command.plan(&mut plan);
        let mut rows = self.load(plan);
        let reply = command.decide(&mut rows, self.now).unwrap();
        self.apply(rows.into_changes());
        reply
    }

    /// Sends a message, again with what is missing if need be.
    pub fn ask(&mut self, ask: impl Into<Ask>) -> Answer {
        let mut asks = [ask.into()];
        asks[0].digest();
        self.batch(&asks).remove(0)
    }

    /// Decides messages in one batch. Those that lack an event are sent again alone.
    pub fn batch(&mut self, asks: &[Ask]) -> Vec<Answer> {
        let mut plan = Plan::default();
        asks.iter().for_each(|it| it.plan(&mut plan));
        let mut rows = self.load(plan);
        let now = self.now;
        let answers = asks.iter().map(|it| it.decide(&mut rows, now)).collect();
        self.apply(rows.into_changes());
        let answers: Vec<Answer> = answers;
        let both = answers.into_iter().zip(asks);
        both.map(|(answer, ask)| self.complete(answer, ask.clone()))
            .collect()
    }

    fn complete(&mut self, mut answer: Answer, mut ask: Ask) -> Answer {
        for _ in 0..2 {
            let Answer::Again(Missing::Original(serial)) = answer else {
                return answer;
            };
            ask.bring(serial);
            let mut plan = Plan::default();
            ask.plan(&mut plan);
            let mut rows = self.load(plan);
            answer = ask.decide(&mut rows, self.now);
            self.apply(rows.into_changes());
        }
        answer
    }

    /// What an account holds: received less given.
    pub fn balance(&self, account: Account) -> i64 {
        let of = |it: &Posting| {
            i64::from(it.debit == account) * it.amount - i64::from(it.credit == account) * it.amount
        };
        self.postings.values().map(of).sum()
    }

    /// What every account that ever moved holds, without those that hold nothing.
    pub fn books(&self) -> BTreeMap<i64, i64> {
        let mut books = BTreeMap::new();
        for it in self.postings.values() {
            *books.entry(it.debit.code()).or_default() += it.amount;
            *books.entry(it.credit.code()).or_default() -= it.amount;
        }
        books.retain(|_, sum| *sum != 0);
        books
    }

    fn load(&self, mut plan: Plan<'_>) -> Rows {
        plan.normalise();
        let mut rows = Rows::default();
        let wanted = plan.loyalty;
        for key in &wanted.documents {
            if let Some(document) = self.documents.get(key) {
                rows.loyalty
                    .add_document(key.clone(), document.clone().into());
            }
        }
        let is_wanted = |it: &&Trans| {
            wanted.trans.contains(&(it.tenant, it.serial))
                || names(&wanted.places, it.tenant, it.place)
                || numbers(&wanted.numbers, it.tenant, it.number)
        };
        for trans in self.trans.values().filter(is_wanted) {
            rows.loyalty.add_trans(trans.clone());
        }
        rows
    }

    fn apply(&mut self, changes: Changes) {
        let loyalty = changes.loyalty;
        for it in loyalty.documents_added {
            assert!(self.documents.insert(it.key(), it).is_none(), "added twice");
        }
        for it in loyalty.documents {
            assert!(self.documents.insert(it.key(), it).is_some(), "not there");
        }
        for key in loyalty.documents_removed {
            assert!(self.documents.remove(&key).is_some(), "not there");
        }
        for it in loyalty.trans_added {
            assert!(
                self.trans
                    .insert(it.serial, Arc::unwrap_or_clone(it))
                    .is_none(),
                "added twice"
            );
        }
        for it in loyalty.trans {
            let (place, number) = (it.place, it.number);
            let before = self
                .trans
                .insert(it.serial, Arc::unwrap_or_clone(it))
                .expect("not there");
            assert_eq!((before.place, before.number), (place, number));
        }
        for it in changes.postings {
            let before = self.postings.insert(it.number(), it);
            assert_eq!(before, None, "posted twice");
        }
        audit::check(self);
    }
}

fn names(places: &[(TenantId, Place)], tenant: TenantId, place: Option<Place>) -> bool {
    place.is_some_and(|it| places.contains(&(tenant, it)))
}

fn numbers(numbers: &[(TenantId, TransNo)], tenant: TenantId, number: Option<TransNo>) -> bool {
    number.is_some_and(|it| numbers.contains(&(tenant, it)))
}
