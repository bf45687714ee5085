-- What each user came to between two instants (UTC microseconds, {since} and {until}): spend of the plans {plans} on
-- impressions shown to them, their clicks on those plans, and their orders of the products {products}, whoever's they are. counted_…: of those, the
-- orders that are these plans', {counted} of them. leaked: spend on users whom the plan was not for is for the caller
-- to tell, so spend is by plan; orders stand with plan -1. A refund is a subtraction on its order.
WITH given_back AS (
    SELECT
        f.order_id,
        SUM(CASE WHEN f.at - f.order_at <= 3600000000 THEN f.amount ELSE 0 END) AS in_1h,
        SUM(CASE WHEN f.at - f.order_at <= 604800000000 THEN f.amount ELSE 0 END) AS in_7d
    FROM refunds AS f
    WHERE f.order_at >= {since} AND f.order_at < {until}
    GROUP BY f.order_id
)

SELECT
    i.user_id,
    f.plan_id,
    CAST(SUM(f.amount) AS BIGINT) AS spend,
    CAST(COUNT(*) AS BIGINT) AS impressions,
    CAST(0 AS BIGINT) AS clicks,
    CAST(0 AS BIGINT) AS orders,
    CAST(0 AS BIGINT) AS gmv,
    CAST(0 AS BIGINT) AS refunded_1h,
    CAST(0 AS BIGINT) AS refunded_7d,
    CAST(0 AS BIGINT) AS counted_gmv,
    CAST(0 AS BIGINT) AS counted_refunded_1h
FROM charges AS f
INNER JOIN impressions AS i ON i.id = f.impression_id
WHERE f.at >= {since} AND f.at < {until} AND f.plan_id IN ({plans})
GROUP BY i.user_id, f.plan_id
UNION ALL
SELECT
    f.user_id,
    -1 AS plan_id,
    CAST(0 AS BIGINT) AS spend,
    CAST(0 AS BIGINT) AS impressions,
    CAST(COUNT(*) AS BIGINT) AS clicks,
    CAST(0 AS BIGINT) AS orders,
    CAST(0 AS BIGINT) AS gmv,
    CAST(0 AS BIGINT) AS refunded_1h,
    CAST(0 AS BIGINT) AS refunded_7d,
    CAST(0 AS BIGINT) AS counted_gmv,
    CAST(0 AS BIGINT) AS counted_refunded_1h
FROM clicks AS f
WHERE f.at >= {since} AND f.at < {until} AND f.plan_id IN ({plans})
GROUP BY f.user_id
UNION ALL
SELECT
    f.user_id,
    -1 AS plan_id,
    CAST(0 AS BIGINT) AS spend,
    CAST(0 AS BIGINT) AS impressions,
    CAST(0 AS BIGINT) AS clicks,
    CAST(COUNT(*) AS BIGINT) AS orders,
    CAST(SUM(f.amount) AS BIGINT) AS gmv,
    CAST(SUM(COALESCE(r.in_1h, 0)) AS BIGINT) AS refunded_1h,
    CAST(SUM(COALESCE(r.in_7d, 0)) AS BIGINT) AS refunded_7d,
    CAST(SUM(CASE WHEN f.plan_id IN ({plans}) AND {counted} THEN f.amount ELSE 0 END) AS BIGINT) AS counted_gmv,
    CAST(
        SUM(CASE WHEN f.plan_id IN ({plans}) AND {counted} THEN COALESCE(r.in_1h, 0) ELSE 0 END) AS BIGINT
    ) AS counted_refunded_1h
FROM orders AS f
LEFT JOIN given_back AS r ON r.order_id = f.id
WHERE f.at >= {since} AND f.at < {until} AND f.product_id IN ({products})
GROUP BY f.user_id
ORDER BY 1, 2
