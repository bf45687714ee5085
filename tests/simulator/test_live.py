"""Live rooms: on and off the air, what that does to orders, and which orders are the room's."""

import numpy as np

from qianheng.core.days import HOUR, microseconds
from qianheng.facts.schema import Kind
from qianheng.simulator.market import Market
from tests.simulator.worlds import DAY, places, run, run_out, show_nothing, small, start_of


def clock(day: int, text: str) -> int:
    return microseconds(small().at(day, text))


def test_a_room_is_on_air_in_its_sessions_but_for_a_broken_connection() -> None:
    market = Market(small(), 1)
    on = [
        text
        for text in ("13:59", "14:00", "18:09", "18:12", "18:16", "21:59", "22:00")
        if market.on_air(1, clock(2, text))
    ]
    assert on == ["14:00", "18:09", "18:16", "21:59"]


def test_going_on_and_off_the_air_is_told_as_facts() -> None:
    market = Market(small(), 1)
    told = run(market, show_nothing, day=1).facts[Kind.LIVE]
    assert told["on_air"].to_pylist() == [True, False, True, False]
    assert told["at"].to_pylist() == [clock(1, text) for text in ("14:00", "18:10", "18:16", "22:00")]
    assert len(set(told["id"].to_pylist())) == 4


def test_sessions_keep_to_their_days_and_weekdays() -> None:
    scenario = small(
        rooms__0__sessions='[{ on = "09:00", off = "10:00", days = [2] }, '
        '{ on = "20:00", off = "21:00", weekdays = [3] }]'
    )
    market = Market(scenario, 1)
    assert scenario.first_day.isoweekday() == 3
    assert [market.on_air(1, clock(day, "09:30")) for day in (1, 2, 3)] == [False, True, False]
    assert [market.on_air(1, clock(day, "20:30")) for day in (1, 2, 3)] == [True, False, False]


def test_off_the_air_a_live_plans_clicks_hardly_buy() -> None:
    market, start = Market(small(), 1), start_of(small())
    both = []
    for hour in (12, 15):
        batch = market.opportunities(start + hour * HOUR, start + (hour + 1) * HOUR)
        product = market.truth(batch, np.array([11]), np.array([-1])).gmv.mean()
        live = market.truth(batch, np.array([11]), np.array([1])).gmv.mean()
        both.append(live / product)
    assert both[0] < 0.15
    assert both[1] > 1.2


def test_orders_made_in_the_room_on_air_are_the_rooms() -> None:
    market, start = Market(small(placements__feed__order="0.3"), 1), start_of(small())
    for hour in range(start + 13 * HOUR, start + 22 * HOUR, HOUR):
        batch = market.opportunities(hour, hour + HOUR)
        market.react(batch, places(np.arange(len(batch)), 2, 11, room_id=1))
    orders = market.facts(start, start + 8 * DAY)[Kind.ORDER]
    rooms, at = orders["room_id"].to_numpy(), orders["at"].to_numpy()
    assert set(rooms.tolist()) == {-1, 1}
    assert all(market.on_air(1, int(moment)) for moment in at[rooms == 1])
    promoted = (rooms == 1).sum()
    assert promoted > 20


def test_part_of_organic_demand_buys_in_the_room_while_it_is_on_air() -> None:
    market = Market(small(), 1)
    orders = run_out(market, run(market, show_nothing, days=3)).facts[Kind.ORDER]
    share = float(np.mean(orders["room_id"].to_numpy() == 1))
    assert 0.05 < share < 0.4
