//! What a card or a terminal did in a day, and a card in twelve months.

use super::{
    calendar::Zone,
    card::{Card, DayUse, MonthSpending},
    points::Points,
    program::{Limits, Rules},
    trans::{Refusal, Trans},
};
use crate::{money::Fen, time::UnixMs};

/// Months that count for a grade.
const MONTHS: i64 = 12;

impl DayUse {
    /// Counts one message that spends in.
    #[must_use]
    pub fn with(self, day: i64, points: Points) -> Self {
        let today = self.of(day);
        Self {
            count: today.count.saturating_add(1),
            points: today.points.plus(points),
            ..today
        }
    }

    /// Counts one that was undone on the same day out again.
    #[must_use]
    pub fn without(self, day: i64, points: Points) -> Self {
        let today = self.of(day);
        Self {
            count: today.count.saturating_sub(1),
            points: today.points.minus(points).max(Points::ZERO),
            ..today
        }
    }
}

impl Limits {
    /// Whether one more message may spend `points`.
    ///
    /// # Errors
    /// [`Refusal::OverLimit`].
    pub fn check_points(&self, today: DayUse, points: Points) -> Result<(), Refusal> {
        let over = |limit: Option<Points>, points: Points| limit.is_some_and(|it| points > it);
        let is_over = over(self.points_per_trans, points)
            || over(self.points_per_day, today.points.plus(points));
        if points.is_some() && is_over {
            return Err(Refusal::OverLimit);
        }
        Ok(())
    }

    /// Whether points or tickets may be spent once more.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub fn check_count(&self, today: DayUse) -> Result<(), Refusal> {
        match self.count_per_day {
            Some(limit) if today.count >= limit => Err(Refusal::TooMany),
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether a purchase stops standing, or stands again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It was undone or given back.
    NoMore,
    /// That was undone.
    Again,
}

impl Card {
    /// A purchase stands no more, or again: it counts for the limits of its own day and for the
    /// spending of its own month, so that giving back frees neither another day nor another year.
    pub fn recount(&mut self, purchase: &Trans, stands: Stands, zone: Zone, now: UnixMs) {
        let (day, bought) = (zone.day(now), &purchase.effect);
        let spent = bought.cash.get().saturating_add(bought.point_amount.get());
        let (today, spent) = match stands {
            Stands::NoMore => (self.today.without(day, bought.points_used()), -spent),
            Stands::Again => (self.today.with(day, bought.points_used()), spent),
        };
        if zone.day(purchase.at) == day && bought.spends() {
            self.today = today;
        }
        self.count_spent(zone.month(purchase.at), spent, zone.month(now));
    }

    /// Counts what was bought in `month`, or no longer counts (below zero), if that is one of the
    /// twelve months up to `this_month`.
    pub fn count_spent(&mut self, month: i64, amount: i64, this_month: i64) {
        match self.spending.iter_mut().find(|it| it.month == month) {
            Some(it) => it.spent = Fen::new(it.spent.get().saturating_add(amount)),
            None => self.spending.push(MonthSpending {
                month,
                spent: Fen::new(amount),
            }),
        }
        self.forget_spending(this_month);
    }

    /// Sets the grade that the twelve months up to `this_month` earn, where the program grants
    /// grades by spending.
    pub fn regrade(&mut self, this_month: i64, rules: &Rules) {
        self.forget_spending(this_month);
        if rules.grade_from.is_empty() {
            return;
        }
        let year = self.spending.iter().map(|it| it.spent.get());
        let year = year.fold(0, i64::saturating_add);
        let earned = rules.grade_from.iter().filter(|it| year >= it.get());
        self.grade = u8::try_from(earned.count()).unwrap_or(u8::MAX).min(3);
    }

    fn forget_spending(&mut self, this_month: i64) {
        let counts = |it: &MonthSpending| it.month > this_month - MONTHS && it.spent != Fen::ZERO;
        self.spending.retain(counts);
    }
}
