"""What does a test take, and what does it say? A shop made by chance, whose arm B truly earns a fifth more."""

from fractions import Fraction

import numpy as np

from qianheng.core.words import speaking
from qianheng.experiments.power import Baseline, Design, needed, planned_error, smallest_effect
from qianheng.experiments.results import Terms, compare, in_words
from qianheng.experiments.sums import ArmSums, Measure

GMV, WORTH, DAYS = Measure("gmv_per_user", "gmv"), 0.10, 14
draw = np.random.default_rng(7)


def users(count: int, better: float = 1.0) -> ArmSums:
    """Users of a fortnight: one in five orders, for some 120 yuan; who bought before buys again more often."""
    bought_before = draw.random(count) < 0.2
    orders = draw.random(count) < np.where(bought_before, 0.5, 0.12)
    gmv = orders * draw.lognormal(np.log(120), 0.5, count) * better
    micro_yuan, covariate = (1e6 * gmv).astype(np.int64), bought_before.astype(np.int64)
    return ArmSums.of(micro_yuan, covariate=covariate)


baseline, design = Baseline(users(20_000), days=14), Design()
wanted, seen = needed(baseline, design, WORTH), smallest_effect(baseline, design, DAYS)
assert wanted is not None
assert seen is not None
print(f"A difference of {WORTH:.0%} takes {wanted.days} days and {wanted.users:,} users.")
print(f"In {DAYS} days one of {seen:.1%} can be seen.")

error = planned_error(baseline, design, DAYS)
assert error is not None
terms = Terms(error, Fraction(1, 10))
for half, title in ((1_500, "after three days"), (10_000, "at the end")):
    found = compare(GMV, (users(half), users(half, 1.2)), terms)
    assert found.relative is not None
    low, high = float(found.relative.low), float(found.relative.high)
    with speaking("en"):
        print(f"{title}: GMV per user {low:+.1%} to {high:+.1%}, however often one looks: {in_words(found.verdict)}")
