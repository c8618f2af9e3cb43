-- Why has this user got this item? Put the user and the item into the first line; one row a date and reason.
WITH asked AS (SELECT 'ann' AS user_id, 'heat' AS item_id),
given AS (
    SELECT r.* FROM recommendations r JOIN asked a ON a.user_id = r.user_id AND a.item_id = r.item_id
)
SELECT g.run_date, g.rank, g.source, g.reason_code, h.title AS because_of, g.propensity, g.model_version,
       g.ruleset_version
FROM given g LEFT JOIN items h
  ON array_contains(g.reason_item_ids, h.item_id)
 AND h.valid_from <= g.run_date AND (h.valid_to IS NULL OR h.valid_to > g.run_date)
ORDER BY g.run_date, because_of
