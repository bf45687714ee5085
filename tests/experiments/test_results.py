"""A comparison of two arms: values, intervals that hold for skew users and many looks, verdicts."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.errors import BadInput
from qianheng.core.interval import Interval
from qianheng.core.words import LANGUAGES, speaking
from qianheng.experiments.estimates import estimates, of_users
from qianheng.experiments.intervals import relative
from qianheng.experiments.looks import Always, Once, Until
from qianheng.experiments.results import Rail, Result, Terms, Verdict, compare, in_words, rail, shared, verdict
from qianheng.experiments.shares import log_odds, shares
from qianheng.experiments.sums import ArmSums, Measure

ROI = Measure("payment_roi", "gmv", "spend")
REFUNDS = Measure("refund_rate_1h", "refunded_1h", "gmv", rising=False)
FAIR = shares([500, 500], [1, 1])
NOTHING = ArmSums.of(np.zeros(0, np.int64))


def buyers(seed: int, users: int, times: float = 1.0, tail: float = 1.0) -> ArmSums:
    draw = np.random.default_rng(seed)
    before = (draw.random(users) < 0.3) * draw.lognormal(3, 0.5, users)
    spend = draw.gamma(2, 1, users)
    gmv = times * (spend + 2 * before + (draw.random(users) < 0.2) * draw.lognormal(2, tail, users))
    return ArmSums.of(*((1e6 * column).astype(np.int64) for column in (gmv, spend, before)))


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**9)), min_size=3, max_size=40))
def test_an_estimate_of_sums_is_that_of_the_users_themselves(users: list[tuple[int, int]]) -> None:
    above, below = np.array(users, np.int64).T
    found = estimates([ArmSums.of(above, below)])[0]
    assert found is not None
    around = (above - above.sum() / below.sum() * below) / below.mean()
    assert float(found.value) == pytest.approx(above.sum() / below.sum())
    scale = max(1.0, float(np.abs(around).max()))
    assert float(found.variance) == pytest.approx(around.var(ddof=1) / len(users), rel=1e-6, abs=1e-9 * scale**2)
    assert float(found.third) == pytest.approx((around**3).mean() / len(users) ** 2, rel=1e-6, abs=1e-9 * scale**3)


def test_a_covariate_takes_out_what_was_different_before() -> None:
    arms = [buyers(1, 4000), buyers(2, 4000)]
    blind = [
        ArmSums(tuple(v if "c" not in m else 0 for m, v in zip(_names(), arm.values, strict=True))) for arm in arms
    ]
    with_covariate, without = estimates(arms), estimates(blind)
    for known, unknown in zip(with_covariate, without, strict=True):
        assert known is not None
        assert unknown is not None
        assert known.variance < 0.5 * unknown.variance
        assert abs(known.value - unknown.value) < 4 * np.sqrt(unknown.variance)
    together = sum(float(one.value) for one in with_covariate if one)
    assert together == pytest.approx(sum(float(one.value) for one in without if one), rel=0.01)


def _names() -> tuple[str, ...]:
    from qianheng.experiments.sums import MONOMIALS

    return MONOMIALS


def test_intervals_of_more_looks_are_wider_and_one_look_is_the_narrowest() -> None:
    information = np.array([0.05, 0.3, 1.0])
    once, until, always = (looks.wide(information) for looks in (Once(), Until(), Always()))
    assert np.all(once < until)
    assert np.all(once < always)
    assert until[-1] < always[-1]
    assert until[0] > always[0]


def test_an_interval_for_ever_is_narrowest_where_it_was_planned_to_be() -> None:
    at_the_end = Always().wide(np.array(1.0))
    mixtures = np.linspace(1, 30, 300)
    others = np.sqrt((1 + 1 / mixtures) * (2 * np.log(20) + np.log1p(mixtures)))
    assert at_the_end == pytest.approx(others.min(), rel=1e-4)


@pytest.mark.parametrize(("looks", "most"), [(Always(), 0.05), (Until(), 0.05)])
def test_a_thousand_looks_miss_no_more_often_than_promised(looks: Always | Until, most: float) -> None:
    draw = np.random.default_rng(4)
    walk = np.cumsum(draw.standard_normal((4000, 1000)), axis=1) / np.sqrt(1000)
    information = np.arange(1, 1001) / 1000
    missed = (np.abs(walk / np.sqrt(information)) > looks.wide(information)).any(1).mean()
    assert 0.005 < missed < most + 0.005
    assert (np.abs(walk / np.sqrt(information)) > Once().wide(information)).any(1).mean() > 0.4


@pytest.mark.parametrize("heavy", [1.0, 2.0])
def test_nineteen_intervals_of_twenty_hold_the_truth_of_heavy_tails(heavy: float) -> None:
    draw = np.random.default_rng(11)
    a, b = (of_users((draw.random((2000, 500)) < 0.1) * draw.lognormal(0, heavy, (2000, 500))) for _ in "ab")
    reach = relative(a, b, Once().wide(np.ones(2000)))
    missed = (reach.low > 0) | (reach.high < 0)
    assert 0.005 < missed.mean() < 0.065


def test_a_rise_is_found_and_told_in_words() -> None:
    found = compare(ROI, (buyers(1, 5000), buyers(2, 5000, 1.3)), Terms(0.02, Fraction(1, 20)))
    assert found.verdict is Verdict.WINNER_B
    assert found.relative is not None
    assert found.once is not None
    assert found.relative.low < found.once.low < Fraction(3, 10) < found.once.high < found.relative.high
    for language in LANGUAGES:
        with speaking(language):
            assert "B" in in_words(found.verdict)


def test_of_a_refund_rate_less_is_better() -> None:
    found = compare(REFUNDS, (buyers(1, 5000), buyers(2, 5000, 1.3)), Terms(0.02))
    assert found.verdict is Verdict.WINNER_A
    assert rail(found, Fraction(1, 10)) is Rail.BROKEN


def test_equal_arms_are_called_equal_once_no_worthy_difference_is_left() -> None:
    arms = (buyers(1, 20_000), buyers(2, 20_000))
    assert compare(ROI, arms, Terms(0.01, Fraction(1, 5))).verdict is Verdict.NO_DIFFERENCE
    assert compare(ROI, arms, Terms(0.01)).verdict is Verdict.NOT_YET


@pytest.mark.parametrize(
    "arms",
    [
        (NOTHING, NOTHING),
        (buyers(1, 1), buyers(2, 400)),
        (buyers(1, 299), buyers(2, 299)),
        (buyers(1, 60_000, tail=2), buyers(2, 310, tail=2)),
    ],
)
def test_too_few_users_get_no_interval_but_are_told_how_many_are_missing(arms: tuple[ArmSums, ArmSums]) -> None:
    found = compare(ROI, arms, Terms(0.02))
    assert found.verdict is Verdict.NOT_YET
    assert found.relative is None
    assert found.difference is None
    assert found.missing is not None
    assert found.missing > 0


def test_nothing_below_the_line_has_no_value() -> None:
    nobody = ArmSums.of(np.ones(400, np.int64), np.zeros(400, np.int64))
    assert compare(ROI, (nobody, buyers(1, 400)), Terms(0.02)).values[0] is None


def result(low: int, high: int, *, rising: bool = True) -> Result:
    measure = Measure("any", "above", rising=rising)
    told = Interval(Fraction(low, 100), Fraction(low + high, 200), Fraction(high, 100))
    return Result(measure, (500, 500), (None, None), None, told)


@pytest.mark.parametrize(
    ("low", "high", "rising", "state"),
    [
        (-30, -11, True, Rail.BROKEN),
        (-30, -9, True, Rail.OPEN),
        (-9, 30, True, Rail.KEPT),
        (-10, 30, True, Rail.OPEN),
        (11, 30, False, Rail.BROKEN),
        (-30, 9, False, Rail.KEPT),
        (5, 12, False, Rail.OPEN),
    ],
)
def test_a_guard_rail_minds_only_the_worse_side(low: int, high: int, rising: bool, state: Rail) -> None:
    assert rail(result(low, high, rising=rising), Fraction(1, 10)) is state


def test_no_winner_counts_where_a_guard_rail_or_the_draw_is_broken() -> None:
    won = compare(ROI, (buyers(1, 5000), buyers(2, 5000, 1.3)), Terms(0.02))
    assert verdict(won, [Rail.KEPT, Rail.OPEN], FAIR) is Verdict.WINNER_B
    assert verdict(won, [Rail.KEPT, Rail.BROKEN], FAIR) is Verdict.BROKEN
    assert verdict(won, [], shares([5000, 5600], [1, 1])) is Verdict.BROKEN


def test_a_plan_without_an_error_is_refused() -> None:
    with pytest.raises(BadInput):
        Terms(0.0)


def test_shares_are_believed_however_often_one_looks_and_doubted_when_users_are_lost() -> None:
    assert shares([0, 0], [1, 3]).believed
    assert not shares([10_000, 28_000], [1, 3]).believed
    draw = np.random.default_rng(9)
    users = np.cumsum(draw.multinomial(50, [0.25, 0.75], (4000, 300)), axis=1).astype(float)
    ever = (log_odds(users, np.array([0.25, 0.75])) >= np.log(20)).any(1)
    assert 0.001 < ever.mean() < 0.05


def test_several_comparisons_share_their_alpha() -> None:
    assert shared(0.05, 2) == 0.025
