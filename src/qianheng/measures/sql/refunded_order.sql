-- What was stamped on each order of these days that was refunded within seven days of its payment, and how much of it
-- was. Parameters as in plan_day.sql.
WITH given_back AS (
    SELECT f.order_id, CAST(SUM(f.amount) AS BIGINT) AS refunded
    FROM refunds AS f
    WHERE f.order_at >= {since} AND f.order_at < {until} AND f.at - f.order_at <= 604800000000
    GROUP BY f.order_id
)

SELECT
    f.id,
    f.plan_id,
    CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
    f.product_id,
    f.room_id,
    CAST(f.channel AS INT) AS channel,
    f.coupon_id,
    f.amount AS gmv,
    f.coupon,
    f.subsidy,
    f.commission,
    f.service_fee,
    r.refunded
FROM orders AS f
INNER JOIN given_back AS r ON r.order_id = f.id
WHERE f.at >= {since} AND f.at < {until}
ORDER BY f.id
