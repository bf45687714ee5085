-- How the GMV of each plan's days ripens: what was given back of their orders by the age of the order.
-- Parameters as in plan_day.sql.
SELECT
    f.plan_id,
    CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
    CAST(SUM(CASE WHEN f.given_at - f.at <= 3600000000 THEN f.amount ELSE 0 END) AS BIGINT) AS "1h",
    CAST(SUM(CASE WHEN f.given_at - f.at <= 21600000000 THEN f.amount ELSE 0 END) AS BIGINT) AS "6h",
    CAST(SUM(CASE WHEN f.given_at - f.at <= 86400000000 THEN f.amount ELSE 0 END) AS BIGINT) AS "1d",
    CAST(SUM(CASE WHEN f.given_at - f.at <= 259200000000 THEN f.amount ELSE 0 END) AS BIGINT) AS "3d",
    CAST(SUM(CASE WHEN f.given_at - f.at <= 604800000000 THEN f.amount ELSE 0 END) AS BIGINT) AS "7d",
    CAST(SUM(CASE WHEN f.given_at - f.at <= 1209600000000 THEN f.amount ELSE 0 END) AS BIGINT) AS "14d"
FROM (SELECT r.plan_id, r.order_at AS at, r.at AS given_at, r.amount FROM refunds AS r) AS f
WHERE f.at >= {since} AND f.at < {until}
GROUP BY 1, 2
ORDER BY 1, 2
