"""A super plan offers the best of its products, rooms and creators, each net of what selling through it costs."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from qianheng.core.days import HOUR, MINUTE
from qianheng.core.errors import BadInput
from qianheng.delivery.engine import Engine
from qianheng.delivery.goods import Goods, Stage
from qianheng.delivery.members import PAGE, Air, members
from qianheng.delivery.recorder import Recorder
from qianheng.delivery.split import MemberKind, Reason, Split
from qianheng.facts.schema import Kind
from qianheng.incentives.terms import Commission, ServiceFee, Terms
from qianheng.plans.plan import Counting, Goal, PlanKind
from qianheng.prediction.predictor import Predictor
from tests.delivery.markets import SHOP, SITE, SPACE, START, requests, serve
from tests.delivery.test_recorder import order, stamped, touched

OWN, CREATORS = 7, 8
SUPER = replace(SHOP, id=5, kind=PlanKind.SUPER, goal=Goal.OVERALL, target=Decimal("1.2"), room_ids=(OWN, CREATORS))
NOTHING = np.zeros(2)
FEES = {11: [ServiceFee(Decimal("0.05"), Decimal("0.006"))], 12: [ServiceFee(Decimal("0.005"), Decimal("0.006"))]}
ROOMS = {OWN: Stage((12,)), CREATORS: Stage((11, 12), creators=True)}
TERMS = Terms(FEES, [Commission(CREATORS, own=Decimal("0.4"), promoted=Decimal("0.3"))])
GOODS = Goods(SPACE.product_ids, NOTHING, NOTHING, NOTHING, NOTHING, TERMS, ROOMS)


def engine() -> Engine:
    made = Engine([SUPER], SPACE, replace(SITE, goods=GOODS), START)
    made.start_day(START)
    made.lease(SUPER.id, SUPER.budget_daily)
    made.refit(Predictor(SPACE), made.offers.calibrated, 1, START)
    return made


def test_it_shows_its_products_always_and_a_rooms_shelf_while_that_is_on_air() -> None:
    shown = [members(SUPER, SPACE, GOODS, (frozenset(air), START)) for air in ((), (OWN,), (OWN, CREATORS))]
    assert [list(zip(m.product_id.tolist(), m.room_id.tolist(), strict=True)) for m in shown] == [
        [(11, PAGE), (12, PAGE)],
        [(11, PAGE), (12, PAGE), (12, OWN)],
        [(11, PAGE), (12, PAGE), (12, OWN), (11, CREATORS), (12, CREATORS)],
    ]
    assert shown[2].costs.commission.tolist() == [0, 0, 0, 0.3, 0.3]
    assert shown[2].costs.service_fee.tolist() == [0.006, 0.005, 0.005, 0.006, 0.005]


def test_what_sells_alike_is_sold_where_no_commission_is_taken() -> None:
    made = engine()
    for room in (OWN, CREATORS):
        made.on_air(room, True, START)
    mine, best = made.offers.members[0], made.offers.member[0]
    share = made.offers.share[0]
    taken = mine.costs.commission[best]
    assert (taken == 0).all()
    assert share == pytest.approx(made.offers._predictor.kept_1h[mine.item[best]] / 1.2 - mine.costs.extras[best])  # type: ignore[union-attr]


def test_a_room_is_offered_from_the_moment_it_is_on_air_to_the_moment_it_is_off() -> None:
    made, rng = engine(), np.random.default_rng(1)
    rooms = []
    for minute in range(9):
        if minute in (3, 6):
            made.on_air(OWN, minute == 3, START + minute * MINUTE)
        shown = serve(made, rng, START + minute * MINUTE, 200)[Kind.IMPRESSION]
        rooms.append(set(shown["room_id"].to_pylist()))
    assert all(found == {PAGE} for found in rooms[:3] + rooms[6:])
    assert set.union(*rooms[3:6]) <= {PAGE, OWN}


def test_what_is_told_late_of_a_room_changes_nothing_and_survives_a_snapshot() -> None:
    air = Air(ROOMS)
    assert air.tell(OWN, True, START + 2)
    assert not air.tell(OWN, False, START + 1)
    assert not air.tell(99, True, START)
    again = Air(ROOMS)
    again.restore(air.snapshot())
    assert again.now == air.now == frozenset({OWN})
    assert not again.tell(OWN, False, START + 1)


@pytest.mark.parametrize(
    ("counting", "room", "touch", "plan_id", "commission", "fee"),
    [
        pytest.param(Counting.ALL, PAGE, False, SUPER.id, 0, 600_000, id="on the page"),
        pytest.param(Counting.ALL, OWN, False, SUPER.id, 0, 600_000, id="in the shop's own room"),
        pytest.param(Counting.ALL, CREATORS, False, SUPER.id, 40_000_000, 600_000, id="made by the creator"),
        pytest.param(Counting.ALL, CREATORS, True, SUPER.id, 30_000_000, 600_000, id="brought by ads"),
        pytest.param(Counting.ATTRIBUTED, CREATORS, False, -1, 40_000_000, 5_000_000, id="in a room, not reached"),
        pytest.param(Counting.ATTRIBUTED, CREATORS, True, SUPER.id, 30_000_000, 600_000, id="in a room, reached"),
        pytest.param(Counting.ALL, 99, False, -1, 0, 5_000_000, id="in somebody else's room"),
    ],
)
def test_whose_an_order_is_and_what_is_taken_of_it(
    counting: Counting, room: int, touch: bool, plan_id: int, commission: int, fee: int
) -> None:
    plan = replace(SUPER, counting=counting)
    made = Recorder(Terms({12: FEES[11]}, [line for lines in TERMS.commissions.values() for line in lines]))
    made.change(START, plan, 0)
    if touch:
        touched(made, plan, START + HOUR)
    found = stamped(made, order(START + 2 * HOUR, room=room))
    assert (found["plan_id"], found["commission"], found["service_fee"]) == (plan_id, commission, fee)


def test_only_a_super_plan_has_several_rooms() -> None:
    with pytest.raises(BadInput):
        replace(SHOP, room_ids=(1, 2))
    with pytest.raises(BadInput):
        replace(SUPER, room_id=1)


def test_the_split_counts_what_was_spent_on_each_member_and_says_why_the_others_got_nothing() -> None:
    made, rng, split = engine(), np.random.default_rng(2), Split()
    made.on_air(OWN, True, START)
    charged, highest = 0, 0.0
    for minute in range(5):
        now = START + minute * MINUTE
        tick = made.tick(requests(rng, now, 200), now)
        seen = rng.random(len(tick.decisions)) < 0.8
        split.note(made, tick, seen, now)
        made.shown(tick, seen, seen, now)
        highest = max(highest, float(tick.asked.multiplier[0]))
        charged += int(tick.decisions.price[seen].sum())
    hours = split.take()
    assert sum(hour.spend for hour in hours) == charged == made.spent_today.sum()
    assert sum(hour.offered for hour in hours) == 1000
    of = {(hour.kind, hour.id): hour for hour in hours}
    assert len(of) == len(hours) == 4
    assert of[MemberKind.CREATOR, CREATORS].reason is Reason.OFF_AIR
    assert {hour.reason for hour in hours if hour.won} == {Reason.WON}
    assert all((hour.marginal or 0) >= 1 / highest - 1e-3 for hour in hours if hour.won)
    assert split.take() == []
