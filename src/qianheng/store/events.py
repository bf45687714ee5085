"""The log of facts in SQL: a fact is acknowledged when it is here, in the same transaction as what it changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.facts.batch import FactBatch, join, packed, renewed, unpacked
from qianheng.facts.schema import Kind
from qianheng.store.database import Sequence, metadata

FACT_LOG = sa.Table(
    "fact_log",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("facts", sa.LargeBinary, nullable=False),
)


def append(connection: Connection, batch: FactBatch) -> None:
    """Acknowledge facts once the transaction commits. The same fact again does no harm: readers count it once."""
    rows = [
        {"kind": kind.value, "rows": facts.num_rows, "facts": packed(facts).tobytes()}
        for kind, facts in batch.tables.items()
        if facts.num_rows
    ]
    if rows:
        connection.execute(sa.insert(FACT_LOG), rows)


def read(connection: Connection) -> FactBatch:
    """All facts in the log as they came, those told twice twice."""
    query = sa.select(FACT_LOG.c.sequence, FACT_LOG.c.kind, FACT_LOG.c.facts).order_by(FACT_LOG.c.sequence)
    return _batch(connection.execute(query))


def take(connection: Connection) -> FactBatch:
    """The same, removed from the log by the same statement: what commits meanwhile stays for the next time."""
    query = sa.delete(FACT_LOG).returning(FACT_LOG.c.sequence, FACT_LOG.c.kind, FACT_LOG.c.facts)
    return _batch(sorted(connection.execute(query)))


def _batch(rows: Any) -> FactBatch:
    told = ((Kind(kind), unpacked(np.frombuffer(facts, np.uint8))) for _, kind, facts in rows)
    return join(FactBatch({kind: renewed(kind, facts)}) for kind, facts in told)
