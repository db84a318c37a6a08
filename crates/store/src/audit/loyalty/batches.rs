//! What batches add up to.

use crate::audit::{
    broken::Broken,
    report::{AuditReport, Rule},
};
use domain::{
    ids::{Serial, TenantId},
    loyalty::{
        terminal::{BatchNo, Terminal},
        totals::Totals,
        trans::{Place, Trans, TransNo, TransState},
    },
    time::UnixMs,
};
use std::collections::{BTreeMap, BTreeSet};

/// The tenant, the terminal's index and the batch.
type Key = (TenantId, i64, BatchNo);

/// Totals that cannot overflow, in the order of their fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wide([i128; 12]);

impl Wide {
    fn of(totals: &Totals) -> Self {
        let fields = [
            totals.point_debit_count,
            totals.point_debit_amount.get(),
            totals.point_credit_count,
            totals.point_credit_amount.get(),
            totals.ticket_debit_count,
            totals.ticket_debit_amount.get(),
            totals.ticket_credit_count,
            totals.ticket_credit_amount.get(),
            totals.trans_count,
            totals.cancel_count,
            totals.refund_count,
            totals.card_active_count,
        ];
        Self(fields.map(i128::from))
    }

    fn plus(mut self, other: Self) -> Self {
        let fields = self.0.iter_mut().zip(other.0);
        fields.for_each(|(sum, it)| *sum += it);
        self
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self(other.0.map(|it| -it)))
    }

    fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

/// What one event counts in its batch.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    key: Key,
    /// The event's number, by which a work item names it.
    number: Option<TransNo>,
    totals: Wide,
}

impl Counted {
    /// `None` for what no batch counts. Amounts must fit into totals.
    pub(super) fn of(trans: &Trans) -> Option<Self> {
        let place = trans.place.filter(|_| trans.kind.is_counted())?;
        let key = (trans.tenant, place.terminal(), place.batch()?);
        let mut totals = Totals::default();
        totals.count(trans.kind, &trans.effect, 1);
        Some(Self {
            key,
            number: trans.number,
            totals: Wide::of(&totals),
        })
    }
}

/// Batches that are open, and closed ones that do not add up yet.
#[derive(Default)]
pub(super) struct Batches {
    sums: BTreeMap<Key, Sum>,
    /// Events of closed batches that work items say were reversed after the close.
    reversed_later: BTreeSet<(TenantId, TransNo)>,
}

#[derive(Default)]
struct Sum {
    /// What its events count, less what its settlement says.
    excess: Wide,
    /// The settlement that closed it.
    closed: Option<(Serial, UnixMs)>,
    /// Reversed events of which no work item tells, and when they were reversed.
    reversed: Vec<(UnixMs, Wide)>,
}

impl Batches {
    /// Notes that an event was reversed after its batch was closed.
    pub(super) fn reversed_later(&mut self, tenant: TenantId, number: TransNo) {
        self.reversed_later.insert((tenant, number));
    }

    /// Takes an event in; `counted` is what it counts.
    pub(super) fn check(
        &mut self,
        trans: &Trans,
        counted: Option<Counted>,
        broken: &mut Broken<'_>,
    ) {
        let names_a_batch = trans.place.is_none_or(|it| it.batch().is_some());
        broken.unless(names_a_batch, Rule::BatchTotals, || {
            format!("its place {:?} is in no batch", trans.place.map(Place::get))
        });
        if let Some(counted) = counted {
            match trans.state {
                TransState::Approved | TransState::GivenBack(_) => self.count(counted),
                TransState::Reversed(_) if self.is_reversed_later(&counted) => self.count(counted),
                TransState::Reversed(_) | TransState::Declined(_) | TransState::Tombstone => {}
            }
        }
        self.settle(trans);
    }

    fn is_reversed_later(&self, counted: &Counted) -> bool {
        let (tenant, ..) = counted.key;
        let number = counted.number.map(|it| (tenant, it));
        number.is_some_and(|it| self.reversed_later.contains(&it))
    }

    fn count(&mut self, counted: Counted) {
        self.change(counted.key, |sum| {
            sum.excess = sum.excess.plus(counted.totals)
        });
    }

    /// An event was reversed at `at`. Where no work item tells whether that was after the close,
    /// the time may.
    pub(super) fn reversed(&mut self, counted: Counted, at: UnixMs) {
        if !self.is_reversed_later(&counted) {
            let reversed = (at, counted.totals);
            self.change(counted.key, |sum| sum.reversed.push(reversed));
        }
    }

    fn settle(&mut self, trans: &Trans) {
        let settlement = trans.settlement.as_ref().filter(|it| it.closed);
        let batch = trans
            .place
            .and_then(|it| Some((it.terminal(), it.batch()?)));
        let (Some(settlement), Some((terminal, batch))) = (settlement, batch) else {
            return;
        };
        let host = Wide::of(&settlement.host);
        self.change((trans.tenant, terminal, batch), |sum| {
            sum.excess = sum.excess.minus(host);
            sum.closed = Some((trans.serial, trans.at));
        });
    }

    /// Changes a sum, and forgets it once it is closed and right.
    fn change(&mut self, key: Key, change: impl FnOnce(&mut Sum)) {
        let sum = self.sums.entry(key).or_default();
        change(sum);
        if sum.closed.is_some() && sum.excess.is_zero() {
            self.sums.remove(&key);
        }
    }

    /// The open batch of `terminal`.
    pub(super) fn check_open(&mut self, terminal: &Terminal, report: &mut AuditReport) {
        let Some(batch) = terminal.open_batch() else {
            return;
        };
        let key = (terminal.tenant, terminal.index, batch.number);
        let sum = self.sums.remove(&key).unwrap_or_default();
        let (said, counted) = (Wide::of(&batch.totals), sum.excess);
        if let Some((settlement, _)) = sum.closed {
            let found = format!("open, but closed by {settlement}");
            report.add(Rule::BatchTotals, name(key), found);
        } else if said != counted {
            let found = format!("says {said:?}, its events make {counted:?}");
            report.add(Rule::BatchTotals, name(key), found);
        }
    }

    /// What is left is not right.
    pub(super) fn finish(self, report: &mut AuditReport) {
        for (key, sum) in self.sums {
            match sum.closed {
                Some((settlement, at)) if !sum.is_right_by_time(at) => {
                    let found = format!("{settlement} is {:?} off its events", sum.excess);
                    report.add(Rule::Settlement, name(key), found);
                }
                None if !sum.excess.is_zero() => {
                    let found =
                        "it is not open, and has events that no settlement counted".to_owned();
                    report.add(Rule::BatchTotals, name(key), found);
                }
                Some(_) | None => {}
            }
        }
    }
}

impl Sum {
    /// Whether a settlement at `closed_at` counted what was reversed later.
    fn is_right_by_time(&self, closed_at: UnixMs) -> bool {
        let later = self.reversed.iter().filter(|(at, _)| *at > closed_at);
        let excess = later.fold(self.excess, |sum, (_, it)| sum.plus(*it));
        excess.is_zero()
    }
}

fn name((tenant, terminal, batch): Key) -> String {
    format!(
        "batch {batch} of terminal {terminal} of tenant {}",
        tenant.0
    )
}
