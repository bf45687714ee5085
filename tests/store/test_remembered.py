from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qianheng.core.days import DAY, moment
from qianheng.measures.days import Days
from qianheng.measures.query import plan_day, plan_hour, plan_product, touched
from qianheng.store.database import connect, migrate, reading
from qianheng.store.lake import Lake
from qianheng.store.remembered import Remembered
from tests.store.random_facts import START, tellings, world

DAYS = Days(date(2025, 10, 30), date(2025, 11, 5), "America/New_York")
QUERIES = (plan_day(DAYS), plan_hour(DAYS), plan_product(DAYS), touched(START + DAY))


def facts(rows: int) -> pa.Table:
    return pa.table({"id": np.arange(rows)})


@given(seed=st.integers(0, 10**6), size=st.integers(1, 40), known=st.none() | st.integers(0, 4))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_who_wrote_the_facts_is_answered_as_who_reads_the_files(
    tmp_path_factory: pytest.TempPathFactory, seed: int, size: int, known: int | None
) -> None:
    folder = tmp_path_factory.mktemp("lake")
    engine = connect(f"sqlite:///{folder / 'qianheng.db'}")
    migrate(engine)
    first, second, reader = (Lake(folder / "facts") for _ in range(3))
    for lake, batch in zip((first, second), tellings(world(seed, size), seed, 2), strict=True):
        with engine.begin() as connection:
            lake.add(connection, batch)
    as_of = None if known is None else moment(START + known * DAY)
    with reading(engine) as connection:
        for query in QUERIES:
            told = reader.query(connection, query, as_of)
            assert first.query(connection, query, as_of) == told
            assert second.query(connection, query, as_of) == told
    engine.dispose()


def test_no_more_is_remembered_than_there_is_room_for_and_what_was_asked_for_last_stays() -> None:
    memory = Remembered(limit=facts(30).nbytes)
    for path in ("a", "b", "c"):
        memory.keep(path, facts(10))
    assert memory.of("a") == facts(10)
    memory.keep("d", facts(10))
    assert [memory.of(path) is not None for path in "abcd"] == [True, False, True, True]


def test_a_file_written_again_is_counted_once_and_one_too_large_is_not_kept() -> None:
    memory = Remembered(limit=facts(30).nbytes)
    for _ in range(5):
        memory.keep("a", facts(10))
    memory.keep("b", facts(20))
    assert [memory.of(path) is not None for path in "ab"] == [True, True]
    memory.keep("c", facts(31))
    assert memory.of("c") is None
