-- What became of rows that enter their tables late: see late_log.rs. A row holds all that a transaction
-- changed, and is numbered by the last change in it; each change is its length, a blank and its text.

-- Cards and terminals.
CREATE TABLE document_log (
    number  INTEGER PRIMARY KEY,
    changes TEXT NOT NULL
) STRICT;

-- Voucher codes that tills touched: until now a row for each change.
CREATE TABLE code_use_changes (
    number  INTEGER PRIMARY KEY,
    changes TEXT NOT NULL
) STRICT;
INSERT INTO code_use_changes
    SELECT number, length(text) || ' ' || text FROM (
        SELECT number, concat_ws(' ', tenant, carton, idx, used, reserved, events,
            coalesce(newest, '-'), coalesce(last, '-')) AS text FROM code_use_log);
DROP TABLE code_use_log;
ALTER TABLE code_use_changes RENAME TO code_use_log;
