-- The quarters of an hour (their first microsecond, UTC) for which something that a guarantee may count was received at
-- {since} or later, by plan. Every time zone's midnight begins a quarter of an hour.
-- A refund belongs to the time of its order; one later than an hour after it changes no guarantee.
SELECT DISTINCT f.plan_id, f.at - MOD(f.at, 900000000) AS quarter
FROM (
    SELECT f.plan_id, f.at FROM charges AS f WHERE f.received_at >= {since}
    UNION ALL
    SELECT f.plan_id, f.at FROM invalids AS f WHERE f.received_at >= {since}
    UNION ALL
    SELECT f.plan_id, f.at FROM orders AS f WHERE f.received_at >= {since}
    UNION ALL
    SELECT f.plan_id, f.order_at AS at FROM refunds AS f
    WHERE f.received_at >= {since} AND f.at - f.order_at <= 3600000000
) AS f
WHERE f.plan_id >= 0
ORDER BY f.plan_id, quarter
