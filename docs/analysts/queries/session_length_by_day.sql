-- How long are sessions? Sessions, mean events and mean minutes by day, without bots.
SELECT session_date, count(*) AS sessions, avg(n_events) AS events,
       avg(CAST(extract(HOUR FROM end_ts - start_ts) AS DOUBLE) * 60
           + CAST(extract(MINUTE FROM end_ts - start_ts) AS DOUBLE)
           + CAST(extract(SECOND FROM end_ts - start_ts) AS DOUBLE) / 60) AS minutes
FROM sessions WHERE NOT is_bot
GROUP BY session_date ORDER BY session_date
