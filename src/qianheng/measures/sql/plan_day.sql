-- The money of each plan, natural day, target version and channel, as sums: the one definition of the measures.
-- ANSI SQL over the views charges, orders and refunds. {offset}: microseconds to add to a time in UTC to tell it
-- in the account's zone; {since}, {until}: the first instant of the days asked for and the first after them.
-- A refund stands on the day of its order; one whose order is not known yet stands under target version -1 and channel -1.
-- payment_* and net_* are what the guarantee counts under either goal (no boosts, nothing abnormal, GMV above zero).
WITH refunded AS (
    SELECT
        f.order_id,
        MIN(f.plan_id) AS plan_id,
        MIN(f.order_at) AS order_at,
        SUM(CASE WHEN f.at - f.order_at <= 60000000 THEN f.amount ELSE 0 END) AS refunded_at_once,
        SUM(CASE WHEN f.at - f.order_at <= 3600000000 THEN f.amount ELSE 0 END) AS refunded_1h,
        SUM(CASE WHEN f.at - f.order_at <= 604800000000 THEN f.amount ELSE 0 END) AS refunded_7d,
        SUM(CASE WHEN f.at - f.order_at <= 1209600000000 THEN f.amount ELSE 0 END) AS refunded_14d
    FROM refunds AS f
    WHERE f.order_at >= {since} AND f.order_at < {until}
    GROUP BY f.order_id
),

ordered AS (
    SELECT f.*
    FROM orders AS f
    WHERE f.at >= {since} AND f.at < {until}
),

sold AS (
    SELECT
        COALESCE(o.plan_id, r.plan_id) AS plan_id,
        COALESCE(o.at, r.order_at) AS at,
        COALESCE(o.target_version, -1) AS target_version,
        COALESCE(o.channel, -1) AS channel,
        CASE WHEN o.id IS NULL THEN 0 ELSE 1 END AS known,
        CASE WHEN o.boost <> 0 THEN 1 ELSE 0 END AS boosted,
        CASE
            WHEN o.boost = 0 AND NOT o.flagged AND COALESCE(r.refunded_at_once, 0) < o.amount THEN 1
            ELSE 0
        END AS counted,
        COALESCE(o.amount, 0) AS amount,
        COALESCE(r.refunded_1h, 0) AS refunded_1h,
        COALESCE(r.refunded_7d, 0) AS refunded_7d,
        COALESCE(r.refunded_14d, 0) AS refunded_14d,
        COALESCE(o.coupon, 0) AS coupon,
        COALESCE(o.subsidy, 0) AS subsidy,
        COALESCE(o.commission, 0) AS commission,
        COALESCE(o.service_fee, 0) AS service_fee
    FROM ordered AS o
    FULL OUTER JOIN refunded AS r ON r.order_id = o.id
),

selling AS (
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
        f.target_version,
        f.channel,
        SUM(known) AS orders,
        SUM(amount) AS gmv,
        SUM(boosted) AS boosted_orders,
        SUM(boosted * amount) AS boosted_gmv,
        SUM(refunded_1h) AS refunded_1h,
        SUM(refunded_7d) AS refunded_7d,
        SUM(refunded_14d) AS refunded_14d,
        SUM(coupon) AS coupon,
        SUM(subsidy) AS subsidy,
        SUM(commission) AS commission,
        SUM(service_fee) AS service_fee,
        SUM(counted) AS payment_orders,
        SUM(counted * amount) AS payment_gmv,
        SUM(CASE WHEN counted = 1 AND amount > refunded_1h THEN 1 ELSE 0 END) AS net_orders,
        SUM(CASE WHEN counted = 1 AND amount > refunded_1h THEN amount - refunded_1h ELSE 0 END) AS net_gmv
    FROM sold AS f
    GROUP BY 1, 2, 3, 4
),

spending AS (
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day,
        f.target_version,
        SUM(f.amount) AS spend,
        SUM(CASE WHEN f.boost <> 0 THEN f.amount ELSE 0 END) AS boosted_spend
    FROM charges AS f
    WHERE f.at >= {since} AND f.at < {until}
    GROUP BY 1, 2, 3
),

together AS (
    SELECT
        plan_id, day, target_version, channel,
        0 AS spend, 0 AS boosted_spend,
        orders, gmv, boosted_orders, boosted_gmv,
        refunded_1h, refunded_7d, refunded_14d, coupon, subsidy, commission, service_fee,
        payment_orders, payment_gmv, net_orders, net_gmv
    FROM selling
    UNION ALL
    SELECT
        plan_id, day, target_version, 1 AS channel,
        spend, boosted_spend,
        0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0
    FROM spending
)

SELECT
    plan_id,
    day,
    CAST(target_version AS INT) AS target_version,
    CAST(channel AS INT) AS channel,
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
GROUP BY plan_id, day, target_version, channel
ORDER BY plan_id, day, target_version, channel
