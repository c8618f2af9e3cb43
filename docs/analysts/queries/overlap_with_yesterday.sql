-- How much of a list stays from one date to the next? Mean share over users with both; the gate's rule "overlap".
WITH dates AS (
    SELECT run_date, lag(run_date) OVER (ORDER BY run_date) AS before
    FROM (SELECT DISTINCT run_date FROM recommendations) every_date
),
both_dates AS (
    SELECT d.run_date, d.before, t.user_id
    FROM dates d JOIN (SELECT DISTINCT run_date, user_id FROM recommendations) t ON t.run_date = d.run_date
),
kept AS (
    SELECT b.run_date, b.user_id, CAST(count(t.item_id) AS DOUBLE) / count(*) AS share
    FROM both_dates b
    JOIN recommendations y ON y.run_date = b.before AND y.user_id = b.user_id
    LEFT JOIN recommendations t
      ON t.run_date = b.run_date AND t.user_id = b.user_id AND t.item_id = y.item_id
    GROUP BY b.run_date, b.user_id
)
SELECT run_date, count(*) AS users, avg(share) AS overlap FROM kept GROUP BY run_date ORDER BY run_date
