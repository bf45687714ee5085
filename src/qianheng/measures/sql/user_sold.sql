-- What each user bought of each product, by natural day: orders, GMV and what of it was left after an hour, in all and
-- of what was promoted to them. Parameters as in plan_day.sql. A refund is a subtraction on the day of its order.
WITH given_back AS (
    SELECT
        f.order_id,
        SUM(CASE WHEN f.at - f.order_at <= 3600000000 THEN f.amount ELSE 0 END) AS in_1h
    FROM refunds AS f
    WHERE f.order_at >= {since} AND f.order_at < {until}
    GROUP BY f.order_id
)

SELECT
    f.user_id,
    f.product_id,
    CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
    COUNT(*) AS orders,
    CAST(SUM(f.amount) AS BIGINT) AS gmv,
    CAST(SUM(f.amount - COALESCE(r.in_1h, 0)) AS BIGINT) AS net_gmv,
    CAST(SUM(CASE WHEN f.channel = 1 THEN 1 ELSE 0 END) AS BIGINT) AS promoted_orders,
    CAST(SUM(CASE WHEN f.channel = 1 THEN f.amount ELSE 0 END) AS BIGINT) AS promoted_gmv,
    CAST(SUM(CASE WHEN f.channel = 1 THEN f.amount - COALESCE(r.in_1h, 0) ELSE 0 END) AS BIGINT) AS promoted_net_gmv
FROM orders AS f
LEFT JOIN given_back AS r ON r.order_id = f.id
WHERE f.at >= {since} AND f.at < {until}
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
