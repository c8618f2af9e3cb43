-- How much of the catalogue is in some list, and what share of the places has the item listed most? By run date.
WITH per_item AS (
    SELECT run_date, item_id, count(*) AS places FROM recommendations GROUP BY run_date, item_id
),
listed AS (
    SELECT run_date, count(*) AS items_listed, CAST(max(places) AS DOUBLE) / sum(places) AS top_item_share
    FROM per_item GROUP BY run_date
),
offered AS (
    SELECT l.run_date, count(*) AS items_in_catalogue
    FROM listed l JOIN items i
      ON i.valid_from <= l.run_date AND (i.valid_to IS NULL OR i.valid_to > l.run_date)
    GROUP BY l.run_date
)
SELECT l.run_date, l.items_listed, o.items_in_catalogue,
       CAST(l.items_listed AS DOUBLE) / o.items_in_catalogue AS coverage, l.top_item_share
FROM listed l LEFT JOIN offered o ON o.run_date = l.run_date
ORDER BY l.run_date
