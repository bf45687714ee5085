"""Two places on a page, four bidders: who wins, and what each pays when seen."""

import numpy as np

from qianheng.auction.kernel import clear, strongest
from qianheng.core.money import yuan

NAMES = ("our plan", "rival A", "rival B", "rival C")

ours = np.array([[42_000]], np.float32)  # micro-yuan an impression: 0.042 yuan
rivals = np.array([[51_000, 30_000, 18_000]], np.float32)
cleared = clear(ours, strongest(rivals, 3), reserve=np.array([5_000], np.float32), places=np.array([2], np.int8))

for place, (winner, price) in enumerate(zip(cleared.winner[0], cleared.price[0], strict=True), start=1):
    print(f"place {place}: {NAMES[winner]} pays {yuan(int(price))} yuan, the next lower bid")
