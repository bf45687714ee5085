"""Power before the start: what is promised is what simulated tests reach."""

import numpy as np
import pytest

from qianheng.core.errors import BadInput
from qianheng.experiments.looks import Always, Looks, Once, Until
from qianheng.experiments.power import Baseline, Design, drift_needed, needed, planned_error, seen, smallest_effect
from qianheng.experiments.sums import ArmSums


def baseline(users: int = 5000, tail: float = 1.0, *, covariate: bool = False) -> Baseline:
    draw = np.random.default_rng(3)
    before = (draw.random(users) < 0.3) * draw.lognormal(3, 0.5, users)
    gmv = 2 * before + (draw.random(users) < 0.2) * draw.lognormal(3, tail, users)
    columns = [(1e6 * column).astype(np.int64) for column in (gmv, before)]
    return Baseline(ArmSums.of(columns[0], None, columns[1] if covariate else None), 10)


@pytest.mark.parametrize(("looks", "times"), [(Once(), 0.22), (Until(), 0.035), (Always(), 0.0099)])
def test_the_chance_to_see_nothing_there_is_known_and_for_one_way_published(looks: Looks, times: float) -> None:
    assert seen(looks, 0.0, 14) == pytest.approx(times, rel=0.03)  # .219 for fourteen looks: Armitage and others 1969


@pytest.mark.parametrize("looks", [Until(), Always()])
def test_as_many_tests_see_the_effect_as_were_promised(looks: Looks) -> None:
    drift, looked = drift_needed(Design(looks=looks)), np.arange(1, 29) / 28
    walk = np.cumsum(np.random.default_rng(5).normal(drift / 28, 28**-0.5, (4000, 28)), axis=1)
    assert (walk > looks.wide(looked) * np.sqrt(looked)).any(1).mean() == pytest.approx(0.8, abs=0.02)


def test_smaller_effects_take_longer_and_the_two_questions_agree() -> None:
    shop, design = baseline(), Design(looks=Until())
    days = [found.days for effect in (0.2, 0.1, 0.05) if (found := needed(shop, design, effect))]
    assert days == sorted(days)
    assert 3 < days[1] / days[0] < 5
    exact = smallest_effect(shop, design, days[2])
    assert exact is not None
    assert 0.048 < exact <= 0.05
    assert needed(shop, design, exact * 1.0001) == needed(shop, design, 0.05)


def test_a_covariate_saves_days_and_a_further_arm_costs_them() -> None:
    plain, helped = (needed(baseline(covariate=known), Design(), 0.1) for known in (False, True))
    shared = needed(baseline(), Design(rest=1), 0.1)
    assert plain is not None
    assert helped is not None
    assert shared is not None
    assert helped.days < 0.5 * plain.days
    assert shared.days == pytest.approx(1.5 * plain.days, abs=1)
    assert shared.users == pytest.approx(plain.users, rel=0.03)
    assert plain.error == pytest.approx(planned_error(baseline(), Design(), plain.days))


def test_a_test_too_short_to_be_told_sees_nothing() -> None:
    assert smallest_effect(baseline(users=100), Design(), 10) is None
    uneven = Design(weights=(99, 1))
    assert smallest_effect(baseline(tail=2.0), uneven, 10) is None
    assert needed(Baseline(ArmSums.of(np.zeros(500, np.int64)), 3), Design(), 0.1) is None


@pytest.mark.parametrize(
    "wrong",
    [lambda: Design(weights=(0, 1)), lambda: Design(power=1.0), lambda: needed(baseline(), Design(), 0.0)],
)
def test_designs_without_sense_are_refused(wrong: object) -> None:
    with pytest.raises(BadInput):
        wrong()  # type: ignore[operator]
