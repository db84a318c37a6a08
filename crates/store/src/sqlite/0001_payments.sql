-- Times are milliseconds since 1970 in UTC, amounts are fen. Serials are time-ordered, so rows
-- append at the right edge of each table; the only index a payment pays for is its claim.
CREATE TABLE tenants (
    tenant INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE merchants (
    tenant     INTEGER NOT NULL REFERENCES tenants (tenant),
    no         INTEGER NOT NULL,
    code       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    channels   TEXT NOT NULL,
    suspended  INTEGER NOT NULL,
    settings   TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, no)
) STRICT;

CREATE TABLE payments (
    tenant          INTEGER NOT NULL,
    serial          INTEGER PRIMARY KEY,
    merchant        INTEGER NOT NULL,
    claim           BLOB NOT NULL,
    merchant_serial TEXT NOT NULL,
    flow            INTEGER NOT NULL,
    channel         INTEGER NOT NULL,
    amount          INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    details         TEXT NOT NULL,
    state           INTEGER NOT NULL,
    end_code        INTEGER,
    ended_at        INTEGER,
    flags           INTEGER NOT NULL,
    refunded        INTEGER NOT NULL,
    refunding       INTEGER NOT NULL,
    receipt         TEXT,
    credential      TEXT
) STRICT;
CREATE UNIQUE INDEX payments_claim ON payments (claim);
-- Only payments that wait for an operator stand in it.
CREATE INDEX payments_cancel_requested ON payments (serial) WHERE flags & 1;

CREATE TABLE refunds (
    tenant          INTEGER NOT NULL,
    serial          INTEGER PRIMARY KEY,
    payment         INTEGER NOT NULL,
    merchant        INTEGER NOT NULL,
    origin          INTEGER NOT NULL,
    claim           BLOB,
    merchant_serial TEXT,
    amount          INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    state           INTEGER NOT NULL,
    ended_at        INTEGER,
    failure         INTEGER,
    first_answer    INTEGER
) STRICT;
CREATE UNIQUE INDEX refunds_claim ON refunds (claim);
CREATE INDEX refunds_payment ON refunds (payment);

CREATE TABLE recharges (
    tenant          INTEGER NOT NULL,
    serial          INTEGER PRIMARY KEY,
    merchant        INTEGER NOT NULL,
    claim           BLOB NOT NULL,
    phone           TEXT NOT NULL,
    data_mb         INTEGER NOT NULL,
    reach           INTEGER NOT NULL,
    notify_url      TEXT,
    created_at      INTEGER NOT NULL,
    state           INTEGER NOT NULL,
    provider_serial TEXT,
    ended_at        INTEGER
) STRICT;
CREATE UNIQUE INDEX recharges_claim ON recharges (claim);

-- Only unfinished work stands in it, so it stays small and needs no second index.
CREATE TABLE jobs (
    tenant   INTEGER NOT NULL,
    subject  INTEGER PRIMARY KEY,
    kind     INTEGER NOT NULL,
    due_at   INTEGER NOT NULL,
    attempts INTEGER NOT NULL
) STRICT;

CREATE TABLE notifications (
    tenant   INTEGER NOT NULL,
    subject  INTEGER PRIMARY KEY,
    merchant INTEGER NOT NULL,
    topic    INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    state    INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX notifications_due ON notifications (at) WHERE state = 0;
CREATE INDEX notifications_dead ON notifications (subject) WHERE state = 2;

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

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE nodes (
    node        INTEGER PRIMARY KEY,
    lease_until INTEGER NOT NULL,
    owner       INTEGER NOT NULL
) STRICT;
