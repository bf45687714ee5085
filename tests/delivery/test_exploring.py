"""What is left to chance: by lots that can be drawn again, with the chance that is logged."""

import numpy as np
import pytest

from qianheng.core.errors import BadInput
from qianheng.delivery.exploring import Lots, creative_choices
from qianheng.delivery.goods import Goods
from qianheng.delivery.members import Members
from qianheng.facts.opportunities import Opportunities
from qianheng.plans.exploration import Exploration

MANY = 40_000
COSTS = Goods.free(np.zeros(1, np.int64)).stated(np.zeros(5, np.int64))


def _members() -> Members:
    """Product 1 with three creatives, product 2 with one, product 1 in room 9 with one."""
    product, room = np.array([1, 2, 1, 1, 1]), np.array([-1, -1, -1, 9, -1])
    return Members(product, room, np.zeros(5, np.int64), COSTS, np.array([11, 2, 12, 11, 13]))


def _batch(count: int = MANY) -> Opportunities:
    whole, small = np.arange(count), np.zeros(count, np.int8)
    return Opportunities(
        whole, whole, whole, small, small.astype(np.int16), small, np.zeros((count, 1), dtype=np.float32)
    )


def test_creatives_are_drawn_as_often_as_is_logged() -> None:
    lots = np.random.default_rng(1).integers(0, 2**63, MANY).astype(np.uint64)
    shown, count, chance = creative_choices(0.3, _members(), np.zeros(MANY, np.int64), lots)
    assert {*shown.tolist()} == {0, 2, 4}
    assert (count == 3).all()
    for member, expected in ((0, 0.8), (2, 0.1), (4, 0.1)):
        assert (shown == member).mean() == pytest.approx(expected, abs=0.01)
        assert chance[shown == member] == pytest.approx(expected)


def test_a_creative_stays_with_its_product_and_its_room() -> None:
    lots = np.arange(1000, dtype=np.uint64)
    for alone in (1, 3):
        shown, count, chance = creative_choices(1.0, _members(), np.full(1000, alone), lots)
        assert (shown == alone).all()
        assert (count == 1).all()
        assert chance == pytest.approx(1.0)


def test_bids_are_spread_as_widely_as_is_logged_and_the_same_again() -> None:
    exploration = Exploration(bids=0.25, spread=0.3)
    plans = np.array([1, 2])
    lots, again = (Lots(exploration, _batch(), plans) for _ in range(2))
    asked = lots.spread(np.full((MANY, 2), 100.0))
    assert (again.spread(np.full((MANY, 2), 100.0)) == asked).all()
    assert asked == pytest.approx(100 * lots.factor)
    assert lots.drawn.mean() == pytest.approx(0.25, abs=0.01)
    assert (lots.factor[~lots.drawn] == 1).all()
    drawn = np.log(lots.factor[lots.drawn])
    assert drawn.mean() == pytest.approx(0, abs=0.01)
    assert drawn.std() == pytest.approx(0.3, abs=0.01)
    assert abs(np.corrcoef(np.log(lots.factor[lots.drawn.all(axis=1)]).T)[0, 1]) < 0.1


def test_nothing_is_left_to_chance_by_default() -> None:
    asked = np.ones((10, 1))
    assert Lots(Exploration(), _batch(10), np.array([1])).spread(asked) is asked


@pytest.mark.parametrize("given", [{"creatives": 1.5}, {"bids": -0.1}, {"spread": 0.0}, {"spread": 2.0}])
def test_what_cannot_be_left_to_chance_is_refused(given: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Exploration(**given)
