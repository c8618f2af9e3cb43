-- Why has this user not got that item? Put the user and the item into the first line; a row for each finding.
WITH asked AS (SELECT 'ann' AS user_id, 'up' AS item_id),
newest AS (SELECT max(run_date) AS run_date FROM recommendations),
lists AS (SELECT r.* FROM recommendations r JOIN newest n ON n.run_date = r.run_date),
catalogue AS (
    SELECT i.item_id FROM items i CROSS JOIN newest n
    WHERE i.valid_from <= n.run_date AND (i.valid_to IS NULL OR i.valid_to > n.run_date)
),
served AS (
    SELECT DISTINCT m.n_items FROM model_runs m JOIN lists l ON l.model_version = m.model_version
),
events_before AS (
    SELECT count(*) AS n_sessions FROM sessions s CROSS JOIN asked a CROSS JOIN newest n
    WHERE (s.session_user = a.user_id OR s.stitched_user_id = a.user_id)
      AND array_contains(s.item_ids, a.item_id) AND s.session_date <= n.run_date
),
findings AS (
    SELECT 1 AS place, 'it is in the list, at rank ' || CAST(l.rank AS STRING) AS finding
    FROM lists l JOIN asked a ON a.user_id = l.user_id AND a.item_id = l.item_id
    UNION ALL
    SELECT 2, 'the user has no list' FROM asked a
    WHERE NOT EXISTS (SELECT 1 FROM lists l WHERE l.user_id = a.user_id)
    UNION ALL
    SELECT 3, 'it is not in the catalogue' FROM asked a
    WHERE NOT EXISTS (SELECT 1 FROM catalogue i WHERE i.item_id = a.item_id)
    UNION ALL
    SELECT 4, 'a rule makes it ' || r.rule || coalesce(': ' || r.note, '')
    FROM item_rules r JOIN asked a ON a.item_id = r.item_id CROSS JOIN newest n
    WHERE r.rule IN ('hidden', 'unavailable')
      AND r.valid_from <= n.run_date AND (r.valid_to IS NULL OR r.valid_to > n.run_date)
    UNION ALL
    SELECT 5, 'the user has had it, in sessions: ' || CAST(n_sessions AS STRING)
    FROM events_before WHERE n_sessions > 0
    UNION ALL
    SELECT 6, 'nobody has had it, so the model does not know it' FROM asked a
    WHERE NOT EXISTS (SELECT 1 FROM item_index x WHERE x.item_id = a.item_id)
    UNION ALL
    SELECT 7, 'it is newer than the model' FROM item_index x JOIN asked a ON a.item_id = x.item_id
    CROSS JOIN served s WHERE x.item_index > s.n_items
)
SELECT finding FROM (
    SELECT place, finding FROM findings
    UNION ALL
    SELECT 8, 'none of these: others came before it, or scoring.rules kept it out (table rulesets)' FROM asked a
    WHERE NOT EXISTS (SELECT 1 FROM findings)
) told
ORDER BY place, finding
