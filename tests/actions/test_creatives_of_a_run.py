"""Creatives in a whole run: the one that people like more is shown most, and a boost of one pays for it alone."""

from pathlib import Path

from qianheng.actions.simulation import run_simulation
from qianheng.store.database import reading
from tests.actions.runs_for_tests import request

CREATIVES = '[{ id = 1011, name = "试穿", appeal = 2.0 }, { id = 1012, name = "平铺", appeal = 0.5 }]'
BOOST = '[{ day = 1, time = "12:00", hours = 20, budget = 80, target = 0.5, kind = "creative", creatives = [1011] }]'
SHOWN = "SELECT creative_id, COUNT(*) AS shown FROM impressions WHERE product_id = 11 GROUP BY creative_id"
PAID = (
    "SELECT DISTINCT i.creative_id FROM charges AS c INNER JOIN impressions AS i ON i.id = c.impression_id "
    "WHERE c.boost = 2"
)


def test_the_better_creative_is_shown_most_and_its_boost_pays_for_it_alone(tmp_path: Path) -> None:
    world = {"shops.0.products.0.creatives": CREATIVES, "plans.0.boosts": BOOST, "plans.0.budget_daily": "20"}
    run = run_simulation(request(tmp_path, **world))
    database = run.database()
    with reading(database) as connection:
        shown = {one["creative_id"]: one["shown"] for one in run.lake().query(connection, SHOWN).to_pylist()}
        paid = [one["creative_id"] for one in run.lake().query(connection, PAID).to_pylist()]
    database.dispose()
    assert shown.keys() == {1011, 1012}
    assert shown[1011] > 2 * shown[1012]
    assert paid == [1011]
