"""Writing a case as the JSON that `reading` reads, so that anyone can judge it again (CONTRACTS 2)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from qianheng.core.days import DAY, moment
from qianheng.core.money import ratio_text, yuan
from qianheng.core.plain import Json
from qianheng.guarantee.case import BoostUnit, Case, Charge, Order, PlanEvent, Refund, Target, Unit
from qianheng.guarantee.reading import PLACES


def written(case: Case) -> Iterator[str]:
    """The case of a plan's day or a boost as JSON text, a fact on each line; `reading.parse_case` gives it again."""
    zone = case.unit.timezone
    lists: dict[str, Iterable[Json]] = {
        "targets": (_target(target, zone) for target in case.log.targets),
        "charges": (_charge(charge, zone) for charge in case.charges),
        "orders": (_order(order, zone) for order in case.orders),
        "events": (_event(event, zone) for event in case.log.events),
    }
    yield f'{{"policy": {_text(case.policy)},\n "unit": {_text(_unit(case.unit))},\n'
    for name, records in lists.items():
        yield f' "{name}": ['
        for number, record in enumerate(records):
            yield f"{',' if number else ''}\n  {_text(record)}"
        yield "],\n"
    yield f' "now": {_text(_time(case.now, zone))}}}\n'


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _time(at: int, zone: str) -> str:
    """In the zone of the unit; what is as old as 1970 means "always", and is not to become 1969 in the west."""
    return moment(at, zone if at >= DAY else "UTC").isoformat()


def _unit(unit: Unit) -> Json:
    rate = None if unit.commission_rate is None else f"{unit.commission_rate:f}"
    plan = {"plan_id": unit.plan_id, "kind": unit.kind, "bid_mode": unit.bid_mode}
    rapid: Json = {"rapid_boost": True} if unit.rapid_boost else {}
    if isinstance(unit, BoostUnit):
        plan, rapid = {"type": unit.type, "boost_id": unit.boost_id} | plan, {}
    return plan | {"day": unit.day.isoformat(), "timezone": unit.timezone, "commission_rate": rate} | rapid


def _target(target: Target, zone: str) -> Json:
    return {"at": _time(target.at, zone), "goal": target.goal, "value": ratio_text(target.value, PLACES)}


def _charge(charge: Charge, zone: str) -> Json:
    return {"id": charge.id, "at": _time(charge.at, zone), "amount": yuan(charge.amount), "boost": charge.boost}


def _order(order: Order, zone: str) -> Json:
    fact = {"id": order.id, "at": _time(order.at, zone), "amount": yuan(order.amount), "boost": order.boost}
    refunds = [_refund(refund, zone) for refund in order.refunds]
    return fact | {"flagged": order.flagged, "refunds": refunds}


def _refund(refund: Refund, zone: str) -> Json:
    return {"id": refund.id, "at": _time(refund.at, zone), "amount": yuan(refund.amount)}


def _event(event: PlanEvent, zone: str) -> Json:
    return {"at": _time(event.at, zone), "type": event.type}
