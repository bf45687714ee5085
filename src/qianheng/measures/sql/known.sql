-- When the figures of each plan's days became known: sums by the number of the midnight after which they had been
-- received ({known}; the first is that after the first day). Added up they are what was known at that midnight.
-- Parameters as in plan_day.sql.
WITH told AS (
    SELECT f.plan_id, f.at, f.received_at, f.amount AS spend, 0 AS gmv, 0 AS refunded_1h, 0 AS refunded
    FROM charges AS f
    UNION ALL
    SELECT f.plan_id, f.at, f.received_at, 0, f.amount, 0, 0
    FROM orders AS f
    UNION ALL
    SELECT
        f.plan_id, f.order_at, f.received_at, 0, 0,
        CASE WHEN f.at - f.order_at <= 3600000000 THEN f.amount ELSE 0 END,
        f.amount
    FROM refunds AS f
)

SELECT
    f.plan_id,
    CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
    CAST({known} AS BIGINT) AS known,
    CAST(SUM(f.spend) AS BIGINT) AS spend,
    CAST(SUM(f.gmv) AS BIGINT) AS gmv,
    CAST(SUM(f.refunded_1h) AS BIGINT) AS refunded_1h,
    CAST(SUM(f.refunded) AS BIGINT) AS refunded
FROM told AS f
WHERE f.at >= {since} AND f.at < {until}
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
