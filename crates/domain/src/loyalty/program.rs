//! A retailer's member program: what points are worth, who earns how many, and limits.

use super::{points::Points, store::StoreNo};
use crate::{ids::TenantId, money::Fen, time::UnixMs};
use serde::{Deserialize, Serialize};

/// A program as it stands. Rates are in hundredths, so that no float is needed: 120 is 1.20.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// How many points pay one yuan.
    pub points_per_yuan: i64,
    /// Points earned for a yuan of cash, in hundredths.
    pub earn_rate: i64,
    /// What a grade multiplies the earned points with, in hundredths.
    pub grade_multipliers: [i64; 4],
    /// Days until earned points may be spent.
    pub pending_days: u32,
    /// Months that points live, to the end of that month; `None` for ever.
    pub expiry_months: Option<u32>,
    /// Campaigns.
    pub campaigns: Vec<Campaign>,
    /// Limits of one card.
    pub card_limits: Limits,
    /// Limits of one terminal.
    pub terminal_limits: Limits,
    /// What happens when earned points that go back were spent already.
    pub clawback: Clawback,
    /// The 12-month spending from which each grade above 0 begins; empty where grades are set by
    /// hand.
    pub grade_from: Vec<Fen>,
    /// A purchase may be refunded at any store of the retailer.
    pub refund_anywhere: bool,
    /// Track 2 must carry the card's expiry too.
    pub track2_expiry: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            points_per_yuan: 100,
            earn_rate: 100,
            grade_multipliers: [100, 120, 150, 200],
            pending_days: 0,
            expiry_months: Some(24),
            campaigns: Vec::new(),
            card_limits: Limits::default(),
            terminal_limits: Limits::default(),
            clawback: Clawback::Cash,
            grade_from: Vec::new(),
            refund_anywhere: false,
            track2_expiry: false,
        }
    }
}

/// Something that runs for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Its name, for people.
    pub name: String,
    /// From when it runs.
    pub from: UnixMs,
    /// Until when, exclusive.
    pub until: UnixMs,
    /// The stores it runs in; all where empty.
    #[serde(default)]
    pub stores: Vec<StoreNo>,
    /// What it gives.
    #[serde(default)]
    pub gift: Gift,
    /// The line shown at the till.
    #[serde(default)]
    pub advertisement: String,
}

/// What a campaign gives beside its advertisement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gift {
    /// Nothing.
    #[default]
    None,
    /// Multiplies the earned points, in hundredths: 200 gives them once more.
    Multiplier(i64),
    /// Points on top, where at least this much is paid in cash.
    Bonus {
        /// The points.
        points: Points,
        /// The least cash amount.
        cash_min: Fen,
    },
}

/// Limits of a day and of one message; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Points that may be spent in a day.
    pub points_per_day: Option<Points>,
    /// How often points or tickets may be spent in a day.
    pub count_per_day: Option<u32>,
    /// Points that one message may spend.
    pub points_per_trans: Option<Points>,
}

/// What happens when earned points that go back were spent already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clawback {
    /// The member pays them in cash.
    Cash,
    /// The member's points go below zero.
    Negative,
    /// The purchase cannot be given back.
    Refuse,
}

/// A program of a tenant, with who made it so. Each change is kept beside the ones before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Whose.
    pub tenant: TenantId,
    /// Which version, from 1.
    pub version: i64,
    /// When it was made so.
    pub at: UnixMs,
    /// Who made it so.
    pub by: String,
    /// The rules.
    pub rules: Rules,
}

impl Rules {
    /// The points that pay `amount`.
    #[must_use]
    pub const fn points_for(&self, amount: Fen) -> Points {
        // Fen are hundredths of a yuan and points are counted in hundredths: they cancel out.
        Points::new(amount.get().saturating_mul(self.points_per_yuan))
    }

    /// The cash that `points` are worth, rounded down to the fen in the member's favour.
    #[must_use]
    pub const fn worth(&self, points: Points) -> Fen {
        match points.get().checked_div(self.points_per_yuan) {
            Some(fen) => Fen::new(fen),
            None => Fen::ZERO,
        }
    }

    /// The points earned by paying `cash` at `store`, rounded down to a hundredth.
    #[must_use]
    pub fn earned(&self, cash: Fen, grade: u8, store: &StoreNo, now: UnixMs) -> Points {
        let multiplier = self.grade_multipliers.get(usize::from(grade));
        let multiplier = i128::from(multiplier.copied().unwrap_or(100));
        let (mut times, mut bonus) = (100, Points::ZERO);
        for campaign in self.campaigns.iter().filter(|it| it.runs(store, now)) {
            match campaign.gift {
                Gift::None => {}
                Gift::Multiplier(more) => times += i128::from(more) - 100,
                Gift::Bonus { points, cash_min } if cash.get() > 0 && cash >= cash_min => {
                    bonus = bonus.plus(points);
                }
                Gift::Bonus { .. } => {}
            }
        }
        // Rounded once, at the end: the product is exact, in hundredths of a point times 10⁶.
        let base = i128::from(cash.get()).saturating_mul(i128::from(self.earn_rate));
        let product = base.saturating_mul(multiplier).saturating_mul(times);
        let points = product.div_euclid(1_000_000) + i128::from(bonus.get());
        let points = points.clamp(0, i128::from(Points::MAX.get()));
        Points::new(i64::try_from(points).unwrap_or(0))
    }

    /// The line that running campaigns show at `store`; empty where none does.
    #[must_use]
    pub fn advertisement(&self, store: &StoreNo, now: UnixMs) -> &str {
        let mut running = self.campaigns.iter().filter(|it| it.runs(store, now));
        running
            .find(|it| !it.advertisement.is_empty())
            .map_or("", |it| &it.advertisement)
    }
}

impl Campaign {
    /// Whether it runs at `store` at `now`.
    #[must_use]
    pub fn runs(&self, store: &StoreNo, now: UnixMs) -> bool {
        let is_here = self.stores.is_empty() || self.stores.contains(store);
        is_here && self.from <= now && now < self.until
    }
}
