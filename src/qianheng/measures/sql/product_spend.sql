-- What was spent on showing each product, by plan or standard campaign. Parameters as in plan_day.sql.
SELECT
    f.plan_id,
    i.product_id,
    CAST(SUM(f.amount) AS BIGINT) AS spend
FROM charges AS f
INNER JOIN impressions AS i ON i.id = f.impression_id
WHERE f.at >= {since} AND f.at < {until}
GROUP BY f.plan_id, i.product_id
ORDER BY f.plan_id, i.product_id
