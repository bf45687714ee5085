-- The quarters of an hour (their first microsecond, UTC) of orders that were received at {since} or later, or of which a
-- refund within seven days was. Every time zone's midnight begins a quarter of an hour.
SELECT DISTINCT f.at - MOD(f.at, 900000000) AS quarter
FROM (
    SELECT f.at FROM orders AS f WHERE f.received_at >= {since}
    UNION ALL
    SELECT f.order_at AS at FROM refunds AS f
    WHERE f.received_at >= {since} AND f.at - f.order_at <= 604800000000
) AS f
ORDER BY quarter
