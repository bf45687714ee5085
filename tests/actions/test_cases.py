"""A plan's day as a case: judged from its facts one by one it is what the sums say, at every time."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import Connection, Engine

from qianheng.actions.cases import case_of
from qianheng.actions.judging import judge_days
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.core.days import midnight, moment
from qianheng.facts.batch import FactBatch
from qianheng.facts.schema import Kind
from qianheng.guarantee.case import Case
from qianheng.guarantee.reading import parse_case
from qianheng.guarantee.reasons import Status
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.verdict import Verdict, evaluate
from qianheng.guarantee.writing import written
from qianheng.measures.days import Days
from qianheng.plans.plan import BidMode, Counting, Goal, Plan, PlanKind, PlanStatus, change
from qianheng.store import plans
from qianheng.store.database import connect, migrate, reading
from qianheng.store.lake import Lake
from tests.actions.conftest import Say
from tests.store.random_facts import START, world

ZONE = "America/New_York"
FIRST = date(2025, 10, 31)


def proven(connection: Connection, lake: Lake, days: Days, age: int) -> Iterator[tuple[Verdict, Verdict]]:
    """The verdicts of all plan-days some days after the first, as summed and as anyone finds from the proof pack."""
    now = midnight(days.first + timedelta(days=age), days.timezone)
    begun = replace(days, last=min(days.last, days.first + timedelta(days=age)))
    for judged in judge_days(connection, lake, begun, now):
        pack = "".join(written(case_of(connection, lake, judged.plan_id, judged.day, now)))
        case = parse_case(pack, "pack.json")
        yield judged.verdict, evaluate(shipped().in_force(case.policy, case.unit.day), case)


def test_the_proof_pack_of_every_day_of_a_run_gives_the_verdict_to_the_micro_yuan(missed: RunFolder) -> None:
    database, lake, first = missed.database(), missed.lake(), missed.scenario.first_day
    days = Days(first, first + timedelta(days=missed.scenario.days - 1))
    with reading(database) as connection:
        pairs = [pair for age in (2, 3, 5, 9, 10) for pair in proven(connection, lake, days, age)]
    database.dispose()
    assert all(summed == proof for summed, proof in pairs)
    assert any(proof.compensation for _, proof in pairs)
    assert {proof.status for _, proof in pairs} >= {Status.VOID, Status.ENDED, Status.CONFIRMING}


def plan(id_: int, counting: Counting) -> Plan:
    """A plan whose target, goal and bid mode change over the days of the random facts."""
    return Plan(
        id_,
        1,
        1,
        f"plan {id_}",
        PlanKind.PRODUCT,
        Goal.NET,
        Decimal("2.5"),
        1,
        (1,),
        status=PlanStatus.ACTIVE,
        counting=counting,
        timezone=ZONE,
    )


CHANGES = [
    (30, {"target": Decimal(3)}),
    (31, {"goal": Goal.PAYMENT}),
    (50, {"bid_mode": BidMode.MAX_DELIVERY, "target": None}),
    (72, {"bid_mode": BidMode.TARGET_ROI, "target": Decimal(2)}),
    (74, {"status": PlanStatus.PAUSED}),
    (80, {"status": PlanStatus.ACTIVE}),
]


def stamped(batch: FactBatch) -> FactBatch:
    """The same facts, saying the version that the changes made by then left; some are older than the plan."""
    since = np.array([START + 3_600_000_000 * hour for hour, _ in CHANGES])
    tables = dict(batch.tables)
    for kind in (Kind.CHARGE, Kind.ORDER):
        facts = tables[kind]
        version = np.searchsorted(since, facts["at"].to_numpy(), side="right")
        version[facts["id"].to_numpy() % 11 == 0] = -1
        place = facts.schema.get_field_index("target_version")
        tables[kind] = facts.set_column(place, facts.schema.field(place), pa.array(version, pa.int32()))
    refunds = tables[Kind.REFUND]
    received = np.maximum(refunds["at"].to_numpy(), refunds["received_at"].to_numpy())  # nothing is told beforehand
    place = refunds.schema.get_field_index("received_at")
    tables[Kind.REFUND] = refunds.set_column(place, refunds.schema.field(place), pa.array(received))
    return FactBatch(tables)


@pytest.mark.parametrize("seed", range(4))
def test_the_proof_pack_of_any_facts_gives_the_verdict_of_their_sums(tmp_path: Path, seed: int) -> None:
    engine, lake = connect(f"sqlite:///{tmp_path / 'run.db'}"), Lake(tmp_path / "lake")
    keep(engine, lake, stamped(world(seed, 600)))
    days = Days(FIRST - timedelta(days=1), FIRST + timedelta(days=5), ZONE)
    with reading(engine) as connection:
        pairs = [pair for age in (2, 4, 8, 14, 30) for pair in proven(connection, lake, days, age)]
    engine.dispose()
    assert all(summed == proof for summed, proof in pairs)
    assert len({(proof.status, proof.reason) for _, proof in pairs}) > 3


def keep(engine: Engine, lake: Lake, batch: FactBatch) -> None:
    """Three plans with their changes, and the facts of a world."""
    migrate(engine)
    with engine.begin() as connection:
        for id_, counting in enumerate((Counting.ALL, Counting.ATTRIBUTED, Counting.ATTRIBUTED)):
            plans.create(connection, plan(id_, counting))
            for version, (hour, after) in enumerate(CHANGES, 1):
                at = moment(START + 3_600_000_000 * hour)
                entry = change(plans.load(connection, id_).plan, version, at, "owner", "", **after)  # type: ignore[arg-type]
                plans.append(connection, entry)
        lake.add(connection, batch)


def test_what_is_received_later_than_the_time_asked_for_is_in_no_case(missed: RunFolder) -> None:
    database, lake, first = missed.database(), missed.lake(), missed.scenario.first_day
    with reading(database) as connection:
        times = [midnight(first + timedelta(days=1)), midnight(first + timedelta(days=9))]
        early, late = (case_of(connection, lake, 1, first, now) for now in times)
    database.dispose()
    assert 0 < refunds_of(early) < refunds_of(late)
    assert early.charges == late.charges


def refunds_of(case: Case) -> int:
    return sum(len(order.refunds) for order in case.orders)


def test_a_proof_pack_written_by_the_command_is_answered_by_the_other(kept: Path, say: Say, tmp_path: Path) -> None:
    pack = str(tmp_path / "pack.json")
    told = json.loads(say("guarantee", "prove", "--plan", "1", "--day", "2025-10-02", "--out", pack, "--json"))
    assert json.loads(say("guarantee", "evaluate", pack, "--json")) == told["verdict"]
    assert say("guarantee", "prove", "--plan", "1", "--day", "2025-10-02") == Path(pack).read_text(encoding="utf-8")
    assert f"evaluate {pack}" in say("guarantee", "prove", "--plan", "1", "--day", "2025-10-02", "--out", pack)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--plan", "1", "--day", "2026-01-01"), "--day: 2026-01-01 has not begun"),
        (("--plan", "1", "--day", "soon"), "--day: 'soon' is not a day"),
        (("--plan", "99", "--day", "2025-10-01"), "99"),
    ],
)
def test_what_cannot_be_proven_is_told_and_nothing_is_written(
    kept: Path, say: Say, tmp_path: Path, asked: tuple[str, ...], told: str
) -> None:
    assert told in say("guarantee", "prove", *asked, "--out", str(tmp_path / "pack.json"))
    assert not (tmp_path / "pack.json").exists()


def test_what_was_charged_for_robots_is_in_no_case_once_it_is_found(tmp_path: Path) -> None:
    small = {"days": "2", "opportunities_per_day": "4000", "buyers.population": "3000", "fraud.bursts_per_day": "60"}
    run = run_simulation(RunRequest("robots", overrides=small, folder=tmp_path))
    database, lake, first = run.database(), run.lake(), run.scenario.first_day
    with reading(database) as connection:
        pairs = list(proven(connection, lake, Days(first, first + timedelta(days=1)), 9))
        before = case_of(connection, lake, 1, first, midnight(first) + timedelta(hours=20))
        after = case_of(connection, lake, 1, first, midnight(first) + timedelta(days=9))
    database.dispose()
    assert all(summed == proof for summed, proof in pairs)
    known = {charge.id for charge in after.charges}
    assert any(charge.id not in known for charge in before.charges)
