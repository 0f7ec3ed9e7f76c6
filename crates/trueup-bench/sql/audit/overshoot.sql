-- Hard limits that were passed. Nothing here settles more than it held.
SELECT account_id || ' ' || meter
FROM balance
WHERE enforcement = 'hard' AND used + held > plan_limit + granted
