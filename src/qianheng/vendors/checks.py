"""Do the figures of one line agree with each other? A shifted column or a damaged cell shows itself here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from qianheng.core.money import FEN, ratio, ratio_text, yuan
from qianheng.core.words import say
from qianheng.measures.metrics import metric_name
from qianheng.measures.reports import MONEY, Figures

# A stated ratio, the sums it is taken from, and one step of its last decimal.
_STATED = (
    ("payment_roi", "gmv", "spend", Fraction(1, 100)),
    ("net_roi", "net_gmv", "spend", Fraction(1, 100)),
    ("net_rate_1h", "net_gmv", "gmv", Fraction(1, 10_000)),
    ("spend_share", "spend", "gmv", Fraction(1, 10_000)),
    ("ctr", "clicks", "impressions", Fraction(1, 10_000)),
    ("spend_per_order", "spend", "orders", Fraction(FEN)),
    ("spend_per_net_order", "spend", "net_orders", Fraction(FEN)),
)
# The first is a part of the second.
_PARTS = (
    ("net_gmv", "gmv"),
    ("net_orders", "orders"),
    ("refunded_orders_1h", "orders"),
    ("refunded_1h", "gmv"),
    ("settled_gmv_7d", "gmv"),
    ("settled_gmv_14d", "gmv"),
    ("buyer_paid", "gmv"),
    ("base_spend", "spend"),
    ("boosted_spend", "spend"),
    ("clicks", "impressions"),
)
_OFF_BY_MUCH = Fraction(1, 20)


@dataclass(frozen=True, slots=True)
class Checked:
    """A line's figures made whole, how many stated ratios confirmed them, and what speaks against them.

    `faults` name the field that cannot be right and why; `doubts` are worth telling but prove nothing: a key to count
    them by, and the sentence.
    """

    figures: Figures
    confirmed: int
    faults: tuple[tuple[str, str], ...]
    doubts: tuple[tuple[str, str], ...]


def check(figures: Figures, stated: Mapping[str, Fraction]) -> Checked:
    """Compare a line's figures with each other and with the ratios the vendor states of them (domain: net GMV = GMV −
    refunds within 1 h; ROI = amount / spend; rates are of GMV), then complete what follows exactly.
    """
    faults = list(_part_faults(figures))
    doubts: list[tuple[str, str]] = []
    confirmed = 0
    for field, over, under, step in _STATED:
        deviation = _deviation(figures, stated.get(field), over, under, step)
        if deviation is None:
            continue
        far, told = deviation
        confirmed += not told
        if far:
            faults.append((field, told))
        elif told:
            doubts.append((field, told))
    completed, doubt = _complete(figures, stated)
    return Checked(completed, confirmed, tuple(faults), (*doubts, *doubt, *_balances(figures)))


def _balances(figures: Figures) -> list[tuple[str, str]]:
    """A balance is its cash and its credit; shared wallets may add to it, so that a difference is told and no more."""
    whole, parts = figures.balance, (figures.cash_balance, figures.credit_balance)
    if whole is None or None in parts or whole == sum(part or 0 for part in parts):
        return []
    told = say("vendors.balances_differ", balance=yuan(whole), parts=yuan(sum(part or 0 for part in parts)))
    return [("balance", told)]


def _part_faults(figures: Figures) -> list[tuple[str, str]]:
    faults = []
    for part, whole in _PARTS:
        less, more = getattr(figures, part), getattr(figures, whole)
        if less is not None and more is not None and less > more:
            told = say("vendors.part_above_whole", part=_told(part, less), whole=_told(whole, more))
            faults.append((part, told))
    return faults


def _deviation(
    figures: Figures, stated: Fraction | None, over: str, under: str, step: Fraction
) -> tuple[bool, str] | None:
    """Whether a stated ratio is far from its sums, and the sentence if it is off at all; `None` if not comparable."""
    above, below = getattr(figures, over), getattr(figures, under)
    if stated is None or above is None or not below:
        return None
    actual = Fraction(above, below)
    rounding = Fraction(FEN, 2 * below) * (1 + actual) if under in MONEY else Fraction(0)
    off = abs(actual - stated)
    if off <= step + rounding:
        return False, ""
    far = off > step + rounding + _OFF_BY_MUCH * max(actual, stated)
    scale = Fraction(1, 1_000_000) if step == FEN else 1
    told = say(
        "vendors.ratio_disagrees",
        stated=ratio_text(stated * scale, 4),
        actual=ratio_text(actual * scale, 4),
        over=_told(over, above),
        under=_told(under, below),
    )
    return far, told


def _complete(figures: Figures, stated: Mapping[str, Fraction]) -> tuple[Figures, list[tuple[str, str]]]:
    gmv, net, refunded = figures.gmv, figures.net_gmv, figures.refunded_1h
    doubts: list[tuple[str, str]] = []
    if gmv is not None and net is None and refunded is not None:
        net = gmv - refunded
    if gmv is not None and refunded is None:
        refunded, doubts = _refunded(gmv, net, stated.get("refund_rate_1h"))
    settled = figures.settled_gmv_7d
    if settled is None and gmv is not None and (rate := stated.get("settle_rate_7d")) is not None:
        settled = round(gmv * rate)
    return replace(figures, net_gmv=net, refunded_1h=refunded, settled_gmv_7d=settled), doubts


def _refunded(gmv: int, net: int | None, rate: Fraction | None) -> tuple[int | None, list[tuple[str, str]]]:
    """What was refunded within 1 h: exactly GMV − net GMV, unless the vendor's own rate contradicts that and stands."""
    if net is None or rate is None:
        known = gmv - net if net is not None else None
        return (round(gmv * rate) if rate is not None else known), []
    by_amounts = ratio(gmv - net, gmv)
    if by_amounts is None or abs(by_amounts - rate) <= Fraction(1, 10_000) + Fraction(FEN, gmv):
        return gmv - net, []
    told = say("vendors.refund_rate_contradicts", stated=ratio_text(rate), actual=ratio_text(by_amounts, 4))
    return round(gmv * rate), [("refund_rate_1h", told)]


def _told(field: str, value: int) -> str:
    return f"{metric_name(field)} {yuan(value) if field in MONEY else value}"
