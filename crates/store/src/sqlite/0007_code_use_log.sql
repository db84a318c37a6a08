-- What became of codes lately: whole rows of code_uses, appended. The newest row of a code counts, before
-- the one in that table, which is written late, many neighbours at a time: see code_uses.rs.
CREATE TABLE code_use_log (
    number   INTEGER PRIMARY KEY,
    carton   INTEGER NOT NULL,
    idx      INTEGER NOT NULL,
    tenant   INTEGER NOT NULL,
    used     INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    events   INTEGER NOT NULL,
    newest   INTEGER,
    last     INTEGER
) STRICT;
