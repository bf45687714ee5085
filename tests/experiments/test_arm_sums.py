"""Sums of arms are exact, add and subtract."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qianheng.experiments.sums import MONOMIALS, ArmSums

MICROS = st.integers(-(10**12), 10**15)
USER = st.tuples(MICROS, MICROS, MICROS)


def sums_of(users: list[tuple[int, int, int]]) -> ArmSums:
    above, below, covariate = np.array(users, np.int64).reshape(-1, 3).T
    return ArmSums.of(above, below, covariate)


@given(st.lists(USER), st.lists(USER))
def test_parts_add_up_exactly_and_come_off_again(
    here: list[tuple[int, int, int]], there: list[tuple[int, int, int]]
) -> None:
    assert sums_of(here) + sums_of(there) == sums_of(here + there)
    assert sums_of(here + there) - sums_of(there) == sums_of(here)


@given(st.lists(USER, min_size=1))
def test_each_sum_is_that_of_its_product(users: list[tuple[int, int, int]]) -> None:
    sums = sums_of(users)
    assert sums.users == len(users)
    assert sums["yxc"] == sum(y * x * c for y, x, c in users)
    assert sums["xxc"] == sum(x * x * c for _, x, c in users)
    assert sums["cc"] == sum(c * c for *_, c in users)


def test_without_a_line_below_there_is_one_for_each_user() -> None:
    sums = ArmSums.of(np.array([5, 0, 7]))
    assert (sums["x"], sums["y"], sums["yx"], sums["c"]) == (3, 12, 12, 0)
    assert len(sums.values) == len(MONOMIALS) == 20
