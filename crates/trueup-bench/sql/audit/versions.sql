-- Accounts whose versions have holes.
SELECT a.account_id
FROM account a
LEFT JOIN (
    SELECT account_id, COUNT(DISTINCT version) AS versions, MAX(version) AS last
    FROM entry
    GROUP BY account_id
) e ON e.account_id = a.account_id
WHERE a.version <> COALESCE(e.versions, 0) OR a.version <> COALESCE(e.last, 0)
