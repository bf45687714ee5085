"""What another policy would have brought: unbiased, with intervals that hold, and silent where nothing can be known."""

from dataclasses import replace

import numpy as np
import pytest

from qianheng.experiments.off_policy import (
    Doubt,
    Estimator,
    Float,
    Logged,
    evaluated,
    ground_of,
    ratio_evaluated,
)

CLICKED = np.array([0.02, 0.05, 0.035])  # by choice
CHANCE = np.array([0.8, 0.1, 0.1])


def _logged(draw: np.random.Generator, target: Float, count: int = 12_000, model: Float | None = None) -> Logged:
    """Choices at `CHANCE`, rewarded at `CLICKED` times a context; `model`: the rewards a model expects by choice."""
    context = draw.choice([0.5, 1.5], count)
    chosen = draw.choice(3, count, p=CHANCE)
    reward = (draw.random(count) < CLICKED[chosen] * context).astype(float)
    taken = None if model is None else model[chosen] * context
    expected = None if model is None else (model @ target) * context
    return Logged((target / CHANCE)[chosen], reward, np.zeros(count), taken, expected)


@pytest.mark.parametrize("target", [np.array([0.0, 1.0, 0.0]), np.array([1 / 3, 1 / 3, 1 / 3]), CHANCE])
def test_estimates_are_unbiased_and_their_intervals_hold(target: Float) -> None:
    draw, truth, worlds = np.random.default_rng(1), float(CLICKED @ target), 300
    found = [evaluated(_logged(draw, target, model=CLICKED * 1.2)) for _ in range(worlds)]
    for estimator in Estimator:
        told = [one.means[estimator] for one in found]
        values = np.array([float(one.expected) for one in told])
        assert values.mean() == pytest.approx(truth, abs=4 * values.std() / worlds**0.5)
        inside = sum(float(one.low) <= truth <= float(one.high) for one in told)
        assert inside >= 0.91 * worlds


def test_a_good_model_narrows_and_a_bad_one_does_no_harm() -> None:
    target = np.array([0.0, 1.0, 0.0])
    logged = _logged(np.random.default_rng(2), target, 40_000, CLICKED)
    broken = _logged(np.random.default_rng(2), target, 40_000, CLICKED * 0)
    width = {name: _width(evaluated(one), Estimator.DOUBLY_ROBUST) for name, one in (("good", logged), ("bad", broken))}
    assert width["good"] < width["bad"] == pytest.approx(_width(evaluated(broken), Estimator.IPS))


def _width(found: object, estimator: Estimator) -> float:
    interval = found.means[estimator]  # type: ignore[attr-defined]
    return float(interval.high - interval.low)


def test_the_estimates_are_those_of_the_textbook() -> None:
    draw, n = np.random.default_rng(5), 4000
    weight, reward = draw.choice([0.5, 1.5], n), draw.random(n)
    taken, target = draw.random(n), draw.random(n)
    found = evaluated(Logged(weight, reward, np.zeros(n), taken, target)).means
    pairs = list(zip(weight.tolist(), reward.tolist(), taken.tolist(), target.tolist(), strict=True))
    expected = {
        Estimator.IPS: sum(w * r for w, r, _, _ in pairs) / n,
        Estimator.SELF_NORMALISED: sum(w * r for w, r, _, _ in pairs) / sum(w for w, *_ in pairs),
        Estimator.DOUBLY_ROBUST: sum(q + w * (r - p) for w, r, p, q in pairs) / n,
    }
    assert {name: float(one.expected) for name, one in found.items()} == pytest.approx(expected, abs=1e-8)


def test_a_gain_over_what_was_logged_is_told_more_narrowly_than_two_means_apart() -> None:
    logged = _logged(np.random.default_rng(6), np.array([0.7, 0.2, 0.1]), 20_000)
    found = evaluated(logged)
    gain, mean = found.gains[Estimator.IPS], found.means[Estimator.IPS]
    assert found.logged is not None
    assert float(gain.expected) == pytest.approx(float(mean.expected - found.logged.expected), abs=1e-8)
    assert gain.high - gain.low < mean.high - mean.low


def test_a_ratio_of_two_rewards_is_told_with_the_spread_of_both() -> None:
    draw, n, inside = np.random.default_rng(7), 3000, 0
    for _ in range(200):
        chosen = draw.random(n) < 0.5
        weight = np.where(chosen, 1.6, 0.4)
        spend = draw.random(n) + chosen
        gmv = 3 * spend * (draw.random(n) < 0.1) * 10
        found = ratio_evaluated(Logged(weight, gmv, np.zeros(n)), Logged(weight, spend, np.zeros(n)))
        assert found is not None
        inside += float(found.low) <= 3.0 <= float(found.high)
    assert inside >= 0.91 * 200


def test_nothing_is_said_of_what_was_hardly_ever_done() -> None:
    draw = np.random.default_rng(8)
    logged = _logged(draw, np.array([0.0, 1.0, 0.0]))
    few = _logged(draw, np.array([0.0, 1.0, 0.0]), 500)
    count = len(logged.weight)
    lone = Logged(np.where(np.arange(count) == 3, 0.2 * count, 0.8), logged.reward, np.zeros(count))
    cases = {
        Doubt.NOTHING_LOGGED: Logged(np.zeros(0), np.zeros(0), np.zeros(0)),
        Doubt.UNSUPPORTED: replace(logged, weight=logged.weight * 0.9, unsupported=np.full(count, 0.1)),
        Doubt.TOO_FEW: few,
        Doubt.TOO_HEAVY: lone,
        Doubt.STRAY_WEIGHTS: replace(logged, weight=logged.weight * 1.6),
    }
    for doubt, one in cases.items():
        found = evaluated(one)
        assert doubt in found.doubts
        assert (found.means, found.gains, found.best) == ({}, {}, None)
    assert evaluated(logged).best is Estimator.SELF_NORMALISED


def test_large_weights_are_cut_off_and_that_is_told() -> None:
    n = 10_000
    weight = np.where(np.arange(n) < 20, 150.0, 0.0) + np.where(np.arange(n) >= 20, 0.7014, 0.0)
    ground = ground_of(Logged(weight, np.ones(n), np.zeros(n)))
    assert ground.cut_off == pytest.approx(20 * 50 / weight.sum())
