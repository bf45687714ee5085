"""Arms are a fixed function of salt and user: the same one by one and in bulk, even, and independent between salts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from qianheng.core.assignment import SHARES, arm_of, share_of, spans
from qianheng.core.errors import BadInput
from qianheng.facts.assignment import arms_of, shares_of

WEIGHTS = st.lists(st.integers(0, 50), min_size=1, max_size=5).filter(any)
USERS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20)


def test_shares_are_what_they_were_when_first_given() -> None:
    assert [share_of("goal test", user) for user in (0, 1, 2, 2**62)] == [5188, 4972, 9942, 5053]
    assert share_of(7, 123456789) == share_of("7", 123456789) == 5701


@given(st.text() | st.integers(), USERS, WEIGHTS)
def test_one_user_and_many_users_are_assigned_alike(salt: str | int, users: list[int], weights: list[int]) -> None:
    array = np.array(users, np.int64)
    assert shares_of(salt, array).tolist() == [share_of(salt, user) for user in users]
    assert arms_of(salt, array, weights).tolist() == [arm_of(salt, user, weights) for user in users]


@given(WEIGHTS)
def test_spans_cut_all_shares_by_weight(weights: list[int]) -> None:
    cut = spans(weights)
    assert (cut[0][0], cut[-1][1]) == (0, SHARES)
    assert all(
        abs((to - first) - SHARES * weight / sum(weights)) < 1 for (first, to), weight in zip(cut, weights, strict=True)
    )


@pytest.mark.parametrize("weights", [[], [0, 0], [3, -1]])
def test_weights_that_cut_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(BadInput):
        spans(weights)


@pytest.mark.parametrize("users", [np.arange(200_000), np.arange(200_000) << 40, -np.arange(1, 200_001) * 1000])
def test_shares_are_even_and_independent_between_salts_whatever_the_ids(users: np.ndarray) -> None:
    one, other = shares_of("one", users), shares_of("other", users)
    assert chisquare(np.bincount(one, minlength=SHARES)).pvalue > 1e-4
    both = np.histogram2d(one, other, bins=20)[0]
    assert chi2_contingency(both).pvalue > 1e-4
    neighbours = np.histogram2d(shares_of(1, users), shares_of(2, users), bins=20)[0]
    assert chi2_contingency(neighbours).pvalue > 1e-4
    assert chi2_contingency(np.histogram2d(one[:-1], one[1:], bins=20)[0]).pvalue > 1e-4
