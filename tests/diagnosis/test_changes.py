"""Two periods of a shop compared: what is told adds up to the digit, and what does not fit is not told."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from qianheng.core.errors import BadInput, NotFound, Refused
from qianheng.core.words import speaking
from qianheng.diagnosis.changes import REST, Comparison, compare, headline, rounded, rounded_parts, waterfall
from qianheng.diagnosis.decomposition import Factor, Measure
from qianheng.diagnosis.worth import Basis, worth_of
from qianheng.measures.history import About, Subject
from tests.diagnosis.shops_for_tests import TODAY, YUAN, day, days, shop, with_parts

BEFORE, AFTER = day(), day(orders=30, kept="0.75")
FALLEN = shop({"1": days(*[BEFORE] * 7, *[AFTER] * 7), "2": days(*[day(500)] * 14)})


def test_the_last_seven_days_are_held_against_the_seven_before() -> None:
    change = compare(FALLEN, Comparison("1"))
    assert change.after == (TODAY - timedelta(days=7), TODAY - timedelta(days=1))
    assert change.before == (TODAY - timedelta(days=14), TODAY - timedelta(days=8))
    assert change.found.measure is Measure.NET_ROI
    assert (change.found.before, change.found.after) == (Fraction("2.16"), Fraction("1.35"))


def test_the_headline_names_the_two_strongest_causes() -> None:
    told = headline(compare(FALLEN, Comparison("1")))
    assert told == "net ROI fell 2.16 → 1.35 (−0.81): conversion −0.49, refunds −0.32."
    with speaking("zh"):
        assert (
            headline(compare(FALLEN, Comparison("1")))
            == "净成交ROI由 2.16 降至 1.35（−0.81）：转化率 −0.49、退款 −0.32。"
        )


def test_nothing_changed_is_said_so() -> None:
    assert headline(compare(FALLEN, Comparison("2"))) == "net ROI stayed at 4.32."


@pytest.mark.parametrize("measure", [Measure.NET_ROI, Measure.PAYMENT_ROI, Measure.GMV, Measure.PROFIT])
def test_rounded_effects_and_rounded_parts_add_up_to_the_digit(measure: Measure) -> None:
    odd = shop(
        {"1": days(*[day(997)] * 3, *[day(1003, 31, 61)] * 3), "2": days(*[day(701, 13, 47)] * 3, *[day(7)] * 3)}
    )
    change = compare(odd, Comparison(measure=measure))
    unit = Fraction(1, 10**6) if measure.is_ratio else 1
    ends = [round(end / unit) * Fraction(unit) for end in (change.found.before, change.found.after)]
    scale = 1 if measure.is_ratio else YUAN
    effects = {factor: Decimal(text) for factor, text in rounded(change).items()}
    assert Fraction(sum(effects.values())) * scale == ends[1] - ends[0]
    for factor, amount in effects.items():
        assert sum(Decimal(told[factor]) for told in rounded_parts(change).values()) == amount


def test_a_shop_is_told_by_its_plans_and_more_of_a_worse_plan_is_mix() -> None:
    moved = shop(
        {"1": days(*[day(1000, 80)] * 7, *[day(500, 40)] * 7), "2": days(*[day(500)] * 7, *[day(1000, 80)] * 7)}
    )
    worse = shop({"1": moved.days[Subject(About.PLAN, "1")], "2": days(*[day(500, 20)] * 7, *[day(1000, 40)] * 7)})
    assert not compare(moved, Comparison()).found.strongest
    change = compare(worse, Comparison())
    assert (change.by, [one.factor for one in change.found.strongest]) == (About.PLAN, [Factor.MIX])


def products(*shares: int) -> dict[Subject, dict]:  # type: ignore[type-arg]
    spends = {f"p{n}": share for n, share in enumerate(shares)}
    return {
        Subject(About.PRODUCT, id_, within="1"): days(*[day(share, share // 25)] * 14) for id_, share in spends.items()
    }


def test_what_is_of_no_part_is_the_rest() -> None:
    change = compare(with_parts(FALLEN, products(300, 200)), Comparison("1"))
    assert change.by is About.PRODUCT
    assert set(change.found.parts) == {*products(300, 200), REST}


def test_parts_that_are_more_than_the_whole_are_not_told() -> None:
    too_many = with_parts(FALLEN, products(900, 400))
    assert compare(too_many, Comparison("1")).by is None
    with pytest.raises(Refused, match="do not make up the whole"):
        compare(too_many, Comparison("1", by=About.PRODUCT))


def test_days_may_be_chosen() -> None:
    first = TODAY - timedelta(days=14)
    change = compare(FALLEN, Comparison("1", after=(first + timedelta(1),) * 2, before=(first, first)))
    assert not change.found.strongest


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (Comparison("9"), NotFound),
        (Comparison("1", after=(TODAY, TODAY)), Refused),
        (Comparison("1", Measure.SETTLED_ROI), Refused),
    ],
)
def test_what_is_not_known_is_refused(asked: Comparison, error: type[Exception]) -> None:
    with pytest.raises(error):
        compare(FALLEN, asked)


def test_parts_that_are_none_are_bad_input() -> None:
    with pytest.raises(BadInput):
        Comparison(by=About.ROOM)


def test_a_profit_needs_a_margin_and_says_so() -> None:
    poor = shop({"1": days(*[BEFORE] * 7, *[AFTER] * 7)}, margin=None)
    with pytest.raises(Refused, match="margin"):
        compare(poor, Comparison("1", Measure.PROFIT))


def test_what_a_yuan_is_worth_rests_on_the_best_there_is() -> None:
    contribution, settled = 800 * YUAN, 2000 * YUAN
    assert worth_of(FALLEN, FALLEN.plans["1"].subject).rate == worth_of(FALLEN, FALLEN.whole_shop).rate
    assert worth_of(FALLEN, FALLEN.whole_shop).basis is Basis.NET
    known = shop({"1": days(day(contribution=contribution, settled_gmv_7d=settled), day())})
    assert worth_of(known, known.whole_shop).rate == Fraction(800, 2160)
    by_margin = shop({"1": days(day(settled_gmv_7d=1800 * YUAN), day())})
    assert worth_of(by_margin, by_margin.whole_shop).rate == Fraction(1, 2) * Fraction(1800, 2160)


def test_the_bars_of_a_waterfall_meet() -> None:
    rows = waterfall(compare(FALLEN, Comparison("1")))
    assert rows[0][1].startswith("█")
    assert len(rows[-1][1]) < len(rows[0][1]) <= 32
    assert sum(bar.count("−") for _, bar in rows) == len(rows[0][1]) - len(rows[-1][1])
