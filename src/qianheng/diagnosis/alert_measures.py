"""The measures that alert rules name: each reads one figure off what is known of a subject, or `None` if it is unknown.

A reading says how many events it rests on, so that a rule never fires on what chance alone may have done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Protocol

from qianheng.core.days import is_working_day
from qianheng.core.money import YUAN, Micros, ratio
from qianheng.diagnosis.chance import mean_between, robust
from qianheng.measures.history import About, Setting
from qianheng.measures.windows import Watched
from qianheng.plans.plan import Goal

FINDING = "finding"  # how likely a finding is: told by a look at the whole past, read off no window
HOUR_LAG = 60  # minutes: an order is reported, and has had its hour to be refunded
DAYS_TO_COMPARE = 3  # earlier days, at least
DECAY_DAYS, BEFORE_DECAY = 3, 7
MEAN_OVER = 7


class Look(Protocol):
    """What is known of one subject at one moment. `orders` in it are those that count for its plan."""

    @property
    def sums(self) -> Watched:
        """In the rule's window."""

    @property
    def base(self) -> Sequence[Watched]:
        """In the same hours of earlier days that are like today, the latest first."""

    def days(self, count: int) -> Sequence[Watched]:
        """Of the last whole days, the latest first."""

    @property
    def setting(self) -> Setting | None:
        """What its plan is set to."""

    @property
    def changed_days_ago(self) -> int | None:
        """How many whole days the plan's target, goal and budget have stood; `None`: not known."""

    @property
    def target_changes_today(self) -> int | None:
        """How often its target or goal was changed today."""

    @property
    def serving(self) -> bool | None:
        """Whether its plan could spend all through the window: active, in its hours, on the air, with money left."""

    @property
    def balance(self) -> Micros | None:
        """What the shop may still spend."""

    @property
    def margin(self) -> Fraction | None:
        """The shop's contribution before spend over GMV."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure, over / under, and what it rests on: `events` of which `at_one` were to be expected at a value of one.

    `loose`: how much more than so many events alone would the figure swings (a variance, 1: no more). Without `events`
    nothing in it is chance.
    """

    over: int
    under: int
    events: float | None = None
    at_one: float = 0.0
    loose: float = 1.0

    @property
    def value(self) -> Fraction:
        """The figure itself."""
        return Fraction(self.over, self.under)

    def between(self, wide: float) -> tuple[float, float]:
        """Between what the figure lies if chance is taken out, `wide` standard deviations either way."""
        if self.events is None or self.at_one <= 0:
            return (float(self.value),) * 2
        low, high = mean_between(self.events / self.loose, wide)
        return low * self.loose / self.at_one, high * self.loose / self.at_one


Reader = Callable[[Look, float], Reading | None]
"""Reads a figure; the second argument is the variance of order values, relative to their mean squared."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A named figure: how it is read, of what, how many minutes late, and whether it moves without any new fact."""

    read: Reader
    about: tuple[About, ...]
    lag: int = 0
    moves_by_itself: bool = False
    unit: str = "ratio"


def net_roi_to_target(look: Look, spread: float) -> Reading | None:
    """Does the net ROI hold its target? Net GMV over spend, over the target; of plans that bid to net ROI."""
    return _roi_to_target(look, spread, Goal.NET)


def payment_roi_to_target(look: Look, spread: float) -> Reading | None:
    """Does the payment ROI hold its target? Of plans that bid to payment ROI."""
    return _roi_to_target(look, spread, Goal.PAYMENT)


def net_roi_to_breakeven(look: Look, spread: float) -> Reading | None:
    """Does a yuan spent come back? Net GMV times the margin before spend, over spend."""
    sums, margin = look.sums, look.margin
    net = _net_gmv(sums)
    if margin is None or not margin or not sums.spend or net is None:
        return None
    return _of_orders(net * margin.numerator, sums.spend * margin.denominator, look, spread)


def refund_rate_1h(look: Look, spread: float) -> Reading | None:
    """How much of what was sold is refunded within the hour?"""
    sums = look.sums
    if not sums.gmv or sums.refunded_1h is None or sums.orders is None:
        return None
    events = sums.orders * sums.refunded_1h / sums.gmv
    return Reading(sums.refunded_1h, sums.gmv, events, sums.orders, 1 + spread)


def spend_to_budget(look: Look, _: float) -> Reading | None:
    """Is the budget spent? Spend over the budget of whole days."""
    days = [day.spend for day in look.days(1)]
    if not look.setting or not look.setting.budget_daily or not days or days[0] is None:
        return None
    return Reading(days[0], look.setting.budget_daily)


def spend_without_orders(look: Look, spread: float) -> Reading | None:
    """Money goes out and nothing comes in: the orders that this spend usually brings, while there is none."""
    sums = look.sums
    before = _together(look.days(MEAN_OVER))
    if not sums.spend or sums.orders is None or not before.spend or not before.orders:
        return None
    expected = Fraction(sums.spend * before.orders, before.spend) if not sums.orders else Fraction(0)
    return Reading(expected.numerator, expected.denominator)


def clicks_without_orders(look: Look, spread: float) -> Reading | None:
    """People click and nobody buys: the orders that so many clicks usually bring, while there is none."""
    sums, before = look.sums, _together(look.days(MEAN_OVER))
    now, usual = _bought(sums), _bought(before)
    if sums.clicks is None or now is None or not before.clicks or not usual:
        return None
    expected = Fraction(sums.clicks * usual, before.clicks) if not now else Fraction(0)
    return Reading(expected.numerator, expected.denominator)


def silent_impressions(look: Look, _: float) -> Reading | None:
    """Is it shown no more? The impressions usual at this hour, while there is none and the plan could spend."""
    if look.sums.impressions:
        return Reading(0, 1)
    if look.sums.impressions is None or not look.serving or len(look.base) < DAYS_TO_COMPARE:
        return None
    usual, _far = robust([day.impressions or 0 for day in look.base])
    return Reading(round(usual), 1)


def ctr_to_same_hour(look: Look, _: float) -> Reading | None:
    """Do fewer people click than at this hour of other days?"""
    return _rate_to_base(look, lambda day: (day.clicks, day.impressions))


def cvr_to_same_hour(look: Look, _: float) -> Reading | None:
    """Do fewer clicks end in an order than at this hour of other days?"""
    return _rate_to_base(look, lambda day: (_bought(day), day.clicks))


def gmv_to_same_hour(look: Look, spread: float) -> Reading | None:
    """Is less sold than at this hour of other days, though the plan could spend?"""
    if look.serving is False:
        return None
    return _volume_to_base(look, lambda day: (day.gmv, day.orders), spread)


def spend_to_same_hour(look: Look, _: float) -> Reading | None:
    """Is more or less spent than at this hour of other days, though the plan could spend?"""
    if look.serving is False:
        return None
    return _volume_to_base(look, lambda day: (day.spend, day.impressions), 0.0)


def cpm_to_same_hour(look: Look, _: float) -> Reading | None:
    """Have impressions become dearer or cheaper than at this hour of other days?"""
    return _mean_to_base(look, lambda day: (day.spend, day.impressions), 1.0)


def order_value_to_same_hour(look: Look, spread: float) -> Reading | None:
    """Has an order become worth more or less than at this hour of other days: is a price wrong?"""
    return _mean_to_base(look, lambda day: (day.gmv, day.orders), spread)


def off_air_spend(look: Look, _: float) -> Reading | None:
    """How many yuan did a live plan spend while its room was off the air?"""
    spent = look.sums.off_air_spend
    return None if spent is None else Reading(spent, YUAN)


def balance_days(look: Look, _: float) -> Reading | None:
    """For how many days of mean spend will the balance last? (SPEC 4.5)"""
    days = look.days(MEAN_OVER)
    spent = sum(day.spend or 0 for day in days)
    if look.balance is None or not spent:
        return None
    return Reading(look.balance * len(days), spent)


def decay(look: Look, spread: float) -> Reading | None:
    """Has the plan worn out? GMV a day of the last three days over that of the seven before, where spend fell too and
    target, goal and budget stood all the while (SPEC 7.5).
    """
    days = look.days(DECAY_DAYS + BEFORE_DECAY)
    if len(days) < DECAY_DAYS + BEFORE_DECAY or (look.changed_days_ago or 0) < len(days):
        return None
    late, early = _together(days[:DECAY_DAYS]), _together(days[DECAY_DAYS:])
    if not early.gmv or not early.orders or late.gmv is None or late.orders is None:
        return None
    fell = (late.spend or 0) * BEFORE_DECAY < (early.spend or 0) * DECAY_DAYS
    if not fell:
        return Reading(1, 1)
    at_one = early.orders * DECAY_DAYS / BEFORE_DECAY
    loose = (1 + spread) * (1 + at_one / early.orders)
    return Reading(late.gmv * BEFORE_DECAY, early.gmv * DECAY_DAYS, late.orders, at_one, loose)


def target_changes_today(look: Look, _: float) -> Reading | None:
    """How often was the target changed today: would one change more cost the guarantee? (SPEC 5.1)"""
    changes = look.target_changes_today
    return None if changes is None else Reading(changes, 1)


_ANY = (About.SHOP, About.PLAN, About.PRODUCT, About.CREATIVE)
_MONEY = (About.SHOP, About.PLAN, About.PRODUCT)
_PLAN = (About.PLAN,)
MEASURES: dict[str, Measure] = {
    "net_roi_to_target": Measure(net_roi_to_target, _PLAN, HOUR_LAG),
    "payment_roi_to_target": Measure(payment_roi_to_target, _PLAN, HOUR_LAG),
    "net_roi_to_breakeven": Measure(net_roi_to_breakeven, (About.SHOP, About.PLAN), HOUR_LAG),
    "refund_rate_1h": Measure(refund_rate_1h, _MONEY, HOUR_LAG, unit="share"),
    "spend_to_budget": Measure(spend_to_budget, _PLAN),
    "spend_without_orders": Measure(spend_without_orders, _MONEY, HOUR_LAG, unit="count"),
    "clicks_without_orders": Measure(clicks_without_orders, _MONEY, HOUR_LAG, unit="count"),
    "silent_impressions": Measure(silent_impressions, _PLAN, moves_by_itself=True, unit="count"),
    "ctr_to_same_hour": Measure(ctr_to_same_hour, _ANY),
    "cvr_to_same_hour": Measure(cvr_to_same_hour, _MONEY, HOUR_LAG),
    "gmv_to_same_hour": Measure(gmv_to_same_hour, (About.SHOP, About.PLAN), HOUR_LAG),
    "spend_to_same_hour": Measure(spend_to_same_hour, (About.SHOP, About.PLAN)),
    "cpm_to_same_hour": Measure(cpm_to_same_hour, _MONEY),
    "order_value_to_same_hour": Measure(order_value_to_same_hour, _MONEY, HOUR_LAG),
    "off_air_spend": Measure(off_air_spend, _PLAN, unit="yuan"),
    "balance_days": Measure(balance_days, (About.SHOP,), unit="days"),
    "decay": Measure(decay, _PLAN),
    "target_changes_today": Measure(target_changes_today, _PLAN, moves_by_itself=True, unit="count"),
}
"""Every measure that a rule may name."""


def _roi_to_target(look: Look, spread: float, goal: Goal) -> Reading | None:
    setting, sums = look.setting, look.sums
    won = _net_gmv(sums) if goal is Goal.NET else sums.gmv
    if setting is None or setting.goal is not goal or setting.target is None or not sums.spend or won is None:
        return None
    over, under = setting.target.as_integer_ratio()
    return _of_orders(won * under, sums.spend * over, look, spread)


def _of_orders(over: int, under: int, look: Look, spread: float) -> Reading | None:
    """A ratio whose upper part was made by orders: as loose as their number and their values leave it."""
    orders = look.sums.orders
    if orders is None:
        return None
    if over > 0 and orders:
        return Reading(over, under, orders, orders * under / over, 1 + spread)
    usual = _together(look.days(MEAN_OVER))
    expected = (look.sums.spend or 0) * usual.orders / usual.spend if usual.orders and usual.spend else 0.0
    return Reading(over, under, 0.0, expected, 1 + spread) if expected else None


Pair = tuple[int | None, int | None]


def _rate_to_base(look: Look, parts: Callable[[Watched], Pair]) -> Reading | None:
    """A rate of counted events over that of earlier days; as loose as its own events and the days' differences."""
    events, chances = parts(look.sums)
    pairs = [(over, under) for over, under in map(parts, look.base) if over is not None and under]
    if events is None or not chances or len(pairs) < DAYS_TO_COMPARE:
        return None
    over, under = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    if not over:
        return None
    at_one = chances * over / under
    between_days = _beyond_chance([(have, of * over / under) for have, of in pairs])
    return Reading(events * under, chances * over, events, at_one, 1 + at_one * (1 / over + between_days))


def _volume_to_base(look: Look, parts: Callable[[Watched], Pair], spread: float) -> Reading | None:
    """An amount over the median of earlier days'."""
    amount, events = parts(look.sums)
    pairs = [(over, count) for over, count in map(parts, look.base) if over is not None and count is not None]
    if amount is None or events is None or len(pairs) < DAYS_TO_COMPARE:
        return None
    usual, far = robust([float(over) for over, _ in pairs])
    at_one, _ = robust([float(count) for _, count in pairs])
    if usual < 1 or at_one <= 0:
        return None
    return Reading(amount, round(usual), events, at_one, 1 + spread + at_one * far**2)


def _mean_to_base(look: Look, parts: Callable[[Watched], Pair], spread: float) -> Reading | None:
    """An amount an event over the median of that on earlier days."""
    amount, events = parts(look.sums)
    means = [over / count for over, count in map(parts, look.base) if over is not None and count]
    if not amount or not events or len(means) < DAYS_TO_COMPARE:
        return None
    usual, far = robust(means)
    if usual < 1:
        return None
    at_one = events * events * usual / amount
    return Reading(amount, events * round(usual), events, at_one, max(spread, 0.01) + events * far**2)


def _beyond_chance(days: Sequence[tuple[int, float]]) -> float:
    """The variance between days, relative to their mean squared, that counting alone does not explain."""
    told = [(have / expected - 1) ** 2 - 1 / expected for have, expected in days if expected > 0]
    return max(sum(told) / len(told), 0.0) if told else 0.0


def _net_gmv(sums: Watched) -> int | None:
    return None if sums.gmv is None or sums.refunded_1h is None else sums.gmv - sums.refunded_1h


def _bought(sums: Watched) -> int | None:
    """The orders that clicks brought, as far as they are told apart."""
    return sums.orders if sums.promoted_orders is None else sums.promoted_orders


def _together(days: Sequence[Watched]) -> Watched:
    """The sums of some days; `None` where some day does not know."""
    columns = zip(*days, strict=True)
    return Watched(*(None if None in column else sum(column) for column in columns)) if days else Watched()


def hours_left(balance: Micros, spent_last_hour: Micros) -> Fraction | None:
    """How many hours a balance lasts at the pace of the last hour; `None` where nothing is spent."""
    return ratio(max(balance, 0), spent_last_hour)


@lru_cache(maxsize=1024)
def like_today(today: date, known: int) -> tuple[int, ...]:
    """Which of the days before (1: yesterday) are most like today: those of the same weekday if there are enough, else
    the working days or the free ones as today is, else all `known` of them.
    """
    backs = tuple(range(1, known + 1))
    weekday = tuple(back for back in backs if back % 7 == 0)
    alike = tuple(back for back in backs if is_working_day(today - timedelta(days=back)) == is_working_day(today))
    return next((some for some in (weekday, alike) if len(some) >= DAYS_TO_COMPARE), backs)
