import os
import signal
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from qianheng.core.days import DAY, moment
from qianheng.core.errors import Damaged
from qianheng.facts.batch import FactBatch
from qianheng.facts.schema import Kind
from qianheng.measures.days import Days
from qianheng.measures.loop import of_batch
from qianheng.measures.query import PlanDay, plan_day, plan_day_traffic, sums_of
from qianheng.measures.sums import Sums
from qianheng.store import events
from qianheng.store.database import connect, migrate, reading
from qianheng.store.lake import Lake
from tests.store.random_facts import START, tellings, world

ROOT = Path(__file__).parents[2]
ZONE = "America/New_York"
ALL_DAYS = Days(date(2025, 10, 30), date(2025, 11, 5), ZONE)
WAYS = ("log", "lake", "compact")
COUNT = "SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids FROM orders"


def asked(engine: Engine, lake: Lake, as_of: datetime | None = None) -> dict[PlanDay, Sums]:
    with reading(engine) as connection:
        money = sums_of(lake.query(connection, plan_day(ALL_DAYS), as_of))
        traffic = sums_of(lake.query(connection, plan_day_traffic(ALL_DAYS), as_of))
    return {key: money.get(key, Sums()) + traffic.get(key, Sums()) for key in money.keys() | traffic.keys()}


class Loop:
    """What a process that only sees batches go by adds up: each fact once."""

    def __init__(self) -> None:
        self.sums: defaultdict[PlanDay, Sums] = defaultdict(Sums)
        self.seen: defaultdict[Kind, set[int]] = defaultdict(set)

    def add(self, batch: FactBatch) -> None:
        new = {kind: facts.take(self.first(kind, facts)) for kind, facts in batch.tables.items()}
        for key, sums in of_batch(FactBatch(new), ZONE).items():
            self.sums[key] += sums

    def first(self, kind: Kind, facts: pa.Table) -> npt.NDArray[np.int64]:
        rows = []
        for row, fact_id in enumerate(facts["id"].to_numpy().tolist()):
            if fact_id not in self.seen[kind]:
                self.seen[kind].add(fact_id)
                rows.append(row)
        return np.array(rows, np.int64)


@given(seed=st.integers(0, 10**6), size=st.integers(0, 40), ways=st.lists(st.sampled_from(WAYS), max_size=2))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_sums_in_the_loop_are_those_of_the_sql_however_facts_come(
    tmp_path_factory: pytest.TempPathFactory, seed: int, size: int, ways: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("lake")
    engine, lake, loop = connect(f"sqlite:///{folder / 'qianheng.db'}"), Lake(folder / "facts"), Loop()
    migrate(engine)
    facts = world(seed, size)
    for way, batch in zip([*ways, "lake"], tellings(facts, seed, len(ways) + 1), strict=True):
        with engine.begin() as connection:
            if way == "lake":
                lake.add(connection, batch)
            else:
                events.append(connection, batch)
            if way == "compact":
                lake.compact(connection)
        loop.add(batch)
        assert asked(engine, lake) == loop.sums
    assert loop.sums == of_batch(facts, ZONE)
    then = START + DAY
    assert asked(engine, lake, moment(then)) == of_batch(facts.received_before(then), ZONE)
    engine.dispose()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "facts")


def count(engine: Engine, lake: Lake, as_of: datetime | None = None) -> tuple[int, int]:
    with reading(engine) as connection:
        (row,) = lake.query(connection, COUNT, as_of).to_pylist()
    return row["n"], row["ids"]


def test_facts_are_seen_together_with_their_transaction_or_not_at_all(engine: Engine, lake: Lake) -> None:
    batch = world(1, 50)
    with engine.connect() as connection:
        lake.add(connection, batch)
        events.append(connection, batch)
        connection.rollback()
    assert count(engine, lake) == (0, 0)
    with engine.begin() as connection:
        entries = lake.add(connection, batch)
        assert sum(entry.rows for entry in entries) == len(batch)
    assert count(engine, lake) == (batch[Kind.ORDER].num_rows,) * 2


def test_the_log_moves_to_the_lake_once_and_is_seen_on_the_way(engine: Engine, lake: Lake) -> None:
    batch = world(2, 60)
    with engine.begin() as connection:
        events.append(connection, batch)
        events.append(connection, batch)
        events.append(connection, FactBatch())
    whole = (batch[Kind.ORDER].num_rows,) * 2
    assert count(engine, lake) == whole
    with engine.begin() as connection:
        lake.compact(connection)
        assert len(events.read(connection)) == 0
        assert lake.compact(connection) == []
    assert count(engine, lake) == whole


def test_files_stand_by_kind_and_receive_day_and_late_facts_make_their_own(engine: Engine, lake: Lake) -> None:
    batch = world(3, 40)
    with engine.begin() as connection:
        early = lake.add(connection, FactBatch({Kind.ORDER: batch[Kind.ORDER].slice(0, 10)}))
        late = lake.add(connection, batch)
        assert not {entry.path for entry in early} & {entry.path for entry in late}
    for entry in early + late:
        kind, day, _ = entry.path.split("/")
        assert (kind, day) == (entry.kind.value, entry.day.isoformat())
    received = batch[Kind.ORDER]["received_at"].to_numpy()
    days = {(datetime.fromtimestamp(int(at) / 1e6, UTC) + timedelta(hours=8)).date() for at in received}
    assert {entry.day for entry in early + late if entry.kind is Kind.ORDER} == days


def moved(facts: pa.Table, name: str, by: int) -> pa.Table:
    place = facts.schema.get_field_index(name)
    return facts.set_column(place, facts.schema.field(name), pa.array(facts[name].to_numpy() + by))


@pytest.mark.parametrize(
    ("later", "said", "known"),
    [(DAY, 0, True), (400 * DAY, 0, True), (DAY, 1, True), (30 * DAY, DAY, True), (400 * DAY, 50 * DAY, False)],
)
def test_an_order_told_again_is_known_for_good_or_if_it_now_says_another_time_for_weeks(
    engine: Engine, lake: Lake, later: int, said: int, known: bool
) -> None:
    orders = world(4, 30)[Kind.ORDER]
    with engine.begin() as connection:
        lake.add(connection, FactBatch({Kind.ORDER: orders}))
        again = moved(moved(orders, "received_at", later), "at", said)
        assert (lake.add(connection, FactBatch({Kind.ORDER: again})) == []) is known


@pytest.mark.parametrize("way", WAYS)
def test_facts_of_an_older_schema_are_read_as_before(engine: Engine, lake: Lake, way: str) -> None:
    orders = world(6, 40)[Kind.ORDER]
    older = FactBatch({Kind.ORDER: orders.slice(0, 20).drop_columns(["touched_at", "creative_id"])})
    newer = FactBatch({Kind.ORDER: orders.slice(20)})
    with engine.begin() as connection:
        if way == "lake":
            lake.add(connection, older)
        else:
            events.append(connection, older)
        if way == "compact":
            lake.compact(connection)
        else:
            lake.add(connection, newer)
    expected = orders.num_rows if way != "compact" else 20
    assert count(engine, lake) == (expected, expected)
    with reading(engine) as connection:
        found = lake.query(connection, "SELECT COUNT(*) AS n FROM orders WHERE COALESCE(touched_at, -1) = -1")
    assert found["n"].to_pylist() == [20]


def test_as_of_knows_only_what_had_been_received(engine: Engine, lake: Lake) -> None:
    batch = world(5, 60)
    half = int(np.median(batch[Kind.ORDER]["received_at"].to_numpy()))
    with engine.begin() as connection:
        lake.add(connection, FactBatch({Kind.ORDER: batch[Kind.ORDER].slice(0, 30)}))
        events.append(connection, batch)
    expected = int((batch[Kind.ORDER]["received_at"].to_numpy() < half).sum())
    assert count(engine, lake, moment(half)) == (expected, expected)


DIE = """
import os, signal, sys
from pathlib import Path
from tests.store.random_facts import world
from qianheng.store import events
from qianheng.store.database import connect
from qianheng.store.lake import Lake

engine, lake = connect(sys.argv[1]), Lake(Path(sys.argv[2]))
with engine.begin() as connection:
    events.append(connection, world(6, 50))
with engine.begin() as connection:
    lake.compact(connection)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_between_writing_and_committing_nothing_is_lost_twice_or_left_over(
    engine: Engine, url: str, lake: Lake
) -> None:
    command = [sys.executable, "-c", DIE, url, str(lake.folder)]
    assert subprocess.run(command, check=False, cwd=ROOT).returncode == -signal.SIGKILL
    whole = (world(6, 50)[Kind.ORDER].num_rows,) * 2
    assert count(engine, lake) == whole  # acknowledged: it is in the log
    with engine.begin() as connection:
        orphans = lake.sweep(connection)
        assert {path.parent.parent.name for path in orphans} == {kind.value for kind in world(6, 50).tables}
        assert sum(len(lake.files(connection, kind)) for kind in Kind) == 0
        lake.compact(connection)
        assert lake.sweep(connection) == []
    assert count(engine, lake) == whole


def test_a_file_that_is_missing_or_cut_short_is_named(engine: Engine, lake: Lake) -> None:
    with engine.begin() as connection:
        (entry, *_) = lake.add(connection, FactBatch({Kind.ORDER: world(7, 20)[Kind.ORDER]}))
    path = lake.folder / entry.path
    os.truncate(path, entry.bytes - 1)
    with pytest.raises(Damaged, match=path.name):
        count(engine, lake)
    path.unlink()
    with pytest.raises(Damaged, match=path.name):
        count(engine, lake)


def test_a_folder_may_have_any_name(engine: Engine, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "千衡's facts")
    with engine.begin() as connection:
        lake.add(connection, world(8, 20))
    assert count(engine, lake)[0] == world(8, 20)[Kind.ORDER].num_rows


def test_a_manifest_row_is_a_file_once(engine: Engine, lake: Lake) -> None:
    with engine.begin() as connection:
        entries = lake.add(connection, world(9, 20))
        paths = connection.scalars(sa.text("SELECT path FROM fact_file")).all()
    assert sorted(paths) == sorted(entry.path for entry in entries)
