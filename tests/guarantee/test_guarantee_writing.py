"""A case written as JSON is the same case when it is read again."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given

from qianheng.guarantee.case import Case, Log, Target, Unit
from qianheng.guarantee.reading import parse_case
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.verdict import evaluate
from qianheng.guarantee.writing import written
from qianheng.plans.plan import BidMode, Goal
from tests.guarantee.test_guarantee_laws import cases


@given(case=cases())
def test_a_written_case_is_read_as_the_same_case_with_the_same_verdict(case: Case) -> None:
    read = parse_case("".join(written(case)), "case.json")
    assert read == case
    policy = shipped().in_force(case.policy, case.unit.day)
    assert evaluate(policy, read) == evaluate(policy, case)


def test_a_target_in_force_since_always_is_written_in_every_zone() -> None:
    unit = Unit("p", date(2025, 10, 1), timezone="America/New_York", commission_rate=Decimal("0.15"))
    case = Case("seed", unit, Log((Target(0, Goal.PAYMENT, None),)), (), (), unit.window[0])
    case = replace(case, unit=replace(unit, bid_mode=BidMode.MAX_DELIVERY))
    assert parse_case("".join(written(case)), "case.json") == case
