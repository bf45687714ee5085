-- Orders that may yet be refunded within the hour, and how often that happens. {since}: the first instant looked at;
-- {now}: the time it is then, UTC microseconds. Boosted and flagged orders are left out.
-- doubtful_*: the orders of the last hour; doubtful_left: their GMV by the part of their hour that is still to come.
WITH sold AS (
    SELECT
        f.plan_id,
        f.channel,
        SUM(f.amount) AS gmv,
        SUM(CASE WHEN f.at > {now} - 3600000000 THEN 1 ELSE 0 END) AS doubtful_orders,
        SUM(CASE WHEN f.at > {now} - 3600000000 THEN f.amount ELSE 0 END) AS doubtful_gmv,
        SUM(
            CASE
                WHEN f.at > {now} - 3600000000 -- money by microseconds is too large for an integer
                    THEN CAST(f.amount AS DOUBLE) * (3600000000 - {now} + f.at) / 3600000000
                ELSE 0
            END
        ) AS doubtful_left
    FROM orders AS f
    WHERE f.at >= {since} AND f.boost = 0 AND NOT f.flagged
    GROUP BY 1, 2
),

undone AS (
    SELECT f.plan_id, SUM(f.amount) AS refunded
    FROM refunds AS f
    WHERE f.order_at >= {since} AND f.at - f.order_at <= 3600000000
    GROUP BY 1
)

SELECT
    s.plan_id,
    CAST(s.channel AS INT) AS channel,
    CAST(s.doubtful_orders AS BIGINT) AS doubtful_orders,
    CAST(s.doubtful_gmv AS DOUBLE) AS doubtful_gmv,
    CAST(s.doubtful_left AS DOUBLE) AS doubtful_left,
    CAST(COALESCE(u.refunded, 0) AS DOUBLE) AS refunded,
    CAST(SUM(s.gmv) OVER (PARTITION BY s.plan_id) AS DOUBLE) AS gmv
FROM sold AS s
LEFT JOIN undone AS u ON u.plan_id = s.plan_id
ORDER BY s.plan_id, s.channel
