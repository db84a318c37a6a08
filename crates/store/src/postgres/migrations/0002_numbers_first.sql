-- A key starts with the number, which no two tenants share in practice, and ends with the tenant.
-- While keys started with the tenant, the planner could look up a batch by the tenant alone and
-- sift its rows for the numbers: it did so when its statistics knew no row of that tenant, and
-- then read all of a large merchant's rows for each batch.

ALTER TABLE payments
    DROP CONSTRAINT payments_pkey, ADD PRIMARY KEY (serial, tenant),
    DROP CONSTRAINT payments_claim, ADD CONSTRAINT payments_claim UNIQUE (claim, tenant);

ALTER TABLE cancel_requests
    DROP CONSTRAINT cancel_requests_pkey, ADD PRIMARY KEY (serial, tenant);

ALTER TABLE refunds
    DROP CONSTRAINT refunds_pkey, ADD PRIMARY KEY (serial, tenant),
    DROP CONSTRAINT refunds_claim, ADD CONSTRAINT refunds_claim UNIQUE (claim, tenant);
DROP INDEX refunds_payment;
CREATE INDEX refunds_payment ON refunds (payment, tenant);

ALTER TABLE recharges
    DROP CONSTRAINT recharges_pkey, ADD PRIMARY KEY (serial, tenant),
    DROP CONSTRAINT recharges_claim, ADD CONSTRAINT recharges_claim UNIQUE (claim, tenant);

ALTER TABLE jobs
    DROP CONSTRAINT jobs_pkey, ADD PRIMARY KEY (subject, tenant);

ALTER TABLE notifications
    DROP CONSTRAINT notifications_pkey, ADD PRIMARY KEY (subject, tenant);

ALTER TABLE postings
    DROP CONSTRAINT postings_pkey, ADD PRIMARY KEY (number, tenant);
