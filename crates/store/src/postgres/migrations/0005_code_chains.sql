-- A code's events are found by their subjects, which are time-ordered, so that their keys append. The
-- code's row leads to its newest event, each event to the one before.
ALTER TABLE code_events RENAME TO events_by_code;
ALTER TABLE events_by_code RENAME CONSTRAINT code_events_pkey TO events_by_code_pkey;
CREATE TABLE code_events (
    tenant bigint NOT NULL,
    subject bigint NOT NULL,
    carton bigint NOT NULL,
    idx bigint NOT NULL,
    number bigint NOT NULL,
    before bigint,
    body text NOT NULL,
    PRIMARY KEY (subject, carton, idx, number, tenant)
);
-- Bodies are not read as JSON: a till's text may hold a character that no text value may. Subjects
-- stand before any such text.
INSERT INTO code_events
    SELECT tenant, subject, carton, idx, number, before, CASE WHEN before IS NULL THEN body
        ELSE left(body, -1) || ',"before":' || before || '}' END
    FROM (SELECT *, lag(subject) OVER (PARTITION BY carton, idx, tenant ORDER BY number) AS before
        FROM (SELECT *, substring(body FROM '"subject":(\d+)')::bigint AS subject FROM events_by_code)
            AS of_subject) AS chained
    ORDER BY subject, carton, idx, number;

-- Codes that a till has touched are nearly all in use, so that an index of these spares nothing, and
-- keeps updates from staying on their page. A row is written when its use is held, and again when
-- that is gone: the second shall find room.
DROP INDEX code_uses_busy;
ALTER TABLE code_uses DROP COLUMN busy, ADD COLUMN last bigint;
ALTER TABLE code_uses SET (fillfactor = 50);
UPDATE code_uses SET last = (SELECT substring(e.body FROM '"subject":(\d+)')::bigint
        FROM events_by_code AS e
        WHERE e.carton = code_uses.carton AND e.idx = code_uses.idx
            AND e.number = code_uses.events - 1 AND e.tenant = code_uses.tenant)
    WHERE events > 0;
DROP TABLE events_by_code;
