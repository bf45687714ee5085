"""Switchbacks and budget splits: the truth is found, seldom missed, and carry-over is washed out."""

from dataclasses import replace

import numpy as np
import pytest

from qianheng.core.errors import BadInput
from qianheng.experiments.blocks import Cells, paired, smallest_paired, smallest_switched, switchback

DRAWS = np.random.default_rng(0).random((200, 56))


def month(seed: int, effect: float, carry: float = 0.0, blocks: int = 56, hours: int = 6) -> Cells:
    """Four blocks of six hours a day, dealt to arms in pairs of days; noise of blocks and of hours."""
    draw = np.random.default_rng(seed)
    block, age = np.divmod(np.arange(blocks * hours), hours)
    slot = np.arange(blocks) % 4
    arm = np.zeros(blocks, np.int64)
    for one in range(4):
        arm[slot == one] = draw.permuted(np.arange(blocks // 4) % 2)
    spend = np.array([1.0, 3.0, 2.0, 4.0])[slot][block] * draw.gamma(20, 1 / 20, len(block))
    before = np.where(age < 2, np.concatenate([[0], arm[:-1]])[block], arm[block])
    lift = 1 + effect * ((1 - carry) * arm[block] + carry * before)
    roi = np.array([2.0, 2.5, 3.0, 2.2])[slot][block] * np.repeat(np.exp(draw.normal(0, 0.1, blocks)), hours)
    return Cells(spend * roi * lift * draw.gamma(5, 1 / 5, len(block)), spend, block, arm[block], slot[block], age)


@pytest.mark.parametrize("effect", [0.0, 0.2])
def test_a_switchback_holds_the_truth_nineteen_times_of_twenty(effect: float) -> None:
    found = [switchback(month(seed, effect), 0, DRAWS) for seed in range(400)]
    told = [one for one in found if one is not None]
    assert len(told) == 400
    held = np.mean([one.relative.low <= effect <= one.relative.high for one in told])
    assert 0.92 < held < 0.98
    assert np.mean([float(one.relative.expected) for one in told]) == pytest.approx(effect, abs=0.01)
    if effect == 0:
        assert 0.02 < np.mean([one.p_drawn <= 0.05 for one in told]) < 0.085


def test_what_is_carried_over_is_washed_out() -> None:
    biased, clean = (
        np.mean(
            [
                float(found.relative.expected)
                for seed in range(60)
                if (found := switchback(month(seed, 0.5, 1.0), wash, DRAWS))
            ]
        )
        for wash in (0, 2)
    )
    assert biased < 0.45
    assert clean == pytest.approx(0.5, abs=0.03)


def test_blocks_that_tell_nothing_have_no_answer() -> None:
    cells = month(1, 0.0)
    assert switchback(cells, 6, DRAWS) is None
    assert smallest_switched(1.0, (28, 28), 56) is None
    assert switchback(replace(cells, arm=cells.arm * 0), 0, DRAWS) is None
    assert switchback(replace(cells, below=cells.below * 0), 0, DRAWS) is None
    with pytest.raises(BadInput):
        replace(cells, arm=np.arange(len(cells.arm)) % 2)


def test_power_of_a_switchback_is_what_its_past_promises() -> None:
    past = switchback(month(1000, 0.0), 0, DRAWS)
    errors = [one.error for seed in range(50) if (one := switchback(month(seed, 0.0), 0, DRAWS))]
    assert past is not None
    effect = smallest_switched(float(np.mean(errors)), (28, 28), 56)
    assert effect is not None
    seen = [found.relative.low > 0 for seed in range(200) if (found := switchback(month(seed, effect), 0, DRAWS))]
    assert 0.68 < np.mean(seen) < 0.9
    assert smallest_switched(past.error, past.blocks, 4) is None


def split(seed: int, effect: float, days: int = 21) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    draw = np.random.default_rng(seed)
    day, noise = draw.lognormal(0, 0.5, days), draw.lognormal(0, 0.1, (2, days))
    rows = (1e6 * np.array([2 * day * noise[0], day, 2 * (1 + effect) * day * noise[1], day])).astype(int).T
    return [((int(a), int(b)), (int(c), int(d))) for a, b, c, d in rows]


@pytest.mark.parametrize("effect", [0.0, 0.15])
def test_a_budget_split_holds_the_truth_and_good_days_are_no_error(effect: float) -> None:
    found = [paired(split(seed, effect)) for seed in range(400)]
    told = [one for one in found if one is not None]
    held = np.mean([interval.low <= effect <= interval.high for interval, _ in told])
    assert 0.92 < held < 0.98
    assert np.mean([error for _, error in told]) < 0.05


def test_power_of_a_budget_split_is_what_its_past_promises() -> None:
    errors = [one[1] for seed in range(50) if (one := paired(split(seed, 0.0)))]
    effect = smallest_paired(float(np.mean(errors)), 21, 14)
    assert effect is not None
    seen = [found[0].low > 0 for seed in range(300) if (found := paired(split(seed, effect, 14)))]
    assert 0.68 < np.mean(seen) < 0.9
    assert smallest_paired(0.1, 3, 14) is None
    assert paired(split(1, 0.0, 3)) is None
    assert paired([((0, 1), (1, 1))] * 5) is None
