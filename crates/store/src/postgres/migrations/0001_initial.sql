-- Every key of a hot table holds the tenant (since 0002 at its end), and so does every condition on it: a
-- transaction stays on one shard. Times are milliseconds since 1970, states are small numbers
-- that the program spells (`flat.rs`), and nothing here makes up values of its own.

CREATE TABLE tenants (
    tenant bigint PRIMARY KEY,
    name text NOT NULL,
    CONSTRAINT tenants_name UNIQUE (name)
);

CREATE TABLE merchants (
    tenant bigint NOT NULL,
    no bigint NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    sealed_key bytea NOT NULL,
    channels smallint[] NOT NULL,
    suspended boolean NOT NULL,
    settings text NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant, no),
    CONSTRAINT merchants_code UNIQUE (code)
);

CREATE TABLE settings (
    name text PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE nodes (
    node bigint PRIMARY KEY,
    lease_until bigint NOT NULL,
    owner bigint NOT NULL
);

-- A payment is updated once or twice soon after it was inserted. No changing column is indexed
-- and each page keeps room, so those updates stay on their page and touch no index.
CREATE TABLE payments (
    tenant bigint NOT NULL,
    serial bigint NOT NULL,
    merchant bigint NOT NULL,
    claim bytea NOT NULL,
    merchant_serial text NOT NULL,
    flow smallint NOT NULL,
    channel smallint NOT NULL,
    amount bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    details text NOT NULL,
    state smallint NOT NULL,
    end_code smallint,
    ended_at bigint,
    flags smallint NOT NULL,
    refunded bigint NOT NULL,
    refunding bigint NOT NULL,
    receipt text,
    credential text,
    PRIMARY KEY (tenant, serial),
    CONSTRAINT payments_claim UNIQUE (tenant, claim)
) WITH (fillfactor = 75);

-- The payments that wait for an operator's decision. A partial index on `payments.flags` would
-- make every update of a payment touch all of its indexes; this table is empty on most days.
CREATE TABLE cancel_requests (
    tenant bigint NOT NULL,
    serial bigint NOT NULL,
    PRIMARY KEY (tenant, serial)
);

CREATE TABLE refunds (
    tenant bigint NOT NULL,
    serial bigint NOT NULL,
    payment bigint NOT NULL,
    merchant bigint NOT NULL,
    origin smallint NOT NULL,
    claim bytea,
    merchant_serial text,
    amount bigint NOT NULL,
    created_at bigint NOT NULL,
    state smallint NOT NULL,
    ended_at bigint,
    failure smallint,
    first_answer smallint,
    PRIMARY KEY (tenant, serial),
    CONSTRAINT refunds_claim UNIQUE (tenant, claim)
) WITH (fillfactor = 80);

CREATE INDEX refunds_payment ON refunds (tenant, payment);

CREATE TABLE recharges (
    tenant bigint NOT NULL,
    serial bigint NOT NULL,
    merchant bigint NOT NULL,
    claim bytea NOT NULL,
    phone text NOT NULL,
    data_mb bigint NOT NULL,
    reach smallint NOT NULL,
    notify_url text,
    created_at bigint NOT NULL,
    state smallint NOT NULL,
    provider_serial text,
    ended_at bigint,
    PRIMARY KEY (tenant, serial),
    CONSTRAINT recharges_claim UNIQUE (tenant, claim)
) WITH (fillfactor = 80);

-- Jobs live for a second, so nearly all rows are dead ones: vacuum early and without pauses.
CREATE TABLE jobs (
    tenant bigint NOT NULL,
    subject bigint NOT NULL,
    kind smallint NOT NULL,
    due_at bigint NOT NULL,
    attempts integer NOT NULL,
    PRIMARY KEY (tenant, subject)
) WITH (
    autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX jobs_due ON jobs (due_at);

CREATE TABLE notifications (
    tenant bigint NOT NULL,
    subject bigint NOT NULL,
    merchant bigint NOT NULL,
    topic smallint NOT NULL,
    attempts integer NOT NULL,
    state smallint NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (tenant, subject)
) WITH (fillfactor = 80);

CREATE INDEX notifications_due ON notifications (at) WHERE state = 0;
CREATE INDEX notifications_dead ON notifications (subject) WHERE state = 2;

CREATE TABLE postings (
    tenant bigint NOT NULL,
    number bigint NOT NULL,
    debit bigint NOT NULL,
    credit bigint NOT NULL,
    amount bigint NOT NULL,
    unit smallint NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (tenant, number),
    CONSTRAINT postings_amount CHECK (amount > 0)
);

-- The number of the last batch each writer committed, so that a commit whose answer was lost
-- can be looked up. Whoever looks lowers `batch_last` to `batch`: a late commit then breaks the
-- check, so "not recorded" stays true.
CREATE TABLE writers (
    tenant bigint NOT NULL,
    writer bigint NOT NULL,
    batch bigint NOT NULL,
    batch_last bigint NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (tenant, writer),
    CONSTRAINT writers_fence CHECK (batch <= batch_last)
) WITH (fillfactor = 10);
