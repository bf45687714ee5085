"""The shop's figures by name: what rules, losses and playbooks ask about a plan or product (SPEC 7.7, 11).

A reading is a figure with how far chance reaches, or the name of the input that is missing. Rates are held against the
shop's own base, and drawn to it where little has happened, so that nothing is ever said of three clicks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import takewhile
from operator import attrgetter
from typing import TypeAlias

from qianheng.core.money import ratio
from qianheng.diagnosis.chance import days_against, events_against
from qianheng.diagnosis.evidence import Unit
from qianheng.diagnosis.findings import Anomaly
from qianheng.diagnosis.ground import Ground, Reading
from qianheng.diagnosis.peers import PEER_MEASURES
from qianheng.measures.history import About, Setting, Subject
from qianheng.measures.reports import Figures, Span
from qianheng.plans.plan import Goal, PlanKind

FAR_BELOW = Fraction(4, 5)  # SPEC 7.7: under 80 % of what breaks even


Taken: TypeAlias = Callable[[Ground], Reading]
Days: TypeAlias = Callable[[Ground], Sequence[Figures]]
Pair: TypeAlias = tuple[str, str]  # the names of two sums
Events: TypeAlias = tuple[Fraction, Fraction]  # how many, and of how many

RATES: Mapping[str, Pair] = {
    "ctr": ("clicks", "impressions"),
    "cvr": ("promoted_orders", "clicks"),
    "refund_rate_1h": ("refunded_1h", "gmv"),
}


def read(ground: Ground, name: str) -> Reading:
    """The reading of that name, one of `READINGS`."""
    return READINGS[name](ground)


def _plain(name: str, unit: Unit, value: Fraction | int | None, missing: str, rests_on: int | None = None) -> Reading:
    told = None if value is None else Fraction(value)
    return Reading(name, told, unit, rests_on=rests_on, missing=missing if value is None else "")


def _sum(name: str, unit: Unit) -> Taken:
    """A sum of the days that are looked at."""

    def taken(ground: Ground) -> Reading:
        told = [value for one in ground.days if (value := getattr(one, name)) is not None]
        return _plain(name, unit, sum(told) * ground.times if told else None, name)

    return taken


def _quotient(name: str, of: Pair, unit: Unit = "share", days: Days = attrgetter("days")) -> Taken:
    """A ratio of two sums, over the days that know both."""

    def taken(ground: Ground) -> Reading:
        told, missing = _both(days(ground), of)
        return _plain(name, unit, None if told is None else ratio(*told), missing)

    return taken


def _both(days: Iterable[Figures], of: Pair) -> tuple[Events | None, str]:
    """The two sums over the days that know both; else which of them is not known of any day."""
    told = [(getattr(one, of[0]), getattr(one, of[1])) for one in days]
    known = [(above, below) for above, below in told if above is not None and below is not None]
    if not known:
        return None, of[0] if all(above is None for above, _ in told) else of[1]
    return (Fraction(sum(above for above, _ in known)), Fraction(sum(below for _, below in known))), ""


def _cpm(ground: Ground) -> Reading:
    told, missing = _both(ground.days, ("spend", "impressions"))
    return _plain("cpm", "yuan", None if told is None else ratio(1000 * told[0], told[1]), missing)


def _events(days: Sequence[Figures], rate: str) -> tuple[Events | None, str]:
    """How often something happened and of how many: refunded money counts as the orders it is the share of."""
    told, missing = _both(days, RATES[rate])
    if told is None and rate == "cvr":
        told, missing = _both(days, ("orders", "clicks"))
    if told is None or rate != "refund_rate_1h":
        return told, missing
    orders, missing = _both(days, ("orders", "gmv"))
    if orders is None or not told[1]:
        return None, missing or "gmv"
    return (told[0] / told[1] * orders[0], orders[0]), ""


def _against(name: str, rate: str, base: Days) -> Taken:
    """A rate as a multiple of a base's, drawn to it where little was seen."""

    def taken(ground: Ground) -> Reading:
        own, missing = _events(ground.days, rate)
        other, base_missing = _events(base(ground), rate)
        if own is None or other is None:
            return _plain(name, "ratio", None, missing or base_missing)
        if not other[0] or not other[1]:
            return Reading(name, None, missing="days")
        seen, of = (one * ground.times for one in own)
        found = events_against(seen, of * other[0] / other[1], Fraction(ground.windows.prior), of=other[0])
        return Reading(name, Fraction(found.expected), "ratio", found, int(own[0]))

    return taken


def _days_against_before(name: str, above: str, below: str = "") -> Taken:
    """A ratio of two sums, or a sum by day, as a multiple of what it was before."""

    def taken(ground: Ground) -> Reading:
        told = [_pairs(ground, span, above, below) for span in (ground.after, ground.before)]
        found = days_against(told[0], told[1])
        if found is None:
            empty = not told[0] or not told[1]
            return Reading(name, None, missing=above if empty else "days")
        return Reading(name, Fraction(found.expected), "ratio", found, len(told[0]))

    return taken


def _pairs(ground: Ground, span: Span, above: str, below: str) -> list[tuple[int, int]]:
    days = ground.history.each(ground.subject, *span).values()
    told = [(getattr(one, above), getattr(one, below) if below else 1) for one in days]
    return [(high, low) for high, low in told if high is not None and low is not None]


def _expected_orders(ground: Ground) -> Reading:
    """How many orders the shop's base would have brought for the spend."""
    base, missing = _both(ground.days_of_base, ("orders", "spend"))
    spend = _sum("spend", "yuan")(ground)
    if base is None or spend.value is None or not base[1]:
        return _plain("expected_orders", "count", None, missing or "spend")
    return Reading("expected_orders", base[0] / base[1] * spend.value, "count", rests_on=int(base[0]))


def _roi(ground: Ground) -> Reading:
    """The ROI of the plan's own goal, else the net one."""
    payment = ground.setting is not None and ground.setting.goal is Goal.PAYMENT
    return READINGS["payment_roi" if payment else "net_roi"](ground)


def _roi_to_target(ground: Ground) -> Reading:
    target, roi = ground.setting.target if ground.setting else None, _roi(ground)
    if target is None or roi.value is None:
        return _plain("roi_to_target", "ratio", None, "target" if target is None else roi.missing)
    return _plain("roi_to_target", "ratio", roi.value / Fraction(target), "")


def _roi_to_breakeven(ground: Ground) -> Reading:
    told = [(one.spend, ground.worth.contribution(one)) for one in ground.days]
    known = [(spend, worth) for spend, worth in told if spend is not None and worth is not None]
    value = ratio(sum(worth for _, worth in known), sum(spend for spend, _ in known)) if known else None
    return _plain("roi_to_breakeven", "ratio", value, "margin")


def _days_below_breakeven(ground: Ground) -> Reading:
    """How many whole days up to now in a row, of those on which something was spent, were far below breakeven."""
    days = ground.history.each(ground.subject, *ground.history.back(ground.windows.base))
    told = [(ground.worth.contribution(one), one.spend) for _, one in sorted(days.items(), reverse=True) if one.spend]
    if ground.worth.rate is None or any(contribution is None for contribution, _ in told):
        return _plain("days_below_breakeven", "days", None, "margin")
    below = takewhile(lambda day: (day[0] or 0) < FAR_BELOW * day[1], told)
    return _plain("days_below_breakeven", "days", sum(1 for _ in below), "")


def _days_live(ground: Ground) -> Reading:
    """On how many whole days so far something was spent."""
    days = ground.history.days.get(ground.subject, {})
    if not days:
        return _plain("days_live", "days", None, "spend")
    served = [day for day, one in days.items() if one.spend and day < ground.history.today]
    began = ground.plan.began if ground.plan else None
    earlier = (min(days) - began).days if began and days and began < min(days) else 0
    return _plain("days_live", "days", len(served) + earlier, "")


def _days_since(name: str, changed: Callable[[Setting, Setting], bool]) -> Taken:
    """How many days ago the plan was last changed so; nothing if it never was."""

    def taken(ground: Ground) -> Reading:
        if ground.plan is None or ground.history.source == "reports":
            return _plain(name, "days", None, "change_log")
        pairs = zip(ground.plan.settings, ground.plan.settings[1:], strict=False)
        times = [after.at for before, after in pairs if changed(before, after)]
        if not times:
            return Reading(name, None, "days")
        return _plain(name, "days", (ground.history.now - times[-1]).days, "")

    return taken


def _spend_to_budget(ground: Ground) -> Reading:
    """Of a plan, or of all plans of a shop together."""
    plans = [ground.plan] if ground.plan else list(ground.history.plans.values())
    budgets = [one.setting.budget_daily if one.setting else None for one in plans]
    days = [one.spend for one in ground.days if one.spend is not None]
    if not budgets or None in budgets or ground.subject.about not in (About.PLAN, About.SHOP):
        return _plain("spend_to_budget", "share", None, "budget")
    return _plain("spend_to_budget", "share", ratio(sum(days), sum(one or 0 for one in budgets) * len(days)), "spend")


def _balance_days(ground: Ground) -> Reading:
    spent = ground.history.last(ground.windows.days).spend
    value = ratio((ground.history.shop.balance or 0) * ground.windows.days, spent) if spent else None
    return _plain("balance_days", "days", None if ground.history.shop.balance is None else value, "balance")


def _off_air_share(ground: Ground) -> Reading:
    """The share of spend while the room was off air; a product plan has no room."""
    if ground.plan is None or ground.plan.kind is PlanKind.PRODUCT:
        return Reading("off_air_share", None, "share")
    return _quotient("off_air_share", ("off_air_spend", "spend"))(ground)


def _tired_share(ground: Ground) -> Reading:
    """The share of spend on creatives that are clicked on surely less than they were before."""
    within = ground.subject.id if ground.subject.about is About.PLAN else ""
    spent = tired = 0
    known = False
    for creative in ground.history.of(About.CREATIVE, within):
        worn = _against("ctr_to_before", "ctr", attrgetter("days_before"))(replace(ground, subject=creative))
        spend = sum(one.spend or 0 for one in ground.history.each(creative, *ground.after).values())
        spent += spend
        known = known or worn.between is not None
        tired += spend if worn.between is not None and worn.between.high < FAR_BELOW else 0
    return _plain("tired_share", "share", ratio(tired, spent) if known else None, "creatives")


def _found(anomaly: Anomaly) -> Taken:
    """Whether it was found of the subject or a part of it: 1 or 0."""
    name = f"found_{anomaly}"

    def taken(ground: Ground) -> Reading:
        if ground.findings is None:
            return _plain(name, "count", None, "findings")
        own = (one for one in ground.findings if one.anomaly is anomaly and _concerns(one.subject, ground.subject))
        return _plain(name, "count", sum(1 for _ in own), "")

    return taken


def _concerns(found: Subject, subject: Subject) -> bool:
    whole = subject.about is About.SHOP or found.about is About.SHOP
    return whole or found == subject or (subject.about is About.PLAN and found.within in ("", subject.id))


def _to_peers(name: str, measure: str) -> Taken:
    """A measure as a multiple of the middle of the peers' in the shop's category."""

    def taken(ground: Ground) -> Reading:
        peer = ground.peers.of(measure, ground.history.shop.category)
        own = READINGS[measure](ground)
        if peer is None or own.value is None:
            return _plain(name, "ratio", None, "peers" if peer is None else own.missing)
        return _plain(name, "ratio", ratio(own.value, peer.p50), "peers", own.rests_on)

    return taken


def _changed_goal(before: Setting, after: Setting) -> bool:
    return before.goal is not after.goal


def _changed_anything(before: Setting, after: Setting) -> bool:
    return (before.goal, before.target, before.budget_daily) != (after.goal, after.target, after.budget_daily)


def _readings() -> Mapping[str, Taken]:
    by_day = {"order_value": ("gmv", "orders"), "net_roi": ("net_gmv", "spend"), "cpm": ("spend", "impressions")}
    levels = ("spend", "gmv", "orders", "impressions")
    base, before = attrgetter("days_of_base"), attrgetter("days_before")
    return {
        **{name: _sum(name, "yuan") for name in ("spend", "gmv")},
        "orders": _sum("orders", "count"),
        "net_roi": _quotient("net_roi", ("net_gmv", "spend"), "ratio"),
        "payment_roi": _quotient("payment_roi", ("gmv", "spend"), "ratio"),
        "order_value": _quotient("order_value", ("gmv", "orders"), "yuan"),
        "cpm": _cpm,
        **{rate: _quotient(rate, of) for rate, of in RATES.items()},
        "refund_rate_7d": _quotient("refund_rate_7d", ("refunded_7d", "gmv"), days=attrgetter("days_settled")),
        "new_buyer_share": _quotient("new_buyer_share", ("new_buyer_orders", "orders")),
        **{f"{rate}_to_base": _against(f"{rate}_to_base", rate, base) for rate in RATES},
        **{f"{rate}_to_before": _against(f"{rate}_to_before", rate, before) for rate in RATES},
        **{f"{name}_to_before": _days_against_before(f"{name}_to_before", *of) for name, of in by_day.items()},
        **{f"{name}_to_before": _days_against_before(f"{name}_to_before", name) for name in levels},
        **{f"{name}_to_peers": _to_peers(f"{name}_to_peers", name) for name in PEER_MEASURES},
        "expected_orders": _expected_orders,
        "roi_to_target": _roi_to_target,
        "roi_to_breakeven": _roi_to_breakeven,
        "days_below_breakeven": _days_below_breakeven,
        "days_live": _days_live,
        "days_since_goal": _days_since("days_since_goal", _changed_goal),
        "days_since_change": _days_since("days_since_change", _changed_anything),
        "spend_to_budget": _spend_to_budget,
        "balance_days": _balance_days,
        "off_air_share": _off_air_share,
        "tired_share": _tired_share,
        **{f"found_{anomaly}": _found(anomaly) for anomaly in Anomaly},
    }


READINGS = _readings()
