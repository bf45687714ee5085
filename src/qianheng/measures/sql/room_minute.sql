-- What a live room sold and what was spent on showing it, by minute after {since}, product (-1: none) and channel.
-- {room}: the room, {plans}: the plans that show it; {since}, {until}: the first instant asked for and the first after
-- them, UTC microseconds. What such a plan sold outside the room belongs to the minute in which it reached the buyer.
-- refunded_1h … refunded_14d: what was given back of the orders of that minute within so long; each has the ones before.
WITH given_back AS (
    SELECT
        f.order_id,
        SUM(CASE WHEN f.at - f.order_at <= 3600000000 THEN f.amount ELSE 0 END) AS in_1h,
        SUM(CASE WHEN f.at - f.order_at <= 86400000000 THEN f.amount ELSE 0 END) AS in_1d,
        SUM(CASE WHEN f.at - f.order_at <= 259200000000 THEN f.amount ELSE 0 END) AS in_3d,
        SUM(CASE WHEN f.at - f.order_at <= 604800000000 THEN f.amount ELSE 0 END) AS in_7d,
        SUM(CASE WHEN f.at - f.order_at <= 1209600000000 THEN f.amount ELSE 0 END) AS in_14d
    FROM refunds AS f
    WHERE f.order_at >= {since}
    GROUP BY f.order_id
),

happened AS (
    SELECT
        CASE WHEN f.room_id = {room} THEN f.at ELSE f.touched_at END AS at, f.product_id, f.channel,
        1 AS orders, f.amount AS gmv,
        COALESCE(r.in_1h, 0) AS refunded_1h, COALESCE(r.in_1d, 0) AS refunded_1d, COALESCE(r.in_3d, 0) AS refunded_3d,
        COALESCE(r.in_7d, 0) AS refunded_7d, COALESCE(r.in_14d, 0) AS refunded_14d,
        0 AS spend
    FROM orders AS f
    LEFT JOIN given_back AS r ON r.order_id = f.id
    WHERE f.at >= {since} AND (
        (f.room_id = {room} AND f.at < {until})
        OR (f.room_id <> {room} AND f.plan_id IN ({plans}) AND f.touched_at >= {since} AND f.touched_at < {until})
    )
    UNION ALL
    SELECT f.at, i.product_id, 1, 0, 0, 0, 0, 0, 0, 0, f.amount
    FROM charges AS f
    INNER JOIN impressions AS i ON i.id = f.impression_id
    WHERE f.at >= {since} AND f.at < {until} AND i.room_id = {room}
)

SELECT
    CAST((f.at - {since} - MOD(f.at - {since}, 60000000)) / 60000000 AS BIGINT) AS minute,
    f.product_id,
    CAST(f.channel AS BIGINT) AS channel,
    CAST(SUM(f.orders) AS BIGINT) AS orders,
    CAST(SUM(f.gmv) AS BIGINT) AS gmv,
    CAST(SUM(f.refunded_1h) AS BIGINT) AS refunded_1h,
    CAST(SUM(f.refunded_1d) AS BIGINT) AS refunded_1d,
    CAST(SUM(f.refunded_3d) AS BIGINT) AS refunded_3d,
    CAST(SUM(f.refunded_7d) AS BIGINT) AS refunded_7d,
    CAST(SUM(f.refunded_14d) AS BIGINT) AS refunded_14d,
    CAST(SUM(f.spend) AS BIGINT) AS spend
FROM happened AS f
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
