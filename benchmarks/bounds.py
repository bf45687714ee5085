"""How much of an incident could be found at all: the events it shows in, and the power of the best test there is.

No test finds more at as many false alarms than that of the likelihood ratio which is told the kind, the hour and the
size (Neyman and Pearson 1933).
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import scipy.stats

from benchmarks.ill_shops import ILL, Incident, Shop, week_before
from qianheng.diagnosis.causes import finding_rules
from qianheng.measures.history import History

HORIZON = timedelta(days=ILL)
LEVEL = 10.0  # the logarithm that the statistic must reach, of a shop as these are
MOST_REFUNDS = 2.7  # factor: no buyer sends back more than a market lets them


class Shown(NamedTuple):
    """The events an incident shows in: how many are usual in the horizon, and by which factor it moves them."""

    usual: float
    factor: float


def shown(history: History, incident: Incident, start: datetime) -> Shown | None:
    """`None` where it does not show in events."""
    fault, share = incident.fault, 1 - incident.fault.size
    week = week_before(history, incident.subject, start)
    orders = sum((told.orders or 0) + (told.unpromoted_orders or 0) for told in week)
    refunded = sum((told.orders or 0) * (told.refunded_1h or 0) / told.gmv for told in week if told.gmv)
    usual, factor = {
        "stock_out": (orders, share),
        "tracking_broken": (orders, share),
        "wrong_price": (orders, fault.size),
        "tired_creative": (sum(told.clicks or 0 for told in week), fault.size),
        "refund_wave": (refunded, min(fault.size, MOST_REFUNDS)),
    }.get(fault.kind, (0.0, 1.0))
    days = HORIZON / timedelta(days=1) - fault.over / 48
    return None if factor == 1.0 else Shown(usual / 7 * days, factor)


def knowable(shown: Shown, kind: str) -> bool:
    """Whether as many events are usual in the horizon as the evidence takes: the level over what one of them tells."""
    factor = shown.factor
    tells = factor * math.log(factor) - factor + 1 if factor else 1.0
    if kind == "wrong_price":
        tells = (factor - 1 - math.log(factor)) / finding_rules().watch.least_spread
    return shown.usual >= LEVEL / tells


def best_power(shown: Shown, alarms: float) -> float:
    """The power of the best test of a Poisson count with its mean against `factor` times it, at `alarms` false alarms:
    counts beyond a limit, and on the limit by lot, so that the level is kept exactly.
    """
    most = int(shown.usual * max(shown.factor, 1.0) + 20 * math.sqrt(shown.usual * max(shown.factor, 1.0) + 1) + 20)
    counts = np.arange(most) if shown.factor < 1 else np.arange(most)[::-1]
    well, ill = (scipy.stats.poisson.pmf(counts, shown.usual * factor) for factor in (1.0, shown.factor))
    before = np.concatenate([[0.0], np.cumsum(well)[:-1]])
    taken = np.clip((alarms - before) / np.maximum(well, 1e-300), 0.0, 1.0)
    return float(taken @ ill)


def bounds(shown: Shown | None, kind: str, suspected: int) -> tuple[float, float] | None:
    """What could have been found at the false alarms allowed in the horizon, told which incident it is, and not told.
    Of a wrong price each order tells its amount, which is more than that it came: no bound by counts.
    """
    if shown is None or kind == "wrong_price":
        return None
    alarms = finding_rules().watch.false_alarms_per_week * (HORIZON / timedelta(days=7))
    return best_power(shown, alarms), best_power(shown, alarms / suspected)


def suspected_of(shop: Shop) -> int:
    """How many incidents a shop may have: of each cause with each of what it can be of."""
    of = {"shop": 1, "plan": 1 + shop.live, "product": len(shop.prices), "creative": 2 * len(shop.prices)}
    return sum(of[cause.about] for cause in finding_rules().causes)


def poisson_interval(count: int, exposure: float) -> tuple[float, float]:
    """The exact 95 % interval of a rate (Garwood 1936)."""
    low = scipy.stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low / exposure), float(scipy.stats.chi2.ppf(0.975, 2 * count + 2) / 2 / exposure)
