//! A card's points move lot by lot: those that expire first are spent first, and what is given
//! back returns to the lot it came from.

use super::{
    calendar::Zone,
    card::{Card, Lot},
    points::Points,
    trans::{LotKey, LotUse},
};
use crate::time::UnixMs;

/// Of lots that may be spent already it no longer matters since when.
const SINCE_EVER: UnixMs = UnixMs(0);

impl LotKey {
    /// The lot for points that can wait for no other: they live to the end of this month.
    #[must_use]
    pub fn short_lived(now: UnixMs, zone: Zone) -> Self {
        Self {
            available_at: SINCE_EVER,
            expires_at: Some(zone.end_of_month(now, 0)),
        }
    }

    /// The same lot as it is named at `now`.
    fn at(self, now: UnixMs) -> Self {
        Self {
            available_at: if self.available_at <= now {
                SINCE_EVER
            } else {
                self.available_at
            },
            ..self
        }
    }
}

impl Lot {
    const fn key(&self) -> LotKey {
        LotKey {
            available_at: self.available_at,
            expires_at: self.expires_at,
        }
    }

    fn may_be_spent(&self, now: UnixMs) -> bool {
        self.is_live(now) && self.available_at <= now
    }
}

impl Card {
    /// Puts points into a lot; what the member owes is paid first.
    pub fn put_points(&mut self, lot: LotKey, points: Points, now: UnixMs) {
        let paid = points.min(self.owed);
        self.owed = self.owed.minus(paid);
        let points = points.minus(paid);
        if !points.is_some() {
            return;
        }
        let key = lot.at(now);
        match self.lots.iter_mut().find(|it| it.key().at(now) == key) {
            Some(lot) => lot.points = lot.points.plus(points),
            None => self.lots.push(Lot {
                points,
                available_at: key.available_at,
                expires_at: key.expires_at,
            }),
        }
        self.tidy(now);
    }

    /// Takes points that may be spent, those that expire first before others. What there is too
    /// little is the second answer; then all there was is taken.
    pub fn take_points(&mut self, points: Points, now: UnixMs) -> (Vec<LotUse>, Points) {
        self.tidy(now);
        let (mut uses, mut wanted) = (Vec::new(), points);
        for lot in self.lots.iter_mut().filter(|it| it.may_be_spent(now)) {
            let taken = wanted.min(lot.points);
            if taken.is_some() {
                lot.points = lot.points.minus(taken);
                wanted = wanted.minus(taken);
                uses.push(LotUse {
                    lot: lot.key(),
                    points: taken,
                });
            }
        }
        self.drop_empty();
        (uses, wanted)
    }

    /// Takes earned points back: from their own lot what is left of them, even if it waits still,
    /// so that no older points live longer for it; then from what may be spent. What is not there
    /// any more is the answer.
    pub fn claw(&mut self, lot: Option<LotKey>, points: Points, now: UnixMs) -> Points {
        self.tidy(now);
        let mut wanted = points;
        let own = lot.map(|it| it.at(now));
        let mut live = self.lots.iter_mut().filter(|it| it.is_live(now));
        if let Some(own) = live.find(|it| Some(it.key()) == own) {
            let taken = wanted.min(own.points);
            own.points = own.points.minus(taken);
            wanted = wanted.minus(taken);
        }
        let (_, short) = self.take_points(wanted, now);
        short
    }

    /// The member owes points from now on. All there are pay them, those that wait still too: so
    /// no card owes points and holds some that expire meanwhile.
    pub fn owe(&mut self, points: Points, now: UnixMs) {
        self.tidy(now);
        self.owed = self.owed.plus(points);
        for lot in self.lots.iter_mut().filter(|it| it.is_live(now)) {
            let paid = lot.points.min(self.owed);
            lot.points = lot.points.minus(paid);
            self.owed = self.owed.minus(paid);
        }
        self.drop_empty();
    }

    /// Puts spent points back into the lots they came from. Those whose lot has expired
    /// meanwhile live to the end of this month.
    pub fn give_back(&mut self, uses: &[LotUse], now: UnixMs, zone: Zone) {
        for it in uses {
            let is_live = it.lot.expires_at.is_none_or(|end| now < end);
            let lot = if is_live {
                it.lot
            } else {
                LotKey::short_lived(now, zone)
            };
            self.put_points(lot, it.points, now);
        }
    }

    /// Takes out all lots that have expired.
    pub fn take_expired(&mut self, now: UnixMs) -> Vec<LotUse> {
        let (live, expired): (Vec<Lot>, _) = self.lots.iter().partition(|it| it.is_live(now));
        self.lots = live;
        let uses = expired.into_iter().map(|lot| LotUse {
            lot: lot.key(),
            points: lot.points,
        });
        uses.collect()
    }

    /// Joins lots that nothing tells apart any more, so that their number stays below the months
    /// that points live plus the days they wait.
    fn tidy(&mut self, now: UnixMs) {
        for lot in &mut self.lots {
            lot.available_at = lot.key().at(now).available_at;
        }
        self.lots
            .sort_by_key(|it| (it.expires_at.unwrap_or(UnixMs(i64::MAX)), it.available_at));
        self.lots.dedup_by(|later, earlier| {
            let same = later.key() == earlier.key();
            if same {
                earlier.points = earlier.points.plus(later.points);
            }
            same
        });
        self.drop_empty();
    }

    fn drop_empty(&mut self) {
        self.lots.retain(|it| it.points.is_some());
    }
}
