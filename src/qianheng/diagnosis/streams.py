"""Streams: what a history counts hour by hour, and how much of it was to be expected by the days before.

A stream is one measure of one part of the shop: events counted against what they come of (clicks of impressions,
orders of clicks), or amounts against their number. Daily reports are streams of one step a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from qianheng.measures.history import About, History, PlanHistory, Subject
from qianheng.measures.reports import Figures
from qianheng.plans.plan import PlanKind

Float: TypeAlias = npt.NDArray[np.float64]
Bool: TypeAlias = npt.NDArray[np.bool_]
Told: TypeAlias = Mapping[Subject, Mapping[Any, Figures]]  # by day or by hour

MEASURES = ("ctr", "cvr", "refund_rate_1h", "unpromoted_orders", "off_hours", "order_value", "cpm")
_LEAST_SD = 0.05  # of the logarithm of an hour's price
_IMPRESSIONS = 100.0  # weigh as much as one event
_FEW_IMPRESSIONS = 20  # have no price
_SINGLE_ORDERS = 50.0  # how many orders of its own outweigh what the shop knows of how orders of a product differ


@dataclass(frozen=True, slots=True)
class Watch:
    """How history is looked at; see `findings.toml`."""

    base_days: int
    least_days: int
    wander: float
    first_days: int
    fresh_days: int
    enough_days: int
    window_days: int
    false_alarms_per_week: float
    least_spread: float
    same_hour: float
    pooled: float
    days_of_scatter: float
    prompt_orders: float
    order_half_life_hours: float
    calm_hours: int
    odd_hour: float
    linger: float
    off_air_spend_at_least: str
    off_air_share_at_least: float


@dataclass(frozen=True, slots=True)
class Clock:
    """The steps of a history: whole days from `first`, each of `steps` hours or of one step."""

    first: date
    days: int
    steps: int

    def place(self, at: date | datetime) -> int:
        """The number of the step that a time falls into."""
        hour = at.hour if isinstance(at, datetime) and self.steps > 1 else 0
        return (_day(at) - self.first).days * self.steps + hour

    def day(self, step: int) -> date:
        """The day of a step."""
        return self.first + timedelta(days=step // self.steps)


@dataclass(frozen=True, slots=True)
class Stream:
    """One measure of several parts, [parts, days, steps]: `counted` of `exposed`, known where `known`. Days are alike
    only within an `era`, [parts, days].
    """

    measure: str
    parts: tuple[Subject, ...]
    counted: Float
    exposed: Float
    known: Bool
    era: Float


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of a stream on one day, by the days before: what was to be expected, [parts, steps], and how much
    more than by chance its days scatter, [parts]. `spread`: relative variance of one amount; of prices, that of the
    logarithm of an hour's times its impressions.
    """

    expected: Float
    scatter: Float
    spread: Float


def clock_of(history: History, watch: Watch) -> Clock | None:
    """Hours if the history has them of days enough, else days; `None` if it has neither."""
    for told, steps in ((history.hours, 24), (history.days, 1)):
        days = {_day(at) for by_time in told.values() for at in by_time}
        if len(days) > watch.least_days + watch.fresh_days or (days and steps == 1):
            return Clock(min(days), (history.today - min(days)).days + 1, steps)
    return None


def _day(at: date) -> date:
    return at.date() if isinstance(at, datetime) else at


def _told(history: History, clock: Clock) -> Told:
    return history.hours if clock.steps > 1 else history.days


def streams_of(history: History, clock: Clock, watch: Watch) -> list[Stream]:
    """All that a history lets be counted."""
    told = _told(history, clock)
    products, creatives = _parts(told, About.PRODUCT), _parts(told, About.CREATIVE)
    plans = [one for one in told if one.about is About.PLAN]
    whole = [one for one in told if one.about is About.PRODUCT and not one.within]
    read = _Reader(told, clock, history.now)
    orders, clicks = read(products or plans, _orders), read(products or plans, _of("clicks"))
    lagged = np.where(np.isnan(clicks), np.nan, _lagged(clicks, clock, watch))
    sold, gmv = read(products, _of("orders")), read(products, _of("gmv"))
    back = read(products, _of("refunded_1h"), timedelta(hours=1, minutes=10))
    with np.errstate(divide="ignore", invalid="ignore"):
        refunded = np.where(gmv > 0, sold * back / gmv, np.where(np.isnan(back), np.nan, 0.0))
    spend, shown = read(plans, _of("spend")), read(plans, _of("impressions"))
    unsettled, eras = _own_doing(history, clock, plans, watch)
    calm = np.where(unsettled, np.nan, spend)
    found = [
        _stream("ctr", creatives, read(creatives, _of("clicks")), read(creatives, _of("impressions"))),
        _stream("cvr", products or plans, orders, lagged),
        _stream("refund_rate_1h", products, refunded, sold),
        _stream("order_value", products, gmv, sold),
        replace(_stream("cpm", plans, calm, shown), era=eras),
        _stream("unpromoted_orders", whole, unasked := read(whole, _of("unpromoted_orders")), np.ones_like(unasked)),
    ]
    if clock.steps > 1:
        live = [one for one in plans if _is_live(history.plans.get(one.id))]
        found.append(_stream("off_hours", live, read(live, _orders), read(live, _of("clicks"))))
    return [stream for stream in found if len(stream.parts) and stream.known.any()]


def usual(stream: Stream, day: int, allowed: Bool, watch: Watch) -> Usual | None:
    """What is usual on a day by those before the fresh ones, of those `allowed`, [parts, days]; `None`: too few."""
    last = min(day - watch.fresh_days, max(day - watch.window_days, watch.first_days + watch.enough_days))
    base = slice(max(last - watch.base_days, 0), max(last, 0))
    if last < watch.least_days:
        return None
    alike = allowed[:, base] & (stream.era[:, base] == stream.era[:, day, None])
    alike &= _seasoned(stream.exposed[:, :last].sum(axis=2) > 0, watch)[:, base]
    known = stream.known[:, base] & alike[:, :, None]
    counted, exposed = (np.where(known, of[:, base], 0.0) for of in (stream.counted, stream.exposed))
    days = (exposed.sum(axis=2) > 0).sum(axis=1)
    make = {"order_value": _amounts, "cpm": _prices, "off_hours": _odd}.get(stream.measure, _events)
    found = make(counted, exposed, _now(stream, day), watch)
    return Usual(np.where(days[:, None] >= watch.least_days, found.expected, np.nan), found.scatter, found.spread)


def _seasoned(there: Bool, watch: Watch) -> Bool:
    """Of the days on which a part was there, all but its first, if enough are left, [parts, days]."""
    later = there & (there.cumsum(axis=1) > watch.first_days)
    enough = later.sum(axis=1, keepdims=True) >= watch.least_days
    seasoned: Bool = np.where(enough, later, there)
    return seasoned


def _now(stream: Stream, day: int) -> Float:
    return np.where(stream.known[:, day], stream.exposed[:, day], 0.0)


def _events(counted: Float, exposed: Float, now: Float, watch: Watch) -> Usual:
    """Events come by a rate: the part's own, drawn a little to the shop's, by the hour of the day."""
    rate = _rates(counted, exposed, watch)
    by_hour = _by_hour(counted, rate[:, None] * exposed.sum(axis=1), watch)
    expected = rate[:, None] * by_hour * now
    return Usual(expected, _scatter(counted, exposed, rate, watch), np.zeros(len(rate)))


def _odd(counted: Float, exposed: Float, now: Float, watch: Watch) -> Usual:
    """Events at hours at which there was hardly ever anything before; nothing is expected at the others."""
    rate = _rates(counted, exposed, watch)
    days = np.maximum((exposed.sum(axis=2) > 0).sum(axis=1), 1)
    odd = (exposed > 0.05 * exposed.max(axis=(1, 2), keepdims=True)).sum(axis=1) <= 0.1 * days[:, None]
    expected = np.where(odd, rate[:, None] * now, 0.0)
    return Usual(expected, _scatter(counted, exposed, rate, watch), np.zeros(len(rate)))


def _amounts(counted: Float, exposed: Float, now: Float, watch: Watch) -> Usual:
    """Amounts have a mean and a relative variance of one of them."""
    total, number = counted.sum(axis=(1, 2)), exposed.sum(axis=(1, 2))
    mean = total / np.maximum(number, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.nan_to_num(np.where(exposed > 0, counted**2 / exposed, 0.0).sum(axis=(1, 2)) / mean**2)
    groups = np.maximum((exposed > 0).sum(axis=(1, 2)) - 1, 0)
    differ = np.where(groups > 0, squares - number, 0.0)
    shop = max(differ.sum() / max(groups.sum(), 1), watch.least_spread)
    spread = np.maximum((differ + shop * _SINGLE_ORDERS) / (groups + _SINGLE_ORDERS), watch.least_spread)
    few = (number < watch.least_days) | (mean <= 0)
    return Usual(np.where(few[:, None], np.nan, mean[:, None] * now), np.ones(len(mean)), spread)


def _prices(counted: Float, exposed: Float, now: Float, watch: Watch) -> Usual:
    """Prices differ by the hour of the day, and scatter by the hour and by the day."""
    total, number = counted.sum(axis=1), exposed.sum(axis=1)
    mean = total.sum(axis=1) / np.maximum(number.sum(axis=1), 1.0)
    at_mean = counted / np.maximum(mean, 1.0)[:, None, None]
    by_hour = _by_hour(at_mean / _IMPRESSIONS, number / _IMPRESSIONS, watch)
    usually = mean[:, None] * by_hour
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.where(exposed >= _FEW_IMPRESSIONS, np.log(counted / (exposed * usually[:, None])), np.nan)
    off[~np.isfinite(off)] = np.nan
    weight = np.where(np.isfinite(off), exposed, 0.0)  # an hour's price is known by its impressions
    off = np.nan_to_num(off)
    hours, of_day = np.maximum((weight > 0).sum(axis=(1, 2)), 1), weight.sum(axis=2)
    least = _LEAST_SD**2 * weight.sum(axis=(1, 2)) / hours
    spread = np.maximum((weight * off**2).sum(axis=(1, 2)) / hours, least)
    daily = (weight * off).sum(axis=2) ** 2 / np.maximum(of_day, 1.0)
    between = daily.sum(axis=1) / np.maximum((of_day > 0).sum(axis=1), 1)
    scatter = np.maximum(between / np.maximum(spread, 1e-9), 1.0)
    return Usual(np.where(now >= _FEW_IMPRESSIONS, usually * now, np.nan), scatter, spread)


def _rates(counted: Float, exposed: Float, watch: Watch) -> Float:
    events, chances = counted.sum(axis=(1, 2)), exposed.sum(axis=(1, 2))
    shop = events.sum() / max(chances.sum(), 1e-9)
    weight = watch.pooled / max(shop, 1e-9)
    rates: Float = (events + watch.pooled) / (chances + weight)
    return rates


def _by_hour(counted: Float, expected: Float, watch: Watch) -> Float:
    """[parts, steps] how much more happens at each hour of the day than all hours together would say."""
    factor: Float = (counted.sum(axis=1) + watch.same_hour) / (expected + watch.same_hour)
    return factor


def _scatter(counted: Float, exposed: Float, rate: Float, watch: Watch) -> Float:
    """How much more days differ than by chance alone."""
    of_day, chances = counted.sum(axis=2), exposed.sum(axis=2)
    usual_of_day = rate[:, None] * chances
    there = usual_of_day > 0
    squares = np.where(there, (of_day - usual_of_day) ** 2 / np.maximum(usual_of_day, 1e-9), 0.0).sum(axis=1)
    free = np.maximum(there.sum(axis=1) - 1, 0)
    between = (squares + watch.days_of_scatter) / (free + watch.days_of_scatter)
    scatter: Float = np.maximum(between, 1.0)
    return scatter


class _Reader:
    """Reads figures of parts into arrays [parts, days, steps]; what is unknown or not over is NaN."""

    def __init__(self, told: Told, clock: Clock, now: datetime) -> None:
        self._told, self._clock, self._now = told, clock, now

    def __call__(
        self, parts: Sequence[Subject], value: Callable[[Figures], int | None], late: timedelta = timedelta(minutes=5)
    ) -> Float:
        clock = self._clock
        over = clock.place(self._now - late if clock.steps > 1 else self._now)  # a day that is told is told whole
        found = np.full((len(parts), clock.days * clock.steps), np.nan)
        for row, part in enumerate(parts):
            for at, figures in self._told[part].items():
                step, number = clock.place(at), value(figures)
                if step < over and number is not None:
                    found[row, step] = number
        return found.reshape(len(parts), clock.days, clock.steps)


def _stream(measure: str, parts: Sequence[Subject], counted: Float, exposed: Float) -> Stream:
    known = np.isfinite(counted) & np.isfinite(exposed)
    counted, exposed = (np.where(known, of, 0.0) for of in (counted, exposed))
    return Stream(measure, tuple(parts), counted, exposed, known, np.zeros(known.shape[:2]))


def _parts(told: Iterable[Subject], about: About) -> list[Subject]:
    """The parts of a kind within plans; those of all plans together if they are not told by plan."""
    parts = [one for one in told if one.about is about]
    return [one for one in parts if one.within] or parts


def _of(name: str) -> Callable[[Figures], int | None]:
    return lambda figures: getattr(figures, name)


def _orders(figures: Figures) -> int | None:
    return figures.orders if figures.promoted_orders is None else figures.promoted_orders


def _is_live(plan: PlanHistory | None) -> bool:
    return plan is not None and plan.kind is PlanKind.LIVE


def _lagged(clicks: Float, clock: Clock, watch: Watch) -> Float:
    """Clicks as their orders come: a share at once, the others over the following hours."""
    if clock.steps == 1:
        return clicks
    flat = np.nan_to_num(clicks).reshape(len(clicks), -1)
    kept, later = 0.5 ** (1 / watch.order_half_life_hours), np.zeros(len(clicks))
    found = np.empty_like(flat)
    for step in range(flat.shape[1]):
        later = later * kept
        found[:, step] = watch.prompt_orders * flat[:, step] + (1 - watch.prompt_orders) * (1 - kept) * later
        later = later + flat[:, step]
    return found.reshape(clicks.shape)


def _own_doing(history: History, clock: Clock, plans: Sequence[Subject], watch: Watch) -> tuple[Bool, Float]:
    """Where a plan's prices are its own doing, after a change of it and while a boost runs, [plans, days, steps]; and
    how often it has been changed by each day, [plans, days].
    """
    found = np.zeros((len(plans), clock.days * clock.steps), bool)
    changed = np.zeros((len(plans), clock.days))
    steps = max(watch.calm_hours * clock.steps // 24, 1)
    told = _told(history, clock)
    for row, plan in enumerate(plans):
        for start in map(clock.place, _changes(history.plans.get(plan.id))):
            found[row, max(start, 0) : max(start + steps, 0)] = True
            changed[row, max(start // clock.steps, 0) :] += 1
        boosted = [clock.place(at) for at, figures in told[plan].items() if figures.boosted_spend]
        found[row, boosted] = True
    return found.reshape(len(plans), clock.days, clock.steps), changed


def _changes(plan: PlanHistory | None) -> list[datetime]:
    """When a plan was changed; saving the same again is no change."""
    settings = () if plan is None else plan.settings
    return [one.at for before, one in pairwise(settings) if replace(one, at=before.at) != before]
