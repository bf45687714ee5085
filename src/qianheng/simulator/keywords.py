"""What people type when they search: words of the request's category, the first of a list most often."""

from __future__ import annotations

import numpy as np

from qianheng.core.placements import Placement
from qianheng.facts.opportunities import Int8, Int16
from qianheng.simulator.draws import Float64, Int64, another, scramble
from qianheng.simulator.scenario import Scenario

_TYPED = 300


class Keywords:
    """The keyword of a search: a function of the request's id, its category and the scenario's lists, of nothing else.

    The k-th word of a category is searched as often as 1/k says (Zipf).
    """

    def __init__(self, scenario: Scenario) -> None:
        numbers = {name: number for number, name in enumerate(scenario.categories)}
        self._lists: list[tuple[int, int, Float64]] = []  # category, first number, upper ends of draws
        first = 0
        for name, texts in scenario.keywords.items():
            often = np.cumsum(1.0 / np.arange(1, len(texts) + 1))
            self._lists.append((numbers[name], first, often / often[-1:]))
            first += len(texts)

    def of(self, ids: Int64, placement: Int8, category: Int8) -> Int16:
        """[n] the number of each request's keyword, -1 where nothing was typed or nothing is known of it."""
        found = np.full(len(ids), -1, np.int16)
        for number, first, up_to in self._lists:
            rows = np.flatnonzero((placement == Placement.SEARCH) & (category == number))
            if len(up_to):
                found[rows] = first + np.searchsorted(up_to, another(scramble(ids[rows]), _TYPED), side="right")
        return found
