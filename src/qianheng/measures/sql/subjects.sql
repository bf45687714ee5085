-- What advice looks at: the sums of each plan, product, placement, creative, room (-1: none) and channel, by natural day
-- or hour, told by its number since 1970-01-01 in the account's zone. {unit}: microseconds of one; the other parameters
-- as in plan_day.sql. A refund is a subtraction on the day of its order.
-- off_air_spend: of impressions that led into a live room, what was charged while that room was off air.
WITH told AS (
    SELECT f.room_id, f.on_air, f.at AS since, LEAD(f.at) OVER (PARTITION BY f.room_id ORDER BY f.at, f.id) AS until
    FROM lives AS f
),

aired AS (SELECT room_id, since, COALESCE(until, {until}) AS until FROM told WHERE on_air),

spent AS (
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, {unit})) / {unit} AS BIGINT) AS period,
        COALESCE(i.product_id, -1) AS product_id,
        f.placement,
        COALESCE(i.creative_id, -1) AS creative_id,
        COALESCE(i.room_id, -1) AS room_id,
        SUM(f.amount) AS spend,
        SUM(CASE WHEN f.boost <> 0 THEN f.amount ELSE 0 END) AS boosted_spend,
        SUM(CASE WHEN COALESCE(i.room_id, -1) >= 0 AND a.room_id IS NULL THEN f.amount ELSE 0 END) AS off_air_spend
    FROM charges AS f
    LEFT JOIN impressions AS i ON i.id = f.impression_id
    LEFT JOIN aired AS a ON a.room_id = i.room_id AND f.at >= a.since AND f.at < a.until
    WHERE f.at >= {since} AND f.at < {until}
    GROUP BY 1, 2, 3, 4, 5, 6
),

given_back AS (
    SELECT
        f.order_id,
        SUM(CASE WHEN f.at - f.order_at <= 3600000000 THEN f.amount ELSE 0 END) AS in_1h,
        SUM(CASE WHEN f.at - f.order_at <= 604800000000 THEN f.amount ELSE 0 END) AS in_7d
    FROM refunds AS f
    WHERE f.order_at >= {since} AND f.order_at < {until}
    GROUP BY f.order_id
),

sold AS (
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, {unit})) / {unit} AS BIGINT) AS period,
        f.product_id, f.placement, f.creative_id, f.room_id, f.channel,
        COUNT(*) AS orders,
        SUM(f.amount) AS gmv,
        SUM(COALESCE(r.in_1h, 0)) AS refunded_1h,
        SUM(COALESCE(r.in_7d, 0)) AS refunded_7d,
        SUM(f.coupon) AS coupon,
        SUM(f.subsidy) AS subsidy,
        SUM(f.commission) AS commission,
        SUM(f.service_fee) AS service_fee
    FROM orders AS f
    LEFT JOIN given_back AS r ON r.order_id = f.id
    WHERE f.at >= {since} AND f.at < {until}
    GROUP BY 1, 2, 3, 4, 5, 6, 7
),

looked AS (
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, {unit})) / {unit} AS BIGINT) AS period,
        f.product_id, f.placement, f.creative_id, f.room_id,
        COUNT(*) AS impressions
    FROM impressions AS f
    WHERE f.at >= {since} AND f.at < {until}
    GROUP BY 1, 2, 3, 4, 5, 6
),

clicked AS (
    SELECT
        f.plan_id,
        CAST((f.at + {offset} - MOD(f.at + {offset}, {unit})) / {unit} AS BIGINT) AS period,
        f.product_id, f.placement, f.creative_id, f.room_id,
        COUNT(*) AS clicks
    FROM clicks AS f
    WHERE f.at >= {since} AND f.at < {until}
    GROUP BY 1, 2, 3, 4, 5, 6
),

together AS (
    SELECT
        plan_id, period, product_id, placement, creative_id, room_id, 1 AS channel,
        spend, boosted_spend, off_air_spend,
        0 AS orders, 0 AS gmv, 0 AS refunded_1h, 0 AS refunded_7d,
        0 AS coupon, 0 AS subsidy, 0 AS commission, 0 AS service_fee,
        0 AS impressions, 0 AS clicks
    FROM spent
    UNION ALL
    SELECT
        plan_id, period, product_id, placement, creative_id, room_id, channel,
        0, 0, 0,
        orders, gmv, refunded_1h, refunded_7d,
        coupon, subsidy, commission, service_fee,
        0, 0
    FROM sold
    UNION ALL
    SELECT
        plan_id, period, product_id, placement, creative_id, room_id, 1,
        0, 0, 0,
        0, 0, 0, 0,
        0, 0, 0, 0,
        impressions, 0
    FROM looked
    UNION ALL
    SELECT
        plan_id, period, product_id, placement, creative_id, room_id, 1,
        0, 0, 0,
        0, 0, 0, 0,
        0, 0, 0, 0,
        0, clicks
    FROM clicked
)

SELECT
    plan_id,
    period,
    product_id,
    CAST(placement AS BIGINT) AS placement,
    creative_id,
    room_id,
    CAST(channel AS BIGINT) AS channel,
    CAST(SUM(spend) AS BIGINT) AS spend,
    CAST(SUM(boosted_spend) AS BIGINT) AS boosted_spend,
    CAST(SUM(off_air_spend) AS BIGINT) AS off_air_spend,
    CAST(SUM(orders) AS BIGINT) AS orders,
    CAST(SUM(gmv) AS BIGINT) AS gmv,
    CAST(SUM(CASE WHEN channel = 1 THEN orders ELSE 0 END) AS BIGINT) AS promoted_orders,
    CAST(SUM(CASE WHEN channel = 1 THEN gmv ELSE 0 END) AS BIGINT) AS promoted_gmv,
    CAST(SUM(refunded_1h) AS BIGINT) AS refunded_1h,
    CAST(SUM(refunded_7d) AS BIGINT) AS refunded_7d,
    CAST(SUM(coupon) AS BIGINT) AS coupon,
    CAST(SUM(subsidy) AS BIGINT) AS subsidy,
    CAST(SUM(commission) AS BIGINT) AS commission,
    CAST(SUM(service_fee) AS BIGINT) AS service_fee,
    CAST(SUM(impressions) AS BIGINT) AS impressions,
    CAST(SUM(clicks) AS BIGINT) AS clicks
FROM together
GROUP BY plan_id, period, product_id, placement, creative_id, room_id, channel
ORDER BY plan_id, period, product_id, placement, creative_id, room_id, channel
