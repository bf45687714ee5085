"""Facts travel as Arrow tables: exactly the columns of their kind, each id once, the same after a snapshot."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.facts.batch import FactBatch, join, packed, table, unique, unpacked
from qianheng.facts.schema import SCHEMAS, Kind


def facts(kind: Kind, ids: list[int]) -> pa.Table:
    columns = {field.name: anything(field.type, len(ids)) for field in SCHEMAS[kind]}
    return table(kind, columns | {"id": np.array(ids, np.int64), "at": np.arange(len(ids))})


def anything(kind: pa.DataType, rows: int) -> np.ndarray | int:
    if pa.types.is_list(kind):
        return np.fromiter(([1.0] for _ in range(rows)), object, rows)
    return np.full(rows, "gsp", object) if pa.types.is_string(kind) else 1


@pytest.mark.parametrize("kind", list(Kind))
def test_scalars_fill_their_columns_and_the_schema_is_kept(kind: Kind) -> None:
    for ids in ([3, 1, 2], []):
        made = facts(kind, ids)
        assert made.schema == SCHEMAS[kind]
        assert made["id"].to_pylist() == ids
        assert made["received_at"].to_pylist() == [1] * len(ids)


@pytest.mark.parametrize("change", [{"colour": 1}, {"amount": None}])
def test_a_column_too_many_or_too_few_is_refused(change: dict[str, int | None]) -> None:
    columns = dict.fromkeys(SCHEMAS[Kind.REFUND].names, 1) | change
    with pytest.raises(ValueError, match=next(iter(change))):
        table(Kind.REFUND, {name: value for name, value in columns.items() if value is not None})


def test_columns_of_other_lengths_are_refused() -> None:
    columns = dict.fromkeys(SCHEMAS[Kind.REFUND].names, np.arange(3)) | {"amount": np.arange(2)}
    with pytest.raises((ValueError, pa.ArrowInvalid)):
        table(Kind.REFUND, columns)


@given(st.lists(st.integers(0, 5), max_size=20))
def test_the_first_fact_of_each_id_stays_in_its_place(ids: list[int]) -> None:
    kept = unique(facts(Kind.REFUND, ids))
    assert kept["id"].to_pylist() == list(dict.fromkeys(ids))
    assert kept["at"].to_pylist() == [ids.index(one) for one in dict.fromkeys(ids)]


@given(st.sampled_from(list(Kind)), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5))
def test_what_is_packed_is_unpacked_the_same(kind: Kind, ids: list[int]) -> None:
    made = facts(kind, ids)
    assert unpacked(packed(made)).equals(made)


def test_joined_batches_keep_everything_in_order() -> None:
    one, other = (FactBatch({Kind.REFUND: facts(Kind.REFUND, ids)}) for ids in ([1, 2], [3]))
    both = join([one, FactBatch(), other])
    assert both[Kind.REFUND]["id"].to_pylist() == [1, 2, 3]
    assert len(both) == 3
    assert both[Kind.ORDER].schema == SCHEMAS[Kind.ORDER]


def test_what_was_known_at_a_time_had_been_received_before_it() -> None:
    told = facts(Kind.REFUND, [1, 2, 3])
    column = pa.array([10, 20, 30])
    batch = FactBatch({Kind.REFUND: told.set_column(2, told.schema.field(2), column)})
    assert batch.received_before(20)[Kind.REFUND]["id"].to_pylist() == [1]
