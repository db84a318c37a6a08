//! Which payment has a claim: a hash of whose it is and what its merchant calls it.

use super::{
    from_sqlite,
    late_index::{LateIndex, LateKey},
    late_table::KeysBehind,
    statements::Statements,
};
use crate::contract::StoreError;
use domain::ids::ClaimKey;
use rusqlite::{Row, Statement};

/// Which payment has a claim.
pub(super) type Claims = LateIndex<ClaimKey>;

/// Payments whose claim is not where it has to be: up to the settled serial in the table, above it
/// nobody else's. And claims of no payment.
pub(super) const ASTRAY: &str = "\
    SELECT p.serial FROM payments p LEFT JOIN claims c ON c.claim = p.claim \
        WHERE p.serial <= (SELECT serial FROM claims_settled) AND c.serial IS NOT p.serial \
    UNION ALL \
    SELECT p.serial FROM payments p JOIN claims c ON c.claim = p.claim \
        WHERE p.serial > (SELECT serial FROM claims_settled) AND c.serial <> p.serial \
    UNION ALL \
    SELECT max(serial) FROM payments WHERE serial > (SELECT serial FROM claims_settled) \
        GROUP BY claim HAVING count(*) > 1 \
    UNION ALL \
    SELECT c.serial FROM claims c LEFT JOIN payments p ON p.serial = c.serial \
        WHERE p.claim IS NOT c.claim \
    LIMIT ?1";

impl LateKey for ClaimKey {
    const NAME: &'static str = "claim";
    // Some eight of them lie on one page of a large store, which few at once would leave half written.
    const MOVED_AT_ONCE: usize = 128;
    const SETTLED: &'static str = "SELECT serial FROM claims_settled";
    const SETTLE: &'static str = "UPDATE claims_settled SET serial = ?1";
    const FIND: &'static str = "SELECT serial FROM claims WHERE claim = ?1";
    const PUT: &'static str = "INSERT INTO claims (claim, serial) VALUES (?1, ?2) \
         ON CONFLICT (claim) DO NOTHING";
    const FIND_ABOVE: &'static str = "SELECT serial FROM payments \
         WHERE serial > (SELECT serial FROM claims_settled) AND claim = ?1";
    const ABOVE: &'static str =
        "SELECT serial, claim FROM payments WHERE serial > ?1 ORDER BY serial";

    const KEYS: Option<KeysBehind<Self>> = Some(keys);

    fn bind(self, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.raw_bind_parameter(1, self.0)?;
        Ok(2)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        row.get(1).map(Self)
    }
}

fn keys(
    statements: &Statements<'_>,
    after: Option<&ClaimKey>,
    count: u32,
) -> Result<Vec<ClaimKey>, StoreError> {
    let sql = "SELECT claim FROM claims WHERE claim > coalesce(?1, x'') ORDER BY claim LIMIT ?2";
    let keys = statements.with(sql, |statement| {
        let keys = statement.query_map((after.map(|it| it.0), count), |row| row.get(0))?;
        keys.map(|it| it.map(ClaimKey)).collect()
    });
    keys.map_err(from_sqlite)
}
