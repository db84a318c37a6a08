-- Cards, terminals and what belongs to them, found by one key and kept as one JSON text each.
-- Keys are compared byte by byte, as the program does.
CREATE TABLE stores (
    tenant bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (tenant, key),
    -- A till names its store and not the retailer.
    CONSTRAINT stores_number UNIQUE (key)
);

-- Every message of a terminal updates its row, and no changing column is indexed: with two rows or
-- three to a page, the versions of a row stay on their page and the next look prunes them.
CREATE TABLE terminals (
    tenant bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    no bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (tenant, key),
    CONSTRAINT terminals_no UNIQUE (no, tenant)
) WITH (fillfactor = 40);

-- A card's `due_at` is indexed and yet hardly costs its updates anything: PostgreSQL compares
-- values, and a purchase changes this one only when it empties the lot of points that expires
-- first, at most once for each month that points live. All other updates stay on their page. Cards
-- expire together at the end of a month, so the index holds the key as well: the first of many
-- that are due at once are found unsorted.
CREATE TABLE cards (
    tenant bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    due_at bigint,
    body text NOT NULL,
    PRIMARY KEY (tenant, key)
) WITH (fillfactor = 70);

CREATE INDEX cards_due ON cards (due_at, tenant, key) WHERE due_at IS NOT NULL;

CREATE TABLE verify_codes (
    tenant bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    due_at bigint,
    body text NOT NULL,
    PRIMARY KEY (tenant, key)
) WITH (fillfactor = 70);

CREATE INDEX verify_codes_due ON verify_codes (due_at, tenant, key) WHERE due_at IS NOT NULL;

CREATE TABLE work_items (
    tenant bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (tenant, key)
);

-- Events on cards: by their serial, by the message that made them, by the number terminals know
-- them by. No two of these keys start with the tenant: statistics that know no row of a tenant make
-- all such keys look equally good, and one that starts like the right one would then be read through
-- from end to end. Few events are changed later, when they are undone or given back.
CREATE TABLE trans (
    tenant bigint NOT NULL,
    serial bigint NOT NULL,
    place bigint,
    number bigint,
    body text NOT NULL,
    PRIMARY KEY (serial, tenant),
    CONSTRAINT trans_place UNIQUE (place, tenant),
    CONSTRAINT trans_number UNIQUE (number, tenant)
) WITH (fillfactor = 95);

-- Each subject has 64 posting numbers instead of 8: a purchase may post many tickets. Into a new
-- table, since a new number may be another row's old one. And under a new name: a gateway of the
-- version before that still runs must not post by its own counting.
CREATE TABLE postings_of_64 (LIKE postings INCLUDING ALL);
ALTER TABLE postings_of_64 RENAME COLUMN number TO posting_no;
INSERT INTO postings_of_64 (tenant, posting_no, debit, credit, amount, unit, at)
    SELECT tenant, number / 8 * 64 + number % 8, debit, credit, amount, unit, at
    FROM postings ORDER BY number, tenant;
DROP TABLE postings;
ALTER TABLE postings_of_64 RENAME TO postings;
ALTER INDEX postings_of_64_pkey RENAME TO postings_pkey;
