-- A code's events are found by their subjects, which are time-ordered, so that they append. The code's
-- row leads to its newest event, each event to the one before.
CREATE TABLE events_by_subject (
    subject INTEGER NOT NULL,
    carton  INTEGER NOT NULL,
    idx     INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    tenant  INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (subject, carton, idx, number)
) STRICT, WITHOUT ROWID;
INSERT INTO events_by_subject
    SELECT subject, carton, idx, number, tenant,
        CASE WHEN before IS NULL THEN body ELSE json_set(body, '$.before', before) END
    FROM (SELECT *, lag(subject) OVER (PARTITION BY carton, idx ORDER BY number) AS before
        FROM (SELECT *, body ->> '$.subject' AS subject FROM code_events))
    ORDER BY subject, carton, idx, number;

-- Codes that a till has touched are nearly all in use, so that an index of these spares nothing.
CREATE TABLE uses_with_last (
    carton   INTEGER NOT NULL,
    idx      INTEGER NOT NULL,
    tenant   INTEGER NOT NULL,
    used     INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    events   INTEGER NOT NULL,
    newest   INTEGER,
    last     INTEGER,
    PRIMARY KEY (carton, idx)
) STRICT, WITHOUT ROWID;
INSERT INTO uses_with_last
    SELECT carton, idx, tenant, used, reserved, events, newest,
        (SELECT body ->> '$.subject' FROM code_events AS e
            WHERE e.carton = u.carton AND e.idx = u.idx AND e.number = u.events - 1)
    FROM code_uses AS u ORDER BY carton, idx;

DROP TABLE code_uses;
DROP TABLE code_events;
ALTER TABLE uses_with_last RENAME TO code_uses;
ALTER TABLE events_by_subject RENAME TO code_events;
