"""The watch as facts come: an alert within a minute of the fact that makes it true, whatever the batches."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from qianheng.actions.watch import Terms, Watcher
from qianheng.core.days import MINUTE, SECOND, microseconds
from qianheng.core.money import YUAN
from qianheng.diagnosis.alerts import AlertEvent
from qianheng.diagnosis.rules import AlertRules, alert_rules
from qianheng.diagnosis.verdicts import thresholds
from qianheng.facts.batch import FactBatch, join, table
from qianheng.facts.schema import SCHEMAS, Channel, Kind
from qianheng.plans.plan import Counting, Goal, Plan, PlanKind, PlanStatus

START = datetime(2025, 10, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
PLAN = Plan(7, 1, 1, "连衣裙", PlanKind.PRODUCT, Goal.NET, Decimal("2"), 5000 * YUAN, (11,), status=PlanStatus.ACTIVE)
LIVE = replace(PLAN, id=8, kind=PlanKind.LIVE, room_id=3, counting=Counting.ALL)


def fact(kind: Kind, at: int, **told: int) -> FactBatch:
    """One fact at a time (UTC microseconds), told at once unless `received_at` says when."""
    columns = dict.fromkeys(SCHEMAS[kind].names, -1) | {"id": at, "at": at, "received_at": at} | told
    return FactBatch({kind: table(kind, {name: np.array([value]) for name, value in columns.items()})})


def clock(text: str, day: int = 0) -> int:
    hours, minutes, *seconds = map(int, text.split(":"))
    return microseconds(START + timedelta(days=day, hours=hours, minutes=minutes, seconds=sum(seconds)))


def watcher(*plans: Plan, rules: AlertRules | None = None) -> Watcher:
    found = Watcher(rules or alert_rules(thresholds()), plans, "Asia/Shanghai", START)
    for plan in plans:
        found.terms.change(microseconds(START), plan, 0)
    return found


def raised(events: Iterable[AlertEvent]) -> list[tuple[str, str, str]]:
    here = ZoneInfo("Asia/Shanghai")
    return [
        (one.key.rule, str(one.happened), f"{datetime.fromtimestamp(one.at / SECOND, here):%H:%M}") for one in events
    ]


def test_spend_off_the_air_is_told_within_a_minute_of_having_lasted() -> None:
    watch = watcher(LIVE)
    story = [fact(Kind.LIVE, clock("09:00"), room_id=3, on_air=1), fact(Kind.LIVE, clock("12:00"), room_id=3, on_air=0)]
    charges = [clock("11:50"), clock("12:08"), clock("12:14:30"), clock("12:16"), clock("12:18")]
    story += [fact(Kind.CHARGE, at, plan_id=8, amount=4 * YUAN) for at in charges]
    events = watch.look(join(story), clock("12:40"))
    # twelve yuan from 12:10 on; beyond five with that of 12:16, which counts from 12:17 on; for five minutes
    assert raised(events) == [("off_air_spend", "fired", "12:22")]
    assert events[0].detail["value"] == "12"


def refunded(orders: int, refunds: int) -> FactBatch:
    """Orders from noon on, a minute apart, some of them refunded ten minutes later."""
    story = []
    for number in range(orders):
        at = clock("12:00") + number * MINUTE
        told = {"plan_id": 7, "product_id": 11, "amount": 100 * YUAN, "channel": int(Channel.PROMOTED)}
        story.append(fact(Kind.ORDER, at, id=number, **told))
        if (number + 1) * refunds // orders > number * refunds // orders:  # evenly spread
            back = {"plan_id": 7, "order_id": number, "order_at": at, "amount": 100 * YUAN}
            story.append(fact(Kind.REFUND, at + 10 * MINUTE, id=number, **back))
    return join(story)


@pytest.mark.parametrize(
    ("orders", "refunds", "rule"),
    [
        (9, 9, None),  # too few orders to speak of
        (40, 4, None),
        (40, 10, None),  # 25 %, but chance may make so much of 20 %
        (40, 32, "refund_rate_1h_urgent"),
    ],
)
def test_refunds_are_judged_when_orders_have_had_their_hour_and_beyond_chance(
    orders: int, refunds: int, rule: str | None
) -> None:
    events = watcher(PLAN).look(refunded(orders, refunds), clock("16:00"))
    about = {event.key.rule for event in events if event.key.subject.about == "plan"}
    assert about == ({rule} if rule else set())
    assert all(event.at > clock("13:00") for event in events)


def test_the_same_facts_in_other_batches_raise_the_same() -> None:
    facts = refunded(60, 50)
    whole = watcher(PLAN).look(facts, clock("17:00"))
    step, pieces = 7 * MINUTE, watcher(PLAN)
    found: list[AlertEvent] = []
    for since in range(clock("00:00"), clock("17:00"), step):
        until = min(since + step, clock("17:00"))
        news = FactBatch(
            {
                kind: told.filter((told["received_at"].to_numpy() >= since) & (told["received_at"].to_numpy() < until))
                for kind, told in facts.tables.items()
            }
        )
        found += pieces.look(news, until)
        again = watcher(PLAN)  # as if it had been killed here
        again.restore(pieces.snapshot())
        again.board = pieces.board
        pieces = again
    assert found == whole
    assert whole


def test_a_refund_told_before_its_order_waits_for_it() -> None:
    order = {"plan_id": 7, "product_id": 11, "amount": 100 * YUAN, "channel": int(Channel.PROMOTED)}
    back = {"plan_id": 7, "order_id": 1, "order_at": clock("12:00"), "amount": 100 * YUAN}
    early = fact(Kind.REFUND, clock("12:05"), **back)
    late = fact(Kind.ORDER, clock("12:00"), id=1, received_at=clock("12:30"), **order)
    watch = watcher(PLAN)
    watch.look(join([early, late]), clock("14:00"))
    rows = watch.snapshot()["hours"]
    assert {(row[3], row[5]) for row in rows.tolist()} == {(1, 100 * YUAN)}  # of shop, plan and product alike


def test_the_balance_is_told_with_when_it_ends() -> None:
    watch = watcher(PLAN)
    events = []
    for day in range(2):
        watch.fund(1, 400 * YUAN if day else 5000 * YUAN)
        story = [
            fact(Kind.CHARGE, clock("08:00", day) + number * MINUTE, plan_id=7, amount=YUAN) for number in range(600)
        ]
        events += watch.look(join(story), clock("00:00", day + 1))
    first = next(event for event in events if event.key.rule == "balance_ends")
    # 600 yuan a day and an hour's pace of 60: with 150 left the quarter of a day has begun
    assert first.detail["balance"] == "144.00"
    assert first.detail["ends_at"] == "2025-10-02T14:40:00+08:00"


def test_terms_are_those_of_their_time() -> None:
    terms = Terms()
    terms.change(0, PLAN, 0)
    terms.change(100, replace(PLAN, target=Decimal("3")), 1)
    terms.change(200, replace(PLAN, target=Decimal("3"), name="other"), 2)
    assert [terms.at(7, now).target for now in (50, 100, 250) if terms.at(7, now)] == [2, 3, 3]  # type: ignore[union-attr]
    assert terms.changes(7, ("target", "goal"), 0, 300) == 1
    assert terms.stands_since(7, ("target",), 300) == 100
    assert terms.at(9, 50) is None
