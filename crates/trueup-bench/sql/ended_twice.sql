-- Operations that ended more than once.
SELECT account_id || ' ' || CAST(op_id AS TEXT)
FROM entry
WHERE op_id IS NOT NULL AND kind IN ('settle', 'release', 'expire', 'refuse', 'fence')
GROUP BY account_id, op_id
HAVING COUNT(DISTINCT version) > 1
