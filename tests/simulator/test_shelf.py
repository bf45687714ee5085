"""Organic and commerce candidates follow from the request alone, and change nothing else of the market."""

from dataclasses import replace

import numpy as np

from qianheng.core.days import HOUR
from qianheng.facts.opportunities import Decisions, Opportunities
from qianheng.facts.schema import Kind
from qianheng.simulator.market import Market
from qianheng.simulator.scenario import Scenario
from tests.simulator.worlds import run, run_out, show_everything, show_nothing, small, start_of

POOLS = "{ relevance = 0.2, experience = 0.3, own = 0.5 }"


def test_candidates_are_the_same_in_whatever_slices_they_are_asked_for() -> None:
    scenario = small(pools=POOLS)
    start = start_of(scenario) + 12 * HOUR
    whole = Market(scenario, 1).opportunities(start, start + HOUR)
    market = Market(scenario, 1)
    parts = [market.opportunities(start + i * HOUR // 4, start + (i + 1) * HOUR // 4) for i in range(4)]
    for name in ("relevance", "take", "product_id", "advertisers"):
        joined = np.concatenate([getattr(part.unpaid, name) for part in parts])
        assert joined.tobytes() == getattr(whole.unpaid, name).tobytes()


def test_pools_change_nothing_else() -> None:
    plain, pooled = (run(Market(scenario, 1), show_everything) for scenario in (small(), small(pools=POOLS)))
    for one, other in zip(plain.batches, pooled.batches, strict=True):
        assert one.unpaid is None
        for name in ("id", "at", "user_id", "placement", "audience", "category", "bids"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
    assert [r.clicked.tolist() for r in plain.reactions] == [r.clicked.tolist() for r in pooled.reactions]


def test_goods_of_the_shelf_fit_their_page_and_only_commerce_earns() -> None:
    scenario = small(pools=POOLS)
    start = start_of(scenario) + 12 * HOUR
    batch = Market(scenario, 1).opportunities(start, start + 2 * HOUR)
    assert batch.unpaid is not None
    category_of = scenario.category_of_products()
    row, column = np.nonzero(batch.unpaid.product_id >= 0)
    assert len(row)
    for at, product in zip(row.tolist(), batch.unpaid.product_id[row, column].tolist(), strict=True):
        assert batch.category[at] in (-1, category_of[product])
    assert (batch.unpaid.take[:, batch.unpaid.commerce] > 0).all()
    assert (batch.unpaid.take[:, ~batch.unpaid.commerce] == 0).all()
    assert ((batch.unpaid.relevance > 0) & (batch.unpaid.relevance <= 1)).all()


def everything_unpaid(batch: Opportunities, scenario: Scenario) -> Decisions:
    decisions = show_everything(batch, scenario)
    return replace(decisions, plan_id=np.full(len(decisions), -1))


def test_what_is_shown_unpaid_sells_too() -> None:
    sold = []
    for strategy in (show_nothing, everything_unpaid):
        market = Market(small(), 1)
        sold.append(run_out(market, run(market, strategy)).facts[Kind.ORDER].num_rows)
    assert sold[1] > sold[0]
