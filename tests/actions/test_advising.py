"""The advice at the command line, on a run and on imported reports, in both languages."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from qianheng.actions.advising import look_at_run
from qianheng.actions.desk import desk_of
from qianheng.actions.shop import set_plan
from qianheng.measures.reports import ReportKind
from qianheng.store.database import connect, default_url, migrate
from qianheng.strategy import promotions, rules
from tests.actions.test_report_histories import imported, row

Say = Callable[..., str]
PARTS = ("goal", "budget", "target", "promotion", "products", "creators")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_is_on_one_page_and_breakeven_comes_first(kept: Path, say: Say, language: str) -> None:
    told = say("--lang", language, "advise")
    headings = {
        "en": ("Breakeven", "Targets", "Goal", "Budget", "Promotions", "Products"),
        "zh": ("首先看保本线", "目标", "出价目标", "预算分配", "大促", "商品"),
    }[language]
    places = [told.index(f"{heading}") for heading in headings]
    assert places[0] == min(places)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_answers_for_people_and_for_programs(kept: Path, say: Say, part: str) -> None:
    assert "Breakeven" in say("advise", part)
    told = json.loads(say("advise", part, "--json"))
    assert told["source"] == "run"
    assert told["breakevens"][0]["subject"]["about"] == "shop"


def test_the_whole_as_json_has_every_part_with_money_in_yuan(kept: Path, say: Say) -> None:
    told = json.loads(say("advise", "--json"))
    assert {"targets", "goal", "split", "promotion", "products", "creators", "best"} <= told.keys()
    assert {"name", "value", "against", "unit", "source"} == told["targets"][0]["why"][0].keys()
    assert "." in told["split"]["budget"]


def test_a_plan_of_a_run_is_told_where_its_profit_is_highest(kept: Path) -> None:
    with desk_of() as desk:
        looked = look_at_run(desk)
    assert looked.best
    for plan_id, best in looked.best.items():
        setting = looked.history.plans[plan_id].setting
        assert setting is not None
        assert 0 < best.spend <= (setting.budget_daily or 0)
        assert best.profit > 0
    with desk_of(now="2025-10-01T00:00") as desk:
        assert look_at_run(desk).best == {}  # nothing was lived then


def test_a_plan_or_promotion_that_is_not_there_is_told(kept: Path, say: Say) -> None:
    assert "--plan: no plan 99" in say("advise", "target", "--plan", "99")
    assert "--promotion: no promotion goes by" in say("advise", "promotion", "--promotion", "1.1")


def test_an_owners_rules_go_before_those_shipped_and_broken_ones_are_told(kept: Path, say: Say, tmp_path: Path) -> None:
    text = rules.SHIPPED.read_text("utf-8")
    (tmp_path / "advice.toml").write_text(text.replace("step = 0.2", "step = 0.3"), "utf-8")
    shutil.copy(promotions.SHIPPED, tmp_path / "promotions.toml")
    assert "Breakeven" in say("advise")
    (tmp_path / "advice.toml").write_text(text.replace("band = 0.30", "bend = 0.30"), "utf-8")
    told = say("advise")
    assert "advice.toml" in told
    assert "target.bend: unknown key" in told
    assert "target.band: missing" in told


def test_reports_are_advised_on_as_far_as_they_reach_and_the_rest_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    assert "nothing has been imported" in say("advise", "--reports")
    engine = connect(default_url())
    migrate(engine)
    imported(engine, [row(ReportKind.PLAN, "7", back, 900_000_000) for back in range(40)])
    engine.dispose()
    set_plan("7", {"target": "2.8", "goal": "payment", "budget_daily": "1000"}, "2026-06-01")
    told = json.loads(say("advise", "target", "--reports", "--json"))["targets"][0]
    assert (told["base"], told["suggested"], told["move"]) == ("3", "3.00", "step_up")
    assert "margin" in told["missing"]
    page = say("advise", "--reports")
    assert "qianheng shop set margin=0.42" in page
    assert "Not known" in page
    assert "one of them" in say("advise", "--reports", "--run", "tiny")
