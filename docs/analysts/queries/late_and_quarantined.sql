-- What of the log did not become an event on time? Rows by run date and reason, and their share of all rows.
WITH books AS (
    SELECT run_date, outcome, sum(n_rows) AS n_rows FROM run_accounting
    WHERE job = 'ingest_events' GROUP BY run_date, outcome
)
SELECT b.run_date, b.outcome AS reason, b.n_rows, CAST(b.n_rows AS DOUBLE) / t.n_rows AS share
FROM books b JOIN books t ON t.run_date = b.run_date AND t.outcome = 'rows_in'
WHERE b.outcome NOT IN ('rows_in', 'accepted') AND b.n_rows > 0
ORDER BY b.run_date, b.n_rows DESC, reason
