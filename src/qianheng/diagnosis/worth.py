"""What a yuan sold is worth to the shop before spend, as well as it is known (SPEC 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from qianheng.core.money import Micros
from qianheng.measures.history import History, Subject
from qianheng.measures.reports import Figures, ratio_of


class Basis(StrEnum):
    """What the worth of a yuan rests on, the best first."""

    CONTRIBUTION = "contribution"  # what orders of days that have settled contributed
    SETTLED = "settled"  # the shop's margin, and what refunds of seven days left
    NET = "net"  # the shop's margin; refunds after the first hour are not known, so it is too high
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Worth:
    """`rate`: the contribution of each yuan of net GMV, before spend; `margin`: of each yuan of GMV, for days whose
    refunds are still to come. `None` if neither they nor the shop's margin are known.
    """

    rate: Fraction | None
    basis: Basis
    margin: Fraction | None = None

    @property
    def breakeven_net_roi(self) -> Fraction | None:
        """保本ROI restated on net GMV; `None` if unknown or no ROI breaks even."""
        return 1 / self.rate if self.rate is not None and self.rate > 0 else None

    def contribution(self, figures: Figures) -> Micros | None:
        """What was contributed before spend: as it is known, else by the rate; `None` if that is not known either."""
        if figures.contribution is not None:
            return figures.contribution
        return None if self.rate is None or figures.net_gmv is None else round(self.rate * figures.net_gmv)

    def profit(self, figures: Figures) -> Micros | None:
        """The contribution less what was spent; `None` if one of them is not known."""
        contribution = self.contribution(figures)
        return None if contribution is None or figures.spend is None else contribution - figures.spend


def worth_of(history: History, subject: Subject) -> Worth:
    """What a yuan of a subject's GMV is worth: by its own days that have settled, else by the shop's."""
    told = [list(history.days.get(one, {}).values()) for one in (subject, history.whole_shop)]
    for days in told:
        if (rate := ratio_of(days, "contribution", "net_gmv")) is not None:
            return Worth(rate, Basis.CONTRIBUTION, ratio_of(days, "contribution", "gmv"))
    margin = history.shop.margin
    if margin is None:
        return Worth(None, Basis.UNKNOWN)
    for days in told:
        if (kept := ratio_of(days, "settled_gmv_7d", "net_gmv")) is not None:
            return Worth(margin * kept, Basis.SETTLED, margin * (ratio_of(days, "settled_gmv_7d", "gmv") or 0))
    left = (ratio_of(days, "net_gmv", "gmv") for days in told)
    return Worth(margin, Basis.NET, margin * next((one for one in left if one is not None), Fraction(1)))
