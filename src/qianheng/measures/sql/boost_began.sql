-- The first charge of each boost, whatever became of that charge. {boosted}: rows (boost, plan, kind, start, end);
-- boosts of one kind never run at once for one plan, so the time of a charge tells which of them it belongs to.
WITH boosted (boost_id, plan_id, kind, starts, ends) AS (VALUES {boosted})

SELECT CAST(b.boost_id AS BIGINT) AS boost_id, MIN(f.at) AS at
FROM charges AS f
INNER JOIN boosted AS b ON b.plan_id = f.plan_id AND b.kind = f.boost AND f.at >= b.starts AND f.at < b.ends
GROUP BY b.boost_id
ORDER BY b.boost_id
