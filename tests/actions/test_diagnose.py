"""`qianheng diagnose` as a person meets it, on a run and on imported reports."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qianheng.actions.desk import desk_of
from qianheng.actions.planning import Wanted, consider, show_plan
from qianheng.actions.simulation import RunFolder
from qianheng.actions.stakes import stakes_of
from qianheng.cli.losses import loss_lines
from qianheng.core.interval import Interval
from qianheng.diagnosis.triage import Stake, rules, triage
from qianheng.measures.history import About
from qianheng.plans.plan import PlanStatus
from tests.actions.conftest import Say
from tests.diagnosis.shops_for_tests import day, days, shop
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


def told(said: str) -> Any:
    return json.loads(said)


@pytest.mark.usefixtures("kept")
def test_the_change_of_a_runs_roi_adds_up_in_what_is_printed(say: Say) -> None:
    answer = told(say("diagnose", "roi", "--json"))
    ends = [Decimal(answer[end]["value"]) for end in ("before", "after")]
    assert sum(Decimal(effect["amount"]) for effect in answer["effects"]) == ends[1] - ends[0]
    assert {"price", "click_rate", "conversion", "order_value", "refunds", "mix", "organic"} == {
        effect["factor"] for effect in answer["effects"]
    }
    assert answer["by"] == "plan"
    gmv = told(say("diagnose", "roi", "--measure", "gmv", "--json"))
    assert "traffic" in {effect["factor"] for effect in gmv["effects"]}
    text = say("--lang", "zh", "diagnose", "roi", "--plan", "1")
    assert "净成交ROI" in text
    assert "点击率" in text


@pytest.mark.usefixtures("imported")
def test_refunds_of_reports_without_products_name_the_report_that_is_missing(say: Say) -> None:
    assert "product analysis" in say("diagnose", "refunds", "--reports")
    assert "商品分析" in say("--lang", "zh", "diagnose", "refunds", "--reports")


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


@pytest.mark.usefixtures("imported")
def test_reports_need_a_margin_or_a_target_to_tell_losses_and_say_so(say: Say) -> None:
    assert "Not held against breakeven" in say("diagnose", "loss", "--reports")
    say("shop", "set", "margin=0.3")
    answer = told(say("diagnose", "loss", "--reports", "--json"))
    assert {one["subject"]["id"]: one["lost"] for one in answer["losses"]} == {"71": "2590.00", "72": "1330.00"}
    assert [one["stake"] for one in answer["losses"]] == [None, None]
    text = say("--lang", "zh", "diagnose", "loss", "--reports", "--plan", "71")
    assert "春装：7 天内较保本线亏损 2,590.00" in text
    assert "仅凭报表无法得知涉及的赔付" in text


@pytest.mark.usefixtures("imported")
def test_what_is_wrong_comes_with_the_most_costly_first(say: Say) -> None:
    assert "Not held against breakeven" in say("diagnose", "--reports")
    say("shop", "set", "margin=0.3")
    answer = told(say("diagnose", "--reports", "--json"))
    costs = [Decimal(one["costs_a_day"]["expected"]) for one in answer["troubles"] if one["costs_a_day"]]
    assert costs == sorted(costs, reverse=True) == [Decimal("370.00"), Decimal("190.00")]
    assert "春装" in say("diagnose", "--reports")


@pytest.mark.usefixtures("imported")
def test_a_playbook_is_walked_in_the_terminal(say: Say) -> None:
    text = say("diagnose", "playbook", "refunds_high", "--reports", "--plan", "71")
    assert "Is more than 30 % refunded within the hour?" in text
    answer = told(say("diagnose", "playbook", "refunds_high", "--reports", "--plan", "71", "--json"))
    assert answer["path"]["figure"] == "refund_rate_1h"
    assert "no playbook luck" in say("diagnose", "playbook", "luck", "--reports")
    assert "neither_spends" in say("diagnose", "playbook", "list")


@pytest.mark.usefixtures("imported")
def test_an_owner_imports_peers_and_a_faulty_file_changes_nothing(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "peers.csv"
    file.write_text("measure,category,p25,p50,p75\nctr,,2%,3%,4%\n", encoding="utf-8")
    before = told(say("diagnose", "peers", "import", str(file), "--json"))
    file.write_text("measure,category,p25,p50,p75\nctr,,4%,3%,2%\n", encoding="utf-8")
    assert "peers.csv:2: 4%, 3%, 2% are no quarters" in say("diagnose", "peers", "import", str(file))
    assert told(say("diagnose", "peers", "show", "--json")) == before
    assert before == [{"measure": "ctr", "category": "", "p25": "0.02", "p50": "0.03", "p75": "0.04"}]
    assert "3" in say("diagnose", "peers", "show")


@pytest.mark.usefixtures("kept")
def test_a_run_tells_its_losses_and_what_comes_back(say: Say) -> None:
    assert "losses" in told(say("diagnose", "loss", "--json"))
    found = told(say("diagnose", "refunds", "--json"))
    assert {one["subject"]["about"] for one in found} == {"product"}
    assert "refund" in say("diagnose", "refunds")


def test_stopping_forfeits_what_the_verdict_would_have_given(
    missed: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plans that miss their targets by far, of which one is void on a day it is paused."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    shutil.copytree(missed.path, tmp_path / "runs" / missed.path.name)
    with desk_of(now="2025-10-03T23:30") as desk:
        found = stakes_of(desk)
        paused = {one: consider(desk, Wanted(one, {"status": PlanStatus.PAUSED})).weighed for one in (1, 2)}
        verdicts = {one: show_plan(desk, one).verdict for one in (1, 2)}
    assert found.keys() == {"1", "2"}
    assert paused[1].at_stake > 0
    lost = found["1"].forfeited
    assert lost is not None
    assert lost.low == lost.expected == lost.high == paused[1].at_stake == verdicts[1].compensation
    with desk_of(now="2025-10-04T00:00") as desk:
        later = stakes_of(desk)["1"]
    assert later.open is not None
    assert later.open.expected > 0

    with desk_of(now="2025-10-03T15:00") as desk:
        lacking = stakes_of(desk)["2"]
    assert (lacking.orders_short, lacking.forfeited) == (10, None)  # and nobody expects that they come


def test_what_stopping_forfeits_is_told_with_what_is_not_sure_of_it() -> None:
    history = shop({"1": days(*[day(1000, 20)] * 8)})
    (loss,) = triage(history, rules(), subjects=history.of(About.PLAN)).losses
    sure, unsure = Interval(612_400_000, 612_400_000, 612_400_000), Interval(0, 90_000_000, 200_000_000)
    told = "\n".join(loss_lines(loss, Stake(sure, open=unsure), 7))
    assert "stopping now forfeits about 612.40 of compensation" in told
    assert "earlier days may still bring 90.00 (0.00–200.00)" in told
    assert "another day like these costs about 460.00 (460.00–460.00) and would show about 20.0 more orders" in told
    assert "forfeits about 90.00 (0.00–200.00)" in "\n".join(loss_lines(loss, Stake(unsure, 3), 7))
    assert "forfeits no compensation" in "\n".join(loss_lines(loss, Stake(), 7))
