//! What a card or a terminal did in a day, and a card in twelve months.

use super::{
    card::{Card, DayUse, MonthSpending},
    points::Points,
    program::{Limits, Rules},
    trans::Refusal,
};
use crate::money::Fen;

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
    /// Whether one more message that spends `points` stays within the limits.
    ///
    /// # Errors
    /// The limit that it would break.
    pub fn check(&self, today: DayUse, points: Points) -> Result<(), Refusal> {
        let over = |limit: Option<Points>, points: Points| limit.is_some_and(|it| points > it);
        if over(self.points_per_trans, points)
            || over(self.points_per_day, today.points.plus(points))
        {
            return Err(Refusal::OverLimit);
        }
        match self.count_per_day {
            Some(limit) if today.count >= limit => Err(Refusal::TooMany),
            Some(_) | None => Ok(()),
        }
    }
}

impl Card {
    /// Counts what was bought in `month`, or given back (below zero), and sets the grade that
    /// twelve months earn, where the program grants grades by spending.
    pub fn spent(&mut self, month: i64, amount: i64, rules: &Rules) {
        self.spending.retain(|it| it.month > month - MONTHS);
        match self.spending.iter_mut().find(|it| it.month == month) {
            Some(it) => it.spent = Fen::new(it.spent.get().saturating_add(amount)),
            None => self.spending.push(MonthSpending {
                month,
                spent: Fen::new(amount),
            }),
        }
        if rules.grade_from.is_empty() {
            return;
        }
        let year: i64 = self.spending.iter().map(|it| it.spent.get()).sum();
        let earned = rules.grade_from.iter().filter(|it| year >= it.get());
        self.grade = u8::try_from(earned.count()).unwrap_or(u8::MAX).min(3);
    }
}
