-- Operations whose entries do not add up to what they are.
SELECT o.account_id || ' ' || CAST(o.op_id AS TEXT)
FROM operation o
LEFT JOIN (
    SELECT account_id, op_id, SUM(used) AS used, SUM(held) AS held
    FROM entry
    WHERE op_id IS NOT NULL
    GROUP BY account_id, op_id
) e ON e.account_id = o.account_id AND e.op_id = o.op_id
WHERE COALESCE(e.used, 0) <> CASE o.state WHEN 'settled' THEN 1 ELSE 0 END
    OR COALESCE(e.held, 0) <> CASE o.state WHEN 'held' THEN 1 ELSE 0 END
