"""Attribution against a plain reading of its rule: the last click within 7 days, else the last view within a day."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.core.days import DAY, HOUR
from qianheng.facts.attribution import Touch, Touches
from qianheng.facts.batch import table
from qianheng.facts.schema import SCHEMAS, Kind

# (kind, when in hours, plan, id): one buyer and product, and a neighbour of each
Telling = tuple[Kind, int, int, int]
HOURS = st.integers(0, 24 * 12)
TELLINGS = st.lists(
    st.tuples(st.sampled_from([Kind.CLICK, Kind.IMPRESSION]), HOURS, st.integers(1, 3), st.integers(0, 99)),
    max_size=12,
    unique_by=lambda telling: (telling[1], telling[3]),
)
START = 20_000 * DAY


def shown(at: int, plan: int, number: int, kind: Kind, who: tuple[int, int] = (7, 70)) -> pa.Table:
    columns: dict[str, np.ndarray | int | bool] = dict.fromkeys(SCHEMAS[kind].names, 0)
    user, product = who
    known = {"at": at, "plan_id": plan, "id": number, "user_id": user, "product_id": product, "placement": number % 4}
    return table(kind, columns | {name: np.array([value]) for name, value in known.items()})


def told(tellings: Sequence[Telling]) -> Touches:
    touches = Touches()
    for kind, hour, plan, number in tellings:
        touches.add(kind, shown(START + hour * HOUR, plan, number, kind))
        touches.add(kind, shown(START + hour * HOUR + 1, plan, number, kind, who=(8, 70)))
        touches.add(kind, shown(START + hour * HOUR + 1, plan, number, kind, who=(7, 71)))
    return touches


def by_the_rule(tellings: Sequence[Telling], at: int) -> Touch | None:
    for wanted, window in ((Kind.CLICK, 7 * DAY), (Kind.IMPRESSION, DAY)):
        found = [
            Touch(START + hour * HOUR, plan, number, number % 4, 0)
            for kind, hour, plan, number in tellings
            if kind is wanted and 0 <= at - (START + hour * HOUR) <= window
        ]
        if found:
            return max(found)
    return None


@settings(max_examples=60, deadline=None)
@given(TELLINGS, HOURS, st.sampled_from([-1, 0, 1]))
def test_an_order_belongs_to_the_last_click_and_else_to_the_last_view(
    tellings: list[Telling], hour: int, microsecond: int
) -> None:
    at = START + hour * HOUR + microsecond
    assert told(tellings).last(7, 70, at) == by_the_rule(tellings, at)


@settings(max_examples=40, deadline=None)
@given(TELLINGS, HOURS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(tellings: list[Telling], hour: int, random: object) -> None:
    mixed = list(tellings)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    at = START + hour * HOUR
    assert told(mixed).last(7, 70, at) == told(tellings).last(7, 70, at)


@settings(max_examples=60, deadline=None)
@given(TELLINGS, HOURS, st.integers(0, 24), st.integers(0, 24 * 8))
def test_forgetting_never_drops_a_touch_that_an_order_may_still_belong_to(
    tellings: list[Telling], now: int, late: int, ahead: int
) -> None:
    touches = told(tellings)
    touches.forget(START + now * HOUR)
    for at in (START + (now - late) * HOUR, START + (now + ahead) * HOUR):
        assert touches.last(7, 70, at) == by_the_rule(tellings, at)


def test_what_is_long_out_of_its_window_is_forgotten() -> None:
    touches = told([(Kind.CLICK, 0, 1, 1), (Kind.IMPRESSION, 0, 1, 2), (Kind.CLICK, 24 * 9, 1, 3)])
    touches.forget(START + 10 * DAY)
    assert [held.shape[1] for held in touches.snapshot().values()] == [3, 0]


@settings(max_examples=30, deadline=None)
@given(TELLINGS, HOURS)
def test_touches_go_on_from_a_snapshot(tellings: list[Telling], hour: int) -> None:
    before, after = told(tellings), told([(Kind.CLICK, 1, 9, 9)])
    after.restore(before.snapshot())
    at = START + hour * HOUR
    assert after.last(7, 70, at) == before.last(7, 70, at)
