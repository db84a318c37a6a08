-- The newest event of a code, where a payment made it, is kept in the code's row, and becomes a row of its own
-- when another one follows: what happened (0 where no event is kept), when, and the subject of the event before.
-- Its place in the chain is what events and last say. What is kept nowhere is a row of code_events, as all were
-- before. A former version, which would lose kept events, writes no act, and so is refused.
ALTER TABLE code_uses ADD COLUMN act smallint NOT NULL DEFAULT 0, ADD COLUMN at bigint, ADD COLUMN before bigint;
ALTER TABLE code_uses ALTER COLUMN act DROP DEFAULT;
