-- What do the newest lists offer to each segment? Its five items listed most; the segment is users.attributes['gender'].
WITH newest AS (SELECT max(run_date) AS run_date FROM recommendations),
listed AS (
    SELECT r.run_date, u.attributes['gender'] AS segment, r.item_id, count(*) AS lists
    FROM recommendations r
    JOIN newest n ON n.run_date = r.run_date
    JOIN users u ON u.user_id = r.user_id
     AND u.valid_from <= r.run_date AND (u.valid_to IS NULL OR u.valid_to > r.run_date)
    GROUP BY r.run_date, u.attributes['gender'], r.item_id
),
placed AS (
    SELECT l.*, row_number() OVER (PARTITION BY segment ORDER BY lists DESC, item_id) AS place FROM listed l
)
SELECT p.segment, p.place, p.item_id, i.title, p.lists
FROM placed p LEFT JOIN items i ON i.item_id = p.item_id
 AND i.valid_from <= p.run_date AND (i.valid_to IS NULL OR i.valid_to > p.run_date)
WHERE p.place <= 5
ORDER BY p.segment, p.place
