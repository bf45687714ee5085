-- The hour curve: spend, orders and GMV of each plan, natural day and hour of that day. Parameters as in plan_day.sql.
WITH happened AS (
    SELECT f.plan_id, f.at + {offset} AS local_at, f.amount AS spend, 0 AS orders, 0 AS gmv
    FROM charges AS f
    WHERE f.at >= {since} AND f.at < {until}
    UNION ALL
    SELECT f.plan_id, f.at + {offset} AS local_at, 0 AS spend, 1 AS orders, f.amount AS gmv
    FROM orders AS f
    WHERE f.at >= {since} AND f.at < {until}
)

SELECT
    plan_id,
    CAST((local_at - MOD(local_at, 86400000000)) / 86400000000 AS BIGINT) AS day,
    CAST((MOD(local_at, 86400000000) - MOD(local_at, 3600000000)) / 3600000000 AS INT) AS hour,
    CAST(SUM(spend) AS BIGINT) AS spend,
    CAST(SUM(orders) AS BIGINT) AS orders,
    CAST(SUM(gmv) AS BIGINT) AS gmv
FROM happened
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
