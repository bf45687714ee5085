"""The landscape of a plan and how its days missed it: of a run, from what was kept each evening; of reports, fitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from qianheng.actions.desk import Desk
from qianheng.actions.responses import response_of
from qianheng.core.days import midnight
from qianheng.core.errors import Refused
from qianheng.core.plain import Json
from qianheng.core.words import say
from qianheng.measures.history import History, PlanHistory, Setting
from qianheng.measures.reports import Figures, add
from qianheng.plans.plan import PlanStatus
from qianheng.store import runs
from qianheng.store.database import reading
from qianheng.strategy.landscape import Landscape, Market, Response, Shares
from qianheng.strategy.reported import FEWEST_DAYS, ReportedDay, reported
from qianheng.strategy.spread import Day, Evening, Miss, Usual, spread_of

DAYS = {"run": 28, "reports": 90}  # that tell of a plan; reports of days apart tell a response too
RATES = 30  # days of refund rates (SPEC 3.3)
TRUST = 30.0  # orders that a predicted share is worth beside the measured one
ONE_DAY = timedelta(days=1)


class Past(NamedTuple):
    """A plan in a history, and the setting whose goal and bid mode are asked about."""

    history: History
    plan: PlanHistory
    setting: Setting

    @property
    def days(self) -> Mapping[date, Figures]:
        """The plan's whole days that tell of its spread."""
        return self.history.each(self.plan.subject, *self.history.back(DAYS[self.history.source]))


class Lived(NamedTuple):
    """A day that a plan lived under one setting (`None`: not known), and what it came to through promotion."""

    day: date
    setting: Setting | None
    came: Day


@dataclass(frozen=True, slots=True)
class Told:
    """What each evening of a run told of a plan's next day, by that evening's day."""

    by_day: Mapping[date, Json]

    @property
    def last(self) -> Json | None:
        """The newest."""
        return self.by_day[max(self.by_day)] if self.by_day else None


def told_of(desk: Desk, plan_id: str) -> Told:
    """What the evenings before the desk's time told of a plan."""
    return told_of_all(desk).get(plan_id, Told({}))


def told_of_all(desk: Desk) -> dict[str, Told]:
    """What they told of every plan that had learned of its market, by its id."""
    with reading(desk.database) as connection:
        (run_id, *_) = runs.begun(connection)
        found = runs.told(connection, run_id)
    by_plan: dict[str, dict[date, Json]] = {}
    for day, told in found.items():
        for plan_id, one in told.get("responses", {}).items() if day < desk.now.date() else ():
            by_plan.setdefault(plan_id, {})[day] = one
    return {plan_id: Told(by_day) for plan_id, by_day in by_plan.items()}


def landscape_of_run(past: Past, told: Told, usually: Usual) -> Landscape:
    """A plan's landscape as its engine saw it last, and how its days so far missed what was told of them.

    Nothing was told of it yet: Refused.
    """
    if told.last is None:
        raise Refused("whatif.nothing_known", place=past.plan.subject.name)
    lived, market = list(_lived(past)), market_of(past, told.last)
    missed = [_miss(one, told.by_day[one.day - ONE_DAY]) for one in lived if one.day - ONE_DAY in told.by_day]
    evenings = _evenings(past, told, lived[-1].came.spend) if lived else []
    return Landscape(market, spread_of(missed, evenings, market.response, usually), _seen(lived, market))


def market_of(past: Past, told: Json) -> Market:
    """A plan's market as its engine told of it, with what was measured of orders and of what is left of GMV."""
    response, predicted = response_of(told)
    response = replace(response, order_value=_order_value(list(_lived(past)), response.order_value))
    return Market(response, _shares(past, predicted), past.setting.goal, past.setting.bid_mode)


def landscape_of_reports(past: Past, usually: Usual) -> Landscape | None:
    """A plan's landscape by the days that reports tell of; `None` where these tell too little (see `lacking`)."""
    value = _order_value_told(past)
    if value is None:
        return None
    response, setting = Response.of((), (), value), past.setting
    market = Market(response, _shares(past, Shares()), setting.goal, setting.bid_mode)
    return reported(_reported_days(past), market, usually)


def lacking(past: Past) -> list[str]:
    """What the reports of a plan lack to tell of its response, in words."""
    sold = sum(day.sold for day in _reported_days(past))
    orders = [] if _order_value_told(past) is not None else [say("whatif.input.orders")]
    return orders + ([say("whatif.input.days", fewest=FEWEST_DAYS, days=sold)] if sold < FEWEST_DAYS else [])


def _order_value_told(past: Past) -> float | None:
    """The GMV of an order, or of a net order where only those are told."""
    whole = add(past.days.values())
    for gmv, orders in ((whole.gmv, whole.orders), (whole.net_gmv, whole.net_orders)):
        if gmv and orders:
            return gmv / orders
    return None


def _reported_days(past: Past) -> list[ReportedDay]:
    return [_reported(one) for one in _lived(past)]


def _lived(past: Past) -> Iterator[Lived]:
    """The days on which a plan served and was set to one thing from beginning to end, oldest first."""
    for day, figures in sorted(past.days.items()):
        start = midnight(day, past.history.timezone)
        setting = past.plan.set_at(start)
        same = setting == past.plan.set_at(midnight(day + ONE_DAY, past.history.timezone) - timedelta(seconds=1))
        known = figures.promoted_gmv is not None
        gmv, orders = (figures.promoted_gmv, figures.promoted_orders) if known else (figures.gmv, figures.orders)
        active = setting is None or setting.status is PlanStatus.ACTIVE
        if same and active and figures.spend and gmv is not None:
            yield Lived(day, setting, Day(float(figures.spend), float(gmv), orders))


def _miss(lived: Lived, told: Json) -> Miss:
    response, shares = response_of(told)
    setting = lived.setting
    assert setting is not None  # a run knows what its plans were set to
    market = Market(response, shares, setting.goal, setting.bid_mode)
    return Miss.of(market, _asked(setting), lived.came)


def _evenings(past: Past, told: Told, spend: float) -> list[Evening]:
    """What was expected of the plan, as it is set now, on the evenings that are known."""
    target, found = _asked(past.setting)[0], list[Evening]()
    for day in sorted(told.by_day)[-DAYS[past.history.source] :]:
        response, shares = response_of(told.by_day[day])
        found.append(Evening.of(Market(response, shares, past.setting.goal, past.setting.bid_mode), target, spend))
    return found


def _reported(lived: Lived) -> ReportedDay:
    return ReportedDay(lived.came, *(_asked(lived.setting) if lived.setting else (None, None)))


def _asked(setting: Setting) -> tuple[float | None, float | None]:
    target = None if setting.target is None else float(setting.target)
    return target, None if setting.budget_daily is None else float(setting.budget_daily)


def _order_value(lived: Sequence[Lived], predicted: float) -> float:
    """The GMV of an order as measured, beside what is predicted while orders are few."""
    known = [one.came for one in lived if one.came.orders]
    orders, gmv = sum(one.orders or 0 for one in known), sum(one.gmv for one in known)
    return (TRUST * predicted + gmv) / (TRUST + orders)


def _seen(lived: Sequence[Lived], market: Market) -> tuple[float, float]:
    """The least and the most that days have spent; before there are any, around the middle of the landscape."""
    spent = [one.came.spend for one in lived] or [float(market.response.spend[-1]) / 4]
    return min(spent), max(spent)


def _shares(past: Past, predicted: Shares) -> Shares:
    """What is left of GMV as measured in thirty days, beside what is predicted while orders are few."""
    net, settled = (
        _kept(past, name, one) for name, one in (("net_gmv", predicted.net), ("settled_gmv_7d", predicted.settled))
    )
    margin = past.history.shop.margin
    contribution = _kept(past, "contribution", predicted.contribution)
    if contribution is None and margin is not None and settled is not None:
        contribution = float(margin) * settled
    return Shares(net, settled, predicted.extras, contribution)


def _kept(past: Past, name: str, predicted: float | None) -> float | None:
    """One share of GMV, over the days that know it."""
    days = past.history.each(past.plan.subject, *past.history.back(RATES)).values()
    known = [one for one in days if getattr(one, name) is not None and one.gmv]
    orders, gmv = sum(one.orders or 0 for one in known), sum(one.gmv or 0 for one in known)
    if not gmv:
        return predicted
    measured: float = sum(getattr(one, name) for one in known) / gmv
    return measured if predicted is None else (TRUST * predicted + orders * measured) / (TRUST + orders)
