"""What the guarantee was expected to cost, as it was expected: append-only, beside what was paid in the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.store.database import insert_unless_there, metadata

FORECAST = sa.Table(
    "forecast",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("unit_id", sa.BigInteger, nullable=False),
    sa.Column("pay_on", sa.Date),
    sa.Column("mean", sa.BigInteger, nullable=False),
    sa.Column("low", sa.BigInteger, nullable=False),
    sa.Column("high", sa.BigInteger, nullable=False),
    sa.Index("forecast_of_unit", "unit_id", "at"),
)
TOTAL = 0  # the unit that stands for all units together


def total_of(shop_id: int | None) -> int:
    """The unit that stands for all units together, or for those of one shop's plans."""
    return TOTAL if shop_id is None else stable_id("units of shop", shop_id)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a unit, or all of them (of a shop), was expected to be paid, at a time (UTC microseconds): the mean and the
    interval of four worlds in five, micro-yuan; `pay_on` is the day it was to be paid, `None` for a total."""

    id: int
    at: int
    unit_id: int
    pay_on: date | None
    mean: Micros
    low: Micros
    high: Micros


def keep(connection: Connection, expected: Iterable[Forecast]) -> None:
    """Append forecasts; one that is kept already stays as it was."""
    if rows := [asdict(one) for one in expected]:
        connection.execute(insert_unless_there(connection, FORECAST), rows)


def totals(connection: Connection, shop_id: int | None = None) -> list[Forecast]:
    """What was expected of all units together, of one shop's only if asked, oldest first."""
    columns = [FORECAST.c[field.name] for field in fields(Forecast)]
    query = sa.select(*columns).where(FORECAST.c.unit_id == total_of(shop_id)).order_by(FORECAST.c.at)
    return [Forecast(*row) for row in connection.execute(query)]
