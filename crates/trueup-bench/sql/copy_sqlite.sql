-- Makes {accounts} accounts of one, whose rows the server wrote.
PRAGMA foreign_keys = ON;
CREATE TEMP TABLE name AS
WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {accounts} - 1)
SELECT 'a-' || n AS id FROM series WHERE {accounts} > 1 ORDER BY id;
BEGIN IMMEDIATE;
INSERT INTO account (account_id, version, plan, time_zone, anchor_at, overrides, created_at)
SELECT id, version, plan, time_zone, anchor_at, overrides, created_at
FROM name, account WHERE account_id = 'a-0';
INSERT INTO balance (account_id, meter, window_number, window_start, window_end, plan_limit, enforcement, granted, used, held)
SELECT id, meter, window_number, window_start, window_end, plan_limit, enforcement, granted, used, held
FROM name, balance WHERE account_id = 'a-0';
INSERT INTO operation (account_id, op_id, actor_id, model, state, cause, version, requested, held_content, settled_content, holds, charged, expires_at, changed_at)
SELECT id, op_id, id, model, state, cause, version, requested, held_content, settled_content, holds, charged, expires_at, changed_at
FROM name, operation WHERE account_id = 'a-0';
INSERT INTO entry (account_id, version, line, kind, cause, op_id, actor_id, made_at, meter, window_number, used, held, granted, limit_moved, seen_moved, overage)
SELECT id, version, line, kind, cause, op_id, CASE WHEN actor_id IS NULL THEN NULL ELSE id END, made_at, meter, window_number, used, held, granted, limit_moved, seen_moved, overage
FROM name, entry WHERE account_id = 'a-0';
COMMIT;
ANALYZE;
