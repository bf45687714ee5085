"""Which products make the refunds, and what would bring them down? Products held against the shop's base (SPEC 11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from qianheng.core.money import Micros, ratio
from qianheng.diagnosis.asking import Answer, Asked, Told, ask
from qianheng.diagnosis.ground import Ground
from qianheng.measures.history import About, Subject
from qianheng.measures.reports import Figures

NORMAL = Fraction(1, 5)  # SPEC 11: under 20 % within the hour is normal
HIGH = Fraction(3, 10)
WORSE = Asked("refund_rate_1h_to_base", at_least="1.2")
RISING = Asked("refund_rate_1h_to_before", at_least="1.2")
ENOUGH = 10  # refunds: fewer say nothing yet
LATE = Fraction(3, 5)  # of what comes back within seven days, so much after the first hour


class Remedy(StrEnum):
    """What is advised of a product."""

    TAKE_OUT = "take_out"  # far above the shop's base and high: out of the plan until it is understood
    PROMISE = "promise"  # comes back at once: what script, page and price promise
    QUALITY = "quality"  # comes back later: quality, size, delivery, and the settled goal
    WATCH = "watch"  # rising, or too little known
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class RefundsOf:
    """The refunds of a product. share: of all the shop's refunds within the hour; late_share: of what came back within
    seven days, what came after the first hour; saved: what the hour's refunds at the shop's other products' rate would
    have left standing, micro-yuan. `None` where it is not known.
    """

    subject: Subject
    refunded: Micros
    rate: Fraction
    share: Fraction | None
    late_share: Fraction | None
    against_base: Told
    rising: Told
    saved: Micros | None
    remedy: Remedy


def refunds(shop: Ground) -> tuple[RefundsOf, ...]:
    """The refunds of every product, those that make most of them first; of a shop that tells refunds by product."""
    grounds = [replace(shop, subject=product) for product in shop.history.of(About.PRODUCT)]
    told = {ground.subject: _refunded(ground.days) for ground in grounds}
    whole = sum(refunded for refunded, _ in told.values())
    found = [_refunds_of(ground, *told[ground.subject], whole) for ground in grounds if told[ground.subject][1]]
    return tuple(sorted(found, key=lambda one: -one.refunded))


def _refunded(days: Iterable[Figures]) -> tuple[Micros, Micros]:
    """What came back within the hour, and of which GMV."""
    known = [(one.refunded_1h, one.gmv) for one in days if one.refunded_1h is not None and one.gmv is not None]
    return sum(refunded for refunded, _ in known), sum(gmv for _, gmv in known)


def _refunds_of(ground: Ground, refunded: Micros, gmv: Micros, whole: Micros) -> RefundsOf:
    against, rising = ask(ground, WORSE), ask(ground, RISING)
    rate, late = Fraction(refunded, gmv), _late_share(ground)
    of_base = _refunded(ground.days_of_base)
    base = ratio(*of_base)
    saved = None if base is None else max(0, round(refunded - base * gmv))
    remedy = _remedy(rate, late, against, rising)
    return RefundsOf(ground.subject, refunded, rate, ratio(refunded, whole), late, against, rising, saved, remedy)


def _late_share(ground: Ground) -> Fraction | None:
    """Of what came back within seven days, what came after the first hour."""
    known = [(one.refunded_7d, one.refunded_1h) for one in ground.days_settled if one.refunded_1h is not None]
    week, hour = (sum(one[i] or 0 for one in known) for i in range(2))
    return ratio(max(0, week - hour), week)


def _remedy(rate: Fraction, late: Fraction | None, worse: Told, rising: Told) -> Remedy:
    """Where refunds come from tells what helps; of a handful of refunds nothing is told."""
    back = Remedy.QUALITY if late is not None and late >= LATE else Remedy.PROMISE
    if rate >= NORMAL and (worse.reading.rests_on or 0) < ENOUGH:
        return Remedy.WATCH
    if rate >= HIGH and worse.answer is Answer.YES:
        return Remedy.TAKE_OUT
    if rate >= NORMAL:
        return back
    return Remedy.WATCH if rising.answer is Answer.YES else Remedy.NOTHING
