-- The charges of some days that somebody clicked on, or that led to an order judged a fraud, each once, with its first
-- click. Parameters as in plan_day.sql. user_id and product_id are -1 where nobody clicked.
WITH frauds AS (
    SELECT DISTINCT o.click_id AS touch_id
    FROM orders AS o
    WHERE o.flagged AND o.click_id >= 0
),

of_frauds AS (
    SELECT touch_id AS impression_id FROM frauds
    UNION
    SELECT k.impression_id FROM clicks AS k INNER JOIN frauds AS f ON f.touch_id = k.id
),

clicked AS (
    SELECT
        k.impression_id,
        k.at,
        k.user_id,
        k.product_id,
        ROW_NUMBER() OVER (PARTITION BY k.impression_id ORDER BY k.at, k.id) AS number
    FROM clicks AS k
    WHERE k.at >= {since} AND k.at < {until}
)

SELECT
    f.id,
    f.at,
    f.plan_id,
    f.boost,
    f.target_version,
    f.amount,
    COALESCE(k.at, f.at) AS clicked_at,
    COALESCE(k.user_id, -1) AS user_id,
    COALESCE(k.product_id, -1) AS product_id,
    b.impression_id IS NOT NULL AS flagged
FROM charges AS f
LEFT JOIN clicked AS k ON k.impression_id = f.impression_id AND k.number = 1
LEFT JOIN of_frauds AS b ON b.impression_id = f.impression_id
WHERE f.at >= {since} AND f.at < {until}
  AND (k.impression_id IS NOT NULL OR b.impression_id IS NOT NULL)
ORDER BY f.id
