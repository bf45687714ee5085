"""A guarantee looks at the commission that ads' orders owe by the rules in force, not at the plan's own rate alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from qianheng.actions.cases import case_of
from qianheng.actions.commission import owing
from qianheng.actions.judging import judge_days
from qianheng.actions.plan_standing import known_of
from qianheng.core.days import microseconds, midnight
from qianheng.guarantee.reasons import Reason
from qianheng.incentives.terms import Commission, Terms
from qianheng.measures.days import Days
from qianheng.plans.plan import Plan, PlanKind
from qianheng.store import incentives, plans
from tests.actions.claimed_days import DAY, PLAN, Shop, opened

LATER = microseconds(midnight(DAY + timedelta(days=1)))
LIVE = replace(PLAN, id=3, kind=PlanKind.SUPER, room_ids=(2,), policy="qianchuan-product", commission_rate=Decimal("0"))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as found:
        yield found


def dual(promoted: str, since: int = 0, product: int | None = None) -> Commission:
    return Commission(2, Decimal("0.4"), Decimal(promoted), product, since)


@pytest.mark.parametrize(
    ("agreed", "lines", "owed"),
    [
        ("0.1", [], "0.1"),  # no such terms: the plan's own
        ("0", [dual("0.15")], "0.15"),  # what ads' orders owe, not what the creator's own traffic owes
        ("0.2", [dual("0.15")], "0.2"),  # the product's page still owes the rate agreed
        ("0", [dual("0.1"), dual("0.15", product=11)], "0.15"),  # a product's own line goes before
        ("0", [dual("0.1"), dual("0.15", since=LATER)], "0.1"),  # in force only from the next day on
    ],
)
def test_the_rate_is_the_highest_that_ads_orders_owe_on_that_day(
    agreed: str, lines: list[Commission], owed: str
) -> None:
    plan = replace(LIVE, commission_rate=Decimal(agreed))
    assert owing(Terms({}, lines), plan, DAY) == replace(plan, commission_rate=Decimal(owed))


def test_a_target_too_high_for_what_ads_orders_owe_fails_its_check_however_the_day_is_judged(shop: Shop) -> None:
    with shop.desk.database.begin() as connection:
        plans.create(connection, LIVE)
    assert failed(shop, LIVE) == [False, False]
    with shop.desk.database.begin() as connection:
        incentives.enter(connection, [], incentives.Rules(Terms({}, [dual("0.15")])))
    assert failed(shop, LIVE) == [True, True]


def failed(shop: Shop, plan: Plan) -> list[bool]:
    """Whether the check of its commission fails, by the day's sums and by the guard of its changes; its case agrees."""
    now = shop.desk.now
    with shop.desk.database.begin() as connection:
        judged = [one for one in judge_days(connection, shop.desk.lake, Days(DAY, DAY), now) if one.plan_id == plan.id]
        known = known_of(shop.on(DAY).desk, connection, plan.id)
        case = case_of(connection, shop.desk.lake, plan.id, DAY, now)
    assert case.unit == judged[0].unit
    verdicts = (judged[0].verdict, known.verdict(shop.on(DAY).desk.now, known.figures))
    broken = [{check.reason for check in verdict.checks if not check.passed} for verdict in verdicts]
    return [Reason.COMMISSION_TOO_HIGH in found for found in broken]
