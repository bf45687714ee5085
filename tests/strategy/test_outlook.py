"""What-ifs on a landscape that can be worked out by hand: their means, their laws, what a guarantee risks."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.interval import Interval
from qianheng.guarantee.policy import OrdersRule, Rules
from qianheng.plans.plan import BidMode, Goal
from qianheng.strategy.choice import Aim, Question, frontier, nearest, suggestion
from qianheng.strategy.landscape import Landscape, Market, Response, Shares, Spread, Swing
from qianheng.strategy.whatif import Outlook, Trial, outlook

YUAN = 1e6
# GMV is 40 · √spend in yuan: at target 2 a day spends 400 and sells 800; 10 yuan an order.
SPEND = np.geomspace(0.01, 5000.0, 160) * YUAN
RESPONSE = Response.of(SPEND, 40 * np.sqrt(SPEND / YUAN) * YUAN, 10 * YUAN)
SHARES = Shares(net=0.8, settled=0.7, extras=0.1, contribution=0.5)
CERTAIN = Spread(Swing(0, 0, 0), Swing(0, 0, 0), 0, 0, 0, 0.0, 0, 10)
USUAL = Spread(Swing(0, 0.1, 0.2), Swing(0, 0.1, 0.15), 0.3, 0.1, 0.1, 0.6, 0.002, 10)
RULES = Rules(
    goals=("payment", "net"),
    bid_modes=("target_roi",),
    orders=OrdersRule(at_least=10),
    trigger_ratio=Decimal("0.8"),
    pay_ratio=Decimal(1),
    changes=(),
    void_events=(),
    commission_limits_target=False,
    data_days=7,
    credit_days=(1, 3),
    minimum=Decimal("0.01"),
)


def landscape(spread: Spread = USUAL, **market: Any) -> Landscape:
    told: dict[str, Any] = {
        "response": RESPONSE,
        "shares": SHARES,
        "goal": Goal.PAYMENT,
        "bid_mode": BidMode.TARGET_ROI,
    } | market
    return Landscape(Market(**told), spread, (100 * YUAN, 600 * YUAN))


def asked(target: float | None, budget: float, days: int = 1) -> Trial:
    return Trial(target, budget * YUAN, days)


def yuan(interval: Interval | None) -> float:
    assert interval is not None
    return float(interval.expected) / YUAN


def test_days_that_their_budget_ended_have_told_what_their_spend_brings_however_far_bids_would_reach() -> None:
    far = replace(CERTAIN, reach=Swing(0.3, 0.7, 0.0))
    seen, more = asked(1.0, 245), asked(1.0, 490)  # 245: the middle of what days have spent
    told = yuan(outlook(landscape(CERTAIN), seen).gmv)
    assert yuan(outlook(landscape(replace(far, hidden=1.0)), seen).gmv) == pytest.approx(told, rel=0.02)
    assert yuan(outlook(landscape(far), seen).gmv) > 1.1 * told
    assert yuan(outlook(landscape(replace(far, hidden=1.0)), more).gmv) > 1.2 * told


@pytest.mark.parametrize(
    ("goal", "target", "budget", "spend"),
    [
        (Goal.PAYMENT, 2.0, 9999, 400.0),
        (Goal.PAYMENT, 4.0, 9999, 100.0),
        (Goal.PAYMENT, 2.0, 225, 225.0),
        (Goal.NET, 2.0, 9999, 256.0),
        (Goal.PROFIT, None, 9999, 100.0),
    ],
)
def test_a_certain_market_is_told_as_it_is(goal: Goal, target: float | None, budget: float, spend: float) -> None:
    found = outlook(landscape(CERTAIN, goal=goal), asked(target, budget))
    assert yuan(found.spend) == pytest.approx(spend, rel=0.05)
    assert yuan(found.gmv) == pytest.approx(40 * spend**0.5, rel=0.05)
    assert yuan(found.net_gmv) == pytest.approx(32 * spend**0.5, rel=0.05)
    assert yuan(found.profit) == pytest.approx(20 * spend**0.5 - spend, abs=0.05 * 20 * spend**0.5)
    assert found.spend.low == pytest.approx(found.spend.high, rel=0.001)


def test_a_plan_of_maximum_delivery_spends_its_budget() -> None:
    found = outlook(landscape(CERTAIN, bid_mode=BidMode.MAX_DELIVERY), asked(None, 900))
    assert yuan(found.spend) == pytest.approx(900)
    assert found.chance_of_target is None
    assert found.bound == 1.0


def test_what_is_not_known_is_told_as_unknown() -> None:
    found = outlook(landscape(shares=Shares()), asked(2.0, 300))
    assert (found.net_gmv, found.profit) == (None, None)
    assert found.roi is not None
    assert outlook(landscape(shares=Shares(), goal=Goal.NET), asked(2.0, 300)).roi is None


def ends(one: Outlook) -> list[tuple[float, float, float]]:
    return [tuple(map(float, (i.low, i.expected, i.high))) for i in (one.spend, one.gmv, one.orders)]  # type: ignore[misc]


@given(
    st.floats(0.3, 20),
    st.floats(5, 4000),
    st.floats(1.0, 3.0),
    st.sampled_from([1, 7]),
    st.booleans(),
    st.sampled_from([Goal.PAYMENT, Goal.NET, Goal.SETTLED, Goal.OVERALL]),
)
def test_more_budget_or_a_lower_target_never_brings_less(
    target: float, budget: float, factor: float, days: int, told: bool, goal: Goal
) -> None:
    here = landscape(goal=goal, told=told)
    less = outlook(here, asked(target, budget, days))
    for more in (asked(target, budget * factor, days), asked(target / factor, budget, days)):
        pairs = zip(ends(less), ends(outlook(here, more)), strict=True)
        assert all(one <= other + 1 for small, large in pairs for one, other in zip(small, large, strict=True))
    assert less.spend.high <= budget * days * YUAN + 1


@given(st.floats(0.5, 8), st.floats(20, 3000))
def test_more_doubt_is_a_wider_interval(target: float, budget: float) -> None:
    sure = outlook(landscape(replace(USUAL, value=Swing(0, 0.05, 0.05))), asked(target, budget, 7))
    unsure = outlook(landscape(replace(USUAL, value=Swing(0, 0.4, 0.05))), asked(target, budget, 7))
    assert unsure.gmv.high - unsure.gmv.low > sure.gmv.high - sure.gmv.low


def test_misses_that_last_widen_a_week_more_than_a_day() -> None:
    lasting, fresh = (outlook(landscape(replace(USUAL, carry=carry)), asked(2.0, 300, 7)) for carry in (0.8, 0.0))
    assert lasting.gmv.high - lasting.gmv.low > fresh.gmv.high - fresh.gmv.low


def test_spend_that_no_day_has_seen_is_marked() -> None:
    assert not outlook(landscape(), asked(2.0, 500)).extrapolated
    assert outlook(landscape(), asked(1.0, 3000)).extrapolated
    assert outlook(landscape(), asked(2.0, 50)).extrapolated


def test_a_guarantee_pays_where_value_is_missed_and_costs_nothing_where_it_is_not() -> None:
    missed = outlook(landscape(replace(USUAL, value=Swing(-0.5, 0, 0))), asked(2.0, 300), RULES)
    met = outlook(landscape(replace(CERTAIN, order_spread=0.1)), asked(2.0, 100), RULES)
    assert missed.guarantee_risk is not None
    assert met.guarantee_risk is not None
    assert missed.guarantee_risk.chance > 0.4
    assert missed.guarantee_risk.expected > 0
    assert (met.guarantee_risk.chance, met.guarantee_risk.expected) == (0.0, 0)
    assert outlook(landscape(goal=Goal.SETTLED), asked(2.0, 300), RULES).guarantee_risk is None


def question(here: Landscape, aim: Aim = Aim.PROFIT) -> Question:
    return Question(here, asked(2.0, 400), aim, RULES)


def test_out_of_reach_the_nearest_that_sells_is_named() -> None:
    asks = asked(400.0, 400)
    there = question(landscape(CERTAIN))
    assert not there.of(asks).feasible
    found = nearest(there, asks)
    assert found is not None
    assert found.trial.target is not None
    assert found.trial.target < 400
    assert found.orders.expected >= 1
    assert nearest(question(landscape(CERTAIN, response=replace(RESPONSE, gmv=0 * RESPONSE.gmv))), asks) is None


@pytest.mark.parametrize(
    ("target", "budget", "moved"),
    [(20_000.0, 400, {"target"}), (2.0, 0.01, {"budget"}), (400.0, 0.01, {"target", "budget"})],
)
def test_however_far_what_is_asked_lies_the_nearest_is_found(target: float, budget: float, moved: set[str]) -> None:
    asks, there = asked(target, budget), question(landscape(CERTAIN))
    assert not there.of(asks).feasible
    found = nearest(there, asks)
    assert found is not None
    assert there.of(found.trial).feasible
    assert {name for name in ("target", "budget") if getattr(found.trial, name) != getattr(asks, name)} == moved
    assert found.trial.budget >= asks.budget


def test_a_target_that_is_missed_for_sure_is_out_of_reach_until_the_budget_is_small() -> None:
    there = question(landscape(replace(CERTAIN, value=Swing(-0.7, 0, 0))))
    assert not there.of(asked(2.0, 400)).feasible
    found = nearest(there, asked(2.0, 400))
    assert found is not None
    assert found.feasible


@pytest.mark.parametrize("aim", list(Aim))
def test_the_suggestion_is_the_best_of_what_keeps_its_promise(aim: Aim) -> None:
    asks = question(landscape(), aim)
    points = frontier(asks, [1.0, 1.5, 2.0, 3.0, 4.0], [100 * YUAN, 200 * YUAN, 400 * YUAN])
    assert len(points) == 15
    found = suggestion(asks, points, 0.0)
    if aim is Aim.PROFIT:  # margin 0.5: profit 20 √spend − spend is most at a spend of 100
        assert found.best is not None
        assert yuan(found.best.spend) == pytest.approx(100, rel=0.2)
        assert found.chance_better > 0.5
    elif found.best is not None:
        assert found.best.roi is not None
        assert float(found.best.roi.expected) >= 2.0


def test_what_no_day_has_spent_is_never_suggested_however_good_it_looks() -> None:
    asks = question(landscape(), Aim.PROFIT)
    points = frontier(asks, [2.0, 3.0, 4.0], [100 * YUAN, 400 * YUAN])
    best = suggestion(asks, points, 0.0).best
    assert best is not None
    unseen = [replace(one, extrapolated=True) if one == best else replace(one, extrapolated=False) for one in points]
    second = suggestion(asks, unseen, 0.0).best
    assert second != best
    assert suggestion(asks, [replace(one, extrapolated=True) for one in points], 0.0).best is None


def test_what_sells_unpromoted_and_counts_lets_a_target_spend_more() -> None:
    """40 · √spend + 200 is twice the spend at (10 + √200)² yuan."""
    more = landscape(CERTAIN, response=replace(RESPONSE, unpromoted=200 * YUAN)).market
    assert landscape(CERTAIN).market.unbound(2.0) / YUAN == pytest.approx(400, rel=0.05)
    assert more.unbound(2.0) / YUAN == pytest.approx((10 + 200**0.5) ** 2, rel=0.05)


def test_no_change_is_suggested_that_is_not_likely_better() -> None:
    asks = Question(landscape(), asked(4.0, 100), Aim.PROFIT)
    assert suggestion(asks, frontier(asks, [4.0, 4.2], [100 * YUAN, 101 * YUAN]), 0.9).best is None


@pytest.mark.parametrize(("target", "budget"), [(2.0, 400.0), (2.0, 225.0), (3.0, 400.0)])
def test_the_guarantees_risk_is_that_of_days_lived_one_by_one(target: float, budget: float) -> None:
    """Four thousand days by hand: a compound Poisson sum of orders on a market that misses as `USUAL` says."""
    draw, days = np.random.default_rng(99), 4000
    reach = np.exp(draw.normal(0, np.hypot(0.1, 0.2), days))
    value = np.exp(draw.normal(-(0.1**2 + 0.15**2) / 2, np.hypot(0.1, 0.15), days))
    spend = np.minimum((40 / target) ** 2 * reach, budget * (1 - draw.exponential(0.002, days)))
    orders = draw.poisson(value * reach * 4 * np.sqrt(spend / reach))
    wide = np.log(1 + 0.6**2)
    gmv = np.array([10 * np.exp(draw.normal(-wide / 2, np.sqrt(wide), count)).sum() for count in orders])
    due = np.where((orders >= 10) & (gmv / target < 0.8 * spend), spend - gmv / target, 0)
    told = outlook(landscape(), asked(target, budget), RULES).guarantee_risk
    assert told is not None
    assert told.chance == pytest.approx((due > 0).mean(), abs=0.02)
    assert told.expected / YUAN == pytest.approx(due.mean(), abs=2 * due.std() / np.sqrt(400))  # 400 worlds are drawn
