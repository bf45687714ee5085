"""What promotion adds: the estimate adds up, its intervals hold what is true, however often one looks."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.interval import Interval
from qianheng.experiments.hold_out import Bought, Told, days_more, forgone, incremental, reach, told

YUAN = 1_000_000
Z95 = 1.959963984540054

amounts = st.lists(st.integers(0, 10**12), max_size=30)


@given(amounts, amounts)
def test_sums_of_users_add_up(one: list[int], other: list[int]) -> None:
    together = Bought.of(np.array(one + other, np.int64))
    apart = Bought.of(np.array(one, np.int64)) + Bought.of(np.array(other, np.int64))
    assert (together.buyers, together.total) == (apart.buyers, apart.total)
    assert together.squares == pytest.approx(apart.squares)


@given(amounts, amounts, st.sampled_from(["0.01", "0.05", "0.5"]))
def test_what_is_expected_is_what_others_bought_less_the_held_out_times_the_odds(
    others: list[int], held: list[int], share: str
) -> None:
    bought, of_held = (Bought.of(np.array(one, np.int64)) for one in (others, held))
    found = incremental(bought, of_held, Decimal(share), Z95)
    odds = {"0.01": 99, "0.05": 19, "0.5": 1}[share]
    assert found.expected == sum(others) - odds * sum(held)


def test_where_no_held_out_user_has_bought_the_interval_still_says_how_little_that_is() -> None:
    others = Bought.of(np.full(40, 100 * YUAN))
    found = incremental(others, Bought(), Decimal("0.01"), Z95)
    assert found.low < 0 < found.expected == 4000 * YUAN < found.high
    assert incremental(Bought(), Bought(), Decimal("0.01"), Z95) == Interval(0, 0, 0)


def _purchases(draw: np.random.Generator, mean: float, sigma: float) -> Bought:
    return Bought.of((np.exp(draw.normal(0, sigma, draw.poisson(mean))) * YUAN).astype(np.int64))


@pytest.mark.parametrize(
    ("share", "base", "added", "sigma"),
    [("0.01", 2000, 1000, 0.5), ("0.05", 300, 200, 1.0), ("0.2", 50, 20, 0.5), ("0.2", 300, 200, 1.8)],
)
def test_intervals_of_one_look_hold_the_truth_as_often_as_they_say(
    share: str, base: float, added: float, sigma: float
) -> None:
    draw, part, inside = np.random.default_rng(3), float(share), 0
    truth = added * (1 - part) * np.exp(sigma**2 / 2) * YUAN
    for _ in range(400):
        others = _purchases(draw, (base + added) * (1 - part), sigma)
        found = incremental(others, _purchases(draw, base * part, sigma), Decimal(share), Z95)
        inside += found.low <= truth <= found.high
    assert inside >= 0.93 * 400


def _ones(orders: int) -> Bought:
    return Bought(orders, orders, float(orders))


def test_looking_every_day_is_seldom_wrong_even_once() -> None:
    """Promotion adds nothing; twelve weeks, every day looked at: 1,000 hold-outs of five per cent."""
    draw, days, worlds, share = np.random.default_rng(4), 84, 1000, 0.05
    others = draw.poisson(40 * (1 - share), (worlds, days)).cumsum(axis=1)
    held = draw.poisson(40 * share, (worlds, days)).cumsum(axis=1)
    claims = {"peeking": np.full(days, Z95), "always": np.array([reach((day + 1) / 28) for day in range(days)])}
    wrong = dict.fromkeys(claims, 0)
    for world in range(worlds):
        for name, reaches in claims.items():
            for day in range(0, days, 4):
                bought, of_held = (_ones(int(counts[world, day])) for counts in (others, held))
                if 0 not in incremental(bought, of_held, Decimal("0.05"), float(reaches[day])):
                    wrong[name] += 1
                    break
    assert wrong["always"] <= 0.05 * worlds
    assert wrong["peeking"] > 0.10 * worlds  # what looking with intervals of one look comes to


@pytest.mark.parametrize(
    ("low", "high", "reported", "expected"),
    [
        (-5, 105, 100, Told.NOT_YET),
        (5, 105, 100, Told.ADDS),
        (-5, 95, 100, Told.LESS),
        (5, 95, 100, Told.ADDS_LESS),
        (101, 140, 100, Told.MORE),
    ],
)
def test_what_a_hold_out_says(low: int, high: int, reported: int, expected: Told) -> None:
    assert told(Interval(low, (low + high) // 2, high), reported) is expected


def test_the_hold_out_costs_what_the_held_out_would_have_been_brought() -> None:
    assert forgone(Interval(0, 9900, 19800), Decimal("0.01")) == Interval(0, 100, 200)


def test_how_many_days_more_it_takes_is_when_the_interval_has_become_narrow_enough() -> None:
    wide = Interval(-100, 50, 300)
    more = days_more(wide, 100, days=14)
    assert more is not None
    width = 400 * (14 + more) ** 0.5 / 14**0.5 * reach((14 + more) / 28) / reach(0.5)
    assert width <= 100 * (14 + more) / 14 < width * 1.01
    assert days_more(wide, 0, days=14) is None
