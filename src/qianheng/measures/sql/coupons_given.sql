-- How many orders of these days each coupon was given with, and what the shop and the platform pay of it before refunds.
-- Parameters as in plan_day.sql.
SELECT
    f.coupon_id,
    CAST(COUNT(*) AS BIGINT) AS orders,
    CAST(COUNT(DISTINCT f.user_id) AS BIGINT) AS users,
    CAST(SUM(f.coupon) AS BIGINT) AS coupon,
    CAST(SUM(f.subsidy) AS BIGINT) AS subsidy
FROM orders AS f
WHERE f.coupon_id >= 0 AND f.at >= {since} AND f.at < {until}
GROUP BY f.coupon_id
ORDER BY f.coupon_id
