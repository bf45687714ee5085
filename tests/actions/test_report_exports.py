"""A run written as the vendor's files and read again keeps its sums to the last digit, and its audit says the same."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.actions.auditing import Asked, Audit, audit_reports
from qianheng.cli.reports import stored
from qianheng.core.days import SHANGHAI
from qianheng.measures.reports import Figures, add
from qianheng.vendors.exports import Reading, read_export
from qianheng.vendors.writing import Style, gbk, inline_xlsx, report_rows

Say = Callable[..., str]
money = st.integers(0, 10**12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(money, money, money, st.integers(0, 9999)), min_size=1, max_size=20))
def test_what_is_written_is_read_with_the_same_sums(days: list[tuple[int, int, int, int]]) -> None:
    lines = [
        (
            {"plan_id": 1790 + i, "plan_name": "夏装", "day": date(2026, 9, 1)},
            Figures(spend=spend, gmv=gmv, net_gmv=gmv - min(back, gmv), refunded_1h=min(back, gmv), orders=orders),
        )
        for i, (spend, gmv, back, orders) in enumerate(days)
    ]
    for form in (gbk, inline_xlsx):
        rows = report_rows("plan", lines, Style(SHANGHAI))
        export = read_export("计划.csv", form(rows), Reading(datetime(2026, 11, 1, tzinfo=UTC)))
        assert export.rejected == ()
        assert add(row.figures for row in export.rows) == add(figures for _, figures in lines)


def test_a_run_goes_out_and_comes_back_whole(
    kept: Path, tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = json.loads(say("export", "reports", "--out", str(tmp_path / "out"), "--json"))["files"]
    assert len(files) == 7
    assert all(Path(one["file"]).exists() for one in files)
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path / "elsewhere"))
    told = json.loads(say("import", str(tmp_path / "out"), "--json"))
    assert [one["rejected"] for one in told["files"]] == [[]] * 7
    by_kind = {one["kind"]: one["rows"] for one in told["files"]}
    assert by_kind["orders"] > 0
    assert by_kind["change_log"] > 0
    days = json.loads(say("guarantee", "audit", "--policy", "seed", "--json"))["days"]
    assert days
    asked = Asked(datetime(2026, 11, 1, tzinfo=UTC), policy="seed")
    with stored() as engine:
        assert audit_reports(engine, asked).whole
        assert not audit_reports(engine, replace(asked, last=date.fromisoformat(days[0]["day"]))).whole
    assert all(day["target_from"] == "change_log" and day["rests_on"] == "orders" for day in days)
    for day in json.loads(say("reconcile", "--by-plan", "--json"))["days"]:
        assert {part["cause"] for part in day["causes"]} <= {"coupon", "subsidy", "refund_discount"}
    assert "平台报表" in say("--lang", "zh", "reconcile", "--all")
    short, long = say("reconcile"), say("reconcile", "--all")
    assert len(short) < len(long)
    assert "agree in GMV, orders and refunds" in short
    assert "agree in GMV" not in long
    shown = say("--lang", "zh", "guarantee", "audit", "--policy", "seed", "--claims", "--all")
    assert max(len(line) + len(re.findall("[\u2e80-\uffef]", line)) for line in shown.splitlines()[:4]) <= 100
    assert "nothing was due (--all lists them)" in say("guarantee", "audit", "--policy", "seed")
    assert "操作日志" in shown


def test_an_audit_of_nothing_says_what_to_import(tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path / "empty"))
    assert "qianheng import" in say("guarantee", "audit")
    assert "qianheng import" in say("reconcile")
    assert "--from" in say("guarantee", "audit", "--from", "yesterday")


@pytest.mark.parametrize(("whole", "difference"), [(True, (-500, -500)), (False, None)])
def test_a_part_of_the_days_is_held_against_no_statement(whole: bool, difference: object) -> None:
    """A statement does not say which plan and day it pays for."""
    assert Audit((), ((date(2026, 6, 9), 500),), whole).difference == difference
