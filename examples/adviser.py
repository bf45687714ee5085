"""Why did the ROI fall, what ROI breaks even, and what would another target bring? Answers on made-up figures."""

from datetime import date
from fractions import Fraction

from qianheng.core.money import YUAN
from qianheng.diagnosis.decomposition import Measure, decompose
from qianheng.measures.reports import Figures
from qianheng.measures.sums import breakeven_roi
from qianheng.plans.plan import BidMode, Goal
from qianheng.strategy.landscape import Landscape, Market, Response, Shares, Spread, Swing
from qianheng.strategy.whatif import Trial, outlook

USUAL, SPARE = Swing(0.0, 0.1, 0.15), Swing(0.0, 0.1, 0.1)
MARKET = Market(
    Response.of([200e6, 400e6, 600e6, 800e6, 1000e6], [1400e6, 2300e6, 2900e6, 3300e6, 3500e6], order_value=90e6),
    Shares(net=0.85, settled=0.7, contribution=0.35),
    Goal.NET,
    BidMode.TARGET_ROI,
)
LANDSCAPE = Landscape(MARKET, Spread(USUAL, SPARE, 0.5, 0.1, 0.1, 0.5, 0.03, 14), (400e6, 900e6))


def day(clicks: int, orders: int, gmv: int) -> Figures:
    """A day of 500 yuan and 20,000 impressions."""
    promoted = {"promoted_orders": orders, "promoted_gmv": gmv * YUAN}
    return Figures(spend=500 * YUAN, impressions=20_000, clicks=clicks, orders=orders, gmv=gmv * YUAN, **promoted)


before, after = ({date(2026, 6, n): {"plan": told}} for n, told in ((1, day(800, 32, 2560)), (2, day(780, 20, 1620))))
change = decompose(Measure.PAYMENT_ROI, before, after)
print(f"The payment ROI changed by {float(change.change):+.2f}:")
for effect in change.effects:
    print(f"  {effect.factor:12} {float(effect.amount):+.3f}")

print(f"A margin of 35 % breaks even at a settled ROI of {float(breakeven_roi(Fraction(35, 100)) or 0):.2f}.")

for target in (2.5, 3.0, 3.5, 4.0):
    told = outlook(LANDSCAPE, Trial(target, 1000e6, days=7))
    profit = "unknown" if told.profit is None else f"{told.profit.low // YUAN} to {told.profit.high // YUAN} yuan"
    print(f"Target {target}: a week spends about {told.spend.expected // YUAN} yuan and leaves {profit}.")
