"""Which charges nobody should have paid: the rules, one by one, and what does not matter to them."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.days import SECOND
from qianheng.facts.invalid import Charged, Invalidity, Limits, invalid, limits

RULES = Limits("test", 1, duplicate_seconds=2, rate_clicks=3, rate_seconds=10)


def charged(*rows: tuple[float, int, int, int], flagged: tuple[int, ...] = ()) -> Charged:
    """Rows of (second, user, plan, product); the id is the row's number."""
    columns = np.array(rows, float).T if rows else np.empty((4, 0))
    ids = np.arange(columns.shape[1])
    at, (user, plan, product) = (columns[0] * SECOND).astype(np.int64), columns[1:].astype(np.int64)
    return Charged(ids, at, user, plan, product, np.isin(ids, flagged))


def found(told: Charged, rules: Limits = RULES) -> dict[int, Invalidity]:
    return {int(told.id[row]): why for why, held in invalid(told, rules).items() for row in np.flatnonzero(held)}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(0, 7, 1, 11), (2, 7, 1, 11)], {1}),  # the second within two seconds
        ([(0, 7, 1, 11), (2.000001, 7, 1, 11)], set()),
        ([(0, 7, 1, 11), (1, 8, 1, 11)], set()),  # another user
        ([(0, 7, 1, 11), (1, 7, 2, 11)], set()),  # for another plan
        ([(0, 7, 1, 11), (1, 7, 1, 12)], set()),  # on another product
        ([(0, 7, 1, 11), (1.5, 7, 1, 11), (3, 7, 1, 11)], {1, 2}),  # each follows one at once, itself invalid or not
        ([(1, -1, 1, 11), (1, -1, 1, 11)], set()),  # nobody clicked
    ],
)
def test_a_click_that_follows_another_on_the_same_product_at_once_is_a_duplicate(
    rows: list[tuple[float, int, int, int]], expected: set[int]
) -> None:
    assert found(charged(*rows)) == dict.fromkeys(expected, Invalidity.DUPLICATE_CLICK)


def test_more_clicks_than_a_person_makes_are_all_invalid_and_those_around_them_are_not() -> None:
    burst = [(20 + 3 * i, 7, 1, 100 + i) for i in range(4)]  # four in nine seconds
    told = charged((0, 7, 1, 1), *burst, (60, 7, 1, 2), (25, 8, 1, 3))
    assert found(told) == dict.fromkeys((1, 2, 3, 4), Invalidity.IMPOSSIBLE_RATE)
    slower = charged(*[(20 + 10 * i / 3 + i * 1e-6, 7, 1, 100 + i) for i in range(4)])  # in ten
    assert found(slower) == {}


def test_what_led_to_a_fraud_is_invalid_and_each_charge_has_one_reason() -> None:
    told = charged((0, 7, 1, 11), (1, 7, 1, 11), (9, -1, 1, 12), flagged=(1, 2))
    assert found(told) == {1: Invalidity.DUPLICATE_CLICK, 2: Invalidity.FLAGGED_ORDER}


rows = st.lists(st.tuples(st.integers(0, 30), st.integers(-1, 2), st.integers(1, 2), st.integers(11, 12)), max_size=14)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_in_which_charges_come_does_not_matter(made: list[tuple[int, int, int, int]], random: object) -> None:
    told = charged(*made, flagged=(0, 3))
    order: list[int] = random.sample(range(len(made)), len(made))  # type: ignore[attr-defined]
    mixed = Charged(*(getattr(told, field.name)[order] for field in fields(Charged)))
    assert found(mixed) == found(told)


@given(rows)
def test_a_second_reading_of_the_rules_agrees(made: list[tuple[int, int, int, int]]) -> None:
    told = charged(*made)
    expected = {}
    for i, (at, user, plan, product) in enumerate(made):
        before = [(a, j) for j, (a, *who) in enumerate(made) if who == [user, plan, product] and (a, j) < (at, i)]
        stretches = [
            [j for j, (a, u, *_) in enumerate(made) if u == user and start <= a < start + RULES.rate_seconds]
            for start in {a for a, u, *_ in made if u == user}
        ]
        if user >= 0 and before and at - max(before)[0] <= RULES.duplicate_seconds:
            expected[i] = Invalidity.DUPLICATE_CLICK
        elif user >= 0 and any(i in held and len(held) > RULES.rate_clicks for held in stretches):
            expected[i] = Invalidity.IMPOSSIBLE_RATE
    assert found(told) == expected


def test_the_limits_shipped_let_a_person_pass() -> None:
    rules = limits()
    assert rules.duplicate_seconds >= 1
    assert rules.rate_clicks / rules.rate_seconds > 1 / 10
    assert found(charged((0, 7, 1, 11), (5, 7, 1, 11)), replace(rules)) == {}
