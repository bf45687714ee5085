"""What-ifs as a person asks them: of a run, as known at a time; of imported reports, as far as they reach."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from qianheng.actions.simulation import RunFolder
from tests.actions.conftest import Say
from tests.vendors.report_files import ANALYSIS, creative, csv_file, vendor_xlsx

COLUMNS = ["计划ID", "计划名称", "日期", "整体消耗", "整体成交金额", "净成交金额", "整体成交订单数"]
MEASURES = ("spend", "gmv", "net_gmv", "profit")


def told(say: Say, *arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(say("what-if", *arguments, "--json"))
    return answer


@pytest.fixture
def lived(missed: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of three days with orders enough, the only run in the home folder."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    return Path(shutil.copytree(missed.path, tmp_path / "runs" / missed.path.name))


@pytest.mark.usefixtures("lived")
def test_a_run_answers_with_intervals_a_frontier_and_a_reason(say: Say) -> None:
    answer = told(say, "--plan", "1", "--target", "3.5", "--budget", "300")
    assert (answer["source"], answer["goal"], answer["days"]) == ("run", "payment", 1)
    assert (answer["asked"]["target_roi"], answer["asked"]["budget"]) == ("3.5", "300.00")
    assert answer["now"]["target_roi"] == "2.5"
    for one in (answer["now"], answer["asked"], *answer["points"]):
        for name in MEASURES:
            low, expected, high = (float(one[name][end]) for end in ("low", "expected", "high"))
            assert low <= expected <= high
        assert float(one["spend"]["high"]) <= float(one["budget"])
    assert answer["asked"]["guarantee"]["chance"] is not None
    assert answer["why"]
    assert len(answer["points"]) == 35
    assert answer["runs_short"] == (float(answer["asked"]["spend"]["high"]) > float(answer["balance"]))
    assert answer["rests_on_days"] >= 1


@pytest.mark.usefixtures("lived")
def test_nothing_of_the_future_is_known_at_a_time(say: Say) -> None:
    early, late = (told(say, "--plan", "1", "--now", f"2025-10-0{day}T00:00") for day in (2, 4))
    assert (early["rests_on_days"], late["rests_on_days"]) == (0, 1)  # the target is changed on the second day
    assert "market yet" in say("what-if", "--plan", "1", "--now", "2025-10-01T00:00")


@pytest.mark.usefixtures("lived")
def test_a_week_is_known_less_in_yuan_and_better_in_share(say: Say) -> None:
    day, week = (told(say, "--plan", "1", "--days", days)["asked"]["gmv"] for days in ("1", "7"))
    width_of_day, width_of_week = (float(one["high"]) - float(one["low"]) for one in (day, week))
    assert told(say, "--plan", "1", "--days", "30", "--budget", "900")["runs_short"]
    assert width_of_week > width_of_day
    assert width_of_week / float(week["expected"]) < width_of_day / float(day["expected"])


@pytest.mark.usefixtures("lived")
def test_another_goal_is_asked_about_in_its_own_terms(say: Say) -> None:
    net = told(say, "--plan", "1", "--goal", "net")
    assert net["goal"] == "net"
    assert float(net["asked"]["target_roi"]) < 2.5  # times what refunds leave
    profit = told(say, "--plan", "1", "--goal", "profit")
    assert profit["asked"]["target_roi"] is None
    assert len(profit["points"]) == 5


@pytest.mark.usefixtures("lived")
def test_out_of_reach_is_said_with_the_nearest_that_is_not(say: Say) -> None:
    answer = told(say, "--plan", "1", "--target", "900")
    assert answer["feasible"] is False
    assert answer["nearest"] is None or answer["nearest"]["feasible"]


@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_person_reads_a_table_in_either_language(say: Say, language: str) -> None:
    text = say("--lang", language, "what-if", "--plan", "1", "--target", "3")
    assert {"en": "as you ask", "zh": "所问设置"}[language] in text
    assert {"en": "four outcomes in five", "zh": "五次中有四次"}[language] in text


@pytest.mark.usefixtures("lived")
def test_all_that_cannot_be_asked_is_told_at_once(say: Say) -> None:
    text = say("what-if", "--plan", "1", "--target", "x", "--goal", "fame", "--aim", "luck")
    assert all(name in text for name in ("--target", "--goal", "--aim", "payment", "orders"))
    assert "--days" in say("what-if", "--plan", "1", "--days", "99")
    assert "--plan" in say("what-if")
    assert "9" in say("what-if", "--plan", "9")


@pytest.mark.usefixtures("lived")
def test_a_change_is_told_with_what_it_is_expected_to_bring_before_it_is_saved(say: Say) -> None:
    cut = ("plan", "change", "1", "budget_daily=200", "--dry-run")
    expected = json.loads(say(*cut, "--json"))["expected"]
    assert (expected["now"]["budget"], expected["then"]["budget"]) == ("600.00", "200.00")
    assert float(expected["then"]["spend"]["expected"]) < float(expected["now"]["spend"]["expected"])
    assert expected["then"] == told(say, "--plan", "1", "--budget", "200", "--now", "2025-10-12T00:00")["asked"]
    assert "as you ask" in say(*cut)
    assert json.loads(say("plan", "pause", "1", "--dry-run", "--json"))["expected"] is None


def imported(say: Say, folder: Path, days: int) -> None:
    """Daily rows of a plan whose GMV grows with the square root of its spend."""
    first = date(2025, 10, 1)
    rows = []
    for number in range(days):
        spend = 300 + 60 * (number % 5)
        gmv = 50 * spend**0.5 * (1 + 0.05 * (-1) ** number)
        day = (first + timedelta(days=number)).isoformat()
        rows.append(["77", "开衫", day, f"{spend:.2f}", f"{gmv:.2f}", f"{0.9 * gmv:.2f}", str(round(gmv / 40))])
    path = folder / "计划.csv"
    path.write_bytes(csv_file([COLUMNS, *rows], "gbk"))
    say("import", str(path), "--json")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path / "home"))
    return tmp_path


def test_reports_answer_as_far_as_they_reach(say: Say, home: Path) -> None:
    imported(say, home, 21)
    answer = told(say, "--reports", "--target", "2.0", "--budget", "500", "--days", "7")
    assert (answer["source"], answer["rests_on_days"]) == ("reports", 21)
    assert answer["missing"] == ["settled_gmv_7d", "contribution"]
    assert answer["asked"]["profit"] is None
    assert answer["asked"]["net_gmv"] is not None
    assert float(answer["asked"]["spend"]["expected"]) > 0


def test_reports_that_tell_too_little_name_what_is_missing(say: Say, home: Path) -> None:
    imported(say, home, 5)
    text = say("what-if", "--reports", "--target", "2.0")
    assert all(name in text for name in ("--budget", "5 are", "at least 7"))
    assert "--target" not in text


def test_where_reports_tell_of_no_plan_the_whole_shop_is_asked_about(say: Say, home: Path) -> None:
    for number in range(8):
        day = f"2026-06-{1 + number:02d}"
        path = home / f"全域数据_素材分析_视频_{day} 00_00_00-{day} 23_59_59-demo.xlsx"
        spend = 300 + 50 * (number % 4)
        row = creative(f"C{number}", f"{spend}.00", f"{3 * spend}.00", f"{2 * spend}.00", orders="30")
        path.write_bytes(vendor_xlsx([ANALYSIS, row]))
        say("import", str(path))
    answer = told(say, "--reports", "--target", "2.0", "--budget", "500", "--days", "2")
    assert (answer["rests_on_days"], answer["goal"]) == (8, "net")
    assert float(answer["asked"]["spend"]["high"]) <= 1000
    assert "whole shop" in answer["name"]


def test_the_owners_own_habits_are_used_and_their_faults_told(say: Say, lived: Path) -> None:
    own = lived.parents[1] / "whatif.toml"
    own.write_text("[frontier]\ntargets = [1.0]\nbudget = 3\n", encoding="utf-8")
    text = say("what-if", "--plan", "1")
    assert all(name in text for name in ("usual", "frontier.budget", "frontier.budgets"))
