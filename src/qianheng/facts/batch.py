"""A batch of facts: one Arrow table a kind. The form in which facts travel between rooms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from qianheng.facts.schema import SCHEMAS, Kind

_EMPTY = {kind: schema.empty_table() for kind, schema in SCHEMAS.items()}

Columns = Mapping[str, npt.NDArray[np.generic] | int | bool]


@dataclass(frozen=True, slots=True)
class FactBatch:
    """Facts by kind; a kind that is not in `tables` has no facts in this batch."""

    tables: Mapping[Kind, pa.Table] = field(default_factory=dict)

    def __getitem__(self, kind: Kind) -> pa.Table:
        """The facts of one kind, an empty table if there are none."""
        return self.tables.get(kind, _EMPTY[kind])

    def __len__(self) -> int:
        return sum(table.num_rows for table in self.tables.values())

    def received_before(self, at: int) -> FactBatch:
        """What was known at that time (UTC microseconds)."""
        return FactBatch({k: t.filter(pc.field("received_at") < at) for k, t in self.tables.items()})


NO_FACTS = FactBatch()


def table(kind: Kind, columns: Columns) -> pa.Table:
    """Facts of one kind from NumPy columns; a scalar fills its column. Columns must be exactly those of the schema."""
    schema = SCHEMAS[kind]
    if columns.keys() != set(schema.names):
        raise ValueError(f"{kind}: columns differ from the schema: {sorted(set(schema.names) ^ columns.keys())}")
    rows = max((len(c) for c in columns.values() if isinstance(c, np.ndarray)), default=1)
    arrays = [_column(columns[field.name], rows, field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _column(values: npt.NDArray[np.generic] | int | bool, rows: int, kind: pa.DataType) -> pa.Array[Any]:
    if not isinstance(values, np.ndarray):
        values = np.full(rows, values)
    return pa.array(values.astype(kind.to_pandas_dtype(), copy=False), kind)


def join(batches: Iterable[FactBatch]) -> FactBatch:
    """All facts of several batches, in order."""
    parts: dict[Kind, list[pa.Table]] = {}
    for batch in batches:
        for kind, facts in batch.tables.items():
            parts.setdefault(kind, []).append(facts)
    return FactBatch({kind: pa.concat_tables(tables) for kind, tables in parts.items()})


def having(facts: pa.Table, wanted: npt.NDArray[np.bool_]) -> pa.Table:
    """The facts of a mask [rows]; the table itself if that is all of them, which costs nothing."""
    return facts if wanted.all() else facts.filter(pa.array(wanted))


def unique(facts: pa.Table) -> pa.Table:
    """The first fact of each id, in order: the same fact twice counts once."""
    ids = facts["id"].to_numpy()
    first = np.unique(ids, return_index=True)[1]
    return facts if len(first) == len(ids) else facts.take(np.sort(first))


def renewed(kind: Kind, facts: pa.Table) -> pa.Table:
    """Facts written under an older schema in today's: what they do not say is unknown, -1."""
    missing = [column for column in SCHEMAS[kind] if column.name not in facts.column_names]
    for column in missing:
        facts = facts.append_column(column, pa.array(np.full(facts.num_rows, -1), column.type))
    return facts.select(SCHEMAS[kind].names) if missing else facts


def packed(facts: pa.Table) -> npt.NDArray[np.uint8]:
    """Facts as bytes (an Arrow stream), to be kept in a snapshot."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, facts.schema) as writer:
        writer.write_table(facts)
    return np.frombuffer(bytes(sink.getvalue()), np.uint8)


def unpacked(stream: npt.NDArray[np.uint8]) -> pa.Table:
    """The facts of `packed`."""
    return pa.ipc.open_stream(stream.tobytes()).read_all()
