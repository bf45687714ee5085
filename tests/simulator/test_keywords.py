"""What people search is a function of the request and the scenario's lists; nothing else of the market changes."""

import numpy as np
import pytest

from qianheng.core.errors import BadInput
from qianheng.core.placements import Placement
from qianheng.simulator.loading import load
from qianheng.simulator.market import Market
from tests.simulator.worlds import run, show_everything, small

WORDS = '{ womenswear = ["a", "b", "c"], food = ["d"] }'


def test_only_searches_about_a_listed_category_carry_a_keyword_and_first_words_come_most() -> None:
    scenario = small(keywords=WORDS)
    made = run(Market(scenario, 1), show_everything)
    keyword = np.concatenate([batch.keyword for batch in made.batches])
    placement, category = (
        np.concatenate([getattr(b, name) for b in made.batches]) for name in ("placement", "category")
    )
    numbers = {name: number for number, name in enumerate(scenario.categories)}
    searched = placement == Placement.SEARCH
    listed = {number: searched & (category == numbers[name]) for name, number in (("womenswear", 0), ("food", 3))}
    assert set(keyword[listed[0]].tolist()) == {0, 1, 2}
    assert set(keyword[listed[3]].tolist()) == {3}
    assert (keyword[~(listed[0] | listed[3])] == -1).all()
    counts = np.bincount(keyword[listed[0]])
    assert counts[0] > counts[1] > counts[2] > 0


def test_keywords_change_nothing_else() -> None:
    plain, worded = (run(Market(small(keywords=words), 1), show_everything) for words in ("{}", WORDS))
    for one, other in zip(plain.batches, worded.batches, strict=True):
        for name in ("id", "at", "user_id", "placement", "audience", "category", "bids"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
    assert [r.clicked.tolist() for r in plain.reactions] == [r.clicked.tolist() for r in worded.reactions]


def test_faults_of_campaigns_are_told_with_those_of_the_rest() -> None:
    wrong = {
        "campaigns.0.products": "[11, 99]",
        "campaigns.1.id": "1",
        "campaigns.2.commission_rate": "0.1",
        "keywords.hats": '["x"]',
    }
    with pytest.raises(BadInput) as caught:
        load("pools", wrong)
    for part in ("campaign 101, products", "99", "plans, campaigns", "commission rate of 0.1", "hats"):
        assert part in str(caught.value), part
