"""Best and worst: only what spent enough is told, and nobody stands on both lists."""

from fractions import Fraction

import pytest

from qianheng.core.money import YUAN
from qianheng.diagnosis.ranking import Contender, best_and_worst
from qianheng.diagnosis.verdicts import thresholds

RULES = thresholds().ranking


def contenders(*rois: int | None, spend: int = 10_000) -> list[Contender[str]]:
    share = Fraction(1, max(len(rois), 1))
    return [
        Contender(name, spend * YUAN, share, None if roi is None else Fraction(roi))
        for name, roi in zip("abcdef", rois, strict=False)
    ]


@pytest.mark.parametrize(
    ("rois", "best", "worst"),
    [
        ((), "", ""),
        ((3,), "a", ""),
        ((1, 3), "b", "a"),
        ((2, 3, 1), "ba", "c"),
        ((5, 1, 4, 2, 3), "ac", "bd"),
        ((5, None, 4), "a", "c"),
    ],
)
def test_the_best_come_best_first_and_the_worst_worst_first(
    rois: tuple[int | None, ...], best: str, worst: str
) -> None:
    assert best_and_worst(contenders(*rois), RULES, 2) == (tuple(best), tuple(worst))


def test_what_hardly_spent_is_on_no_list() -> None:
    assert best_and_worst(contenders(5, 1, spend=0), RULES, 3) == ((), ())
