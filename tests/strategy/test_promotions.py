"""Around a promotion: a test before it, the floor while it lasts, the base after it, within the guarantee's rules."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from qianheng.actions.policies import in_force
from qianheng.core.errors import BadInput
from qianheng.core.words import LANGUAGES
from qianheng.plans.plan import Goal
from qianheng.strategy.promotions import (
    Calendar,
    Promotion,
    PromotionAdvice,
    Schedule,
    Terms,
    Title,
    advise_promotion,
    calendar,
)
from qianheng.strategy.rules import advice_rules
from tests.strategy.histories import NOW, PLAN, history, settings, yuan

RULES = advice_rules()


def planned(first: int, last: int, policy: str = "seed", **differing: Any) -> PromotionAdvice:
    """The advice for a promotion so many days from now, to a plan that has sold 2700 for 900 a day."""
    days = tuple(NOW.date() + timedelta(days=ahead) for ahead in (first, last))
    known = Calendar((Promotion("fair", Title("Fair", "大促"), ((days[0], days[1]),)),))
    rules = in_force(policy, NOW.date()).rules
    terms = Terms(RULES.promotion, RULES.target, {} if rules is None else {PLAN.id: rules})
    shop = differing.pop("shop", {})
    told = yuan(spend=900, gmv=2700, net_gmv=2430, settled_gmv_7d=2160, refunded_7d=540)
    return advise_promotion(history(told, 40, differing.pop("plan", {}), **shop), known, terms)


def only(advice: PromotionAdvice) -> Schedule:
    (schedule,) = advice.schedules
    return schedule


def steps(advice: PromotionAdvice) -> list[tuple[str, datetime, object]]:
    return [(step.why, step.at, step.after.get("target")) for step in only(advice).steps]


def at(ahead: int, hour: int = 0) -> datetime:
    return datetime.combine(NOW.date() + timedelta(days=ahead), datetime.min.time(), NOW.tzinfo).replace(hour=hour)


def test_a_week_before_it_tests_then_it_goes_to_the_floor_and_back_to_its_base() -> None:
    advice = planned(20, 24)
    assert steps(advice) == [
        ("test", at(13, 10), Decimal("2.40")),
        ("start", at(20), Decimal("2.10")),
        ("end", at(25), Decimal("3.00")),
    ]
    assert only(advice).floor == Fraction(21, 10)
    assert [step.after.get("pace") for step in only(advice).steps] == [None, "fast", "normal"]


def test_too_late_for_a_test_it_begins_without_and_one_that_is_on_begins_now() -> None:
    assert [why for why, *_ in steps(planned(2, 6))] == ["start", "end"]
    assert steps(planned(-2, 3))[0] == ("start", NOW, Decimal("2.10"))


def test_no_target_goes_below_the_floor_and_where_it_can_be_kept_not_below_breakeven() -> None:
    kept = planned(20, 24, shop={"margin": Fraction(1, 2)})  # 2.5 on payment GMV
    assert [target for _, _, target in steps(kept)] == [Decimal("2.40"), Decimal("2.50"), Decimal("3.00")]
    assert [step.lost_daily for step in only(kept).steps] == [round(Fraction(4, 100) * 900_000_000), None, None]
    lost = planned(20, 24, shop={"margin": Fraction(2, 5)})  # 3.125: above the target itself
    assert [step.lost_daily is not None for step in only(lost).steps] == [True, True, False]


def test_a_plan_that_is_below_the_floor_already_only_changes_its_pace() -> None:
    advice = planned(20, 24, plan={"settings": settings((60, Goal.PAYMENT, "2.0"))})
    assert [dict(step.after) for step in only(advice).steps][1:] == [{"pace": "fast"}, {"pace": "normal"}]


@pytest.mark.parametrize(("policy", "voids"), [("seed", False), ("none", False), ("tiktok-gmv-max", True)])
def test_a_guarantee_that_no_hour_saves_is_told(policy: str, voids: bool) -> None:
    assert {step.voids for step in only(planned(20, 24, policy)).steps} == {voids}


def test_changes_keep_the_gap_that_the_guarantee_wants() -> None:
    made = settings((60, Goal.PAYMENT, "2.8"), (0, Goal.PAYMENT, "3.0"))
    advice = planned(0, 4, plan={"settings": made})
    assert only(advice).steps[0].at == NOW + timedelta(hours=1)


def test_a_plan_without_a_target_is_left_alone_and_says_why() -> None:
    assert only(planned(20, 24, plan={"settings": ()})).skipped == "no_target"


def test_days_out_of_order_and_unknown_names_are_refused() -> None:
    with pytest.raises(BadInput):
        Promotion("fair", Title("Fair", "大促"), ((date(2026, 2, 2), date(2026, 2, 1)),))
    with pytest.raises(BadInput, match=r"known: .*11\.11"):
        advise_promotion(history(yuan()), calendar(), Terms(RULES.promotion, RULES.target, {}), "11.12")


def test_the_calendar_shipped_knows_the_great_promotions_in_both_languages() -> None:
    known = {one.name: one for one in calendar().promotions}
    assert {"618", "11.11", "12.12", "new_year_goods"} <= known.keys()
    assert all(getattr(one.title, spoken) for one in known.values() for spoken in LANGUAGES)
    for one in known.values():
        assert [first.year for first, _ in one.days] == [2025, 2026, 2027]


def test_none_is_coming_where_none_is_known() -> None:
    advice = planned(61, 70)
    assert (advice.coming, advice.schedules) == ((), ())
