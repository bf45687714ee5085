-- What people searched, and what came of it: impressions, clicks, spend, orders and GMV of each plan (or standard
-- campaign) and keyword. An order belongs to the keyword of the look or click that brought it. Parameters as in
-- plan_day.sql.
WITH searched AS (
    SELECT f.id, f.plan_id, f.keyword, f.at
    FROM impressions AS f
    WHERE f.keyword >= 0
),

happened AS (
    SELECT f.plan_id, f.keyword, 1 AS impressions, 0 AS clicks, 0 AS spend, 0 AS orders, 0 AS gmv
    FROM searched AS f
    WHERE f.at >= {since} AND f.at < {until}
    UNION ALL
    SELECT f.plan_id, f.keyword, 0, 1, 0, 0, 0
    FROM clicks AS f
    WHERE f.keyword >= 0 AND f.at >= {since} AND f.at < {until}
    UNION ALL
    SELECT s.plan_id, s.keyword, 0, 0, f.amount, 0, 0
    FROM charges AS f
    INNER JOIN searched AS s ON s.id = f.impression_id
    WHERE f.at >= {since} AND f.at < {until}
    UNION ALL
    SELECT f.plan_id, s.keyword, 0, 0, 0, 1, f.amount
    FROM orders AS f
    INNER JOIN searched AS s ON s.id = f.click_id
    WHERE f.at >= {since} AND f.at < {until}
)

SELECT
    plan_id,
    CAST(keyword AS INT) AS keyword,
    CAST(SUM(impressions) AS BIGINT) AS impressions,
    CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(spend) AS BIGINT) AS spend,
    CAST(SUM(orders) AS BIGINT) AS orders,
    CAST(SUM(gmv) AS BIGINT) AS gmv
FROM happened
GROUP BY plan_id, keyword
ORDER BY plan_id, keyword
