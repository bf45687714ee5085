"""Reviews of a run and of imported reports: the figures of the days in view, in every form, and what is missing."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.vendors.report_files import csv_file

Say = Callable[..., str]
PLAN = ["计划ID", "计划名称", "日期", "整体消耗", "整体成交金额", "净成交金额", "整体成交订单数"]


def told(say: Say, *arguments: str) -> Any:
    return json.loads(say(*arguments, "--json"))


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say) -> Path:
    """Sixteen days of two plans: the first gives 2.5 for a yuan, half of that in the last week."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    rows: list[list[object]] = []
    for day in range(1, 17):
        gmv = 2500 if day <= 9 else 1250
        rows.append(["11", "甲", f"2025-09-{day:02d}", 1000, gmv, gmv - 100, 20])
        rows.append(["12", "乙", f"2025-09-{day:02d}", 500, 1500, 1400, 9])
    (tmp_path / "计划.csv").write_bytes(csv_file([PLAN, *rows], "gbk"))
    say("import", str(tmp_path / "计划.csv"))
    return tmp_path


def test_the_daily_review_tells_the_sums_of_yesterday(kept: Path, say: Say) -> None:
    review = told(say, "review", "daily", "--now", "2025-10-02T00:00")["sections"]
    days = ("--from", "2025-10-01", "--to", "2025-10-01", "--now", "2025-10-02T00:00")
    promoted = told(say, "figures", "--by", "plan", *days)["lines"]
    assert next(iter(review)) == "decision"
    assert {row["plan"]: row["spend"] for row in review["plans"]["tables"]["plans"]} == {
        row["plan"]: row["sums"]["spend"] for row in promoted
    }
    assert review["yesterday"]["figures"]["spend"] == told(say, "figures", *days)["total"]["sums"]["spend"]
    assert "today" not in review


def test_in_the_middle_of_a_day_today_is_told_until_the_hour_and_nothing_later_is_known(kept: Path, say: Say) -> None:
    at_noon = told(say, "review", "daily", "--now", "2025-10-02T12:00")["sections"]["today"]
    at_night = told(say, "review", "daily", "--now", "2025-10-02T23:00")["sections"]["today"]
    spend = [float(one["figures"]["spend"]) for one in (at_noon, at_night)]
    assert 0 < spend[0] < spend[1]
    assert at_noon["charts"]["hours"]["series"]["spend"][13:] == [None] * 11


@pytest.mark.parametrize("kind", ["daily", "weekly", "fortnightly"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_review_is_a_page_paper_and_text(kept: Path, say: Say, tmp_path: Path, kind: str, language: str) -> None:
    page, paper = tmp_path / "review.html", tmp_path / "review.pdf"
    said = say("--lang", language, "review", kind, "--html", str(page), "--pdf", str(paper))
    assert str(page) in said
    assert page.read_text(encoding="utf-8").count("<section") >= 4
    assert 5_000 < len(paper.read_bytes()) < 1_000_000
    assert "¥" in say("--lang", language, "review", kind)


def test_reports_are_reviewed_as_far_as_they_reach_and_the_rest_is_named(imported: Path, say: Say) -> None:
    review = told(say, "review", "weekly", "--reports")["sections"]
    assert review["sums"]["figures"]["spend"] == "10500.00"
    assert review["sums"]["figures"]["net_roi"] == "1.7"
    assert [row["net_roi"] for row in review["plans"]["tables"]["plans"]] == ["1.15", "2.8"]
    assert "guarantee" not in review
    assert any("guarantee" in line for line in review["missing"]["told"])


def test_a_span_is_held_against_the_days_before_that_are_known(imported: Path, say: Say) -> None:
    review = say("review", "fortnightly", "--reports")
    assert "of which 2 days are known" in review
    assert "0.0% a day against before" in review  # the same spend a day, of fourteen days and of two


def test_why_the_roi_moved_is_told_in_steps_that_add_up(imported: Path, say: Say) -> None:
    review = told(say, "review", "fortnightly", "--reports", "--now", "2025-09-15T00:00")["sections"]
    assert "not enough days" in review["why"]["told"][0]
    rows: list[list[object]] = [["11", "甲", f"2025-08-{day:02d}", 1000, 3000, 2800, 20] for day in range(20, 32)]
    (imported / "更早.csv").write_bytes(csv_file([PLAN, *rows], "gbk"))
    say("import", str(imported / "更早.csv"))
    review = told(say, "review", "fortnightly", "--reports")["sections"]
    chart = next(iter(review["why"]["charts"].values()))
    steps = [float(value) for value in chart["series"]["roi"]]
    assert steps[0] + sum(steps[1:-1]) == pytest.approx(steps[-1], abs=1e-5)
    assert f"{steps[0]:.2f}" in review["why"]["told"][0]


@pytest.mark.parametrize(
    ("target", "budget", "meaning"),
    [
        ("1.20", "1000", "Less is spent than the budget allows. Target 1.20 → 1.32: outside the band"),
        ("2.40", "1000", "Less is spent than the budget allows. Target 2.40 → 2.28: met, but"),
        ("3.10", "1000", "Less is spent than the budget allows. The target stays 3.10: leave it."),
        ("4.00", "500", "The ROI is well under its target. Target 4.00 → 3.60: missed"),
    ],
)
def test_verdicts_and_band_speak_of_a_target_with_one_voice(
    imported: Path, say: Say, target: str, budget: str, meaning: str
) -> None:
    """Plan 12 has a payment ROI of 3 at a spend of 500 a day."""
    say("shop", "set", "--plan", "12", "--since", "2025-09-01", f"target={target}", f"budget_daily={budget}")
    review = told(say, "review", "weekly", "--reports")["sections"]
    (asked,) = (row for row in review["plans"]["tables"]["verdicts"] if row["where"] == "乙")
    (band,) = (row for row in review["band"]["tables"]["band"] if row["plan"] == "乙")
    assert asked["advice"].startswith(meaning)
    assert band["advice"] in asked["advice"]


def test_where_no_target_is_known_the_owner_is_asked_for_it(imported: Path, say: Say) -> None:
    asked = told(say, "review", "daily", "--reports")["sections"]["decision"]["decisions"][0]
    assert (asked["title"], asked["command"]) == ("No plan could be held to a target.", "qianheng shop set --help")


def test_the_fortnightly_review_tells_bands_and_tiers(kept: Path, say: Say) -> None:
    review = told(say, "review", "fortnightly", "--now", "2025-10-04T00:00")["sections"]
    band = {row["plan"]: row for row in review["band"]["tables"]["band"]}
    advised = told(say, "advise", "target", "--now", "2025-10-04T00:00")
    assert len(band) == 2
    assert str(band["推商品"]["base"])[:4] in json.dumps(advised)
    assert {row["name"] for row in review["tiers"]["tables"]["tiers"]} == {"针织开衫", "纯棉打底衫"}


def test_a_review_of_nothing_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    assert "qianheng import" in say("review", "daily", "--reports")
    assert "qianheng simulate" in say("review", "daily")


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(kept: Path, say: Say, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    missing = tmp_path / "file" / "review.pdf"
    assert str(missing) in say("review", "daily", "--pdf", str(missing))
    assert not list(tmp_path.glob("**/*.pdf*"))


@pytest.mark.parametrize(
    ("room", "told"),
    [(8 * 1024, "the database could not be read or written"), (36 * 1024, "cannot be written: File too large")],
)
def test_on_a_full_disk_it_is_said_what_failed_and_no_half_is_left(
    kept: Path, tmp_path: Path, room: int, told: str
) -> None:
    """No file may grow beyond `room` bytes: first the database's own, then the page."""
    asked = [sys.executable, "-m", "qianheng.cli.main", "review", "daily", "--html", str(tmp_path / "full" / "a.html")]
    small = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (room, room))
    done = subprocess.run(asked, preexec_fn=small, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not [one for one in tmp_path.glob("full/*") if one.is_file()]


def test_rules_of_the_owner_change_what_is_to_be_decided(imported: Path, say: Say) -> None:
    assert told(say, "review", "weekly", "--reports")["sections"]["decision"]["decisions"][0]["look"] == "watch"
    strict = imported / "strict.toml"
    strict.write_text(
        """[ranking]
spend_at_least = "100"
spend_share_at_least = "0.05"
[bands]
refund_rate_1h = [{ verdict = "propose_pause", severity = "urgent" }]
""",
        encoding="utf-8",
    )
    (imported / "计划.csv").write_bytes(
        csv_file([[*PLAN, "1小时内退款金额"], ["11", "甲", "2025-09-17", 1000, 1000, 900, 20, 100]], "gbk")
    )
    say("import", str(imported / "计划.csv"))
    decided = told(say, "review", "daily", "--reports", "--thresholds", str(strict))["sections"]["decision"][
        "decisions"
    ]
    assert decided[0]["look"] == "urgent"
