"""What shops were told: append-only in SQL; the words come from the catalogue when somebody reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import microseconds, moment
from qianheng.core.errors import Refused
from qianheng.core.words import say, spoken
from qianheng.store.database import Sequence, append, metadata

NOTICE = sa.Table(
    "notice",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("shop_id", sa.BigInteger, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("values", sa.JSON, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something told to a shop (to the platform if `shop_id` is `None`), about a subject ("plan 7").

    `kind` is a key of the catalogue of words ("claims.notice.decided") whose phrase `values` (JSON) fill. A value that
    is itself in words is told in every language: `{"en": …, "zh": …}`.
    """

    id: int
    at: datetime
    shop_id: int | None
    kind: str
    subject: str
    values: Mapping[str, Any]

    def text(self) -> str:
        """The notice in the language spoken."""
        return say(self.kind, **{name: spoken(value) for name, value in self.values.items()})


def tell(connection: Connection, notice: Notice) -> None:
    """Append a notice. The same again: nothing; its id with another content: Refused.

    A kind that the catalogue does not know, or values that do not fill its phrase: KeyError, nothing is told.
    """
    notice.text()
    row = {name: getattr(notice, name) for name in Notice.__dataclass_fields__}
    row |= {"at": microseconds(notice.at), "values": dict(notice.values)}
    if not append(connection, NOTICE, row):
        raise Refused("store.other_content", place=f"notice {notice.id}")


def told(connection: Connection, notice_id: int) -> bool:
    """Whether a notice of that id was told before."""
    return connection.scalar(sa.select(NOTICE.c.id).where(NOTICE.c.id == notice_id)) is not None


def notices(connection: Connection, shop_id: int | None = None, subject: str | None = None) -> list[Notice]:
    """What was told, in that order: to all or one shop, about all or one subject."""
    query = sa.select(NOTICE).order_by(NOTICE.c.at, NOTICE.c.sequence)
    if shop_id is not None:
        query = query.where(NOTICE.c.shop_id == shop_id)
    if subject is not None:
        query = query.where(NOTICE.c.subject == subject)
    return [_notice(row) for row in connection.execute(query)]


def _notice(row: Any) -> Notice:
    return Notice(row.id, moment(row.at), row.shop_id, row.kind, row.subject, row._mapping["values"])
