-- The money of each plan, natural day, target version and channel, as sums: the one definition of the measures.
-- ANSI SQL over the views charges, orders and refunds. {offset}: microseconds to add to the time f.at in UTC to tell it
-- in the account's zone; {since}, {until}: the first instant of the days asked for and the first after them.
-- A refund is a subtraction on the day of its order, whatever is known of that: one whose order is not known (yet)
-- stands under target version -1 and channel -1.
-- Each sum is told by `part` too, an expression that is the same for all where no breakdown is asked for: order_part of
-- orders and their refunds, charge_part of charges, which charge_join may join with what they were made for.
-- payment_* and net_* are what the guarantee counts under either goal: orders without boost, not abnormal, with GMV.
WITH spent AS (
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
        f.target_version,
        CAST({charge_part} AS BIGINT) AS part,
        SUM(f.amount) AS spend,
        SUM(CASE WHEN f.boost <> 0 THEN f.amount ELSE 0 END) AS boosted_spend
    FROM charges AS f
    {charge_join}
    WHERE f.at >= {since} AND f.at < {until}
    GROUP BY 1, 2, 3, 4
),

sold AS (
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
        f.target_version,
        f.channel,
        CAST({order_part} AS BIGINT) AS part,
        COUNT(*) AS orders,
        SUM(f.amount) AS gmv,
        SUM(CASE WHEN f.boost <> 0 THEN 1 ELSE 0 END) AS boosted_orders,
        SUM(CASE WHEN f.boost <> 0 THEN f.amount ELSE 0 END) AS boosted_gmv,
        SUM(f.coupon) AS coupon,
        SUM(f.subsidy) AS subsidy,
        SUM(f.commission) AS commission,
        SUM(f.service_fee) AS service_fee,
        SUM(CASE WHEN f.boost = 0 AND NOT f.flagged AND f.amount > 0 THEN 1 ELSE 0 END) AS counted_orders,
        SUM(CASE WHEN f.boost = 0 AND NOT f.flagged AND f.amount > 0 THEN f.amount ELSE 0 END) AS counted_gmv
    FROM orders AS f
    WHERE f.at >= {since} AND f.at < {until}
    GROUP BY 1, 2, 3, 4, 5
),

given_back AS (
    SELECT
        f.order_id,
        f.plan_id,
        f.order_at,
        CAST(SUM(CASE WHEN f.at - f.order_at <= 60000000 THEN f.amount ELSE 0 END) AS BIGINT) AS at_once,
        CAST(SUM(CASE WHEN f.at - f.order_at <= 3600000000 THEN f.amount ELSE 0 END) AS BIGINT) AS in_1h,
        CAST(SUM(CASE WHEN f.at - f.order_at <= 604800000000 THEN f.amount ELSE 0 END) AS BIGINT) AS in_7d,
        CAST(SUM(CASE WHEN f.at - f.order_at <= 1209600000000 THEN f.amount ELSE 0 END) AS BIGINT) AS in_14d
    FROM refunds AS f
    WHERE f.order_at >= {since} AND f.order_at < {until}
    GROUP BY f.order_id, f.plan_id, f.order_at
),

matched AS (
    SELECT
        r.plan_id,
        r.order_at AS at,
        COALESCE(o.target_version, -1) AS target_version,
        COALESCE(o.channel, -1) AS channel,
        COALESCE(o.product_id, -1) AS product_id,
        COALESCE(o.placement, -1) AS placement,
        r.at_once,
        r.in_1h,
        r.in_7d,
        r.in_14d,
        CASE WHEN o.boost = 0 AND NOT o.flagged AND o.amount > 0 THEN o.amount ELSE 0 END AS counted
    FROM given_back AS r
    LEFT JOIN orders AS o ON o.id = r.order_id AND o.at >= {since} AND o.at < {until}
),

refunded AS (
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
        f.target_version,
        f.channel,
        CAST({order_part} AS BIGINT) AS part,
        SUM(f.in_1h) AS refunded_1h,
        SUM(f.in_7d) AS refunded_7d,
        SUM(f.in_14d) AS refunded_14d,
        SUM(CASE WHEN f.counted > 0 AND f.at_once >= f.counted THEN 1 ELSE 0 END) AS abnormal_orders,
        SUM(CASE WHEN f.counted > 0 AND f.at_once >= f.counted THEN f.counted ELSE 0 END) AS abnormal_gmv,
        SUM(CASE WHEN f.counted > 0 AND f.in_1h >= f.counted THEN 1 ELSE 0 END) AS undone_orders,
        SUM(CASE WHEN f.in_1h >= f.counted THEN f.counted ELSE f.in_1h END) AS undone_gmv
    FROM matched AS f
    GROUP BY 1, 2, 3, 4, 5
),

together AS (
    SELECT
        plan_id, day, target_version, 1 AS channel, part,
        spend, boosted_spend,
        0 AS orders, 0 AS gmv, 0 AS boosted_orders, 0 AS boosted_gmv,
        0 AS refunded_1h, 0 AS refunded_7d, 0 AS refunded_14d,
        0 AS coupon, 0 AS subsidy, 0 AS commission, 0 AS service_fee,
        0 AS payment_orders, 0 AS payment_gmv, 0 AS net_orders, 0 AS net_gmv
    FROM spent
    UNION ALL
    SELECT
        plan_id, day, target_version, channel, part,
        0, 0,
        orders, gmv, boosted_orders, boosted_gmv,
        0, 0, 0,
        coupon, subsidy, commission, service_fee,
        counted_orders, counted_gmv, counted_orders, counted_gmv
    FROM sold
    UNION ALL
    SELECT
        plan_id, day, target_version, channel, part,
        0, 0,
        0, 0, 0, 0,
        refunded_1h, refunded_7d, refunded_14d,
        0, 0, 0, 0,
        -abnormal_orders, -abnormal_gmv, -undone_orders, -undone_gmv
    FROM refunded
)

SELECT
    plan_id,
    day,
    CAST(target_version AS INT) AS target_version,
    CAST(channel AS INT) AS channel,
    part,
    CAST(SUM(spend) AS BIGINT) AS spend,
    CAST(SUM(boosted_spend) AS BIGINT) AS boosted_spend,
    CAST(SUM(orders) AS BIGINT) AS orders,
    CAST(SUM(gmv) AS BIGINT) AS gmv,
    CAST(SUM(boosted_orders) AS BIGINT) AS boosted_orders,
    CAST(SUM(boosted_gmv) AS BIGINT) AS boosted_gmv,
    CAST(SUM(CASE WHEN channel = 1 THEN orders ELSE 0 END) AS BIGINT) AS promoted_orders,
    CAST(SUM(CASE WHEN channel = 1 THEN gmv ELSE 0 END) AS BIGINT) AS promoted_gmv,
    CAST(SUM(refunded_1h) AS BIGINT) AS refunded_1h,
    CAST(SUM(refunded_7d) AS BIGINT) AS refunded_7d,
    CAST(SUM(refunded_14d) AS BIGINT) AS refunded_14d,
    CAST(SUM(coupon) AS BIGINT) AS coupon,
    CAST(SUM(subsidy) AS BIGINT) AS subsidy,
    CAST(SUM(commission) AS BIGINT) AS commission,
    CAST(SUM(service_fee) AS BIGINT) AS service_fee,
    CAST(SUM(payment_orders) AS BIGINT) AS payment_orders,
    CAST(SUM(payment_gmv) AS BIGINT) AS payment_gmv,
    CAST(SUM(net_orders) AS BIGINT) AS net_orders,
    CAST(SUM(net_gmv) AS BIGINT) AS net_gmv
FROM together
GROUP BY plan_id, day, target_version, channel, part
ORDER BY plan_id, day, target_version, channel, part
