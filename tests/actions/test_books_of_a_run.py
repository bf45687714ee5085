"""What a run says of itself is what its facts and its ledger say: to the micro-yuan, whichever way it is summed."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from qianheng.actions import promises
from qianheng.actions.simulation import RunFolder
from qianheng.actions.summarise import summarise
from qianheng.actions.summary import RunSummary
from qianheng.core.days import midnight
from qianheng.core.money import micros
from qianheng.facts.batch import FactBatch
from qianheng.facts.schema import Channel, Kind
from qianheng.guarantee.reasons import Reason, Status
from qianheng.ledger.transfers import AccountKind, State, account
from qianheng.measures.days import Days
from qianheng.measures.loop import of_batch
from qianheng.measures.query import plan_day, plan_day_traffic, sums_of
from qianheng.measures.sums import Sums, total
from qianheng.plans.plan import Counting
from qianheng.store import ledger
from qianheng.store.database import reading
from tests.actions.runs_for_tests import told


@pytest.fixture(scope="module")
def summary(run: RunFolder) -> RunSummary:
    return summarise(run)


@pytest.fixture
def connection(run: RunFolder) -> Iterator[Connection]:
    database = run.database()
    with reading(database) as open_connection:
        yield open_connection
    database.dispose()


@pytest.fixture
def facts(run: RunFolder, connection: Connection) -> FactBatch:
    lake = run.lake()
    return FactBatch({kind: lake.query(connection, f"SELECT * FROM {kind}s") for kind in Kind})


def days_of(run: RunFolder) -> Days:
    first = run.scenario.first_day
    return Days(first, first + timedelta(days=run.scenario.days - 1), run.scenario.timezone)


def test_sums_by_sql_over_the_lake_are_the_sums_of_the_loop(
    run: RunFolder, connection: Connection, facts: FactBatch
) -> None:
    days, lake = days_of(run), run.lake()
    by_sql = sums_of(lake.query(connection, plan_day(days)))
    for key, traffic in sums_of(lake.query(connection, plan_day_traffic(days))).items():
        by_sql[key] = by_sql.get(key, Sums()) + traffic
    in_loop = {key: sums for key, sums in of_batch(facts).items() if days.first <= key[1] <= days.last}
    assert by_sql == in_loop
    assert total(by_sql.values()).spend > 0


def test_no_fact_is_there_twice(facts: FactBatch) -> None:
    for kind, held in facts.tables.items():
        assert len(set(held["id"].to_pylist())) == held.num_rows, kind


def test_every_charge_is_of_an_impression_and_every_click_too(facts: FactBatch) -> None:
    shown = set(facts[Kind.IMPRESSION]["id"].to_pylist())
    assert set(facts[Kind.CHARGE]["impression_id"].to_pylist()) == shown
    assert set(facts[Kind.CLICK]["impression_id"].to_pylist()) <= shown


def test_each_days_spend_in_facts_is_what_the_ledger_took(summary: RunSummary, connection: Connection) -> None:
    for plan in summary.plans:
        captured: dict[object, int] = {}
        for transfer in ledger.transfers_about(connection, plan.plan.id):
            if transfer.state is State.POSTED:
                day = (transfer.at - timedelta(seconds=1)).astimezone(midnight(summary.first_day).tzinfo).date()
                captured[day] = captured.get(day, 0) + transfer.amount
        spent = {day.day: day.sums.spend for day in plan.days if day.sums.spend}
        assert captured == spent
    assert ledger.balance(connection, account(AccountKind.REVENUE).id).posted == summary.sums.spend


def test_no_plan_spends_above_its_budget_on_any_day(summary: RunSummary) -> None:
    for plan in summary.plans:
        assert all(day.sums.spend <= plan.first.budget_daily for day in plan.days)
        assert plan.days[-1].sums.spend <= plan.plan.budget_daily


def test_a_budget_cut_in_the_day_stops_what_is_over_it(run: RunFolder, facts: FactBatch) -> None:
    """The live plan's budget is cut to 20 元 at 16:00 of the first day."""
    at = midnight(run.scenario.first_day) + timedelta(hours=16)
    charges = facts[Kind.CHARGE].to_pylist()
    start = days_of(run).since
    cut = start + (at - midnight(run.scenario.first_day)) // timedelta(microseconds=1)
    end = start + timedelta(days=1) // timedelta(microseconds=1)
    of_day = [one for one in charges if one["plan_id"] == 2 and start <= one["at"] < end]
    before = sum(one["amount"] for one in of_day if one["at"] < cut)
    after = sum(one["amount"] for one in of_day if one["at"] >= cut)
    assert after == 0 or before + after <= micros("20")


def test_a_live_plan_spends_nothing_before_its_room_is_on_air_nor_after_the_grace_period(
    run: RunFolder, facts: FactBatch
) -> None:
    day = timedelta(days=1) // timedelta(microseconds=1)
    hour = day // 24
    at = [
        (one["at"] - days_of(run).since) % day / hour for one in facts[Kind.CHARGE].to_pylist() if one["plan_id"] == 2
    ]
    assert at
    assert min(at) >= 14
    assert max(at) <= 22 + 10 / 60 + 1 / 3600  # on air 14:00 to 22:00, ten minutes' grace


def test_two_changes_of_the_target_forty_minutes_apart_void_the_day(summary: RunSummary) -> None:
    plan = next(plan for plan in summary.plans if plan.plan.id == 1)
    assert [made.after for made in plan.log] == [(("target", Decimal("2.6")),), (("target", Decimal("2.5")),)]
    first, second = plan.days
    assert first.judged.status is not Status.VOID
    assert (second.judged.status, second.judged.verdict.reason) == (Status.VOID, Reason.CHANGES_TOO_CLOSE)
    assert second.judged.paid == 0


def test_compensation_in_the_ledger_is_what_the_verdicts_say(summary: RunSummary, connection: Connection) -> None:
    due = {(plan.plan.id, day.day): day.judged.verdict.compensation for plan in summary.plans for day in plan.days}
    for (plan_id, day), amount in due.items():
        transfers = ledger.transfers_about(connection, promises.unit_id(plan_id, day))
        settled = {transfer.pending_id for transfer in transfers}
        assert sum(one.amount for one in transfers if one.state is State.PENDING and one.id in settled) == amount
    expense = ledger.balance(connection, account(AccountKind.GUARANTEE_EXPENSE).id)
    assert (-expense.posted, expense.reserved) == (sum(due.values()), 0)
    assert summary.compensation == sum(due.values())


def test_a_plan_counts_as_it_says(summary: RunSummary, facts: FactBatch) -> None:
    orders = facts[Kind.ORDER].to_pylist()
    for plan in summary.plans:
        ours = [one for one in orders if one["plan_id"] == plan.plan.id]
        promoted = sum(one["amount"] for one in ours if one["channel"] == Channel.PROMOTED)
        counted = promoted if plan.plan.counting is Counting.ATTRIBUTED else sum(one["amount"] for one in ours)
        assert plan.sums.gmv == counted


def test_hours_add_up_to_days(summary: RunSummary) -> None:
    for plan in summary.plans:
        assert sum(hour.spend for hour in plan.hours) == plan.sums.spend
        assert len(plan.hours) == 24 * summary.days


def test_the_json_adds_up(run: RunFolder) -> None:
    summary = told(run)
    for name in ("spend", "gmv", "compensation"):
        of_plans = sum(Decimal(plan[name]) for plan in summary["plans"])
        of_days = sum(Decimal(day[name]) for plan in summary["plans"] for day in plan["days"])
        assert Decimal(summary[name]) == of_plans == of_days
    assert summary["ledger_balanced"] is True
    cash = run.scenario.ad_account.top_up - Decimal(summary["spend"]) + Decimal(summary["compensation"])
    assert Decimal(summary["balance"]["cash"]) + Decimal(summary["balance"]["credit"]) == cash
    assert Decimal(summary["balance"]["frozen"]) == 0


def test_shares_of_the_optimum_lie_between_nothing_and_all(summary: RunSummary) -> None:
    for plan in summary.plans:
        for day in plan.days:
            assert 0 <= day.reached <= 1.02 * day.best  # chance decides what is seen
