"""Which proposals a history calls for: on a market whose best point is known, and by the rules of thumb."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.interval import Interval
from qianheng.core.money import YUAN
from qianheng.diagnosis.evidence import Severity
from qianheng.diagnosis.findings import Anomaly, Finding
from qianheng.diagnosis.verdicts import thresholds
from qianheng.plans.plan import Goal, PlanStatus, Value
from qianheng.strategy.case import Advisers, Stake, rules
from qianheng.strategy.goals import Choice, GoalAdvice
from qianheng.strategy.learning import Learnt, Ratio
from qianheng.strategy.promotions import Coming, PromotionAdvice, Schedule, Step, Title
from qianheng.strategy.proposal import Action, Effect, Measure, Proposal, Reason, kinds
from qianheng.strategy.proposing import propose
from qianheng.strategy.rules import advice_rules
from qianheng.strategy.targets import advise_target
from tests.strategy.shops_for_tests import NOW, day, figures, history, landscape, setting

RULES = rules()
ON_MARKET = Advisers(landscapes={"1": landscape()})


def steady(spend: float, gmv: float):  # type: ignore[no-untyped-def]
    return lambda _: (spend, gmv)


def only(found: tuple[Proposal, ...]) -> Proposal:
    (one,) = found
    return one


@pytest.mark.parametrize(
    ("target", "budget", "expected"),
    [
        # GMV 40 √s, half of it kept: profit 20 √s − s is highest at s = 100, which is a target of 4.
        ("2.00", 1000, {"target": Decimal("2.20")}),
        ("2.50", 1000, {"target": Decimal("2.75")}),
        ("6.00", 1000, {"target": Decimal("5.40")}),
        ("2.00", 50, {"budget_daily": 60 * YUAN}),
        ("4.00", 1000, None),
    ],
)
def test_the_step_that_pays_most_is_proposed(target: str, budget: int, expected: dict[str, Value] | None) -> None:
    spend = min((40 / float(target)) ** 2, budget)
    told = history(
        {"1": steady(spend, 40 * spend**0.5)}, {"1": (setting(target=Decimal(target), budget_daily=budget * YUAN),)}
    )
    found = propose(told, ON_MARKET, RULES)
    if expected is None:
        assert not found
        return
    one = only(found)
    assert one.after == expected
    assert one.reason.rule == "most_profit"
    assert one.gain is not None
    assert one.gain > 0
    assert {effect.measure for effect in one.effects} == {Measure.PROFIT, Measure.GMV, Measure.SPEND}


def test_the_profit_expected_is_that_of_the_market_and_its_interval_holds_doubt_about_the_traffic() -> None:
    one = only(propose(history({"1": steady(400, 800)}), ON_MARKET, RULES))
    spend = (40 / 2.2) ** 2
    gmv = 40 * spend**0.5 - 800
    profit, sold, paid = (one.effect(measure) for measure in (Measure.PROFIT, Measure.GMV, Measure.SPEND))
    assert profit
    assert sold
    assert paid
    assert float(paid.change.expected) == pytest.approx((spend - 400) * YUAN, rel=0.05)
    assert float(sold.change.expected) == pytest.approx(gmv * YUAN, rel=0.05)
    assert float(profit.change.expected) == pytest.approx((gmv / 2 - spend + 400) * YUAN, rel=0.05)
    assert profit.change.low < profit.change.expected < profit.change.high
    assert profit.baseline == pytest.approx(0, abs=6 * YUAN)  # orders come by chance


def test_a_plan_in_unrest_is_left_alone() -> None:
    lately = (setting(), setting(26, target=Decimal("2.10")))
    assert not propose(history({"1": steady(400, 800)}, {"1": lately}), ON_MARKET, RULES)
    rested = (setting(), setting(25, target=Decimal("2.10")))
    assert propose(history({"1": steady(400, 800)}, {"1": rested}), ON_MARKET, RULES)
    switched = (setting(), setting(22, goal=Goal.NET))
    assert not propose(history({"1": steady(400, 800)}, {"1": switched}), ON_MARKET, RULES)
    paused = (setting(status=PlanStatus.PAUSED),)
    assert not propose(history({"1": steady(400, 800)}, {"1": paused}), ON_MARKET, RULES)


def test_what_followed_earlier_advice_scales_what_is_expected_of_the_next() -> None:
    told = history({"1": steady(400, 800)})
    plain = only(propose(told, ON_MARKET, RULES)).effect(Measure.SPEND)
    half = Learnt(of_all={Measure.GMV: Ratio(0.5, 0.1), Measure.SPEND: Ratio(0.5, 0.1)})
    scaled = only(propose(told, replace(ON_MARKET, learnt=half), RULES)).effect(Measure.SPEND)
    assert plain
    assert scaled
    assert float(scaled.change.expected) == pytest.approx(float(plain.change.expected) / 2, abs=2)


def test_a_change_that_costs_the_guarantee_says_so() -> None:
    def stake(plan_id: str, after: Mapping[str, Value]) -> Stake:
        return Stake(costs="target" in after, amount=30 * YUAN)

    one = only(propose(history({"1": steady(400, 800)}), replace(ON_MARKET, stake=stake), RULES))
    lost = one.effect(Measure.GUARANTEE)
    assert lost == Effect(Measure.GUARANTEE, Interval(*[-30 * YUAN] * 3), 30 * YUAN)


@pytest.mark.parametrize(
    ("spend", "gmv", "refunded", "expected", "rule"),
    [
        (900, 2000, 100, {"target": Decimal("2.20")}, "step_up"),
        (500, 1000, 100, {"target": Decimal("1.90")}, "spend_low"),
        (500, 1500, 100, {"target": Decimal("2.10")}, "into_band"),
        (900, 1400, 100, {"target": Decimal("1.80")}, "lower_target"),
        (1300, 2600, 100, {"budget_daily": 800 * YUAN}, "spend_running_away"),
        (900, 1800, 700, {"status": PlanStatus.PAUSED}, "propose_pause"),
        (900, 1700, 100, None, ""),
    ],
)
def test_without_a_market_the_rules_of_thumb_speak(
    spend: float, gmv: float, refunded: float, expected: dict[str, Value] | None, rule: str
) -> None:
    told = history({"1": steady(spend, gmv)}, margin=None)
    lately = figures(spend, gmv, refunded_1h=round(refunded * YUAN), net_gmv=round((gmv - refunded) * YUAN))
    days = {subject: dict.fromkeys(by_day, lately) for subject, by_day in told.days.items()}
    found = propose(replace(told, days=days), Advisers(thresholds=thresholds()), RULES)
    assert [one.after for one in found] == ([] if expected is None else [expected])
    assert [one.reason.rule for one in found] == ([rule] if rule else [])
    assert all(not one.effects and one.reason.text() for one in found)


@given(spend=st.integers(100, 1400), roi=st.integers(50, 400), target=st.integers(50, 500), changed=st.integers(1, 27))
def test_without_a_market_no_other_target_is_proposed_than_is_advised(
    spend: int, roi: int, target: int, changed: int
) -> None:
    settings = (setting(), setting(changed, target=Decimal(target) / 100))
    told = history({"1": steady(spend, spend * roi / 100)}, {"1": settings}, margin=None)
    advice = advise_target(told, "1", advice_rules().target)
    for one in propose(told, Advisers(thresholds=thresholds()), RULES):
        assert one.after.get("target", advice.suggested) == advice.suggested
        if one.action is Action.RAISE_TARGET:
            assert one.reason.rule not in ("spend_low", "lower_target", "check_everything")


def test_the_target_advised_is_tried_on_the_market_and_told_beside_the_one_that_pays_more() -> None:
    one = only(propose(history({"1": steady(900, 2000)}), ON_MARKET, RULES))
    (told,) = [found for found in one.evidence if found.name == "advised_target"]
    assert (told.value, told.against) == (Fraction("2.2"), 2)
    assert one.after == {"target": Decimal("2.30")}  # the longest step of the ladder, on a market that is best at 4


def test_losing_a_week_long_goes_before_everything_else() -> None:
    told = history({"1": steady(900, 1000)}, margin=Fraction(1, 2))
    one = only(propose(told, Advisers(thresholds=thresholds()), RULES))
    assert (one.action, one.reason.rule) == (Action.RAISE_TARGET, "below_breakeven")


def test_a_balance_that_ends_soon_is_a_task_for_the_owner() -> None:
    held = (setting(target=Decimal(4), budget_daily=450 * YUAN),)
    told = history({"1": steady(400, 1590)}, {"1": held}, balance=1000 * YUAN)
    one = only(propose(told, Advisers(), RULES))
    assert (one.action, one.plan_id, one.changes_plan) == (Action.TOP_UP_BALANCE, None, False)
    assert not propose(replace(told, shop=replace(told.shop, balance=1200 * YUAN)), Advisers(), RULES)


def test_something_found_wrong_is_work_for_a_person_and_off_air_spend_has_its_price() -> None:
    held = (setting(target=Decimal(4), budget_daily=450 * YUAN),)
    told = history({"1": steady(400, 1590)}, {"1": held})
    about = told.plan_subject("1")
    days = {**told.days, about: {day: replace(one, off_air_spend=70 * YUAN) for day, one in told.days[about].items()}}
    found = (Anomaly.STOCK_OUT, Anomaly.OFF_AIR_SPEND)
    wrong = tuple(Finding(anomaly, about, NOW, NOW, Severity.ACT, (), 0.9) for anomaly in found)
    off_air, stock = propose(replace(told, days=days), Advisers(findings=wrong), RULES)
    assert (off_air.action, off_air.gain) == (Action.STOP_OFF_AIR, 70 * YUAN)
    assert (stock.action, stock.gain) == (Action.RESTOCK, None)
    for one in (off_air, stock):
        assert (one.changes_plan, one.plan_id, "plan 1" in one.reason.text()) == (False, "1", True)


def test_another_goal_is_proposed_where_nothing_else_is_to_be_gained() -> None:
    told = history({"1": steady(900, 1700)}, {"1": (setting(),)})
    days = {
        subject: {day: replace(one, net_gmv=(one.gmv or 0) * 9 // 10) for day, one in by_day.items()}
        for subject, by_day in told.days.items()
    }
    told = replace(told, days=days)
    one = only(propose(told, Advisers(goal=goal_advice("net")), RULES))
    assert (one.action, one.after) == (Action.SWITCH_GOAL, {"goal": Goal.NET, "target": Decimal("1.80")})
    assert one.window == timedelta(days=14)
    assert not propose(told, Advisers(goal=goal_advice("payment")), RULES)
    assert only(propose(told, Advisers(goal=goal_advice("both")), RULES)).action is Action.SPLIT_GOALS
    assert [
        one.action for one in propose(told, Advisers(goal=goal_advice("net"), landscapes={"1": landscape()}), RULES)
    ] == [Action.RAISE_TARGET]


def goal_advice(choice: Choice) -> GoalAdvice:
    return GoalAdvice(choice, {"payment": 1, "net": 4}, (), (), (), None, (), {"payment": (), "net": ()}, ())


def test_a_promotion_sets_the_plan_and_nothing_else_does_meanwhile() -> None:
    told = history({"1": steady(400, 800)})
    coming = Coming("double-eleven", Title("Double Eleven", "双十一"), day(28), day(30))
    steps = (Step(NOW, "start", {"target": Decimal("1.40"), "pace": "fast"}),)
    planned = PromotionAdvice((coming,), (Schedule(told.plan_subject("1"), None, steps),), None)
    one = only(propose(told, replace(ON_MARKET, promotion=planned), RULES))
    assert (one.action, one.after, one.before) == (
        Action.START_PROMOTION,
        {"target": Decimal("1.40")},
        {"target": Decimal("2.00")},
    )
    assert one.reason.values["last"] == day(30).isoformat()


def test_undoing_goes_before_any_other_change_of_the_plan() -> None:
    undo = Proposal(
        "1", Action.UNDO, Reason("hurt", {"name": "p3"}), NOW, NOW, {"target": Decimal(2)}, {"target": Decimal(3)}
    )
    found = propose(history({"1": steady(400, 800)}), replace(ON_MARKET, undo=(undo,)), RULES)
    assert [one.action for one in found] == [Action.UNDO]


def test_the_most_profitable_comes_first() -> None:
    small = (setting(target=Decimal("3.00")),)
    told = history({"1": steady(178, 533), "2": steady(400, 800)}, {"1": small})
    found = propose(told, Advisers(landscapes={"1": landscape(), "2": landscape()}), RULES)
    assert [one.plan_id for one in found] == ["2", "1"]


def test_every_action_is_named_and_has_its_kind() -> None:
    assert kinds().keys() == set(Action)
