"""The market: what it draws, what it keeps apart, and that it is a function of (scenario, seed)."""

import numpy as np
import pytest

from qianheng.core.days import HOUR, MINUTE
from qianheng.facts.batch import join
from qianheng.facts.schema import Channel, Kind
from qianheng.simulator.market import Market
from tests.simulator.worlds import DAY, places, run, run_out, show_everything, show_nothing, small, start_of


def test_the_same_scenario_and_seed_give_the_same_bytes() -> None:
    first, second, other = (run(Market(small(), seed), show_everything).bytes() for seed in (7, 7, 8))
    assert first == second
    assert first != other


def test_requests_do_not_depend_on_how_time_is_cut() -> None:
    start = start_of(small())
    whole = Market(small(), 1).opportunities(start, start + 3 * HOUR)
    cut = Market(small(), 1)
    parts = [cut.opportunities(at, at + 7 * MINUTE) for at in range(start, start + 3 * HOUR, 7 * MINUTE)]
    assert whole.unpaid is None
    for name in (name for name in whole.__slots__ if name != "unpaid"):
        joined = np.concatenate([getattr(part, name) for part in parts])[: len(whole)]
        assert np.array_equal(joined, getattr(whole, name)), name


def test_requests_are_in_time_order_and_inside_the_span_and_their_ids_are_their_own() -> None:
    start = start_of(small())
    batch = Market(small(), 1).opportunities(start + 5 * MINUTE, start + 2 * DAY)
    assert np.all(np.diff(batch.at) >= 0)
    assert batch.at[0] >= start + 5 * MINUTE
    assert batch.at[-1] < start + 2 * DAY
    assert len(np.unique(batch.id)) == len(batch)
    assert batch.id.min() >= 0


def test_there_are_no_requests_before_the_first_day_or_after_the_last() -> None:
    scenario, market = small(), Market(small(), 1)
    end = start_of(scenario, scenario.days + 1)
    assert len(market.opportunities(start_of(scenario) - DAY, start_of(scenario))) == 0
    assert len(market.opportunities(end, end + DAY)) == 0
    assert len(market.opportunities(end - HOUR, end + DAY)) > 0


def test_requests_and_organic_demand_are_the_same_whatever_is_shown() -> None:
    quiet_market, loud_market = Market(small(), 3), Market(small(), 3)
    quiet, loud = run(quiet_market, show_nothing, days=3), run(loud_market, show_everything, days=3)
    for before, after in zip(quiet.batches, loud.batches, strict=True):
        assert np.array_equal(before.id, after.id)
        assert np.array_equal(before.user_id, after.user_id)
    organic = run_out(quiet_market, quiet).facts[Kind.ORDER]
    promoted = run_out(loud_market, loud).facts[Kind.ORDER]
    sooner = dict(zip(promoted["id"].to_pylist(), promoted["at"].to_pylist(), strict=True))
    moved = [sooner[order["id"]] - order["at"] for order in organic.to_pylist()]
    assert all(shift <= 0 for shift in moved), "an ad may only bring an organic order forward"
    assert any(shift < 0 for shift in moved), "ads take over part of what would have sold anyway"
    assert len(sooner) > 2 * len(moved), "ads add orders"


def test_nobody_buys_a_product_twice_a_day() -> None:
    market = Market(small(), 3)
    orders = run_out(market, run(market, show_everything)).facts[Kind.ORDER]
    assert len(set(orders["id"].to_pylist())) == orders.num_rows


def test_a_market_goes_on_from_a_snapshot_as_if_nothing_had_happened() -> None:
    market = Market(small(), 5)
    run(market, show_everything)
    state = market.snapshot()
    without_a_break = run(market, show_everything, day=2, days=2)
    restored = Market(small(), 5)
    restored.restore(state)
    assert run(restored, show_everything, day=2, days=2).bytes() == without_a_break.bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"plans__0__goal": "payment"},
        {"plans__0__target": "9.5"},
        {"plans__0__budget_daily": "5000"},
        {"plans__1__policy": "none", "plans__1__counting": "attributed"},
    ],
    ids=lambda change: "-".join(change),
)
def test_nothing_in_the_market_depends_on_a_plans_goal_target_or_budget(change: dict[str, str]) -> None:
    assert run(Market(small(**change), 2), show_everything).bytes() == run(Market(small(), 2), show_everything).bytes()


def test_orders_and_refunds_come_unstamped_and_are_never_told_before_they_happen() -> None:
    market = Market(small(), 4)
    facts = run_out(market, run(market, show_everything, days=2)).facts
    orders, refunds = facts[Kind.ORDER], facts[Kind.REFUND]
    for name, value in (("plan_id", -1), ("click_id", -1), ("target_version", -1), ("channel", Channel.ORGANIC)):
        assert set(orders[name].to_pylist()) == {value}, name
    told = dict(zip(orders["id"].to_pylist(), orders["received_at"].to_pylist(), strict=True))
    amounts = dict(zip(orders["id"].to_pylist(), orders["amount"].to_pylist(), strict=True))
    assert all(row["received_at"] >= row["at"] for row in orders.to_pylist() + refunds.to_pylist())
    for refund in refunds.to_pylist():
        assert refund["received_at"] >= told[refund["order_id"]]
        assert 0 < refund["amount"] <= amounts[refund["order_id"]]
        assert refund["at"] >= refund["order_at"]


def test_each_fact_is_told_once_in_the_span_in_which_it_is_received() -> None:
    market, start = Market(small(), 4), start_of(small())
    made = run(market, show_everything, step=HOUR)
    for hour, told in enumerate(made.told):
        for table in told.tables.values():
            received = table["received_at"].to_numpy()
            assert np.all((received >= start + hour * HOUR) & (received < start + (hour + 1) * HOUR))


@pytest.mark.parametrize(
    ("organic", "order", "every"), [("0.01", "0.2", 2), ("3000", "0.0001", 8)], ids=["habit", "in the market"]
)
def test_what_is_expected_is_what_comes_out(organic: str, order: str, every: int) -> None:
    """Truth is the mean of what buyers then do, whether they buy by habit or are in the market anyway."""
    usual = {f"placements__{name}__order": order for name in ("feed", "live_square", "mall", "search")}
    many = {"buyers__population": "60000", "opportunities_per_day": "90000", "days": "1"}
    market, start = Market(small(**many, **usual, shops__0__products__0__organic=organic), 6), start_of(small())
    expected, clicked, told = 0.0, set(), []
    for at in range(start, start + DAY, 10 * MINUTE):
        batch = market.opportunities(at, at + 10 * MINUTE)
        truth = market.truth(batch, np.array([11]), np.array([-1]))
        rows = np.flatnonzero(batch.id % every == 0)
        reaction = market.react(batch, places(rows, 1, 11))
        expected += truth.gmv[rows[reaction.seen], 0].sum()
        clicked.update(batch.user_id[rows[reaction.clicked]].tolist())
        told.append(market.facts(at, at + 10 * MINUTE))
    orders = join([*told, market.facts(start + DAY, start + 60 * DAY)])[Kind.ORDER].to_pylist()
    got = sum(order["amount"] for order in orders if order["user_id"] in clicked and order["product_id"] == 11)
    assert got == pytest.approx(expected, rel=0.15)


def test_truth_tells_refunds_as_growing_shares() -> None:
    market, start = Market(small(), 6), start_of(small())
    truth = market.truth(market.opportunities(start, start + DAY), np.array([11, 12]), np.array([-1, -1]))
    assert np.all(truth.refunded_1h < truth.refunded_7d)
    assert np.all((truth.refunded_7d < 1) & (truth.gmv > 0))
    assert truth.gmv.shape == truth.refunded_1h.shape


def test_what_can_be_seen_of_a_request_tells_of_its_worth_only_through_audience_category_and_placement() -> None:
    market, start = Market(small(opportunities_per_day="60000"), 6), start_of(small())
    batch = market.opportunities(start, start + DAY)
    worth = np.log(market.truth(batch, np.array([11]), np.array([-1])).gmv[:, 0])
    group = (batch.placement.astype(np.int64) * 100 + batch.audience) * 100 + batch.category
    _, member = np.unique(group, return_inverse=True)
    size = np.bincount(member)
    explained = (np.bincount(member, worth) / size)[member]
    rest = (worth - explained)[size[member] > 30]
    assert explained.std() > 0.2, "the features carry something"
    assert rest.std() > 0.2, "and far from everything"
    for name, feature in (("id", batch.id), ("id's last digits", batch.id % 1000), ("second", batch.at % MINUTE)):
        assert abs(np.corrcoef(feature[size[member] > 30].astype(float), rest)[0, 1]) < 0.03, name


def test_tired_buyers_click_less() -> None:
    market, start = Market(small(), 6), start_of(small())
    batch = market.opportunities(start, start + HOUR)
    before = market.truth(batch, np.array([11]), np.array([-1])).gmv
    for _ in range(5):
        market.react(batch, places(np.arange(len(batch)), 1, 11))
    after = market.truth(batch, np.array([11]), np.array([-1])).gmv
    assert np.all(after < before)


def test_a_batch_over_midnight_is_refused() -> None:
    market, start = Market(small(), 1), start_of(small())
    batch = market.opportunities(start + 23 * HOUR, start + 25 * HOUR)
    with pytest.raises(ValueError, match="one day"):
        market.react(batch, show_everything(batch, market.scenario))
