-- Operations that did the same thing at two versions.
SELECT account_id || ' ' || CAST(op_id AS TEXT) || ' ' || kind
FROM entry
WHERE op_id IS NOT NULL AND kind IN ('hold', 'settle')
GROUP BY account_id, op_id, kind
HAVING COUNT(DISTINCT version) > 1
