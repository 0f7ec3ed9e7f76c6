-- Counters of what is held that differ from the open holds.
SELECT b.account_id || ' ' || b.meter
FROM balance b
LEFT JOIN (
    SELECT o.account_id, h.value ->> 'meter' AS meter, (h.value ->> 'window')::bigint AS window_number,
        SUM((h.value ->> 'units')::bigint) AS units
    FROM operation o, json_array_elements(o.holds::json) h
    WHERE o.state = 'held'
    GROUP BY 1, 2, 3
) h ON h.account_id = b.account_id AND h.meter = b.meter AND h.window_number = b.window_number
WHERE b.held <> COALESCE(h.units, 0)
