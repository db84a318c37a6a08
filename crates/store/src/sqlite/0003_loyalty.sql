-- Cards, terminals and what belongs to them, found by one key and kept as one JSON text each.
-- `due_at` is when a worker has to look at the row. Cards expire together at the end of a month,
-- so the index holds the key as well: the first of many that are due at once are found unsorted.
CREATE TABLE stores (
    tenant INTEGER NOT NULL,
    key    TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT;
-- A till names its store and not the retailer.
CREATE UNIQUE INDEX stores_number ON stores (key);

CREATE TABLE terminals (
    tenant INTEGER NOT NULL,
    key    TEXT NOT NULL,
    no     INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT;
CREATE UNIQUE INDEX terminals_no ON terminals (tenant, no);

CREATE TABLE cards (
    tenant INTEGER NOT NULL,
    key    TEXT NOT NULL,
    due_at INTEGER,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT;
CREATE INDEX cards_due ON cards (due_at, tenant, key) WHERE due_at IS NOT NULL;

CREATE TABLE verify_codes (
    tenant INTEGER NOT NULL,
    key    TEXT NOT NULL,
    due_at INTEGER,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT;
CREATE INDEX verify_codes_due ON verify_codes (due_at, tenant, key) WHERE due_at IS NOT NULL;

CREATE TABLE work_items (
    tenant INTEGER NOT NULL,
    key    TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT;

-- Events on cards: by their serial, by the message that made them, by the number terminals know
-- them by.
CREATE TABLE trans (
    tenant INTEGER NOT NULL,
    serial INTEGER PRIMARY KEY,
    place  INTEGER,
    number INTEGER,
    body   TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX trans_place ON trans (tenant, place) WHERE place IS NOT NULL;
CREATE UNIQUE INDEX trans_number ON trans (tenant, number) WHERE number IS NOT NULL;

-- Each subject has 64 posting numbers instead of 8: a purchase may post many tickets. Into a new
-- table, since a new number may be another row's old one.
ALTER TABLE postings RENAME TO postings_of_eight;
CREATE TABLE postings (
    tenant INTEGER NOT NULL,
    number INTEGER PRIMARY KEY,
    debit  INTEGER NOT NULL,
    credit INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    unit   INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    CHECK (debit <> credit)
) STRICT;
INSERT INTO postings SELECT tenant, number / 8 * 64 + number % 8, debit, credit, amount, unit, at
    FROM postings_of_eight ORDER BY number;
DROP TABLE postings_of_eight;
