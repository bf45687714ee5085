-- How refunds ripen: what was refunded of each plan's orders by the age of the order in whole hours, up to 15 days;
-- add up by age and divide by the GMV of the same orders for the curve. Parameters as in plan_day.sql.
SELECT
    f.plan_id,
    CAST((f.at - f.order_at - MOD(f.at - f.order_at, 3600000000)) / 3600000000 AS INT) AS age_hours,
    CAST(SUM(f.amount) AS BIGINT) AS refunded
FROM refunds AS f
WHERE f.order_at >= {since} AND f.order_at < {until} AND f.at - f.order_at BETWEEN 0 AND 1296000000000
GROUP BY 1, 2
ORDER BY 1, 2
