-- Prepaid vouchers. Documents as those of cards.
CREATE TABLE partners (
    tenant INTEGER NOT NULL,
    key    TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT;
-- A request names its partner and not the retailer.
CREATE UNIQUE INDEX partners_number ON partners (key);

CREATE TABLE voucher_tickets (
    tenant INTEGER NOT NULL,
    key    TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT;

CREATE TABLE activities (
    tenant INTEGER NOT NULL,
    key    TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT;

CREATE TABLE cartons (
    tenant INTEGER NOT NULL,
    key    TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT;

CREATE TABLE stock_changes (
    tenant INTEGER NOT NULL,
    key    TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT;

-- Boxes, packages and reels by their printed names, and those within a range of codes.
CREATE TABLE voucher_units (
    tenant                INTEGER NOT NULL,
    id                    TEXT NOT NULL,
    level                 INTEGER NOT NULL,
    carton                INTEGER NOT NULL,
    first                 INTEGER NOT NULL,
    last                  INTEGER NOT NULL,
    sale_channel_order_id TEXT,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX voucher_units_range ON voucher_units (carton, level, first);

-- Written in the order of their keys, a box after the other, so they append.
CREATE TABLE voucher_codes (
    carton INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (carton, idx)
) STRICT, WITHOUT ROWID;

-- Digests fall on random pages: a box's are written in their own order, many to a page. The second
-- index appends in that order; by it a box's digests are counted and removed.
CREATE TABLE voucher_digests (
    digest BLOB NOT NULL,
    tenant INTEGER NOT NULL,
    carton INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    PRIMARY KEY (digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX voucher_digests_carton ON voucher_digests (carton);

-- What happened to neighbouring codes; the spans of a box tile it.
CREATE TABLE voucher_spans (
    carton INTEGER NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    due_at INTEGER,
    body   TEXT NOT NULL,
    PRIMARY KEY (carton, first)
) STRICT, WITHOUT ROWID;
CREATE INDEX voucher_spans_due ON voucher_spans (due_at, carton, first) WHERE due_at IS NOT NULL;

-- Only codes that a till has touched.
CREATE TABLE code_uses (
    carton   INTEGER NOT NULL,
    idx      INTEGER NOT NULL,
    tenant   INTEGER NOT NULL,
    busy     INTEGER NOT NULL,
    used     INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    events   INTEGER NOT NULL,
    newest   INTEGER,
    PRIMARY KEY (carton, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX code_uses_busy ON code_uses (carton, idx) WHERE busy;

CREATE TABLE code_events (
    carton INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    number INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (carton, idx, number)
) STRICT, WITHOUT ROWID;

ALTER TABLE refunds ADD COLUMN voucher_back INTEGER NOT NULL DEFAULT 0;
