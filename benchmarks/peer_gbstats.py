"""GrowthBook's tests on sums that `benchmarks.experiments` hands over; runs where gbstats is installed, and only there.

python peer_gbstats.py SUMS.json     [[users, mean, variance of a user] [tests][looks] of A, of B]
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from gbstats.frequentist.tests import (  # type: ignore[import-not-found]
    FrequentistConfig,
    SequentialConfig,
    SequentialTwoSidedTTest,
    TwoSidedTTest,
)
from gbstats.models.statistics import SampleMeanStatistic  # type: ignore[import-not-found]


def main(file: Path) -> None:
    """Print the shares of tests ever called different, and the seconds of one comparison."""
    arms = json.loads(file.read_text())
    tests, looks, planned = len(arms[0][0]), len(arms[0][0][0]), 2 * arms[0][0][0][-1]
    called, began = {"sequential": 0, "naive": 0}, time.perf_counter()
    for test in range(tests):
        ever = {"sequential": False, "naive": False}
        for look in range(looks):
            a, b = (_statistic(*(column[test][look] for column in arm)) for arm in arms)
            config = SequentialConfig(sequential_tuning_parameter=planned)
            found = {
                "sequential": SequentialTwoSidedTTest(a, b, config).confidence_interval,
                "naive": TwoSidedTTest(a, b, FrequentistConfig()).confidence_interval,
            }
            for way, (low, high) in found.items():
                ever[way] |= low > 0 or high < 0
        for way, one in ever.items():
            called[way] += one
    seconds = (time.perf_counter() - began) / (2 * tests * looks)
    print(json.dumps({way: count / tests for way, count in called.items()} | {"seconds": seconds}))


def _statistic(users: float, mean: float, variance: float) -> SampleMeanStatistic:
    squares = variance * (users - 1) + users * mean**2
    return SampleMeanStatistic(n=int(users), sum=users * mean, sum_squares=squares)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
