"""Alerts on imported reports: asked day by day of what the reports tell, in the same inbox."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.actions.conftest import Say
from tests.vendors.report_files import csv_file

PLAN = ["计划ID", "计划名称", "日期", "整体消耗", "整体成交金额", "净成交金额", "整体成交订单数"]


def day(number: int, spend: int, gmv: int, net_gmv: int, orders: int) -> list[object]:
    return ["900000000001", "连衣裙", str(date(2026, 6, 1) + timedelta(days=number)), spend, gmv, net_gmv, orders]


GOOD = [day(number, 1000, 3000, 2700, 60) for number in range(5)]
COLLAPSED = [day(5, 1000, 900, 800, 60)]
REFUNDED = [day(6, 1000, 4000, 2200, 80)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path / "home"))
    return tmp_path


def imported(say: Say, home: Path, rows: list[list[object]], name: str = "plans.csv") -> None:
    (home / name).write_bytes(csv_file([PLAN, *rows]))
    say("import", str(home / name))


def checked(say: Say) -> list[tuple[Any, ...]]:
    told = json.loads(say("alerts", "check", "--reports", "--json"))
    return [(one["rule"], one["happened"], one["at"][:10]) for one in told]


def test_each_day_is_judged_against_what_the_owner_wants(home: Path, say: Say) -> None:
    imported(say, home, [*GOOD, *COLLAPSED, *REFUNDED])
    say("shop", "set", "--plan", "900000000001", "target=2.5", "budget_daily=1000", "--since", "2026-06-01")
    found = checked(say)
    assert ("refund_rate_1h_urgent", "fired", "2026-06-08") in found
    assert all(at >= "2026-06-07" for rule, _, at in found)


def test_what_was_looked_at_is_not_looked_at_again(home: Path, say: Say) -> None:
    imported(say, home, GOOD)
    assert checked(say) == []
    imported(say, home, REFUNDED, "later.csv")
    assert checked(say) == [("refund_rate_1h_urgent", "fired", "2026-06-08")]
    assert checked(say) == []


def test_an_alert_of_reports_is_shown_and_handled_like_any_other(home: Path, say: Say) -> None:
    imported(say, home, [*GOOD, *REFUNDED])
    checked(say)
    (alert,) = json.loads(say("alerts", "--reports", "--json"))
    assert (alert["subject"]["name"], alert["detail"]["value"]) == ("连衣裙", "0.45")
    say("alerts", "handle", alert["id"], "--note", "sizes put right", "--reports")
    assert json.loads(say("alerts", "--reports", "--json")) == []
    assert "sizes put right" in say("alerts", "show", alert["id"], "--reports")
    assert json.loads(
        say("alerts", "silence", "--plan", "900000000001", "--for", "3d", "--why", "sale", "--reports", "--json")
    )


def test_findings_of_reports_are_alerts_that_explain_their_symptoms(home: Path, say: Say) -> None:
    columns = [*PLAN, "整体展示次数", "整体点击次数"]
    rows = [[*day(number, 1000, 3000, 2700, 60), 40000, 1500] for number in range(10)]
    rows += [[*day(number, 1000, 100, 100, 2), 40000, 1500] for number in (10, 11)]
    (home / "plans.csv").write_bytes(csv_file([columns, *rows]))
    say("import", str(home / "plans.csv"))
    found = checked(say)
    assert ("found_tracking_broken", "fired", "2026-06-12") in found
    assert not {"conversion_fell", "gmv_fell", "tracking_gap"} & {rule for rule, _, _ in found}
    alert = next(one for one in json.loads(say("alerts", "--reports", "--json")) if one["rule"].startswith("found"))
    assert "qianheng diagnose playbook tracking_gap" in say("alerts", "show", alert["id"], "--reports")
    finding = json.loads(say("diagnose", "findings", "--reports", "--json"))["findings"][0]
    assert finding["since"] == alert["detail"]["since"]


def test_without_reports_it_is_said(home: Path, say: Say) -> None:
    assert "import" in say("alerts", "check", "--reports")
