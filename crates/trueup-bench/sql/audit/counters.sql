-- Counters that differ from the sums of their entries.
SELECT b.account_id || ' ' || b.meter
FROM balance b
LEFT JOIN (
    SELECT account_id, meter, window_number, SUM(used) AS used, SUM(held) AS held
    FROM entry
    GROUP BY account_id, meter, window_number
) e ON e.account_id = b.account_id AND e.meter = b.meter AND e.window_number = b.window_number
WHERE b.used <> COALESCE(e.used, 0) OR b.held <> COALESCE(e.held, 0)
