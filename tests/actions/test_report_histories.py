"""The history of imported reports: as far as their columns reach, completed by what the owner says."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from qianheng.actions.histories import Asked
from qianheng.actions.report_histories import history_of_reports
from qianheng.actions.shop import set_plan, set_shop
from qianheng.core.errors import NotFound
from qianheng.measures.history import About, Subject
from qianheng.measures.reports import Figures, ReportKind, ReportRow, of_account
from qianheng.plans.plan import Goal
from qianheng.store.database import reading
from qianheng.store.reports import ReportFile, load, save

FIRST = date(2026, 6, 1)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))


def row(kind: ReportKind, id_: str, back: int, spend: int, within: str = "", hour: int | None = None) -> ReportRow:
    day = FIRST + timedelta(days=back)
    goal = Goal.PAYMENT if back < 1 else Goal.NET
    return ReportRow(kind, id_, f"name of {id_}", day, day, hour, within, goal, Figures(spend=spend, gmv=3 * spend))


def imported(engine: Engine, rows: Iterable[ReportRow]) -> None:
    with engine.begin() as connection:
        save(connection, ReportFile(1, "report", "plan", "Asia/Shanghai", 0), rows)


def test_plans_and_their_products_are_told_apart_and_each_day_is_counted_once(engine: Engine) -> None:
    plans = [row(ReportKind.PLAN, id_, back, 100) for id_ in ("7", "8") for back in (0, 1)]
    parts = [row(ReportKind.PRODUCT, "p", back, 60, within="plan 7") for back in (0, 1)]
    imported(engine, [*plans, *parts])
    told = history_of_reports(engine)
    assert told.today == FIRST + timedelta(days=2)
    assert told.last(7).spend == 400
    assert told.last(1, Subject(About.PRODUCT, "p", within="7")).spend == 60
    assert told.last(7, Subject(About.PRODUCT, "p")).spend == 120
    assert [one.goal for one in told.plans["7"].settings] == [Goal.PAYMENT, Goal.NET]
    assert told.plans["7"].began == FIRST


def test_what_no_report_tells_is_named_and_the_owner_may_say_it(engine: Engine) -> None:
    imported(engine, [row(ReportKind.PLAN, "7", back, 100) for back in range(3)])
    assert {"margin", "opened", "balance", "net_gmv"} <= history_of_reports(engine).missing
    set_shop({"margin": "0.4"})
    set_plan("7", {"target": "2.6"}, "2026-06-02")
    told = history_of_reports(engine)
    assert "margin" not in told.missing
    assert [one.target for one in told.plans["7"].settings] == [Decimal("2.6")]
    assert told.plans["7"].subject.name == "name of 7"


def test_the_only_plan_spoken_of_has_the_figures_of_a_shop_that_tells_none_by_plan(engine: Engine) -> None:
    imported(engine, [row(ReportKind.CREATIVE, "c", back, 100) for back in range(3)])
    set_plan("7", {"target": "2.6"}, "2026-06-01")
    told = history_of_reports(engine)
    assert told.last(3, told.plan_subject("7")) == told.last(3)
    set_plan("8", {"target": "3"}, "2026-06-01")
    assert history_of_reports(engine).last(3, told.plan_subject("7")) == Figures()


def test_at_an_earlier_time_nothing_later_is_known(engine: Engine) -> None:
    imported(engine, [row(ReportKind.PLAN, "7", back, 100) for back in range(5)])
    told = history_of_reports(engine, "2026-06-03T09:00")
    assert told.today == date(2026, 6, 3)
    assert max(told.days[told.whole_shop]) == date(2026, 6, 2)


def test_hours_are_told_where_reports_have_them(engine: Engine) -> None:
    imported(engine, [row(ReportKind.PLAN, "7", 0, 10, hour=hour) for hour in (9, 10)])
    told = history_of_reports(engine, asked=Asked(hours=3))
    assert [at.hour for at in told.hours[told.plan_subject("7")]] == [9, 10]
    assert told.last(1).spend == 20


@pytest.mark.parametrize("others", [1, 2])
def test_an_account_known_by_name_is_the_one_whose_id_alone_has_that_name(engine: Engine, others: int) -> None:
    with_id = [replace(row(ReportKind.ACCOUNT, str(number), 0, 10), name="小满") for number in range(others)]
    imported(engine, [*with_id, replace(row(ReportKind.ACCOUNT, "", 0, 12), name="小满")])
    with reading(engine) as connection:
        told = load(connection)
    assert sorted(one.row.figures.spend or 0 for one in told) == ([12] if others == 1 else [10, 10, 12])


@pytest.mark.parametrize("name", ["my shop", '"quoted"', "plain", "小 满 plan 7"])
def test_the_name_of_an_ad_account_may_hold_anything(engine: Engine, name: str) -> None:
    told = row(ReportKind.PRODUCT, "p", 0, 10, within=f"{of_account(name)} plan 9")
    assert (told.account, told.of_plan) == (name, "9")
    imported(engine, [told])
    assert history_of_reports(engine, asked=Asked(name)).last(7).spend == 10


def test_an_ad_account_is_looked_at_apart(engine: Engine) -> None:
    imported(engine, [row(ReportKind.PLAN, id_, 0, 10, within=f"account {id_}") for id_ in ("north", "south")])
    assert history_of_reports(engine, asked=Asked("north")).last(7).spend == 10
    with pytest.raises(NotFound, match="nothing has been imported"):
        history_of_reports(engine, asked=Asked("west"))
