"""What orders brought their shops, creators and the platform, entered in the ledger at the close of a day (SPEC 10).

Every id is a function of shop, plan, day and number, so doing it again changes nothing. A close looks at the days that
facts came in of since the last one, and at the day whose refund windows have closed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import chain

from sqlalchemy import Connection

from qianheng.actions import subsidy
from qianheng.core.days import REFUND_WINDOW_7D, microseconds
from qianheng.incentives.dues import UNNAMED, Due, Origin, Takings, accounts, dues, transfers
from qianheng.incentives.settling import NAMES, Taken
from qianheng.measures.days import Days, date_of, day_numbers
from qianheng.measures.query import plan_product, refunded_order, sold_lately
from qianheng.measures.sums import mature
from qianheng.store import closes, incentives, ledger
from qianheng.store.incentives import Product, Rules
from qianheng.store.lake import Lake

WINDOW = timedelta(microseconds=REFUND_WINDOW_7D)
By = dict[Origin, dict[int, Taken]]  # of each origin, by the creator who is due the commission


def settle(connection: Connection, lake: Lake, day: date, now: datetime) -> None:
    """Promise what orders brought up to a day, settle what has matured, correct what has become known since.

    Nothing where no products are kept: then nobody knows whose an order is.
    """
    subsidy.release(connection, now)
    if not incentives.products(connection):
        return
    found = list(_dues(connection, lake, day, now))
    ledger.open_accounts(connection, accounts(found))
    known = ledger.transfers_about_each(connection, {due.reference for due in found})
    moves = (transfers(due, known.get(due.reference, ()), now) for due in found)
    ledger.record(connection, list(chain.from_iterable(moves)))


def _dues(connection: Connection, lake: Lake, day: date, now: datetime) -> Iterable[Due]:
    wanted = _touched(connection, lake, now) | {day - WINDOW}
    days = Days(min(wanted), max(wanted), str(now.tzinfo))
    for origin, sold in sold_of(connection, lake, days, now).items():
        if origin.day in wanted:
            yield from dues(origin, sold, mature(origin.day, now, WINDOW, days.timezone))


def _touched(connection: Connection, lake: Lake, now: datetime) -> set[date]:
    """The days, in the zone of `now`, that orders or refunds have come in of since the last close, by what was received
    and by what was stored since.
    """
    last = closes.last(connection)
    asked = [(sold_lately(microseconds(last.at)), 0), (sold_lately(0), last.facts_through)] if last else []
    answers = [lake.query(connection, query, as_of=now, after=after) for query, after in asked or [(sold_lately(0), 0)]]
    numbers = (day_numbers(one["quarter"].to_numpy(), str(now.tzinfo)).tolist() for one in answers)
    return {date_of(number) for number in chain.from_iterable(numbers)}


def sold_of(connection: Connection, lake: Lake, days: Days, now: datetime) -> dict[Origin, Takings]:
    """The orders of these days as known before `now`, by shop, plan and day: as stamped, and what is kept of them."""
    goods, rules = incentives.products(connection), incentives.rules(connection)
    stamped = lake.query(connection, plan_product(days), as_of=now).to_pylist()
    estimated = _added(((row, taken_of(row)) for row in stamped), goods, rules)
    refunded = lake.query(connection, refunded_order(days), as_of=now).to_pylist()
    lost = _added(((row, lost_of(row)) for row in refunded), goods, rules)
    return {
        origin: Takings(parts, {creator: taken - lost[origin][creator] for creator, taken in parts.items()})
        for origin, parts in estimated.items()
    }


def _added(rows: Iterable[tuple[Mapping[str, int], Taken]], goods: Mapping[int, Product], rules: Rules) -> By:
    """Money of orders by whose it is; that of goods nobody keeps is left out."""
    found: By = defaultdict(lambda: defaultdict(Taken))
    for row, taken in rows:
        if (product := goods.get(row["product_id"])) is not None:
            creator = row["room_id"] if rules.terms.is_creators(row["room_id"]) else UNNAMED
            mine = found[Origin(product.shop_id, row["plan_id"], date_of(row["day"]))]
            mine[creator] = mine[creator] + taken
    return found


def lost_of(order: Mapping[str, int]) -> Taken:
    """What an order's refunds have taken away of what was stamped on it, from a row of `refunded_order`."""
    stamped = taken_of(order)
    return stamped - stamped.settled(order["refunded"])


def taken_of(row: Mapping[str, int]) -> Taken:
    """What was stamped on orders, from a row of `plan_product` or `refunded_order`."""
    return Taken(**{name: row[name] for name in NAMES})
