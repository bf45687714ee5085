"""The audit of a plan's day from what other platforms report: what was due, or between which bounds it certainly lies.

Orders decide where they add up to the plan's own row; without them the row does, and bounds say what it cannot tell
(SPEC 5, 13.2). The verdict is always `judge`'s: compensation only falls as the expected spend rises, so the two ends of
what is possible bound it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import groupby

from qianheng.core.days import REFUND_WINDOW_1H
from qianheng.core.money import Micros
from qianheng.guarantee.case import Case, Charge, Event, Log, Order, PlanEvent, Target, Unit
from qianheng.guarantee.figures import Figures, Period, figures, refunded
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.targets import in_force, known_targets
from qianheng.guarantee.verdict import Verdict, judge
from qianheng.measures.reports import Figures as Told
from qianheng.plans.entries import LogEntry, LogField
from qianheng.plans.plan import BidMode, Goal, PlanStatus

_EVENTS = {PlanStatus.PAUSED: Event.PAUSE, PlanStatus.ACTIVE: Event.RESUME, PlanStatus.DELETED: Event.DELETE}


@dataclass(frozen=True, slots=True)
class State:
    """To what a plan is set."""

    goal: Goal | None = None
    target: Fraction | None = None
    bid_mode: BidMode = BidMode.TARGET_ROI
    status: PlanStatus = PlanStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class Settings:
    """What was done to a plan, as its guarantee asks: targets and events, the bid modes since their times, and whether
    a change log tells it (`logged`) or only its owner."""

    log: Log
    modes: tuple[tuple[int, BidMode], ...]
    logged: bool

    def bid_mode(self, window: tuple[int, int]) -> BidMode:
        """How the plan bid in a window: under maximum delivery if it ever did in it."""
        begun = [mode for at, mode in self.modes if at <= window[0]][-1:]
        inside = [mode for at, mode in self.modes if window[0] < at < window[1]]
        return BidMode.MAX_DELIVERY if BidMode.MAX_DELIVERY in (*begun, *inside) else BidMode.TARGET_ROI


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a plan's day: its row of a report, its orders with their refunds as far as files tell them
    (`None`: no file), whether after-sales, the boost of every order and what boosts spent are known (without a split
    that an export would have, boosts spent nothing), what was done to it.
    """

    row: Told | None
    settings: Settings
    orders: tuple[Order, ...] | None = None
    refunds_known: bool = False
    boosts_known: bool = False
    boost_spend_known: bool = True
    abnormal_known: bool = False
    logged_that_day: bool = False


@dataclass(frozen=True, slots=True)
class Audited:
    """What was due for a unit: exactly where `least` is `most`; both `None` where nothing bounds it.

    `verdict` is that of the upper end. `missing` names every input that would make it certain, `assumed` what is taken
    as the platform says nothing of it, `rests_on` what told the GMV: "orders" or "plan_row".
    """

    unit: Unit
    least: Micros | None
    most: Micros | None
    verdict: Verdict | None
    rests_on: str | None
    missing: tuple[str, ...]
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Between what GMV and orders lie, whatever goal counts them."""

    gmv: tuple[Micros, Micros]
    orders: tuple[int, int]


def settings_of(entries: Iterable[LogEntry], stated: Sequence[tuple[int, State]] = ()) -> Settings:
    """The settings of one plan from its log, oldest first; what the log does not tell of the time before its first
    entry the owner's statements do, as (since, state)."""
    told = sorted(entries, key=lambda one: one.at)
    state, begins = _before(told, stated)
    targets = [Target(begins, state.goal, state.target)] if state.goal else []
    modes, events = [(begins, state.bid_mode)], list[PlanEvent]()
    for at, group in groupby(told, key=lambda one: one.at):
        before, fields = state, set[LogField]()
        for entry in group:
            state = _after(state, entry)
            fields.add(entry.field)
        if fields & {LogField.GOAL, LogField.TARGET, LogField.BID_MODE} and state.goal is not None:
            targets.append(Target(at, state.goal, state.target))
        modes.append((at, state.bid_mode))
        if state.status is not before.status and before.status is not PlanStatus.DRAFT:
            events.append(PlanEvent(at, _EVENTS[state.status]))
    if not told:
        targets = [Target(at, one.goal, one.target) for at, one in stated if one.goal]
        modes = [(at, one.bid_mode) for at, one in stated] or modes
    return Settings(Log(tuple(targets), tuple(events)), tuple(modes), bool(told))


_MAY_TAKE_ALL = {"change_log", "boost_spend"}  # what they would tell may leave nothing due


def audit(policy: Policy, unit: Unit, known: Evidence, now: int) -> Audited:
    """What a plan's day was due under a policy on what is known at `now` (UTC microseconds)."""
    missing = tuple(_missing(unit, known))
    unit = replace(unit, bid_mode=known.settings.bid_mode(unit.window))
    targets = in_force(known_targets(known.settings.log.targets, now), unit.window)
    if known.row is None or known.row.spend is None or not targets:
        return Audited(unit, None, None, None, None, missing)
    assumed = () if known.abnormal_known else ("abnormal_orders",)
    spend = _base_spend(known.row)
    if not {"orders", "orders_differ", "refunds", "boost_orders"} & set(missing):
        found = figures(_case(policy, unit, known, spend, now))
        ends = [judge(policy, unit, known.settings.log, found, now)] * 2
        rests_on = "orders"
    else:
        bounds = _bounds(known.row, {target.goal for target in targets}, boosted="boost_orders" in missing)
        found_ends = _ends(bounds, targets, spend)
        ends = [judge(policy, unit, known.settings.log, one, now) for one in found_ends]
        rests_on = "plan_row"
        if ends[0].compensation == ends[1].compensation:
            missing = tuple(name for name in missing if name in _MAY_TAKE_ALL)
    if not ends[1].compensation:
        missing = tuple(name for name in missing if name != "boost_spend")  # with less spend nothing is due either
    least = 0 if _MAY_TAKE_ALL & {*missing} else ends[0].compensation
    return Audited(unit, least, ends[1].compensation, ends[1], rests_on, missing, assumed)


def _before(told: Sequence[LogEntry], stated: Sequence[tuple[int, State]]) -> tuple[State, int]:
    """How the plan was set before its log begins: by what the first entries say was before, else by its owner."""
    own = [state for at, state in stated if not told or at <= told[0].at]
    state = own[-1] if own else State()
    for field in (LogField.GOAL, LogField.TARGET, LogField.BID_MODE, LogField.STATUS):
        first = next((one for one in told if one.field is field), None)
        if first is None:
            continue
        if first.before is not None:
            state = _after(state, replace(first, after=first.before))
        elif field is LogField.STATUS and not own:
            state = replace(state, status=PlanStatus(first.after or state.status))
        elif field is LogField.TARGET and not own:
            state = replace(state, target=None, goal=None)
    return state, 0


def _after(state: State, entry: LogEntry) -> State:
    if entry.field is LogField.TARGET:
        target = None if entry.after is None else Fraction(entry.after)
        return replace(state, target=target, goal=entry.goal or state.goal)
    if entry.after is None:
        return state
    if entry.field is LogField.GOAL:
        return replace(state, goal=Goal(entry.after))
    if entry.field is LogField.BID_MODE:
        return replace(state, bid_mode=BidMode(entry.after))
    if entry.field is LogField.STATUS:
        return replace(state, status=PlanStatus(entry.after))
    return state


def _missing(unit: Unit, known: Evidence) -> Iterable[str]:
    row, orders = known.row, known.orders
    if row is None or row.spend is None:
        yield "plan_row"
    if not known.settings.log.targets:
        yield "targets"
    if not known.logged_that_day:
        yield "change_log"
    if orders is None:
        yield "orders"
    elif row is not None:
        if not _agree(row, orders):
            yield "orders_differ"
        elif not known.refunds_known and row.refunded_1h != 0:
            yield "refunds"
    if row is not None and row.boosted_spend and not known.boosts_known:
        yield "boost_orders"
    if row is not None and not known.boost_spend_known:
        yield "boost_spend"


def _agree(row: Told, orders: Sequence[Order]) -> bool:
    """Whether orders add up to the row of their plan, in every figure that the row has."""
    soon = sum(refunded(one, one.refunds, REFUND_WINDOW_1H) for one in orders)
    pairs = ((row.orders, len(orders)), (row.gmv, sum(one.amount for one in orders)), (row.refunded_1h, soon))
    return all(told is None or told == found for told, found in pairs)


def _base_spend(row: Told) -> Micros:
    """What was spent without boosts."""
    if row.base_spend is not None:
        return row.base_spend
    return (row.spend or 0) - (row.boosted_spend or 0)


def _case(policy: Policy, unit: Unit, known: Evidence, spend: Micros, now: int) -> Case:
    """The case of a day whose spend is known as one sum: it was all charged under the targets of that day."""
    begins = max(unit.window[0], min(target.at for target in known.settings.log.targets))
    charge = Charge("spend", begins, spend)
    return Case(policy.name, unit, known.settings.log, (charge,), known.orders or (), now)


def _bounds(row: Told, goals: Collection[str], boosted: bool) -> _Bounds:
    """Between what the counted GMV and orders lie. Under the net goal the row tells both; under payment, orders
    refunded at once are part of what was refunded within the hour; of boosted orders nothing is known."""
    gmv, orders = row.gmv or 0, row.orders or 0
    soon = row.refunded_1h if row.refunded_1h is not None else gmv
    soon_orders = row.refunded_orders_1h if row.refunded_orders_1h is not None else (orders if soon else 0)
    net = row.net_gmv if row.net_gmv is not None else gmv - soon
    net_orders = row.net_orders
    of_goal: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
        Goal.NET: ((net, net), (net_orders, net_orders) if net_orders is not None else (0, orders)),
        Goal.PAYMENT: ((gmv - soon, gmv), (orders - soon_orders, orders)),
    }
    told = [of_goal.get(goal, ((0, gmv), (0, orders))) for goal in goals]
    least = min(one[0][0] for one in told), min(one[1][0] for one in told)
    most = max(one[0][1] for one in told), max(one[1][1] for one in told)
    return _Bounds((0 if boosted else least[0], most[0]), (0 if boosted else least[1], most[1]))


def _ends(bounds: _Bounds, targets: Sequence[Target], spend: Micros) -> tuple[Figures, Figures]:
    """The figures under which least and most is due: all GMV under the lowest target, and under the highest."""
    valued = [target for target in targets if target.value is not None] or list(targets)
    low, high = (pick(valued, key=lambda one: one.value or Fraction(0)) for pick in (min, max))
    least = Period(low.goal, low.value, bounds.orders[0], bounds.gmv[1])
    most = Period(high.goal, high.value, bounds.orders[1], bounds.gmv[0])
    return Figures(spend, (least,)), Figures(spend, (most,))


def days_told(spans: Iterable[tuple[date, date]], day: date) -> bool:
    """Whether any of the periods has the day in it."""
    return any(first <= day <= last for first, last in spans)
