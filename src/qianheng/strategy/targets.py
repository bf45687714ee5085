"""The target of a plan: its base and band, the phase it is in, and the next step (SPEC 7.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from qianheng.core.errors import NotFound
from qianheng.core.money import Micros, ratio
from qianheng.diagnosis.evidence import Evidence
from qianheng.diagnosis.standing import GMV_OF
from qianheng.measures.goals import Rates, converted
from qianheng.measures.history import About, History, PlanHistory, Setting, Subject
from qianheng.measures.reports import Figures
from qianheng.plans.plan import BidMode, Goal
from qianheng.strategy.breakeven import Breakeven, breakeven_of, rates_of
from qianheng.strategy.rules import TargetRules

SECTION = "SPEC 7.3"
CENT = Decimal("0.01")


class Phase(StrEnum):
    """Where a plan stands in its life, by its days of delivery and its last goal switch."""

    NEW = "new"  # nothing spent yet
    EXPLORATION = "exploration"
    STABLE = "stable"
    MATURE = "mature"
    AFTER_SWITCH = "after_switch"


class Move(StrEnum):
    """What is to be done with the target, and why."""

    SET = "set"  # there is none to start from
    EXPLORE = "explore"
    STEP_UP = "step_up"  # met, and the budget spent
    LOWER_MISSED = "lower_missed"  # clearly missed
    LOWER_UNSPENT = "lower_unspent"  # met, and the budget not spent
    INTO_BAND = "into_band"
    HOLD = "hold"
    REST = "rest"  # too soon after a goal switch
    WAIT = "wait"  # changed too lately: a few days for any change, a week for a step up
    NONE = "none"  # a plan that holds no target
    UNKNOWN = "unknown"  # too little is known to say


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning by its key in `advice.warning`, with the values that fill it."""

    key: str
    values: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Rung:
    """A rung of the weekly ladder: the target from a day on, if the one before it is met and spent."""

    day: date
    target: Decimal


@dataclass(frozen=True, slots=True)
class TargetAdvice:
    """What to set a plan's target to. All ROIs are of its own `goal`; `base_payment` is the base as payment ROI.

    `low` and `high` bound the allowed band, `why` is every figure that was weighed, `missing` what was not known.
    `suggested` is `None` where nothing can be said; it equals `current` where nothing should change; `converted` tells
    it as payment, net and settled ROI (SPEC 3.3).
    """

    plan: Subject
    goal: Goal
    phase: Phase
    move: Move
    current: Decimal | None
    base_payment: Fraction | None
    base: Fraction | None
    low: Fraction | None
    high: Fraction | None
    suggested: Decimal | None
    why: tuple[Evidence, ...]
    warnings: tuple[Warned, ...]
    ladder: tuple[Rung, ...]
    missing: tuple[str, ...]
    converted: Mapping[str, Fraction | None]
    judge_on: date | None = None  # after a goal switch: not before


@dataclass(frozen=True, slots=True)
class Known:
    """What the advice on a target is made of."""

    plan: PlanHistory
    setting: Setting | None
    told: Figures
    days: int  # of the base that were told
    base_payment: Fraction | None
    rates: Rates
    own_roi: Fraction | None
    spent: Fraction | None
    age: int | None
    switched: date | None
    changed: date | None
    breakeven: Breakeven
    today: date

    @property
    def goal(self) -> Goal:
        """What the plan bids to; payment where that is not known."""
        return self.setting.goal if self.setting else Goal.PAYMENT

    @property
    def current(self) -> Fraction | None:
        """The target in force."""
        return None if self.setting is None or self.setting.target is None else Fraction(self.setting.target)

    @property
    def roi(self) -> Fraction | None:
        """The ROI of its goal; while the refunds of these days are still open, by what they leave otherwise."""
        return self.own_roi if self.own_roi is not None else self.base

    @property
    def base(self) -> Fraction | None:
        """The base as an ROI of the plan's own goal; of the overall ROI, its own mean."""
        if self.goal is Goal.OVERALL:
            return self.own_roi
        if self.base_payment is None:
            return None
        return converted(self.base_payment, Goal.PAYMENT, self.rates).get(self.goal)


def advise_target(history: History, plan_id: str, rules: TargetRules) -> TargetAdvice:
    """What to set a plan's target to. No such plan: NotFound."""
    if plan_id not in history.plans:
        raise NotFound("histories.no_plan", place="--plan", value=plan_id, known=", ".join(history.plans) or "–")
    known = known_of(history, history.plans[plan_id], rules)
    phase = phase_of(known, rules)
    move, wanted = _decided(known, phase, rules)
    base = known.base
    band = Fraction(rules.band)
    suggested = None if wanted is None else cents(wanted)
    return TargetAdvice(
        plan=known.plan.subject,
        goal=known.goal,
        phase=phase,
        move=move,
        current=known.setting.target if known.setting else None,
        base_payment=known.base_payment,
        base=base,
        low=None if base is None else base * (1 - band),
        high=None if base is None else base * (1 + band),
        suggested=suggested,
        why=tuple(_why(known, phase, rules)),
        warnings=tuple(_warnings(history, known, suggested, rules)),
        ladder=_ladder(known, move, suggested, rules),
        missing=tuple(_missing(known)),
        converted=_converted(known, suggested),
        judge_on=known.switched + timedelta(days=rules.judge_days) if known.switched else None,
    )


def known_of(history: History, plan: PlanHistory, rules: TargetRules) -> Known:
    """What is known of a plan for its target: sums of the last days, and ratios taken once from them."""
    setting, first, last = plan.set_at(history.now), *history.back(rules.base_days)
    told, days = history.whole(plan.subject, first, last), len(history.each(plan.subject, first, last))
    goal = setting.goal if setting else Goal.PAYMENT
    budget = None if setting is None or not setting.budget_daily else setting.budget_daily * days
    return Known(
        plan=plan,
        setting=setting,
        told=told,
        days=days,
        base_payment=history.ratio("gmv", "spend", rules.base_days, plan.subject),
        rates=rates_of(history, plan.subject, rules.rate_days),
        own_roi=_overall(told) if goal is Goal.OVERALL else _own_roi(history, plan.subject, goal, rules.base_days),
        spent=None if told.spend is None or not budget else ratio(told.spend, budget),
        age=None if plan.began is None else (history.today - plan.began).days,
        switched=_changed(plan, history, "goal"),
        changed=_changed(plan, history, "target"),
        breakeven=breakeven_of(history, plan.subject, rules.rate_days),
        today=history.today,
    )


def _own_roi(history: History, plan: Subject, goal: Goal, days: int) -> Fraction | None:
    return history.ratio(GMV_OF[goal], "spend", days, plan) if goal in GMV_OF else None


def _overall(told: Figures) -> Fraction | None:
    """综合ROI: net GMV over spend, service fee, commission and coupons together; `None` if one of them is not known."""
    parts = (told.spend, told.service_fee, told.commission, told.coupon)
    known = [part for part in parts if part is not None]
    return ratio(told.net_gmv, sum(known)) if told.net_gmv is not None and len(known) == len(parts) else None


def _changed(plan: PlanHistory, history: History, name: str) -> date | None:
    """The day of the last change of a field, `None` if it never changed."""
    settings = [one for one in plan.settings if one.at <= history.now]
    days = [later.at.date() for before, later in pairwise(settings) if getattr(before, name) != getattr(later, name)]
    return days[-1] if days else None


def phase_of(known: Known, rules: TargetRules) -> Phase:
    """Where the plan stands: a goal switch less than `judge_days` ago goes before its age."""
    if known.age is None or not known.told.spend:
        return Phase.NEW
    if known.switched is not None and (known.today - known.switched).days < rules.judge_days:
        return Phase.AFTER_SWITCH
    if known.age < rules.explore_days:
        return Phase.EXPLORATION
    return Phase.STABLE if known.age < rules.stable_days else Phase.MATURE


def _decided(known: Known, phase: Phase, rules: TargetRules) -> tuple[Move, Fraction | None]:
    """The move and the target after it; the first that holds."""
    setting, base, current = known.setting, known.base, known.current
    if setting and (setting.bid_mode is BidMode.MAX_DELIVERY or known.goal is Goal.PROFIT):
        return Move.NONE, None
    if base is None:
        return Move.UNKNOWN, current
    if phase is Phase.AFTER_SWITCH:
        soon = known.switched is not None and (known.today - known.switched).days < rules.rest_days
        return (Move.REST if soon else Move.HOLD), current
    if current is None:
        return Move.SET, base * Fraction(rules.explore_at if phase is not Phase.MATURE else 1)
    if phase is Phase.EXPLORATION:
        return Move.EXPLORE, _towards(current, base * Fraction(rules.explore_at), rules)
    return _stepped(known, current, base, rules)


def _stepped(known: Known, current: Fraction, base: Fraction, rules: TargetRules) -> tuple[Move, Fraction | None]:
    """The step of a plan that has left its exploration week."""
    since = None if known.changed is None else (known.today - known.changed).days
    if since is not None and since < rules.rest_days:
        return Move.WAIT, current
    low, high = base * (1 - Fraction(rules.band)), base * (1 + Fraction(rules.band))
    met, full = _met(known), known.spent is not None and known.spent > Fraction(rules.spent_over)
    if known.roi is not None and known.roi < current * Fraction(rules.miss_below):
        return Move.LOWER_MISSED, _towards(current, max(known.roi, low), rules)
    if met and full and current + Fraction(rules.step) <= high:
        soon = since is not None and since < rules.ladder_days
        return (Move.WAIT, current) if soon else (Move.STEP_UP, current + Fraction(rules.step))
    if not low <= current <= high:
        return Move.INTO_BAND, _towards(current, min(max(current, low), high), rules)
    if met and known.spent is not None and not full:
        return Move.LOWER_UNSPENT, max(current * (1 - Fraction(rules.little)), low)
    return Move.HOLD, current


def _met(known: Known) -> bool:
    return known.roi is not None and known.current is not None and known.roi >= known.current


def _towards(current: Fraction, wanted: Fraction, rules: TargetRules) -> Fraction:
    """The way to a target in one change: at most `change_most` of what it is."""
    most = current * Fraction(rules.change_most)
    return min(max(wanted, current - most), current + most)


def cents(value: Fraction) -> Decimal:
    """A target as people set it: two decimals."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(CENT, rounding=ROUND_HALF_EVEN)


def _why(known: Known, phase: Phase, rules: TargetRules) -> Iterator[Evidence]:
    """Every figure that was weighed, with what it is held against."""
    current, base = known.current, known.base
    yield Evidence("payment_roi_base", known.base_payment, None, "ratio", SECTION)
    if known.goal is not Goal.PAYMENT:
        yield Evidence("base_in_goal", base, known.base_payment, "ratio", "SPEC 3.3")
    yield Evidence("roi_of_goal", known.roi, current, "ratio", SECTION)
    yield Evidence("spent_of_budget", known.spent, Fraction(rules.spent_over), "share", SECTION)
    yield Evidence("days_delivered", known.age, rules.explore_days, "days", SECTION)
    if known.changed is not None:
        yield Evidence("days_since_target", (known.today - known.changed).days, rules.ladder_days, "days", SECTION)
    if phase is Phase.AFTER_SWITCH and known.switched is not None:
        yield Evidence("days_since_switch", (known.today - known.switched).days, rules.judge_days, "days", SECTION)
    yield Evidence("breakeven_of_goal", known.breakeven.on(known.goal), None, "ratio", "SPEC 3.4")


def _warnings(history: History, known: Known, suggested: Decimal | None, rules: TargetRules) -> Iterator[Warned]:
    """What the advice must not be followed without knowing."""
    target = suggested if suggested is not None else (known.setting.target if known.setting else None)
    least, base = known.breakeven.on(known.goal), known.base
    if known.breakeven.hopeless:
        yield Warned("hopeless")
    if target is not None and least is not None and Fraction(target) < least:
        lost = lost_daily(known, Fraction(target) / least)
        yield Warned("below_breakeven", (("target", target), ("breakeven", least), ("lost", lost)))
    if target is not None and base is not None and Fraction(target) > base * Fraction(rules.lost_volume_over):
        yield Warned("lost_volume", (("target", target), ("base", base), ("over", rules.lost_volume_over)))
    yield from _unsteady(known, rules)
    if phase_of(known, rules) is Phase.EXPLORATION and known.spent and known.spent >= Fraction(rules.budget_out):
        yield Warned("budget_short", (("spent", known.spent),))
    if phase_of(known, rules) is Phase.MATURE and known.goal is not Goal.SETTLED:
        yield Warned("settled_goal", (("share", rules.settled_share),))
    if known.setting and known.setting.bid_mode is BidMode.MAX_DELIVERY:
        yield from _of_max_delivery(history, known.plan, rules)


def _unsteady(known: Known, rules: TargetRules) -> Iterator[Warned]:
    """Why an ROI that is off its target is to be left alone: right after a goal switch, and within the float of weeks 2
    to 4.
    """
    phase = phase_of(known, rules)
    if phase is Phase.AFTER_SWITCH and known.switched is not None:
        days = (known.today - known.switched).days
        yield Warned(
            "unstable" if days <= rules.unstable_days else "converging", (("days", days), ("judge", rules.judge_days))
        )
    if phase is Phase.STABLE and known.roi is not None and known.current:
        off = known.roi / known.current - 1
        if -Fraction(rules.stable_float) <= off < 0:
            yield Warned("floats", (("share", -off), ("float", rules.stable_float)))


def lost_daily(known: Known, reached: Fraction) -> Micros | None:
    """What is lost a day at the spend of the last days if only this share of the breakeven ROI is reached."""
    if known.told.spend is None or not known.days:
        return None
    return round((1 - reached) * known.told.spend / known.days)


def _of_max_delivery(history: History, plan: PlanHistory, rules: TargetRules) -> Iterator[Warned]:
    """Maximum delivery wants mature creatives and a budget by live hours."""
    creatives = history.of(About.CREATIVE, plan.subject.id)
    mature = [one for one in creatives if _days_spent(history, one) >= rules.mature_creative_days]
    if len(mature) < rules.mature_creatives:
        yield Warned("mature_creatives", (("known", len(mature)), ("needed", rules.mature_creatives)))
    yield Warned("budget_by_live_hours")


def _days_spent(history: History, subject: Subject) -> int:
    return sum(bool(told.spend) for told in history.days[subject].values())


def _ladder(known: Known, move: Move, suggested: Decimal | None, rules: TargetRules) -> tuple[Rung, ...]:
    """The weekly rungs from the suggestion on, up to the band's upper end; none where no step is made now."""
    base = known.base
    if suggested is None or base is None or move not in (Move.STEP_UP, Move.HOLD, Move.WAIT):
        return ()
    high = base * (1 + Fraction(rules.band))
    rungs = (
        Rung(known.today + timedelta(days=week * rules.ladder_days), suggested + week * rules.step)
        for week in range(1, rules.ladder_weeks + 1)
    )
    return tuple(rung for rung in rungs if Fraction(rung.target) <= high)


def _converted(known: Known, suggested: Decimal | None) -> dict[str, Fraction | None]:
    """The suggested target as payment, net and settled ROI; none under a goal that is none of them."""
    return (
        {} if suggested is None or known.goal not in GMV_OF else converted(Fraction(suggested), known.goal, known.rates)
    )


def _missing(known: Known) -> Iterator[str]:
    setting = known.setting
    if setting is None or (setting.target is None and setting.bid_mode is BidMode.TARGET_ROI):
        yield "target"
    if setting is None or setting.budget_daily is None:
        yield "budget_daily"
    if known.base_payment is None:
        yield "spend"
    if known.base_payment is not None and known.base is None and known.goal in GMV_OF:
        yield GMV_OF[known.goal]
    yield from (name for name in known.breakeven.missing if name not in GMV_OF.values() or known.goal in GMV_OF)
