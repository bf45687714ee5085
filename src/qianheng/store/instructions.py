"""Instructions about money by their idempotency key: what was asked and what was answered, each done once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import microseconds
from qianheng.core.errors import Refused
from qianheng.store.database import metadata

INSTRUCTION = sa.Table(
    "instruction",
    metadata,
    sa.Column("ad_account_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """What is asked, for an ad account. The key is the person's; the same key with the same content is the same."""

    ad_account_id: int
    key: str
    content: Mapping[str, Any]

    @property
    def hash(self) -> str:
        """What is kept of the content, to know it again."""
        text = json.dumps(self.content, sort_keys=True, ensure_ascii=False)
        return blake2b(text.encode(), digest_size=16).hexdigest()


def answered(connection: Connection, asked: Instruction) -> dict[str, Any] | None:
    """What was answered when this was asked before, `None` if it was not. Its key, but another content: Refused."""
    ours = (INSTRUCTION.c.ad_account_id == asked.ad_account_id) & (INSTRUCTION.c.key == asked.key)
    row = connection.execute(sa.select(INSTRUCTION.c.content, INSTRUCTION.c.answer).where(ours)).first()
    if row is None:
        return None
    if row.content != asked.hash:
        raise Refused("ledger.key_taken", place="--key", value=asked.key)
    return dict(row.answer)


def keep(connection: Connection, asked: Instruction, answer: Mapping[str, Any], at: datetime) -> None:
    """Remember what was asked and answered, in the transaction that did it."""
    row = {"ad_account_id": asked.ad_account_id, "key": asked.key, "content": asked.hash}
    connection.execute(sa.insert(INSTRUCTION), row | {"answer": dict(answer), "at": microseconds(at)})


def next_key(connection: Connection, ad_account_id: int) -> str:
    """A key that nobody used yet, for whoever gave none."""
    ours = sa.select(sa.func.count()).select_from(INSTRUCTION).where(INSTRUCTION.c.ad_account_id == ad_account_id)
    return f"#{(connection.scalar(ours) or 0) + 1}"
