-- Which event has a place (kind 0) or a number (kind 1). Filled behind the events, many neighbours at
-- a time: see late_index.rs.
CREATE TABLE trans_keys (
    tenant INTEGER NOT NULL,
    kind   INTEGER NOT NULL,
    value  INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, value)
) STRICT, WITHOUT ROWID;
INSERT INTO trans_keys SELECT tenant, 0, place, serial FROM trans WHERE place IS NOT NULL
    ORDER BY tenant, place;
INSERT INTO trans_keys SELECT tenant, 1, number, serial FROM trans WHERE number IS NOT NULL
    ORDER BY tenant, number;
DROP INDEX trans_place;
DROP INDEX trans_number;

-- Every event up to this serial has its keys in that table.
CREATE TABLE trans_keys_settled (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    serial INTEGER NOT NULL
) STRICT;
INSERT INTO trans_keys_settled SELECT 1, coalesce(max(serial), 0) FROM trans;
