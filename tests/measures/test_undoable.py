from typing import Any

import duckdb
import pyarrow as pa
import pytest

from qianheng.core.days import HOUR, MINUTE
from qianheng.core.money import YUAN
from qianheng.facts.schema import SCHEMAS, Kind
from qianheng.measures.query import undoable

NOW = 100 * HOUR


def asked(*orders: tuple[int, int]) -> list[dict[str, Any]]:
    """What may yet be undone of one plan's orders, each an amount and when."""
    blank = {field.name: False if pa.types.is_boolean(field.type) else 0 for field in SCHEMAS[Kind.ORDER]}
    told = [blank | {"plan_id": 1, "amount": amount, "at": at} for amount, at in orders]
    with duckdb.connect() as connection:
        connection.register("orders", pa.Table.from_pylist(told, SCHEMAS[Kind.ORDER]))
        connection.register("refunds", SCHEMAS[Kind.REFUND].empty_table())
        rows: list[dict[str, Any]] = connection.sql(undoable(0, NOW)).to_arrow_table().to_pylist()
    return rows


@pytest.mark.parametrize("yuan", [3, 30_000, 3_000_000])
def test_an_order_may_be_undone_by_the_part_of_its_hour_that_is_left_however_dear_it_is(yuan: int) -> None:
    (row,) = asked((yuan * YUAN, NOW - 15 * MINUTE), (yuan * YUAN, NOW - 2 * HOUR))
    assert row["doubtful_orders"] == 1
    assert row["doubtful_gmv"] == yuan * YUAN
    assert row["doubtful_left"] == pytest.approx(yuan * YUAN * 0.75)
    assert row["gmv"] == 2 * yuan * YUAN
