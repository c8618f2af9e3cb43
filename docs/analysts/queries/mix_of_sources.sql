-- Where do the items come from? Share of the places by source and run date.
WITH counted AS (
    SELECT run_date, source, CAST(count(*) AS DOUBLE) AS places
    FROM recommendations GROUP BY run_date, source
)
SELECT run_date, source, places, places / sum(places) OVER (PARTITION BY run_date) AS share
FROM counted
ORDER BY run_date, places DESC, source
