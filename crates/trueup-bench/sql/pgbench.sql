-- What the server does for a hold and for a settle, each as a transaction of its own and statement by
-- statement, as a design does that begins a transaction for every request. In its favour: no HTTP, no
-- JSON, no decision in the client, statements that are planned once, and a socket.
\set account random(0, :accounts - 1)
\set number :number + 1
\set id (:run * 100000 + :client_id) * 10000000 + :number

BEGIN;
SELECT version, plan, time_zone, anchor_at, overrides
FROM account WHERE account_id = 'a-' || :account::text FOR UPDATE \gset
SELECT meter, window_number, window_start, window_end, plan_limit, enforcement, granted, used, held
FROM balance WHERE account_id = 'a-' || :account::text;
SELECT state FROM operation
WHERE account_id = 'a-' || :account::text AND op_id = lpad(:id::text, 32, '0')::uuid;
UPDATE account SET version = :version::bigint + 1 WHERE account_id = 'a-' || :account::text;
UPDATE balance SET held = held + 1
WHERE account_id = 'a-' || :account::text AND meter = 'units' AND used + held + 1 <= plan_limit;
INSERT INTO operation (account_id, op_id, actor_id, model, state, cause, version, requested, holds, charged, expires_at, changed_at)
VALUES ('a-' || :account::text, lpad(:id::text, 32, '0')::uuid, 'a-' || :account::text, 'm', 'held', 'held',
    :version::bigint + 1, '{"units":1}', '[{"meter":"units","units":1,"window":1}]', '{}', 1790000000000, 1780000000000);
INSERT INTO entry (account_id, version, line, kind, cause, op_id, actor_id, made_at, meter, window_number, used, held, granted, limit_moved, seen_moved, overage)
VALUES ('a-' || :account::text, :version::bigint + 1, 0, 'hold', 'held', lpad(:id::text, 32, '0')::uuid,
    'a-' || :account::text, 1780000000000, 'units', 1, 0, 1, 0, 0, 1, 0);
COMMIT;

BEGIN;
SELECT version, plan, time_zone, anchor_at, overrides
FROM account WHERE account_id = 'a-' || :account::text FOR UPDATE \gset
SELECT meter, window_number, window_start, window_end, plan_limit, enforcement, granted, used, held
FROM balance WHERE account_id = 'a-' || :account::text;
SELECT state, requested, holds, charged, expires_at FROM operation
WHERE account_id = 'a-' || :account::text AND op_id = lpad(:id::text, 32, '0')::uuid;
UPDATE account SET version = :version::bigint + 1 WHERE account_id = 'a-' || :account::text;
UPDATE balance SET held = held - 1, used = used + 1
WHERE account_id = 'a-' || :account::text AND meter = 'units';
UPDATE operation SET state = 'settled', cause = 'settled', version = :version::bigint + 1, holds = '[]',
    charged = '{"units":1}', changed_at = 1780000000000
WHERE account_id = 'a-' || :account::text AND op_id = lpad(:id::text, 32, '0')::uuid AND state = 'held';
INSERT INTO entry (account_id, version, line, kind, cause, op_id, actor_id, made_at, meter, window_number, used, held, granted, limit_moved, seen_moved, overage)
VALUES ('a-' || :account::text, :version::bigint + 1, 0, 'settle', 'settled', lpad(:id::text, 32, '0')::uuid,
    'a-' || :account::text, 1780000000000, 'units', 1, 1, -1, 0, 0, 0, 0);
COMMIT;
