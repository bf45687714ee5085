"""Figures as known at a time: whatever they are broken down by, they are the same money."""

import json
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.actions.desk import Desk, desk_of
from qianheng.actions.figures import Question, figures, ratios
from qianheng.actions.simulation import RunFolder
from qianheng.measures.breakdown import By
from qianheng.measures.days import Days
from qianheng.measures.goals import Rates, converted
from qianheng.measures.query import plan_day, plan_day_traffic, sums_of
from qianheng.measures.sums import total
from qianheng.store.database import reading
from tests.actions.conftest import Say


@pytest.fixture(scope="module")
def desk(missed: RunFolder) -> Iterator[Desk]:
    with desk_of(str(missed.path)) as open_desk:
        yield open_desk


@pytest.mark.parametrize("by", By)
def test_every_breakdown_adds_up_to_the_sums_of_all_days(missed: RunFolder, desk: Desk, by: By) -> None:
    first = missed.scenario.first_day
    days = Days(first, first + timedelta(days=30))
    with reading(desk.database) as connection:
        answers = [desk.lake.query(connection, of(days)) for of in (plan_day, plan_day_traffic)]
    whole = total(sums for answer in answers for (plan, _), sums in sums_of(answer).items() if plan in (1, 2))
    found = figures(desk, Question(by))
    assert found.total is not None
    assert found.total.sums == whole
    assert total(line.sums for line in found.lines) == whole
    assert all(total(line.channels.values()) == line.sums for line in found.lines)
    assert len(found.lines) > 1
    assert total(line.counted for line in found.lines) == found.total.counted


def test_a_settled_roi_is_not_known_before_its_window_has_closed(missed: RunFolder) -> None:
    first = missed.scenario.first_day
    asked = Question(By.DAY, 1, str(first), str(first))
    known = {}
    for age in (7, 8):
        with desk_of(str(missed.path), now=f"{first + timedelta(days=age)}T00:00") as early:
            found = figures(early, asked)
        known[age] = ratios(found, found.lines[0])
    assert [known[7][name] is None for name in ("net_roi", "settled_roi_7d")] == [False, True]
    assert [known[8][name] is None for name in ("settled_roi_7d", "settled_roi_14d")] == [False, True]


rates = st.fractions(Fraction(1, 100), 1)


@given(st.fractions(Fraction(1, 10), 20), st.sampled_from(["payment", "net", "settled"]), rates, rates)
def test_a_target_converted_there_and_back_is_itself(
    target: Fraction, goal: str, net: Fraction, left: Fraction
) -> None:
    known = Rates(net, left)
    there = converted(target, goal, known)
    for other, value in there.items():
        assert value is not None
        assert converted(value, other, known) == there


def test_what_counts_is_what_a_review_goes_by(kept: Path, say: Say) -> None:
    """The product plan counts promoted orders alone, the live plan all."""
    known = ("--now", "2025-10-02T00:00")
    days = ("--from", "2025-10-01", "--to", "2025-10-01", *known)
    by_plan = {line["plan"]: line for line in json.loads(say("figures", "--by", "plan", *days, "--json"))["lines"]}
    review = json.loads(say("review", "daily", *known, "--json"))["sections"]
    rows = {row["plan"]: row for row in review["plans"]["tables"]["plans"]}
    assert {plan: line["counted"]["gmv"] for plan, line in by_plan.items()} == {
        plan: row["gmv"] for plan, row in rows.items()
    }
    product, live = by_plan["推商品"], by_plan["推直播间"]
    assert product["counted"]["gmv"] == product["sums"]["promoted_gmv"] < product["sums"]["gmv"]
    assert live["counted"]["gmv"] == live["sums"]["gmv"]
    assert f"{product['counted']['gmv']}"[-6:] in say("figures", "--by", "plan", *days)


def test_the_published_example_of_a_conversion() -> None:
    """A payment ROI of 2.5 with rates of 0.92 and 0.80 is a net ROI of 2.3 and a settled one of 2.0 (SPEC 3.2)."""
    found = converted(Fraction("2.5"), "payment", Rates(Fraction("0.92"), Fraction("0.8")))
    assert found == {"payment": Fraction("2.5"), "net": Fraction("2.3"), "settled": Fraction(2)}
    assert converted(Fraction(2), "net", Rates(None, None)) == dict.fromkeys(found)


def test_the_command_tells_figures_in_both_languages_and_writes_them(kept: Path, say: Say, tmp_path: Path) -> None:
    told = json.loads(say("figures", "--by", "plan", "--json"))
    assert [line["plan"] for line in told["lines"]] == ["推商品", "推直播间"]
    assert told["total"]["sums"]["orders"] == sum(line["sums"]["orders"] for line in told["lines"])
    assert "net ROI" in say("figures")
    assert "信息流" in say("--lang", "zh", "figures", "--by", "placement")
    assert "settle rate" in say("figures", "--goals")
    say("figures", "--csv", str(tmp_path / "figures.csv"))
    assert (tmp_path / "figures.csv").read_text(encoding="utf-8-sig").startswith("day,spend,")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--by", "shop"), "--by: 'shop' is not a breakdown"),
        (("--from", "2025-10-03", "--to", "2025-10-01"), "--to: 2025-10-01 is before the first day"),
        (("--from", "soon"), "--from: 'soon' is not a day"),
        (("--plan", "77"), "77"),
    ],
)
def test_what_cannot_be_told_is_refused(kept: Path, say: Say, asked: tuple[str, ...], told: str) -> None:
    assert told in say("figures", *asked)
