"""Playbooks are data: every one shipped can be walked to every leaf, and a broken one is told with file and key."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from qianheng.core.errors import BadInput
from qianheng.core.words import speaking
from qianheng.diagnosis.asking import Answer
from qianheng.diagnosis.findings import Anomaly
from qianheng.diagnosis.ground import Ground
from qianheng.diagnosis.playbook import ACTIONS, End, Playbook, Step, opens, playbooks, read_playbook, walk
from qianheng.diagnosis.triage import rules
from qianheng.measures.history import History, Setting
from qianheng.measures.reports import Figures
from qianheng.plans.plan import Goal
from qianheng.strategy.proposal import Action
from tests.diagnosis.shops_for_tests import NOW, YUAN, day, days, plan, shop

SHIPPED = playbooks()
EMERGENCIES = {"net_roi_switch", "refunds_high", "neither_spends"}
ANOMALIES = {
    "creative_decay",
    "tracking_gap",
    "stock_out",
    "price_shock",
    "rival_entered",
    "off_air_spend",
    "learning_failed",
}


def ground(*told: Figures, history: History | None = None) -> Ground:
    known = history or shop({"1": days(*told)})
    return Ground(known, known.plans["1"].subject)


def leaf(name: str, on: Ground) -> str:
    walked = walk(name, SHIPPED[name], on)
    assert len(walked.ends) == 1, [end.name for end in walked.ends]
    return walked.ends[0].name


def test_the_three_emergencies_and_the_seven_anomalies_are_shipped() -> None:
    assert SHIPPED.keys() == EMERGENCIES | ANOMALIES


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_playbook_speaks_both_languages_and_a_shop_that_knows_nothing_reaches_every_leaf(name: str) -> None:
    nothing = ground(history=shop({"1": {}}, margin=None))
    bare = replace(nothing.history, plans={"1": replace(nothing.history.plans["1"], settings=())}, source="reports")
    walked = walk(name, SHIPPED[name], replace(nothing, history=bare))
    told = {end.name for end in walked.ends}
    if name not in ("off_air_spend",):
        assert told == SHIPPED[name].leaves.keys()
        assert walked.missing
    with speaking("zh"):
        assert str(SHIPPED[name].title) == SHIPPED[name].title.zh


def switched(days_ago: int, *told: Figures) -> Ground:
    at = NOW - timedelta(days=days_ago)
    before = plan("1").settings[0]
    settings = (
        replace(before, goal=Goal.PAYMENT),
        Setting(at, Goal.NET, target=before.target, budget_daily=1000 * YUAN),
    )
    return ground(history=shop({"1": days(*told)}, plan_1=replace(plan("1"), settings=settings)))


USUAL = [day(1000, 40)] * 14


@pytest.mark.parametrize(
    ("days_ago", "since", "expected"),
    [
        (2, day(500, 20), "wait_unrest"),
        (5, day(900, 36), "wait_converging"),
        (5, day(300, 12), "lower_target"),
        (8, day(900, 40), "keep"),
        (8, day(500, 22), "lower_target"),
        (8, day(1000, 30, clicks=1000), "creatives"),
        (8, day(1000, 30), "roll_back"),
    ],
)
def test_after_a_switch_of_the_goal_time_and_figures_tell_what_to_do(
    days_ago: int, since: Figures, expected: str
) -> None:
    assert leaf("net_roi_switch", switched(days_ago, *USUAL, *[since] * days_ago)) == expected


@pytest.mark.parametrize(
    ("kept", "late", "expected"),
    [
        ("0.9", None, "after_sales"),
        ("0.75", None, "script"),
        ("0.6", None, "chronic"),
    ],
)
def test_refunds_are_followed_to_where_they_come_from(kept: str, late: str | None, expected: str) -> None:
    told = [day(1000, 40, kept=kept, refunded_7d=1200 * YUAN)] * 21
    assert leaf("refunds_high", ground(*told)) == expected


def test_a_wave_of_refunds_is_told_from_refunds_that_were_always_there() -> None:
    assert leaf("refunds_high", ground(*USUAL, *[day(1000, 40, kept="0.6")] * 7)) == "find_product"


@pytest.mark.parametrize(
    ("balance", "last", "expected"),
    [
        (100, day(1000), "top_up"),
        (99_000, day(1000), "normal"),
        (99_000, day(200, 8, impressions=5000), "rivals"),
        (99_000, day(200, 4, clicks=150), "creatives"),
        (99_000, day(200, 16), "lower_target"),
        (99_000, day(200, 4), "restart"),
    ],
)
def test_a_plan_that_does_not_spend_is_asked_why(balance: int, last: Figures, expected: str) -> None:
    history = shop({"1": days(*USUAL, *[last] * 7)})
    known = replace(history.shop, balance=balance * YUAN)
    assert leaf("neither_spends", ground(history=replace(history, shop=known))) == expected


def test_what_is_not_known_is_named_and_both_branches_are_told() -> None:
    walked = walk("neither_spends", SHIPPED["neither_spends"], ground(*USUAL))
    assert isinstance(walked.start, Step)
    assert (walked.start.told.answer, walked.missing) == (Answer.UNKNOWN, ("balance",))
    assert {"top_up", "normal"} == {end.name for end in walked.ends}


def test_where_chance_reaches_over_the_limit_the_likelier_branch_comes_first() -> None:
    few = [day(3, 1, value=60, impressions=150, clicks=6)] * 14
    walked = walk("creative_decay", SHIPPED["creative_decay"], ground(*few, *few))
    assert isinstance(walked.start, Step)
    assert walked.start.told.answer is Answer.UNSURE
    assert list(walked.start.branches) == ["no", "yes"]
    assert isinstance(walked.start.branches["no"], End)


def test_a_playbook_opens_when_its_figures_say_so() -> None:
    assert opens(SHIPPED["refunds_high"], ground(*[day(1000, 40, kept="0.7")] * 14))
    assert not opens(SHIPPED["refunds_high"], ground(*USUAL))
    assert not opens(SHIPPED["stock_out"], ground(*USUAL))  # nobody looked for findings


def test_every_action_that_is_advised_can_be_proposed() -> None:
    levers = {action for actions in rules().levers.values() for action in actions}
    assert ACTIONS | levers <= {action.value for action in Action}


def test_every_anomaly_that_is_found_opens_a_playbook() -> None:
    asked = {one.figure for playbook in SHIPPED.values() for one in playbook.opens}
    unasked = {anomaly for anomaly in Anomaly if f"found_{anomaly}" not in asked}
    assert unasked <= {Anomaly.REFUND_WAVE, Anomaly.TIRED_CREATIVE, Anomaly.OFF_AIR_SPEND}  # opened by figures


TREE = """
title = { en = "t", zh = "t" }
root = "a"
[nodes.a]
ask = { en = "?", zh = "？" }
figure = "ctr"
below = "0.1"
yes = "good"
no = "bad"
[leaves.good]
advice = { en = "g", zh = "g" }
[leaves.bad]
advice = { en = "b", zh = "b" }
actions = ["wait"]
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('root = "a"', 'root = "z"', "root: z is neither"),
        ('no = "bad"', 'no = "nobody"', "nodes.a.no: nobody is neither"),
        ('no = "bad"', 'no = "good"', "leaves.bad: no branch leads here"),
        ('no = "bad"', 'no = "a"', "would never end"),
        ('figure = "ctr"', 'figure = "luck"', "there is no figure luck"),
        ('below = "0.1"', "", "just one of below and at_least"),
        ('actions = ["wait"]', 'actions = ["pray"]', "pray is not known"),
        ("[leaves.bad]", "[leaves.a]", "a is a node and a leaf"),
        ('below = "0.1"', 'under = "0.1"', "nodes.a.under"),
    ],
)
def test_a_broken_tree_is_told_with_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(TREE.replace(old, new), encoding="utf-8")
    with pytest.raises(BadInput) as told:
        read_playbook(file)
    assert said in str(told.value)
    assert "own.toml" in str(told.value)


def test_an_owner_adds_trees_and_replaces_those_shipped(tmp_path: Path) -> None:
    for name in ("own", "stock_out"):
        (tmp_path / f"{name}.toml").write_text(TREE, encoding="utf-8")
    known = playbooks(tmp_path)
    assert known.keys() == {*SHIPPED, "own"}
    assert isinstance(known["own"], Playbook)
    assert known["stock_out"] == known["own"]
