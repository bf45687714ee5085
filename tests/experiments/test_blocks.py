"""Switchbacks: the truth is found, seldom missed, and carry-over is washed out."""

from dataclasses import replace

import numpy as np
import pytest

from qianheng.core.errors import BadInput
from qianheng.experiments.blocks import Cells, smallest_switched, switchback

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
    assert switchback(replace(cells, arm=cells.arm * 0), 0, DRAWS) is None
    assert switchback(replace(cells, below=cells.below * 0), 0, DRAWS) is None
    with pytest.raises(BadInput):
        replace(cells, arm=np.arange(len(cells.arm)) % 2)


def test_power_of_a_switchback_is_what_its_past_promises() -> None:
    pasts = [one for seed in range(50) if (one := switchback(month(seed, 0.0), 0, DRAWS))]
    past = replace(pasts[0], error=float(np.mean([one.error for one in pasts])))
    effect = smallest_switched(past, 56, 4, 0.05, 0.8)
    assert effect is not None
    seen = [found.relative.low > 0 for seed in range(200) if (found := switchback(month(seed, effect), 0, DRAWS))]
    assert 0.68 < np.mean(seen) < 0.9
    assert smallest_switched(past, 4, 2, 0.05, 0.8) is None
    assert smallest_switched(replace(past, error=1.0), 56, 4, 0.05, 0.8) is None
