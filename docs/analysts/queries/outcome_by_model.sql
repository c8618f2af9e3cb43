-- What came of each model's lists? Clicks a place, over all its dates; ../../outcomes.md says what counts.
SELECT model_version, min(list_date) AS since, count(*) AS dates, sum(n) AS places_shown,
       sum(n_offered) AS places_offered, sum(value * n) / nullif(sum(n), 0) AS click_through
FROM outcomes
WHERE policy = 'shown' AND metric = 'click_through' AND slice = 'all' AND source = 'all' AND rank = 0
GROUP BY model_version ORDER BY since, model_version
