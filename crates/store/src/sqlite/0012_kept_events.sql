-- The newest event of a code, where a payment made it, is kept in the code's row, and becomes a row of its own
-- when another one follows: what happened, when, and the subject of the event before. Its place in the chain is
-- what `events` and `last` say. What is kept nowhere is a row of code_events, as all were before.
ALTER TABLE code_uses ADD COLUMN act INTEGER;
ALTER TABLE code_uses ADD COLUMN at INTEGER;
ALTER TABLE code_uses ADD COLUMN before INTEGER;
