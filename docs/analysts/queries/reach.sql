-- Whom do the lists reach? Users with a list and known users, by run date.
WITH dates AS (
    SELECT run_date, count(DISTINCT user_id) AS users_with_list
    FROM recommendations GROUP BY run_date
),
known AS (
    SELECT d.run_date, count(*) AS known_users
    FROM dates d JOIN users u
      ON u.valid_from <= d.run_date AND (u.valid_to IS NULL OR u.valid_to > d.run_date)
    GROUP BY d.run_date
)
SELECT d.run_date, d.users_with_list, coalesce(k.known_users, 0) AS known_users
FROM dates d LEFT JOIN known k ON k.run_date = d.run_date
ORDER BY d.run_date
