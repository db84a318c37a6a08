-- A digest is found by its first eight bytes, its *lead*, as a number in the order of the digests: rows with
-- an integer key lie less deep than those with sixteen bytes for one. Digests whose lead another one has stand
-- apart. A box has a small number here, since there are as many rows as codes, and each is read from a page of
-- its own.
CREATE TABLE digest_boxes (
    box    INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    carton INTEGER NOT NULL UNIQUE
) STRICT;
CREATE TABLE digests_by_lead (
    lead INTEGER PRIMARY KEY,
    rest BLOB NOT NULL,
    box  INTEGER NOT NULL,
    idx  INTEGER NOT NULL
) STRICT;
CREATE TABLE voucher_digests_apart (
    digest BLOB NOT NULL,
    box    INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    PRIMARY KEY (digest)
) STRICT, WITHOUT ROWID;
INSERT INTO digest_boxes (tenant, carton) SELECT DISTINCT tenant, carton FROM voucher_digests ORDER BY carton;
-- SQLite reads no number from bytes; it does from the place of a digit.
INSERT INTO digests_by_lead
    SELECT (instr('0123456789ABCDEF', substr(hex, 1, 1)) - 9 << 60)
        + (instr('0123456789ABCDEF', substr(hex, 2, 1)) - 1 << 56)
        + (instr('0123456789ABCDEF', substr(hex, 3, 1)) - 1 << 52)
        + (instr('0123456789ABCDEF', substr(hex, 4, 1)) - 1 << 48)
        + (instr('0123456789ABCDEF', substr(hex, 5, 1)) - 1 << 44)
        + (instr('0123456789ABCDEF', substr(hex, 6, 1)) - 1 << 40)
        + (instr('0123456789ABCDEF', substr(hex, 7, 1)) - 1 << 36)
        + (instr('0123456789ABCDEF', substr(hex, 8, 1)) - 1 << 32)
        + (instr('0123456789ABCDEF', substr(hex, 9, 1)) - 1 << 28)
        + (instr('0123456789ABCDEF', substr(hex, 10, 1)) - 1 << 24)
        + (instr('0123456789ABCDEF', substr(hex, 11, 1)) - 1 << 20)
        + (instr('0123456789ABCDEF', substr(hex, 12, 1)) - 1 << 16)
        + (instr('0123456789ABCDEF', substr(hex, 13, 1)) - 1 << 12)
        + (instr('0123456789ABCDEF', substr(hex, 14, 1)) - 1 << 8)
        + (instr('0123456789ABCDEF', substr(hex, 15, 1)) - 1 << 4)
        + (instr('0123456789ABCDEF', substr(hex, 16, 1)) - 1 << 0),
        substr(digest, 9), box, idx
    FROM (SELECT *, hex(substr(digest, 1, 8)) AS hex FROM voucher_digests JOIN digest_boxes USING (carton)
        ORDER BY digest)
    WHERE true ON CONFLICT (lead) DO NOTHING;
INSERT INTO voucher_digests_apart
    SELECT digest, box, idx FROM voucher_digests JOIN digest_boxes USING (carton)
    WHERE (SELECT count(*) FROM digests_by_lead) < (SELECT count(*) FROM voucher_digests)
        AND (box, idx) NOT IN (SELECT box, idx FROM digests_by_lead);
DROP TABLE voucher_digests;
ALTER TABLE digests_by_lead RENAME TO voucher_digests;
CREATE INDEX voucher_digests_box ON voucher_digests (box);
