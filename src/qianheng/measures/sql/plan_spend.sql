-- What was charged to each plan or campaign in some days, by kind of boost (0: none). Parameters as in plan_day.sql.
SELECT f.plan_id, f.boost, CAST(SUM(f.amount) AS BIGINT) AS spend
FROM charges AS f
WHERE f.at >= {since} AND f.at < {until}
GROUP BY 1, 2
ORDER BY 1, 2
