"""`qianheng diagnose` as a person meets it, on a run and on imported reports."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.actions.conftest import Say
from tests.vendors.report_files import csv_file

PLAN = ["计划ID", "计划名称", "日期", "整体消耗", "整体成交金额", "净成交金额", "整体成交订单数"]


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say) -> None:
    """Two weeks of plan reports: in the second one plan refunds more."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path / "home"))
    rows = [
        [id_, name, f"2026-06-{number:02d}", "1000.00", "3000.00", net if number > 7 else "2700.00", "40"]
        for number in range(1, 15)
        for id_, name, net in (("71", "春装", "2100.00"), ("72", "夏装", "2700.00"))
    ]
    file = tmp_path / "全域推广数据_计划_2026.csv"
    file.write_bytes(csv_file([PLAN, *rows]))
    assert "error" not in say("import", str(file))


def told(said: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(said)
    return answer


@pytest.mark.usefixtures("kept")
def test_the_change_of_a_runs_roi_adds_up_in_what_is_printed(say: Say) -> None:
    answer = told(say("diagnose", "roi", "--json"))
    ends = [Decimal(answer[end]["value"]) for end in ("before", "after")]
    assert sum(Decimal(effect["amount"]) for effect in answer["effects"]) == ends[1] - ends[0]
    assert {"price", "click_rate", "conversion", "order_value", "refunds", "mix", "organic", "traffic"} == {
        effect["factor"] for effect in answer["effects"]
    }
    assert answer["by"] == "plan"
    text = say("--lang", "zh", "diagnose", "roi", "--plan", "1")
    assert "净成交ROI" in text
    assert "点击率" in text


@pytest.mark.usefixtures("imported")
def test_reports_tell_why_too_and_say_what_they_cannot_tell_apart(say: Say) -> None:
    answer = told(say("diagnose", "roi", "--reports", "--json"))
    assert (answer["before"]["value"], answer["after"]["value"]) == ("2.7", "2.4")
    changed = {effect["factor"]: effect["amount"] for effect in answer["effects"] if Decimal(effect["amount"])}
    assert changed == {"refunds": "-0.3"}
    (merged,) = (effect for effect in answer["effects"] if effect["merged"])
    assert (merged["factor"], merged["merged"]) == ("conversion", ["price", "click_rate", "organic"])
    assert "Not told apart" in say("diagnose", "roi", "--reports", "--plan", "71")


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plan", "9"], "no plan 9 here"),
        (["--measure", "luck"], "--measure: luck is not known"),
        (["--by", "room"], "--by: room is not known"),
        (["--against", "2026-06-01"], "--against: 2026-06-01 is no period"),
        (["--against", "2026-06-01:2026-06-31"], "--against: "),
        (["--from", "2026-06-09", "--to", "2026-06-08"], "--from: "),
        (["--from", "2026-01-01"], "nothing is known of"),
        (["--measure", "profit"], "margin"),
        (["--run", "x"], "--run"),
    ],
)
def test_what_cannot_be_asked_is_told_where_it_stands(say: Say, arguments: list[str], said: str) -> None:
    assert said in say("diagnose", "roi", "--reports", *arguments)
