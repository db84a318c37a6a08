-- Prepaid vouchers. Documents as those of cards.
CREATE TABLE partners (
    tenant bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (tenant, key),
    -- A request names its partner and not the retailer.
    CONSTRAINT partners_number UNIQUE (key)
) WITH (fillfactor = 70);

CREATE TABLE voucher_tickets (
    tenant bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (tenant, key)
);

CREATE TABLE activities (
    tenant bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (tenant, key)
);

CREATE TABLE cartons (
    tenant bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (tenant, key)
) WITH (fillfactor = 80);

-- Never changed once they are written.
CREATE TABLE stock_changes (
    tenant bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (tenant, key)
);

-- What follows is found by the number of a box, which is one tenant's: it stands first in every
-- key, so that a statement about a box reads nothing of another.

-- Boxes, packages and reels by their printed names, and those within a range of codes.
CREATE TABLE voucher_units (
    tenant bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    level smallint NOT NULL,
    carton bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    sale_channel_order_id text,
    PRIMARY KEY (id, tenant)
);
CREATE INDEX voucher_units_range ON voucher_units (carton, level, first);

CREATE TABLE voucher_codes (
    carton bigint NOT NULL,
    idx bigint NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (carton, idx)
);

-- By the second index a box's digests are counted and removed.
CREATE TABLE voucher_digests (
    digest bytea NOT NULL,
    tenant bigint NOT NULL,
    carton bigint NOT NULL,
    idx bigint NOT NULL,
    PRIMARY KEY (digest)
);
CREATE INDEX voucher_digests_carton ON voucher_digests (carton);

-- What happened to neighbouring codes; the spans of a box tile it. A box has one span for long, and
-- each payment with one of its codes locks it against change, which writes into its page: the next
-- changes of the row shall find room there.
CREATE TABLE voucher_spans (
    tenant bigint NOT NULL,
    carton bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    due_at bigint,
    body text NOT NULL,
    PRIMARY KEY (carton, first, tenant)
) WITH (fillfactor = 70);
CREATE INDEX voucher_spans_due ON voucher_spans (due_at, carton, first) WHERE due_at IS NOT NULL;

-- Only codes that a till has touched. A use is held and then gone: `busy` changes once, all other
-- updates stay on their page and touch no index.
CREATE TABLE code_uses (
    tenant bigint NOT NULL,
    carton bigint NOT NULL,
    idx bigint NOT NULL,
    busy boolean NOT NULL,
    used bigint NOT NULL,
    reserved bigint NOT NULL,
    events bigint NOT NULL,
    newest bigint,
    PRIMARY KEY (carton, idx, tenant)
) WITH (fillfactor = 75);
CREATE INDEX code_uses_busy ON code_uses (carton, idx) WHERE busy;

CREATE TABLE code_events (
    tenant bigint NOT NULL,
    carton bigint NOT NULL,
    idx bigint NOT NULL,
    number bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (carton, idx, number, tenant)
);

ALTER TABLE refunds ADD COLUMN voucher_back boolean NOT NULL DEFAULT false;
