"""Boosts in a whole run: their money, orders and facts stand apart, and the guarantee does not see them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from qianheng.actions import books
from qianheng.actions.simulation import RunFolder, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary import PlanRun
from qianheng.actions.summary_json import as_json
from qianheng.core.money import YUAN, micros, yuan
from qianheng.ledger.transfers import AccountKind, account
from qianheng.plans.boost import BoostKind
from qianheng.store import ledger
from qianheng.store.database import reading
from tests.actions.runs_for_tests import request

BOOSTS = """[
    { day = 1, time = "12:00", hours = 4, budget = 80 },
    { day = 1, time = "20:00", hours = 20, budget = 80, kind = "creative", creatives = [12], target = 0.5 }]"""
WORLD = {
    "plans.0.boosts": BOOSTS.replace("\n", ""),
    "opportunities_per_day": "6000",
    "buyers.population": "6000",
    "plans.0.budget_daily": "20",  # so that the boosts have most of the orders
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_simulation(request(tmp_path_factory.mktemp("runs"), **WORLD))


@pytest.fixture(scope="module")
def plan(run: RunFolder) -> PlanRun:
    return summarise(run).plans[0]


@pytest.fixture
def connection(run: RunFolder) -> Iterator[Connection]:
    database = run.database()
    with reading(database) as open_connection:
        yield open_connection
    database.dispose()


def test_each_boost_spends_within_its_budget_and_the_sums_are_the_ledgers(
    run: RunFolder, plan: PlanRun, connection: Connection
) -> None:
    (rush, rushed), (push, pushed) = plan.boosts
    assert 0.9 * rush.budget < rushed <= rush.budget
    assert 0 < pushed <= push.budget
    assert plan.sums.boosted_spend == rushed + pushed
    assert ledger.balanced(connection)
    assert ledger.balance(connection, account(AccountKind.REVENUE).id).reserved == 0
    whole = summarise(run).sums.spend
    assert ledger.balance(connection, account(AccountKind.REVENUE).id).posted == whole


def test_charges_of_a_boost_lie_in_its_window(run: RunFolder, plan: PlanRun, connection: Connection) -> None:
    charges = (
        run.lake().query(connection, "SELECT f.at, f.boost, f.amount FROM charges AS f WHERE f.boost <> 0").to_pylist()
    )
    for boost, spend in plan.boosts:
        mine = [one for one in charges if one["boost"] == boost.kind]
        assert all(boost.starts <= one["at"] < boost.ends for one in mine)
        assert sum(one["amount"] for one in mine) == spend


def test_orders_are_the_boosts_whose_impression_brought_them(run: RunFolder, connection: Connection) -> None:
    lake = run.lake()
    driven = lake.query(connection, "SELECT impression_id, boost FROM charges WHERE boost <> 0").to_pylist()
    kind_of = {one["impression_id"]: one["boost"] for one in driven}
    orders = lake.query(connection, "SELECT click_id, boost FROM orders").to_pylist()
    assert sum(order["boost"] != BoostKind.NONE for order in orders) > 0
    assert all(order["boost"] == kind_of.get(order["click_id"], BoostKind.NONE) for order in orders)


def test_the_guarantee_leaves_them_out(plan: PlanRun) -> None:
    for day in plan.days:
        figures = day.judged.verdict.sums
        assert figures.spend == day.sums.spend - day.sums.boosted_spend
        assert day.sums.spend - day.sums.boosted_spend <= plan.first.budget_daily
    assert plan.sums.boosted_orders > 0


def test_their_beginning_and_end_are_facts(run: RunFolder, plan: PlanRun, connection: Connection) -> None:
    events = run.lake().query(connection, "SELECT f.* FROM boosts AS f ORDER BY f.at").to_pylist()
    expected = []
    for boost, spend in plan.boosts:
        expected += [(boost.starts, boost.id, False, boost.budget), (boost.ends, boost.id, True, spend)]
    assert [(one["at"], one["boost_id"], one["ended"], one["amount"]) for one in events] == sorted(expected)


def test_the_summary_shows_them_apart(run: RunFolder, plan: PlanRun) -> None:
    told = as_json(summarise(run))["plans"][0]
    assert [boost["kind"] for boost in told["boosts"]] == ["plan", "creative"]
    assert sum(micros(boost["spend"]) for boost in told["boosts"]) == micros(told["boosted_spend"])
    assert told["boosted_spend"] == yuan(plan.sums.boosted_spend)
    assert plan.sums.boosted_spend > 40 * YUAN


def test_what_a_boost_spent_is_read_from_the_ledger(plan: PlanRun, connection: Connection) -> None:
    assert [books.boost_spend(connection, boost) for boost, _ in plan.boosts] == [spend for _, spend in plan.boosts]
