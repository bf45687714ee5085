"""The recorder says whose an order is, once, from the touches and the plans' terms at the order's time."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from qianheng.core.days import DAY, HOUR, MINUTE
from qianheng.delivery.recorder import NO_PLAN, Recorder
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import SCHEMAS, Channel, Kind
from qianheng.incentives.terms import ServiceFee, Terms
from qianheng.plans.boost import BoostKind
from qianheng.plans.plan import Counting, Plan, PlanStatus
from qianheng.plans.users import UserShare
from tests.delivery.markets import ROOM, SHOP, START

TOUCH = ("click_id", "touched_at", "creative_id")
ALL = replace(ROOM, counting=Counting.ALL)


def fact(kind: Kind, **known: int) -> FactBatch:
    columns: dict[str, np.ndarray | int | bool] = dict.fromkeys(SCHEMAS[kind].names, 0)
    return FactBatch({kind: table(kind, columns | {name: np.array([value]) for name, value in known.items()})})


def order(at: int, user: int = 7, product: int = 12, room: int = -1, number: int = 1) -> FactBatch:
    return fact(
        Kind.ORDER,
        id=number,
        at=at,
        received_at=at,
        plan_id=NO_PLAN,
        user_id=user,
        product_id=product,
        room_id=room,
        **dict.fromkeys(TOUCH, -1),
        target_version=-1,
        amount=100_000_001,
    )


def recorder(*plans: Plan) -> Recorder:
    made = Recorder(Terms({12: [ServiceFee(Decimal("0.05"))]}))
    for plan in plans:
        made.change(START, plan, 0)
    return made


def touched(made: Recorder, plan: Plan, at: int, kind: Kind = Kind.CLICK, number: int = 500) -> None:
    known = {"id": number, "at": at, "plan_id": plan.id, "user_id": 7, "product_id": 12, "placement": 1}
    made.touches.add(kind, fact(kind, **known, creative_id=120)[kind])


def stamped(made: Recorder, raw: FactBatch) -> dict[str, int]:
    return made.stamp(raw)[Kind.ORDER].to_pylist()[0]


@pytest.mark.parametrize(
    ("plans", "touched_by", "room", "plan_id", "channel"),
    [
        pytest.param((SHOP,), None, -1, SHOP.id, Channel.ORGANIC, id="of a promoted product, organic"),
        pytest.param((SHOP,), SHOP, -1, SHOP.id, Channel.PROMOTED, id="of a promoted product, promoted"),
        pytest.param((SHOP,), None, 9, NO_PLAN, Channel.ORGANIC, id="in a room, no live plan"),
        pytest.param((SHOP,), SHOP, 9, SHOP.id, Channel.PROMOTED, id="in a room, reached by a product plan"),
        pytest.param((SHOP, ROOM), None, 9, NO_PLAN, Channel.ORGANIC, id="in a room that counts attributed orders"),
        pytest.param((SHOP, ROOM), ROOM, 9, ROOM.id, Channel.PROMOTED, id="in a room, reached by its plan"),
        pytest.param((SHOP, ALL), None, 9, ROOM.id, Channel.ORGANIC, id="in a room that counts all"),
        pytest.param((SHOP, ALL), ALL, 9, ROOM.id, Channel.PROMOTED, id="in a room that counts all, reached"),
        pytest.param((SHOP, ALL), SHOP, 9, ROOM.id, Channel.ORGANIC, id="in a room that counts all, reached by other"),
        pytest.param((ROOM,), None, -1, NO_PLAN, Channel.ORGANIC, id="on the page, only a live plan"),
        pytest.param((), None, -1, NO_PLAN, Channel.ORGANIC, id="no plan at all"),
    ],
)
def test_whose_an_order_is(
    plans: tuple[Plan, ...], touched_by: Plan | None, room: int, plan_id: int, channel: Channel
) -> None:
    made = recorder(*plans)
    if touched_by is not None:
        touched(made, touched_by, START + HOUR)
    found = stamped(made, order(START + 2 * HOUR, room=room))
    assert (found["plan_id"], found["channel"]) == (plan_id, channel)
    promoted = channel is Channel.PROMOTED
    touch = {"click_id": 500, "touched_at": START + HOUR, "creative_id": 120} if promoted else dict.fromkeys(TOUCH, -1)
    assert {name: found[name] for name in TOUCH} == touch


def test_an_order_in_its_window_belongs_to_the_plan_that_reached_it_though_paused_since() -> None:
    made = recorder(SHOP)
    touched(made, SHOP, START + HOUR)
    made.change(START + 2 * HOUR, replace(SHOP, status=PlanStatus.PAUSED), 1)
    inside = stamped(made, order(START + HOUR + 7 * DAY))
    outside = stamped(made, order(START + HOUR + 7 * DAY + 1, number=2))
    assert (inside["plan_id"], inside["channel"], inside["target_version"]) == (SHOP.id, Channel.PROMOTED, 1)
    assert (outside["plan_id"], outside["target_version"]) == (NO_PLAN, -1)


def test_the_version_in_force_is_the_one_at_the_orders_time() -> None:
    made = recorder(SHOP)
    made.change(START + HOUR, replace(SHOP, target=Decimal(3)), 1)
    times = [START - 1, START, START + HOUR - 1, START + HOUR, START + DAY]
    found = [stamped(made, order(at, number=at)) for at in times]
    assert [row["target_version"] for row in found] == [-1, 0, 0, 1, 1]
    assert [row["plan_id"] for row in found] == [NO_PLAN, *[SHOP.id] * 4]


def test_fees_and_commission_are_stamped_and_never_more_than_their_rate() -> None:
    found = stamped(recorder(replace(SHOP, commission_rate=Decimal("0.2"))), order(START + HOUR))
    assert (found["commission"], found["service_fee"]) == (20_000_000, 5_000_000)
    assert stamped(recorder(), order(START + HOUR))["commission"] == 0


def refund(number: int, at: int) -> FactBatch:
    return fact(Kind.REFUND, id=9, order_id=number, at=at, received_at=at, plan_id=NO_PLAN, amount=1)


def test_a_refund_gets_the_plan_of_its_order_after_days_and_a_snapshot() -> None:
    made = recorder(SHOP)
    made.stamp(order(START + HOUR))
    made.forget(START + 5 * DAY, keep=30 * DAY)
    again = recorder(SHOP)
    again.restore(made.snapshot())
    for one in (made, again):
        plan_of = one.stamp(refund(1, START + 6 * DAY))[Kind.REFUND]["plan_id"].to_pylist()
        assert plan_of == [SHOP.id]


def test_a_refund_told_before_its_order_waits_for_it_but_not_for_ever() -> None:
    made = recorder(SHOP)
    assert made.stamp(refund(1, START + 2 * HOUR))[Kind.REFUND].num_rows == 0
    again = recorder(SHOP)
    again.restore(made.snapshot())
    for one in (made, again):
        assert one.stamp(order(START + HOUR))[Kind.REFUND]["plan_id"].to_pylist() == [SHOP.id]
    made.stamp(refund(77, START))
    late = made.stamp(refund(1, START + 9 * DAY))[Kind.REFUND]
    assert dict(zip(late["order_id"].to_pylist(), late["plan_id"].to_pylist(), strict=True)) == {
        77: NO_PLAN,
        1: SHOP.id,
    }


def test_a_refund_told_together_with_its_order_gets_its_plan() -> None:
    both = FactBatch({**order(START + HOUR).tables, **refund(1, START + HOUR + MINUTE).tables})
    assert recorder(SHOP).stamp(both)[Kind.REFUND]["plan_id"].to_pylist() == [SHOP.id]


def test_touches_are_the_same_after_a_snapshot() -> None:
    made = recorder(SHOP)
    touched(made, SHOP, START + HOUR, Kind.IMPRESSION)
    again = recorder(SHOP)
    again.restore(made.snapshot())
    assert stamped(again, order(START + 2 * HOUR)) == stamped(made, order(START + 2 * HOUR))
    assert stamped(again, order(START + HOUR + DAY + 1, number=2))["channel"] == Channel.ORGANIC


def test_an_order_is_the_boosts_that_paid_for_the_impression_it_came_from() -> None:
    made = recorder(SHOP)
    touched(made, SHOP, START + HOUR)
    charge = {"id": 500, "impression_id": 500, "at": START + HOUR, "plan_id": SHOP.id, "boost": int(BoostKind.PLAN)}
    made.note_boosts(fact(Kind.CHARGE, **charge)[Kind.CHARGE])
    again = recorder(SHOP)
    again.restore(made.snapshot())
    for one in (made, again):
        assert stamped(one, order(START + 2 * HOUR))["boost"] == BoostKind.PLAN
        assert stamped(one, order(START + 2 * HOUR, user=8))["boost"] == BoostKind.NONE


def test_an_unpromoted_order_is_the_plans_whose_users_the_buyer_belongs_to() -> None:
    share = UserShare(1, 0, 5000)
    arms = replace(SHOP, users=share), replace(SHOP, id=2, users=UserShare(1, 5000, 10_000))
    found = {user: stamped(recorder(*arms), order(START + HOUR, user))["plan_id"] for user in range(20)}
    assert found == {user: SHOP.id if share.has(user) else 2 for user in range(20)}
    assert {*found.values()} == {SHOP.id, 2}
