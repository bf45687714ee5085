"""Targets: base and band from sums, the phases of a plan, steps and their limits, and what is never left unsaid."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.cli.advise_json import plain
from qianheng.core.errors import NotFound
from qianheng.measures.history import About, Subject
from qianheng.plans.plan import BidMode, Goal
from qianheng.strategy.rules import TargetRules, advice_rules
from qianheng.strategy.targets import Move, Phase, TargetAdvice, advise_target
from tests.strategy.histories import NOW, PLAN, days_of, history, settings, yuan

RULES: TargetRules = advice_rules().target


def advised(target: str | None = "3.0", goal: Goal = Goal.PAYMENT, ago: int = 60, **told: Any) -> TargetAdvice:
    """The advice on a plan that has spent 900 of 1000 and sold 2700 a day, unless said otherwise."""
    days = told.pop("days", 40)
    shop = told.pop("shop", {})
    figures = yuan(**{"spend": 900, "gmv": 2700, "refunded_1h": 270, "net_gmv": 2430, "orders": 27} | told)
    plan = {"settings": settings((ago, goal, target)), "began": NOW.date() - timedelta(days=days)}
    return advise_target(history(figures, days, plan, **shop), "7", RULES)


def test_the_band_is_thirty_per_cent_around_the_mean_of_sums() -> None:
    advice = advised()
    assert [advice.base, advice.low, advice.high] == [3, Fraction(21, 10), Fraction(39, 10)]


def test_the_base_is_one_ratio_of_sums_and_never_a_mean_of_rois() -> None:
    days = days_of(yuan(spend=100, gmv=1000)) | {NOW.date() - timedelta(days=1): yuan(spend=900, gmv=900)}
    told = history(yuan(), parts=[(PLAN, days)])
    assert advise_target(told, "7", RULES).base == Fraction(6 * 1000 + 900, 6 * 100 + 900)


def test_a_net_target_is_the_payment_base_at_what_is_left_of_thirty_days() -> None:
    advice = advised("2.7", Goal.NET)
    assert [advice.base_payment, advice.base] == [3, Fraction(27, 10)]


def test_the_base_of_an_overall_target_is_its_own_mean() -> None:
    advice = advised("2.4", Goal.OVERALL, service_fee=50, commission=30, coupon=20)
    assert (advice.base, advice.suggested) == (Fraction(2430, 1000), Decimal("2.60"))
    assert advised("2.4", Goal.OVERALL).base is None


def test_the_suggestion_is_told_both_ways() -> None:
    advice = advised("2.7", Goal.NET)
    assert advice.suggested == Decimal("2.90")
    assert advice.converted == {"payment": Fraction(29, 9), "net": Fraction(29, 10), "settled": None}


@pytest.mark.parametrize(
    ("differing", "phase", "move", "suggested"),
    [
        ({"days": 3, "target": "2.5"}, Phase.EXPLORATION, Move.EXPLORE, "2.40"),
        ({"days": 3, "target": "3.0"}, Phase.EXPLORATION, Move.EXPLORE, "2.70"),  # at most a tenth at once
        ({"days": 6, "target": "2.4"}, Phase.EXPLORATION, Move.EXPLORE, "2.40"),
        ({"days": 7}, Phase.STABLE, Move.STEP_UP, "3.20"),
        ({"days": 27}, Phase.STABLE, Move.STEP_UP, "3.20"),
        ({"days": 28}, Phase.MATURE, Move.STEP_UP, "3.20"),
        ({"spend": 800, "gmv": 2400}, Phase.MATURE, Move.LOWER_UNSPENT, "2.85"),  # exactly 80 % spent is not over it
        ({"spend": 801, "gmv": 2403}, Phase.MATURE, Move.STEP_UP, "3.20"),
        ({"gmv": 2699}, Phase.MATURE, Move.HOLD, "3.0"),
        ({"target": "3.75", "gmv": 2699}, Phase.MATURE, Move.LOWER_MISSED, "3.38"),  # below 80 % of it
        ({"target": "3.75", "gmv": 2700}, Phase.MATURE, Move.HOLD, "3.75"),  # just 80 % is not below
        ({"target": "2.0", "gmv": 2700}, Phase.MATURE, Move.STEP_UP, "2.20"),
        ({"target": "1.0", "spend": 500, "gmv": 1500}, Phase.MATURE, Move.INTO_BAND, "1.10"),
        ({"target": "3.8", "gmv": 3420}, Phase.MATURE, Move.STEP_UP, "4.00"),
        ({"ago": 6}, Phase.MATURE, Move.STEP_UP, "3.20"),  # its first target is no change
        ({"target": None}, Phase.MATURE, Move.SET, "3.00"),
        ({"target": None, "days": 10}, Phase.STABLE, Move.SET, "2.40"),
    ],
)
def test_the_step_of_a_plan_follows_its_phase_its_target_and_its_budget(
    differing: dict[str, Any], phase: Phase, move: Move, suggested: str
) -> None:
    advice = advised(**differing)
    assert (advice.phase, advice.move, advice.suggested) == (phase, move, Decimal(suggested))


def changed(*made: tuple[int, Goal, str]) -> TargetAdvice:
    return advise_target(
        history(yuan(spend=900, gmv=2700, net_gmv=2430), 40, {"settings": settings(*made)}), "7", RULES
    )


@pytest.mark.parametrize(("ago", "move"), [(1, Move.WAIT), (6, Move.WAIT), (7, Move.STEP_UP)])
def test_the_ladder_is_weekly(ago: int, move: Move) -> None:
    assert changed((60, Goal.PAYMENT, "2.8"), (ago, Goal.PAYMENT, "3.0")).move is move


@pytest.mark.parametrize(("ago", "move"), [(1, Move.WAIT), (2, Move.WAIT), (3, Move.LOWER_MISSED)])
def test_a_target_that_is_missed_is_not_held_for_a_week(ago: int, move: Move) -> None:
    assert changed((60, Goal.PAYMENT, "3.6"), (ago, Goal.PAYMENT, "3.9")).move is move


@pytest.mark.parametrize(
    ("ago", "phase", "move"),
    [
        (0, Phase.AFTER_SWITCH, Move.REST),
        (2, Phase.AFTER_SWITCH, Move.REST),
        (3, Phase.AFTER_SWITCH, Move.HOLD),
        (6, Phase.AFTER_SWITCH, Move.HOLD),
        (7, Phase.MATURE, Move.STEP_UP),
    ],
)
def test_after_a_goal_switch_nothing_changes_and_nothing_is_judged_before_its_days(
    ago: int, phase: Phase, move: Move
) -> None:
    advice = changed((60, Goal.PAYMENT, "2.7"), (ago, Goal.NET, "2.7"))
    assert (advice.phase, advice.move) == (phase, move)
    assert advice.judge_on == NOW.date() + timedelta(days=7 - ago)


def test_the_ladder_goes_up_week_by_week_within_the_band() -> None:
    assert [(one.day, one.target) for one in advised().ladder] == [
        (NOW.date() + timedelta(days=7 * week), Decimal("3.20") + week * Decimal("0.2")) for week in (1, 2, 3)
    ]


def test_below_breakeven_it_says_what_that_loses() -> None:
    advice = advised("2.8", gmv=2500, settled_gmv_7d=2000, shop={"margin": Fraction(2, 5)})
    (warned,) = [one for one in advice.warnings if one.key == "below_breakeven"]
    values = dict(warned.values)
    assert values["breakeven"] == Fraction(25, 8)  # 1 / (0.4 · 0.8)
    assert values["lost"] == round((1 - Fraction(28, 10) / Fraction(25, 8)) * 900_000_000)


def test_what_is_lost_is_told_in_yuan_as_json_too() -> None:
    told = plain(advised("2.8", gmv=2500, settled_gmv_7d=2000, shop={"margin": Fraction(2, 5)}))
    values = {one["key"]: one["values"] for one in told["warnings"]}
    assert values["below_breakeven"] == {"target": "2.80", "breakeven": "3.125", "lost": "93.60"}


def test_more_than_a_tenth_above_the_base_warns_of_lost_volume() -> None:
    assert "lost_volume" in {one.key for one in advised("3.75", gmv=2700).warnings}
    assert "lost_volume" not in {one.key for one in advised("3.3", gmv=2700).warnings}


@pytest.mark.parametrize(("ago", "told"), [(0, "unstable"), (2, "unstable"), (3, "converging"), (6, "converging")])
def test_how_far_figures_have_settled_after_a_goal_switch_is_told(ago: int, told: str) -> None:
    warned = {one.key for one in changed((60, Goal.PAYMENT, "2.7"), (ago, Goal.NET, "2.7")).warnings}
    assert warned & {"unstable", "converging"} == {told}


@pytest.mark.parametrize(
    ("days", "gmv", "floats"), [(20, 2295, True), (20, 2294, False), (20, 2700, False), (40, 2600, False)]
)
def test_stable_weeks_may_float_by_fifteen_per_cent(days: int, gmv: int, floats: bool) -> None:
    """A target of 3 at a spend of 900 a day."""
    assert ("floats" in {one.key for one in advised("3.0", days=days, gmv=gmv).warnings}) is floats


def test_a_mature_plan_is_told_of_the_settled_goal_and_a_short_budget_of_its_exploration() -> None:
    assert "settled_goal" in {one.key for one in advised().warnings}
    assert "budget_short" in {one.key for one in advised("2.4", days=3, spend=950).warnings}


def test_maximum_delivery_holds_no_target_but_wants_mature_creatives() -> None:
    made = settings((60, Goal.PAYMENT, None))
    plan = {"settings": (made[0].__class__(made[0].at, Goal.PAYMENT, BidMode.MAX_DELIVERY),)}
    creatives = [(Subject(About.CREATIVE, str(n), within="7"), days_of(yuan(spend=1), 3 + 3 * n)) for n in range(3)]
    advice = advise_target(history(yuan(spend=900, gmv=2700), 40, plan, creatives), "7", RULES)
    assert (advice.move, advice.suggested) == (Move.NONE, None)
    (warned,) = [one for one in advice.warnings if one.key == "mature_creatives"]
    assert dict(warned.values) == {"known": 1, "needed": 3}


def test_what_is_not_known_is_named_and_nothing_is_guessed() -> None:
    advice = advise_target(history(yuan(), plan={"settings": ()}), "7", RULES)
    assert (advice.move, advice.suggested, advice.base) == (Move.UNKNOWN, None, None)
    assert {"target", "budget_daily", "spend", "margin"} <= set(advice.missing)


def test_a_plan_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match="no plan 8"):
        advise_target(history(yuan()), "8", RULES)


@given(
    spend=st.integers(1, 1000),
    gmv=st.integers(1, 9000),
    target=st.decimals("0.1", "20", places=2),
    days=st.integers(0, 60),
    ago=st.integers(0, 40),
)
def test_outside_steps_no_single_change_is_over_a_tenth(
    spend: int, gmv: int, target: Decimal, days: int, ago: int
) -> None:
    advice = advised(str(target), ago=ago, days=max(days, 1), spend=spend, gmv=gmv)
    assert advice.suggested is not None
    change = abs(advice.suggested - target)
    if advice.move is Move.STEP_UP:
        assert Decimal("0.2") <= change <= Decimal("0.3")
    else:
        assert change <= target / 10 + Decimal("0.005")
