-- What was sold of each product: the orders of each plan, natural day, channel, product and room (-1: none), what was
-- refunded of them, and what was stamped on them: fees, commission and both parts of coupons. Parameters as in plan_day.sql.
WITH given_back AS (
    SELECT
        f.order_id,
        SUM(CASE WHEN f.at - f.order_at <= 3600000000 THEN f.amount ELSE 0 END) AS in_1h,
        SUM(CASE WHEN f.at - f.order_at <= 604800000000 THEN f.amount ELSE 0 END) AS in_7d
    FROM refunds AS f
    WHERE f.order_at >= {since} AND f.order_at < {until}
    GROUP BY f.order_id
)

SELECT
    f.plan_id,
    CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
    CAST(f.channel AS INT) AS channel,
    f.product_id,
    f.room_id,
    CAST(COUNT(*) AS BIGINT) AS orders,
    CAST(SUM(f.amount) AS BIGINT) AS gmv,
    CAST(SUM(COALESCE(r.in_1h, 0)) AS BIGINT) AS refunded_1h,
    CAST(SUM(COALESCE(r.in_7d, 0)) AS BIGINT) AS refunded_7d,
    CAST(SUM(f.commission) AS BIGINT) AS commission,
    CAST(SUM(f.service_fee) AS BIGINT) AS service_fee,
    CAST(SUM(f.coupon) AS BIGINT) AS coupon,
    CAST(SUM(f.subsidy) AS BIGINT) AS subsidy
FROM orders AS f
LEFT JOIN given_back AS r ON r.order_id = f.id
WHERE f.at >= {since} AND f.at < {until}
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
