"""The sums that the guarantee is judged by: one SQL query against the fold over single facts."""

from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from qianheng.core.days import DAY, HOUR
from qianheng.facts.batch import FactBatch
from qianheng.facts.schema import Channel, Kind
from qianheng.guarantee.case import Case, Charge, Log, Order, Refund, Target, Unit
from qianheng.guarantee.figures import figures
from qianheng.measures.days import Days
from qianheng.measures.query import counted_of, plan_day, plan_hour, refund_maturity, sums_of
from qianheng.measures.sums import total
from qianheng.plans.plan import Goal
from qianheng.store.database import connect, migrate, reading
from qianheng.store.lake import Lake
from tests.store.random_facts import START, world

ZONE = "America/New_York"
FIRST = date(2025, 10, 31)
DAYS = Days(FIRST - timedelta(days=1), FIRST + timedelta(days=5), ZONE)
LATER = START + 60 * DAY


def ask(folder: Path, batch: FactBatch, query: str) -> list[dict[str, int]]:
    engine, lake = connect(f"sqlite:///{folder / 'qianheng.db'}"), Lake(folder / "facts")
    migrate(engine)
    with engine.begin() as connection:
        lake.add(connection, batch)
    with reading(engine) as connection:
        answer = lake.query(connection, query)
    engine.dispose()
    rows: list[dict[str, int]] = answer.to_pylist()
    return rows


def case_of(batch: FactBatch, plan_id: int, day: date, version: int, goal: Goal) -> Case:
    """The same facts as a case: one plan, one day, and only the facts stamped with one version of its target."""
    refunds: dict[int, list[Refund]] = {}
    for fact in batch[Kind.REFUND].to_pylist():
        refunds.setdefault(fact["order_id"], []).append(Refund(str(fact["id"]), fact["at"], fact["amount"]))
    charges, orders = (
        [fact for fact in batch[kind].to_pylist() if (fact["plan_id"], fact["target_version"]) == (plan_id, version)]
        for kind in (Kind.CHARGE, Kind.ORDER)
    )
    return Case(
        policy="seed",
        unit=Unit(str(plan_id), day, timezone=ZONE),
        log=Log((Target(START - DAY, goal, Fraction(2)),)),
        charges=tuple(Charge(str(f["id"]), f["at"], f["amount"], "plan" if f["boost"] else None) for f in charges),
        orders=tuple(
            Order(
                str(f["id"]),
                f["at"],
                f["amount"],
                "plan" if f["boost"] else None,
                f["flagged"],
                tuple(refunds.get(f["id"], ())),
            )
            for f in orders
        ),
        now=LATER,
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_query_counts_what_the_fold_over_single_facts_counts(tmp_path: Path, seed: int) -> None:
    batch = world(seed, 150)
    engine, lake = connect(f"sqlite:///{tmp_path / 'qianheng.db'}"), Lake(tmp_path / "facts")
    migrate(engine)
    with engine.begin() as connection:
        lake.add(connection, batch)
        answer = lake.query(connection, plan_day(DAYS))
    engine.dispose()
    units = dict(counted_of(answer, promoted_only=False))
    assert units
    for (plan_id, day), rows in units.items():
        for row in rows:
            paid = figures(case_of(batch, plan_id, day, row.target_version, Goal.PAYMENT))
            net = figures(case_of(batch, plan_id, day, row.target_version, Goal.NET))
            assert row[1:4] == (paid.spend, paid.periods[0].orders, paid.periods[0].gmv)
            assert row[4:] == (net.periods[0].orders, net.periods[0].gmv)
    promoted = batch[Kind.ORDER].filter(batch[Kind.ORDER]["channel"].to_numpy() == Channel.PROMOTED)
    assert total(sums_of(answer, Channel.PROMOTED).values()).orders == promoted.num_rows
    only = dict(counted_of(answer, promoted_only=True))
    assert sum(row.payment_orders for rows in only.values() for row in rows) <= promoted.num_rows
    assert sum(row.spend for rows in only.values() for row in rows) == sum(
        row.spend for rows in units.values() for row in rows
    )


def test_an_hour_curve_adds_up_to_its_day(tmp_path: Path) -> None:
    batch = world(1, 80)
    rows = ask(tmp_path, batch, plan_hour(DAYS))
    assert sum(row["spend"] for row in rows) == batch[Kind.CHARGE]["amount"].to_numpy().sum()
    assert sum(row["orders"] for row in rows) == batch[Kind.ORDER].num_rows
    assert {row["hour"] for row in rows} <= set(range(24))


def test_refunds_ripen_by_the_age_of_their_order(tmp_path: Path) -> None:
    batch = world(1, 80)
    rows = ask(tmp_path, batch, refund_maturity(DAYS))
    refunds = batch[Kind.REFUND].to_pylist()
    for hours in (0, 1, 24, 168, 360):
        expected = sum(f["amount"] for f in refunds if (f["at"] - f["order_at"]) // HOUR == hours)
        assert sum(row["refunded"] for row in rows if row["age_hours"] == hours) == expected
