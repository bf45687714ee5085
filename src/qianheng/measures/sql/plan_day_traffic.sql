-- Impressions and clicks of each plan and natural day. Parameters as in plan_day.sql.
WITH seen AS (
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
        CAST({order_part} AS BIGINT) AS part,
        COUNT(*) AS impressions,
        0 AS clicks
    FROM impressions AS f
    WHERE f.at >= {since} AND f.at < {until}
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
        CAST({order_part} AS BIGINT) AS part,
        0 AS impressions,
        COUNT(*) AS clicks
    FROM clicks AS f
    WHERE f.at >= {since} AND f.at < {until}
    GROUP BY 1, 2, 3
)

SELECT
    plan_id,
    day,
    part,
    CAST(SUM(impressions) AS BIGINT) AS impressions,
    CAST(SUM(clicks) AS BIGINT) AS clicks
FROM seen
GROUP BY plan_id, day, part
ORDER BY plan_id, day, part
