-- What the guarantee counts of each boost in its days, by the version of its plan: charges not found invalid; orders
-- whose buyer was reached by an impression that the boost paid for, not abnormal, with GMV under either goal.
-- {boosted}: rows as in boost_began.sql, then the first instant of the boost's days and the first after them.
WITH boosted (boost_id, plan_id, kind, starts, ends, since, until) AS (VALUES {boosted}),

paid AS (
    SELECT b.boost_id, b.since, b.until, b.kind, f.plan_id, f.id, f.impression_id, f.at, f.target_version, f.amount
    FROM charges AS f
    INNER JOIN boosted AS b ON b.plan_id = f.plan_id AND b.kind = f.boost AND f.at >= b.starts AND f.at < b.ends
),

sold AS (
    SELECT p.boost_id, f.id, f.target_version, f.amount
    FROM orders AS f
    INNER JOIN (SELECT DISTINCT boost_id, since, until, kind, plan_id, impression_id FROM paid) AS p
        ON p.impression_id = f.click_id AND p.plan_id = f.plan_id AND p.kind = f.boost
    WHERE NOT f.flagged AND f.amount > 0 AND f.target_version >= 0 AND f.at >= p.since AND f.at < p.until
),

given_back AS (
    SELECT
        f.order_id,
        SUM(CASE WHEN f.at - f.order_at <= 60000000 THEN f.amount ELSE 0 END) AS at_once,
        SUM(CASE WHEN f.at - f.order_at <= 3600000000 THEN f.amount ELSE 0 END) AS in_1h
    FROM refunds AS f
    WHERE f.order_id IN (SELECT s.id FROM sold AS s)
    GROUP BY f.order_id
),

kept AS (
    SELECT
        s.boost_id,
        s.target_version,
        s.amount,
        COALESCE(r.at_once, 0) < s.amount AS counts,
        s.amount - COALESCE(r.in_1h, 0) AS net
    FROM sold AS s
    LEFT JOIN given_back AS r ON r.order_id = s.id
),

together AS (
    SELECT
        p.boost_id, p.target_version,
        p.amount AS spend, 0 AS payment_orders, 0 AS payment_gmv, 0 AS net_orders, 0 AS net_gmv
    FROM paid AS p
    WHERE p.at >= p.since AND p.at < p.until AND p.target_version >= 0
        AND p.id NOT IN (SELECT i.id FROM invalids AS i)
    UNION ALL
    SELECT
        boost_id, target_version,
        0, 1, amount,
        CASE WHEN net > 0 THEN 1 ELSE 0 END, CASE WHEN net > 0 THEN net ELSE 0 END
    FROM kept
    WHERE counts
)

SELECT
    CAST(boost_id AS BIGINT) AS boost_id,
    CAST(target_version AS INT) AS target_version,
    CAST(SUM(spend) AS BIGINT) AS spend,
    CAST(SUM(payment_orders) AS BIGINT) AS payment_orders,
    CAST(SUM(payment_gmv) AS BIGINT) AS payment_gmv,
    CAST(SUM(net_orders) AS BIGINT) AS net_orders,
    CAST(SUM(net_gmv) AS BIGINT) AS net_gmv
FROM together
GROUP BY boost_id, target_version
ORDER BY boost_id, target_version
