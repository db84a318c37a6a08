-- Which payment has a claim. Filled behind the payments, many neighbours at a time: see claims.rs.
CREATE TABLE claims (
    claim  BLOB PRIMARY KEY,
    serial INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO claims SELECT claim, serial FROM payments ORDER BY claim;
DROP INDEX payments_claim;

-- Every payment up to this serial has its claim in that table.
CREATE TABLE claims_settled (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    serial INTEGER NOT NULL
) STRICT;
INSERT INTO claims_settled SELECT 1, coalesce(max(serial), 0) FROM payments;
