"""A yuan down to its facts: on whole runs every tree adds up to the micro-yuan and holds each fact once."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from qianheng.actions import funds
from qianheng.actions.desk import Desk, desk_of
from qianheng.actions.proofs import FIGURES
from qianheng.actions.simulation import RunFolder
from qianheng.actions.yuan import Question, explained
from qianheng.core.money import micros
from qianheng.core.proof import Part, checked
from qianheng.ledger.transfers import accounts_of, platform_accounts
from qianheng.measures.days import Days
from qianheng.measures.query import plan_day, sums_of
from qianheng.store import ledger
from qianheng.store.database import reading
from qianheng.store.statement import Wanted
from tests.actions.conftest import Say
from tests.actions.opened_trees import FACTS


@pytest.fixture(scope="module")
def desk(missed: RunFolder) -> Iterator[Desk]:
    with desk_of(str(missed.path)) as open_desk:
        yield open_desk


def proven(desk: Desk, question: Question) -> list[Part]:
    """All parts of a tree that was found to add up, each fact once."""
    with explained(desk, question) as part:
        parts = list(checked(part))
    facts = [one.fact for one in parts if one.fact and one.fact.split()[0] in FACTS]
    assert len(facts) == len(set(facts))
    return parts


def days_of(run: RunFolder) -> list[str]:
    return [str(run.scenario.first_day + timedelta(days=number)) for number in range(run.scenario.days)]


@pytest.mark.parametrize("figure", [*FIGURES, "compensation"])
def test_every_figure_of_every_day_adds_up_from_its_facts(missed: RunFolder, desk: Desk, figure: str) -> None:
    trees = [proven(desk, Question(None, plan, day, figure)) for plan in (1, 2) for day in days_of(missed)]
    reached = sum(tree[0].amount for tree in trees)
    assert reached or figure in ("coupon", "subsidy", "commission")
    assert sum(len(tree) for tree in trees) > len(trees)


def test_every_transfer_of_every_account_adds_up_from_its_facts(missed: RunFolder, desk: Desk) -> None:
    accounts = [*platform_accounts(), *accounts_of(missed.scenario.ad_account.id)]
    with reading(desk.database) as connection:
        lines = {line.transfer.id: line for one in accounts for line in ledger.statement(connection, one.id)}
    seen = {key: proven(desk, Question(key)) for key in lines}
    kinds = {(lines[key].transfer.reason, parts[1].kind if len(parts) > 1 else None) for key, parts in seen.items()}
    assert {
        ("spend", "captured"),
        ("boost", "captured"),
        ("compensation", "compensation"),
        ("top_up", "from_outside"),
    } <= kinds
    with reading(desk.database) as connection:
        told = {one["reason"]: one["about"] for one in funds.lines(funds.view(desk, connection), Wanted())}
    assert told["boost"].startswith("boost of ")
    assert all(parts[0].amount == lines[key].transfer.amount for key, parts in seen.items())


def test_an_earlier_look_knows_fewer_refunds_and_still_adds_up(missed: RunFolder) -> None:
    first = missed.scenario.first_day
    with desk_of(str(missed.path), now=f"{first + timedelta(days=1)}T00:00") as early:
        parts = proven(early, Question(None, 1, str(first), "refunded_7d"))
        with reading(early.database) as connection:
            sums = sums_of(early.lake.query(connection, plan_day(Days(first, first)), as_of=early.now))
    assert parts[0].amount == sums[1, first].refunded_7d
    with desk_of(str(missed.path)) as later:
        assert proven(later, Question(None, 1, str(first), "refunded_7d"))[0].amount > parts[0].amount


def test_most_charges_and_orders_lead_to_the_decision_that_bid_for_them(missed: RunFolder, desk: Desk) -> None:
    parts = proven(desk, Question(None, 1, days_of(missed)[0], "spend"))
    brought = [part for part in parts if part.kind == "brought_by"]
    assert len(brought) == sum(part.kind == "charge" for part in parts)
    assert all("opportunity_id" in part.told for part in brought)


def test_the_command_prints_the_same_tree_for_people_and_for_programs(kept: Path, say: Say) -> None:
    asked = ("explain", "yuan", "--plan", "1", "--day", "2025-10-02", "--figure", "net_gmv")
    tree = json.loads(say(*asked, "--json"))
    added = [sum(micros(below["amount"]) for below in node["parts"]) for node in (tree, *tree["parts"])]
    assert added == [micros(node["amount"]) for node in (tree, *tree["parts"])]
    assert f"{tree['amount']}  net GMV of plan 1 on 2025-10-02" in say(*asked)
    assert "净成交金额" in say("--lang", "zh", *asked)
    assert "more" in say(*asked, "--limit", "1")
    opportunity = (
        say("explain", "yuan", "--plan", "1", "--day", "2025-10-02").partition("explain opportunity ")[2].split()[0]
    )
    assert f"Opportunity {opportunity}" in say("explain", "opportunity", opportunity, "--run", "tiny")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--plan", "1", "--day", "2025-10-02", "--figure", "cost"), "--figure: 'cost' is not a figure"),
        ((), "name either a transfer"),
        (("--plan", "1"), "name either a transfer"),
        (("--transfer", "7"), "7"),
        (("--plan", "1", "--day", "2025-10-02", "--limit", "-1"), "--limit: -1 is below zero"),
    ],
)
def test_what_cannot_be_explained_is_told(kept: Path, say: Say, asked: tuple[str, ...], told: str) -> None:
    assert told in say("explain", "yuan", *asked)
