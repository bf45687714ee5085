-- Impressions and clicks of each plan and natural day. Parameters as in plan_day.sql.
WITH seen AS (
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
        COUNT(*) AS impressions,
        0 AS clicks
    FROM impressions AS f
    WHERE f.at >= {since} AND f.at < {until}
    GROUP BY 1, 2
    UNION ALL
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
        0 AS impressions,
        COUNT(*) AS clicks
    FROM clicks AS f
    WHERE f.at >= {since} AND f.at < {until}
    GROUP BY 1, 2
)

SELECT
    plan_id,
    day,
    CAST(SUM(impressions) AS BIGINT) AS impressions,
    CAST(SUM(clicks) AS BIGINT) AS clicks
FROM seen
GROUP BY plan_id, day
ORDER BY plan_id, day
