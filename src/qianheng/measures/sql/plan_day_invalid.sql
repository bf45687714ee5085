-- What was charged for traffic judged invalid, by plan and natural day of the charge. Parameters as in plan_day.sql.
SELECT
    f.plan_id,
    CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
    CAST(SUM(f.amount) AS BIGINT) AS amount,
    CAST(SUM(CASE WHEN f.boost = 0 AND f.target_version >= 0 THEN f.amount ELSE 0 END) AS BIGINT) AS counted
FROM invalids AS f
WHERE f.at >= {since} AND f.at < {until}
GROUP BY 1, 2
ORDER BY 1, 2
