"""Seeded faults: each moves what it says, where and while it says, and nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qianheng.core.days import HOUR
from qianheng.core.errors import BadInput
from qianheng.facts.schema import Kind
from qianheng.simulator.faults import PlannedFault
from qianheng.simulator.loading import load, shipped
from qianheng.simulator.market import Market
from qianheng.simulator.scenario import Scenario
from tests.simulator.worlds import Run, run, run_out, show_everything, small, start_of

NOON = "12:00"


def ailing(*faults: PlannedFault) -> Scenario:
    return replace(small(), faults=faults)


def lived(scenario: Scenario) -> Run:
    market = Market(scenario, 3)
    return run_out(market, run(market, show_everything, days=2))


@pytest.fixture(scope="module")
def well() -> Run:
    return lived(small())


def orders_of(made: Run, product: int, since: float = 12.0) -> list[dict[str, int]]:
    start = start_of(small()) + int(since * HOUR)
    return [
        order for order in made.facts[Kind.ORDER].to_pylist() if order["product_id"] == product and order["at"] >= start
    ]


def refunded(made: Run, product: int) -> float:
    back = set(made.facts[Kind.REFUND]["order_id"].to_pylist())
    orders = orders_of(made, product)
    return sum(order["id"] in back for order in orders) / len(orders)


def test_a_planned_fault_that_is_not_there_yet_changes_no_byte(well: Run) -> None:
    later = ailing(PlannedFault("refund_wave", 9, NOON, size=3.0), PlannedFault("wrong_price", 9, NOON, size=2.0))
    assert lived(later).bytes() == well.bytes()


def test_a_wave_of_refunds_sends_back_more_of_one_product(well: Run) -> None:
    ill = lived(ailing(PlannedFault("refund_wave", 1, NOON, size=2.0, products=(11,))))
    assert refunded(ill, 11) > 1.4 * refunded(well, 11)
    assert refunded(ill, 12) == refunded(well, 12)
    assert [order["id"] for order in orders_of(ill, 11)] == [order["id"] for order in orders_of(well, 11)]


def test_a_wrong_price_is_charged_and_puts_off_or_draws_buyers(well: Run) -> None:
    dear = lived(ailing(PlannedFault("wrong_price", 1, NOON, size=2.0, products=(11,))))
    same = {order["id"]: order["amount"] for order in orders_of(well, 11)}
    both = [(order["amount"], same[order["id"]]) for order in orders_of(dear, 11) if order["id"] in same]
    assert all(abs(now - 2 * before) <= 20_000 for now, before in both), "to a fen of each"
    assert len(orders_of(dear, 11)) < 0.85 * len(orders_of(well, 11))
    cheap = lived(ailing(PlannedFault("wrong_price", 1, NOON, size=0.3, products=(11,))))
    assert len(orders_of(cheap, 11)) > len(orders_of(well, 11))


def test_what_is_out_of_stock_cannot_be_ordered_by_anybody(well: Run) -> None:
    sold_out = lived(ailing(PlannedFault("stock_out", 1, NOON, hours=6, products=(11,))))
    start = start_of(small()) + 12 * HOUR
    assert not [order for order in orders_of(sold_out, 11) if order["at"] < start + 6 * HOUR]
    assert orders_of(sold_out, 11, 18)
    assert len(orders_of(sold_out, 12)) == len(orders_of(well, 12))


def test_lost_orders_are_told_once_it_is_over_and_lost_buyers_never(well: Run) -> None:
    late = lived(ailing(PlannedFault("tracking_broken", 1, NOON, hours=6)))
    start, end = start_of(small()) + 12 * HOUR, start_of(small()) + 18 * HOUR
    lost = [order for order in late.facts[Kind.ORDER].to_pylist() if start <= order["at"] < end]
    assert lost
    assert all(order["received_at"] >= end for order in lost)
    assert set(late.facts[Kind.ORDER]["id"].to_pylist()) == set(well.facts[Kind.ORDER]["id"].to_pylist())
    unnamed = lived(ailing(PlannedFault("tracking_broken", 1, NOON, hours=6, lost="buyers")))
    assert {
        order["user_id"] == -1 for order in unnamed.facts[Kind.ORDER].to_pylist() if start <= order["at"] < end
    } == {True}


def test_a_tired_creative_is_clicked_on_less_and_less(well: Run) -> None:
    ill = lived(ailing(PlannedFault("tired_creative", 1, "00:00", size=0.2, over=24, products=(11,))))
    clicks = [np.array([reaction.clicked.sum() for reaction in made.reactions]) for made in (ill, well)]
    morning, evening = (sum(clicks[0][span]) / sum(clicks[1][span]) for span in (slice(24, 48), slice(64, 96)))
    assert morning > evening
    assert evening < 0.85


def test_a_rival_that_enters_raises_what_others_must_beat_and_changes_nobody_elses_bids() -> None:
    scenario = ailing(PlannedFault("rival_entered", 1, NOON, size=2.0, hours=6))
    start = start_of(scenario)
    market, quiet = Market(scenario, 3), Market(small(), 3)
    for hour, present in ((11, False), (13, True), (19, False)):
        batch = market.opportunities(start + hour * HOUR, start + (hour + 1) * HOUR)
        usual = quiet.opportunities(start + hour * HOUR, start + (hour + 1) * HOUR)
        assert np.array_equal(batch.bids[:, :-1], usual.bids)
        assert bool(batch.bids[:, -1].any()) is present


def test_the_end_of_a_session_is_told_late_when_it_is_lost() -> None:
    scenario = ailing(PlannedFault("off_air_spend", 1, "21:00", hours=5, room=1))
    live = lived(scenario).facts[Kind.LIVE].to_pylist()
    off = next(event for event in live if event["at"] == start_of(scenario) + 22 * HOUR)
    assert off["received_at"] == start_of(scenario) + 26 * HOUR


def test_truth_knows_of_a_fault_and_a_market_goes_on_from_a_snapshot_in_it() -> None:
    scenario = ailing(
        PlannedFault("wrong_price", 1, "00:00", size=2.0, products=(11,)),
        PlannedFault("stock_out", 1, "00:00", products=(12,)),
    )
    batch = Market(scenario, 3).opportunities(start_of(scenario) + 12 * HOUR, start_of(scenario) + 13 * HOUR)
    told = [
        Market(one, 3).truth(batch, np.array([11, 12]), np.array([-1, -1])).gmv.sum(axis=0)
        for one in (scenario, small())
    ]
    assert told[0][0] > told[1][0]
    assert told[0][1] == 0
    market = Market(scenario, 5)
    run(market, show_everything)
    state = market.snapshot()
    unbroken = run(market, show_everything, day=2)
    restored = Market(scenario, 5)
    restored.restore(state)
    assert run(restored, show_everything, day=2).bytes() == unbroken.bytes()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"kind": "fire"}, "kind"),
        ({"kind": "stock_out", "size": 1.5}, "1.5"),
        ({"kind": "wrong_price", "size": 2.0, "products": [99]}, "99"),
        ({"kind": "refund_wave", "category": "toys"}, "toys"),
        ({"kind": "tired_creative", "creatives": [7]}, "7"),
        ({"kind": "off_air_spend"}, "room"),
        ({"kind": "off_air_spend", "room": 9}, "9"),
        ({"kind": "rival_entered", "day": 0}, "0"),
        ({"kind": "rival_entered", "time": "noon"}, "noon"),
        ({"kind": "rival_entered", "hours": -1.0}, "-1"),
    ],
)
def test_a_fault_that_cannot_be_is_told_with_its_place(written: dict[str, object], said: str, tmp_path: Path) -> None:
    fault = {"day": 1, "time": NOON} | written
    lines = [f"{key} = {value!r}".replace("'", '"') for key, value in fault.items()]
    path = tmp_path / "ill.toml"
    path.write_text(
        shipped()["tiny"].read_text(encoding="utf-8") + "\n[[faults]]\n" + "\n".join(lines), encoding="utf-8"
    )
    with pytest.raises(BadInput, match="faults") as refused:
        load(path)
    assert said in str(refused.value)


def test_the_shipped_scenario_shows_each_fault_once() -> None:
    kinds = [fault.kind for fault in load("faults").faults]
    assert len(kinds) == len(set(kinds)) == 7
