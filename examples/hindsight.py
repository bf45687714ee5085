"""How much could a plan have sold, had it known every price? And how far does one fixed multiplier get?"""

import numpy as np

from qianheng.auction.hindsight import optimum

draw = np.random.default_rng(1)
worth = draw.lognormal(-3.6, 0.7, 50_000)  # predicted value over target, yuan
price = draw.lognormal(-3.2, 0.6, (50_000, 1))  # what the place costs
budget = 200.0

best = optimum(worth, price, np.ones((50_000, 1)), budget)
print(f"optimum: worth {best.value:.0f} for {best.spend:.0f} yuan, bidding {best.multiplier:.2f} × worth")
for multiplier in (0.5, 1.0, 2.0):
    won = multiplier * worth > price[:, 0]
    paid = np.cumsum(np.where(won, price[:, 0], 0.0))
    won &= paid <= budget
    print(
        f"bidding {multiplier:.1f} × worth: {worth[won].sum() / best.value:.0%} of it, for {price[won].sum():.0f} yuan"
    )
