"""Proposals on imported reports: accepting says that it was done there, and what it did is measured all the same."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from qianheng.actions.shop import own_shop, set_plan, set_shop
from qianheng.core.money import YUAN
from qianheng.measures.reports import Figures, ReportKind, ReportRow
from qianheng.plans.plan import Goal
from qianheng.store.database import connect, default_url, migrate
from qianheng.store.reports import ReportFile, save
from tests.actions.desks_for_tests import Say, saying

FIRST = date(2026, 4, 1)
ACCEPTED = 10  # days told of before anything is decided


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    return saying(monkeypatch, capsys)


def imported(number: int, days: range, spend: int, gmv: int) -> None:
    figures = Figures(spend=spend * YUAN, gmv=gmv * YUAN, net_gmv=gmv * YUAN, orders=gmv // 50, refunded_1h=0)
    rows = [
        ReportRow(ReportKind.PLAN, "7", "plan 7", day, day, goal=Goal.NET, figures=figures)
        for day in (FIRST + timedelta(days=n) for n in days)
    ]
    database = connect(default_url())
    migrate(database)
    with database.begin() as connection:
        save(connection, ReportFile(number, f"report {number}", "plan", "Asia/Shanghai", 0), rows)
    database.dispose()


def test_what_is_not_known_is_named(say: Say) -> None:
    imported(1, range(ACCEPTED), 400, 1200)
    assert "target ROI" in say("proposals", "--reports")[1]


def test_done_there_and_measured_here(say: Say) -> None:
    imported(1, range(ACCEPTED), 500, 1500)
    set_shop({"margin": "0.6"})
    set_plan("7", {"goal": "net", "target": "2.5", "budget_daily": "1000"}, "2026-04-01")
    (one,) = json.loads(say("proposals", "--reports", "--json")[1])
    assert (one["plan_id"], one["rule"], one["after"]) == ("7", "most_profit", {"target": "2.25"})
    done = json.loads(say("proposals", "accept", one["id"], "--edit", "target=2.40", "--reports", "--json")[1])
    assert (done["status"], done["taken"]) == ("carried_out", {"target": "2.40"})
    assert [str(setting.target) for setting in own_shop().plans["7"].settings] == ["2.5", "2.40"]
    imported(2, range(ACCEPTED, ACCEPTED + 7), 700, 2100)
    (one,) = json.loads(say("proposals", "follow-up", "--reports", "--json")[1])
    measured = {found["measure"]: found["measured"]["expected"] for found in one["measured"]["measures"]}
    assert (one["status"], one["measured"]["outcome"]) == ("measured", "helped")
    assert measured == {"gmv": "600.00", "spend": "200.00", "profit": "160.00"}
    back = json.loads(say("proposals", "roll-back", one["id"], "--reports", "--json")[1])
    assert back["status"] == "rolled_back"
    assert str(own_shop().plans["7"].settings[-1].target) == "2.5"
    (line,) = json.loads(say("proposals", "record", "--reports", "--json")[1])
    assert (line["name"], line["followed"], line["helped"]) == ("lower_target", 1, 1)


def test_nothing_there_is_scheduled_here(say: Say) -> None:
    imported(1, range(ACCEPTED), 500, 1500)
    set_plan("7", {"goal": "net", "target": "2.5", "budget_daily": "1000"}, "2026-04-01")
    (one,) = json.loads(say("proposals", "--reports", "--json")[1])
    assert say("proposals", "schedule", one["id"], "--at", "2026-04-12", "--reports")[0] == 2


def test_a_review_begins_with_the_proposal_that_is_to_bring_most(say: Say) -> None:
    imported(1, range(ACCEPTED), 500, 1500)
    set_shop({"margin": "0.6"})
    set_plan("7", {"goal": "net", "target": "2.5", "budget_daily": "1000"}, "2026-04-01")
    before = json.loads(say("review", "daily", "--reports", "--json")[1])["sections"]
    assert "proposals show" not in before["decision"]["decisions"][0]["command"]
    (one,) = json.loads(say("proposals", "--reports", "--json")[1])
    after = json.loads(say("review", "daily", "--reports", "--json")[1])["sections"]
    (decision,) = after["decision"]["decisions"]
    assert one["id"] in decision["title"]
    assert "2.5 → 2.25" in decision["title"]
    assert decision["command"] == f"qianheng proposals show {one['id']} --reports"
    assert [row["proposal"] for row in after["proposals"]["tables"]["proposals"]] == [one["id"]]
    say("proposals", "reject", one["id"], "--reports")
    refused = json.loads(say("review", "daily", "--reports", "--json")[1])["sections"]
    assert refused["decision"] == before["decision"]


def test_a_list_of_no_proposals_says_where_to_look(say: Say) -> None:
    imported(1, range(2), 400, 1200)
    assert "qianheng advise" in say("proposals", "--reports")[1]
