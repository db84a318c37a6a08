//! Which event at a terminal has a place, and which a number.

#[cfg(test)]
mod tests;

use super::{
    from_sqlite,
    kept::Recent,
    late_index::{LateIndex, LateKey},
    late_table::Sought,
    statements::Statements,
};
use crate::contract::StoreError;
use domain::{
    ids::{Serial, TenantId},
    loyalty::{
        rows::LoyaltyPlan,
        trans::{Place, TransNo},
    },
};
use rusqlite::{Connection, Row, Statement};
use std::collections::BTreeMap;

/// Which event has a place or a number.
pub(super) type EventKeys = LateIndex<EventKey>;

/// What an event is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct EventKey {
    tenant: i64,
    kind: i64,
    value: i64,
}

const PLACE: i64 = 0;
const NUMBER: i64 = 1;

/// Keys of all events.
macro_rules! all_keys {
    ($serials:literal) => {
        concat!(
            "SELECT serial, tenant, 0 AS kind, place AS value FROM trans \
                 WHERE place IS NOT NULL AND ",
            $serials,
            " UNION ALL SELECT serial, tenant, 1, number FROM trans \
                 WHERE number IS NOT NULL AND ",
            $serials
        )
    };
}

/// Events whose keys are not where they have to be: up to the settled serial in the table, above it
/// nobody else's. And keys of no event.
pub(super) const ASTRAY: &str = concat!(
    "SELECT e.serial FROM (",
    all_keys!("serial <= (SELECT serial FROM trans_keys_settled)"),
    ") e LEFT JOIN trans_keys k ON k.tenant = e.tenant AND k.kind = e.kind AND k.value = e.value \
        WHERE k.serial IS NOT e.serial \
    UNION ALL SELECT e.serial FROM (",
    all_keys!("serial > (SELECT serial FROM trans_keys_settled)"),
    ") e JOIN trans_keys k ON k.tenant = e.tenant AND k.kind = e.kind AND k.value = e.value \
        WHERE k.serial <> e.serial \
    UNION ALL SELECT max(serial) FROM (",
    all_keys!("serial > (SELECT serial FROM trans_keys_settled)"),
    ") GROUP BY tenant, kind, value HAVING count(*) > 1 \
    UNION ALL SELECT k.serial FROM trans_keys k LEFT JOIN trans t ON t.serial = k.serial \
        WHERE t.tenant IS NOT k.tenant \
            OR CASE k.kind WHEN 0 THEN t.place ELSE t.number END IS NOT k.value \
    LIMIT ?1"
);

impl EventKey {
    /// The places and numbers that a batch asks for.
    pub(super) fn of_plan(plan: &LoyaltyPlan) -> impl Iterator<Item = Self> {
        let places = plan.places.iter();
        let numbers = plan.numbers.iter();
        let places = places.map(|(tenant, place)| Self::place(*tenant, *place));
        places.chain(numbers.map(|(tenant, number)| Self::number(*tenant, *number)))
    }

    /// Whose event it is.
    pub(super) const fn tenant(self) -> TenantId {
        TenantId(self.tenant)
    }

    pub(super) const fn place(tenant: TenantId, place: Place) -> Self {
        Self {
            tenant: tenant.0,
            kind: PLACE,
            value: place.get(),
        }
    }

    pub(super) const fn number(tenant: TenantId, number: TransNo) -> Self {
        Self {
            tenant: tenant.0,
            kind: NUMBER,
            value: number.get(),
        }
    }
}

impl LateKey for EventKey {
    const NAME: &'static str = "place or number";
    // Those of a terminal lie together.
    const MOVED_AT_ONCE: usize = 512;
    const SETTLED: &'static str = "SELECT serial FROM trans_keys_settled";
    const SETTLE: &'static str = "UPDATE trans_keys_settled SET serial = ?1";
    const FIND: &'static str =
        "SELECT serial FROM trans_keys WHERE tenant = ?1 AND kind = ?2 AND value = ?3";
    const PUT: &'static str = "INSERT INTO trans_keys (tenant, kind, value, serial) \
         VALUES (?1, ?2, ?3, ?4) ON CONFLICT (tenant, kind, value) DO NOTHING";
    const FIND_ABOVE: &'static str = "SELECT serial FROM trans \
         WHERE serial > (SELECT serial FROM trans_keys_settled) AND tenant = ?1 \
             AND CASE ?2 WHEN 0 THEN place ELSE number END = ?3";
    const ABOVE: &'static str = concat!(all_keys!("serial > ?1"), " ORDER BY serial");

    fn bind(self, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.raw_bind_parameter(1, self.tenant)?;
        statement.raw_bind_parameter(2, self.kind)?;
        statement.raw_bind_parameter(3, self.value)?;
        Ok(4)
    }

    /// Places and numbers ascend at each terminal.
    fn seek(self, statements: &Statements<'_>) -> Result<Sought<Self>, StoreError> {
        let sql = "SELECT value, serial FROM trans_keys \
             WHERE tenant = ?1 AND kind = ?2 AND value >= ?3 ORDER BY value LIMIT 1";
        let key = (self.tenant, self.kind, self.value);
        let next = statements.find(sql, key, |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(match next.map_err(from_sqlite)? {
            Some((value, serial)) if value == self.value => Sought::Row(Serial(serial)),
            next => {
                let value = next.map_or(i64::MAX, |(value, _)| value);
                Sought::NothingUpTo(Self { value, ..self })
            }
        })
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            tenant: row.get(1)?,
            kind: row.get(2)?,
            value: row.get(3)?,
        })
    }
}

/// The events from the first to the last of `places`, by place, at most `limit`.
pub(super) fn events_between(
    connection: &Connection,
    recent: &Recent<EventKey>,
    tenant: TenantId,
    (first, last): (Place, Place),
    limit: u32,
) -> Result<Vec<Serial>, StoreError> {
    let range = EventKey::place(tenant, first)..=EventKey::place(tenant, last);
    // The memory before the table: a key leaves the one after it has entered the other.
    let kept = recent.range(range, limit as usize);
    let settled = "SELECT value, serial FROM trans_keys \
         WHERE tenant = ?1 AND kind = 0 AND value >= ?2 AND value <= ?3";
    let above = "SELECT place, serial FROM trans \
         WHERE serial > (SELECT serial FROM trans_keys_settled) \
             AND tenant = ?1 AND place >= ?2 AND place <= ?3";
    let sql = if kept.is_some() {
        format!("{settled} ORDER BY value LIMIT ?4")
    } else {
        format!("{settled} UNION {above} ORDER BY 1 LIMIT ?4")
    };
    let kept = kept.into_iter().flatten();
    let mut by_place: BTreeMap<i64, i64> =
        kept.map(|(key, serial)| (key.value, serial.0)).collect();
    let look = || {
        let mut statement = connection.prepare_cached(&sql)?;
        let values = (tenant.0, first.get(), last.get(), limit);
        let rows = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<(i64, i64)>>>()
    };
    by_place.extend(look().map_err(from_sqlite)?);
    let serials = by_place.into_values().take(limit as usize);
    Ok(serials.map(Serial).collect())
}
