"""What every answer begins with: the ROI that breaks even, and the one at which profit is highest (SPEC 3.4).

The margin is the contribution before spend over settled GMV; restated on payment and net GMV by what refunds leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from qianheng.core.money import Micros, ratio
from qianheng.diagnosis.worth import Basis, worth_of
from qianheng.measures.goals import Rates
from qianheng.measures.history import About, History, Subject
from qianheng.measures.sums import breakeven_roi
from qianheng.plans.plan import Goal


@dataclass(frozen=True, slots=True)
class Best:
    """The point of most profit a day on a plan's landscape: ROIs, and money in micro-yuan."""

    payment_roi: Fraction
    target: Fraction  # of the plan's own goal
    spend: Micros
    profit: Micros


@dataclass(frozen=True, slots=True)
class Breakeven:
    """The breakeven ROI of a subject on settled, payment and net GMV; `None` where an input is not known (`missing`),
    or no ROI breaks even (`hopeless`: the margin is not above zero).
    """

    subject: Subject
    margin: Fraction | None
    rates: Rates
    settled: Fraction | None
    payment: Fraction | None
    net: Fraction | None
    missing: tuple[str, ...] = ()

    @property
    def hopeless(self) -> bool:
        """Whether every sale loses money before anything is spent."""
        return self.margin is not None and self.margin <= 0

    def on(self, goal: Goal) -> Fraction | None:
        """The breakeven ROI told as an ROI of a goal; `None` if unknown or the goal has no such ROI."""
        return {Goal.PAYMENT: self.payment, Goal.NET: self.net, Goal.SETTLED: self.settled}.get(goal)


def rates_of(history: History, subject: Subject, days: int) -> Rates:
    """What refunds leave of a subject's GMV, of the last days that tell both figures; else of the shop's."""
    return Rates(_rate(history, subject, "net_gmv", days), _rate(history, subject, "settled_gmv_7d", days))


def _rate(history: History, subject: Subject, name: str, days: int) -> Fraction | None:
    own = history.ratio(name, "gmv", days, subject)
    return own if own is not None else history.ratio(name, "gmv", days)


def breakeven_of(history: History, subject: Subject, days: int = 30) -> Breakeven:
    """The breakeven ROI of a subject: by what its own orders contributed, else by the shop's margin."""
    told = history.last(days, subject)
    own = None
    if told.contribution is not None and told.settled_gmv_7d:
        own = ratio(told.contribution, told.settled_gmv_7d)
    margin = own if own is not None else history.shop.margin
    rates = rates_of(history, subject, days)
    missing = [name for name, value in (("margin", margin), ("settled_gmv_7d", rates.settled)) if value is None]
    if margin is None:
        return Breakeven(subject, None, rates, None, None, None, tuple(missing))
    settled = breakeven_roi(margin)
    payment = None if rates.settled is None else breakeven_roi(margin, rates.settled)
    worth = worth_of(history, subject)
    net = worth.breakeven_net_roi if worth.basis in (Basis.CONTRIBUTION, Basis.SETTLED) else None
    return Breakeven(subject, margin, rates, settled, payment, net, tuple(missing))


def breakevens(history: History, days: int = 30) -> tuple[Breakeven, ...]:
    """The breakeven ROI of the shop, then of each product that is known to have its own margin, most GMV first."""
    shop = breakeven_of(history, history.whole_shop, days)
    products = [one for one in history.of(About.PRODUCT) if history.last(days, one).contribution is not None]
    products.sort(key=lambda one: (-(history.last(days, one).gmv or 0), one.id))
    return (shop, *(breakeven_of(history, one, days) for one in products))
