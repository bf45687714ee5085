"""What other targets, budgets and goals would bring a plan (SPEC 7.6): asked of a run at its desk or of reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from qianheng.actions.desk import Desk
from qianheng.actions.histories import Asked, history_of
from qianheng.actions.landscapes import Past, Told, lacking, landscape_of_reports, landscape_of_run, told_of
from qianheng.actions.policies import in_force
from qianheng.core import tables
from qianheng.core.errors import BadInput, NotFound, Refused, raise_together
from qianheng.core.interval import ENDS, Interval, yuan_json
from qianheng.core.money import YUAN, Micros, ratio_text, yuan
from qianheng.core.plain import Json
from qianheng.core.words import say
from qianheng.guarantee.policy import Rules
from qianheng.measures.history import History, PlanHistory, Setting
from qianheng.plans.plan import BidMode, Goal, Plan, PlanKind, Value
from qianheng.store.database import own_file
from qianheng.strategy.choice import Aim, Question, Suggestion, frontier, nearest, suggestion
from qianheng.strategy.landscape import Landscape, Shares
from qianheng.strategy.spread import SHIPPED, Usual
from qianheng.strategy.whatif import MOST_DAYS, Outlook, Trial, outlook

OWN = "whatif.toml"
FORESEEN = {"target", "budget_daily", "goal", "bid_mode"}  # what a what-if answers of a plan's fields


@dataclass(frozen=True, slots=True)
class Frontier:
    """The grid that is looked at, as shares of what a plan is set to, and how likely better a suggestion has to be."""

    targets: tuple[Decimal, ...]
    budgets: tuple[Decimal, ...]
    least_chance: Decimal


@dataclass(frozen=True, slots=True)
class Habits:
    """What what-ifs start from: the file shipped, or the owner's own in the home folder."""

    usual: Usual
    frontier: Frontier


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked: of which plan (default: the only one), with which target, budget a day and goal (default: as it is
    set), for how many days together, and what one is after.
    """

    plan_id: str = ""
    target: Decimal | None = None
    budget: Micros | None = None
    goal: Goal | None = None
    days: int = 1
    aim: Aim = Aim.PROFIT

    def __post_init__(self) -> None:
        faults = []
        if not 1 <= self.days <= MOST_DAYS:
            faults.append(BadInput("whatif.days", place="--days", value=self.days, most=MOST_DAYS))
        if self.target is not None and self.target <= 0:
            faults.append(BadInput("whatif.not_positive", place="--target", value=self.target))
        if self.budget is not None and self.budget <= 0:
            faults.append(BadInput("whatif.not_positive", place="--budget", value=yuan(self.budget)))
        raise_together(faults)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found: the plan and its setting asked about, what it is set to now and what was asked, the frontier, the
    suggestion, and, where what was asked is out of reach, the nearest that is not. `missing` names what is not known.
    """

    plan: PlanHistory
    source: str
    setting: Setting
    aim: Aim
    now: Outlook
    asked: Outlook
    points: Sequence[Outlook]
    suggested: Suggestion
    nearest: Outlook | None
    rests_on: int
    missing: Sequence[str]
    balance: Micros | None = None

    @property
    def runs_short(self) -> bool:
        """Whether what is asked may spend more than there is."""
        return self.balance is not None and self.asked.spend.high > self.balance


def habits() -> Habits:
    """The owner's own file in the home folder, or that shipped. Unknown key or value: BadInput."""
    place = own_file(OWN) or SHIPPED
    return tables.build(Habits, tables.read_toml(place), str(place))


def whatif_of_run(desk: Desk, history: History, wish: Wish) -> Answer:
    """The answer for a plan of a run, as known at the desk's time.

    None of that id: NotFound; nothing known of its market, or an input missing: Refused, by name.
    """
    known, past = habits(), _past(history, wish)
    _check(past, _lacking(past, wish))
    landscape = landscape_of_run(past, told_of(desk, past.plan.subject.id), known.usual)
    return _answer(past, landscape, wish, known.frontier)


def whatif_of_reports(history: History, wish: Wish) -> Answer:
    """The answer for a plan of imported reports. Too few days, or inputs that reports do not tell: Refused, by name."""
    known, past = habits(), _past(history, wish)
    landscape = landscape_of_reports(past, known.usual)
    _check(past, [*_lacking(past, wish), *lacking(past)])
    assert landscape is not None  # it lacks nothing
    return _answer(past, landscape, wish, known.frontier)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a change of a plan is expected to do to a day: as it is set now, and as it would be."""

    now: Outlook
    then: Outlook


def foreseen(desk: Desk, of: Plan, after: Mapping[str, Value]) -> Foreseen | None:
    """What a change of these fields is expected to do, as known at the desk's time; `None` for a change of neither
    target, budget, goal nor bid mode, and where nothing is known of the plan's market.
    """
    if not after.keys() & FORESEEN:
        return None
    history, told = history_of(desk, Asked(str(of.shop_id))), told_of(desk, str(of.id))
    plan = history.plans[str(of.id)]
    if told.last is None or plan.setting is None:
        return None
    fields: dict[str, Any] = {name: value for name, value in after.items() if name in FORESEEN}
    both = plan.setting, replace(plan.setting, **fields)
    return Foreseen(*(_expected(Past(history, plan, setting), told) for setting in both))


def _expected(past: Past, told: Told) -> Outlook:
    """What a day under the past's own setting is expected to bring."""
    setting = past.setting
    target = float(setting.target) if setting.target is not None and _aims(setting) else None
    asked = Trial(target, float(setting.budget_daily or 0))
    return outlook(landscape_of_run(past, told, habits().usual), asked, _rules(past.plan.policy, past.history.today))


def plan_of(history: History, wanted: str) -> PlanHistory:
    """The plan asked for, or the only one; the whole shop where reports tell of no plan. Another: NotFound; none named
    among several: BadInput.
    """
    if not wanted and not history.plans and history.days:
        whole = history.whole_shop
        return PlanHistory(replace(whole, name=whole.name or say("whatif.whole_shop")), PlanKind.PRODUCT)
    names = ", ".join(f"{one.subject.id} {one.subject.name}".strip() for one in history.plans.values()) or "–"
    if not wanted and len(history.plans) != 1:
        raise BadInput("whatif.which_plan", place="--plan", known=names)
    if wanted and wanted not in history.plans:
        raise NotFound("histories.no_plan", place="--plan", value=wanted, known=names)
    return history.plans[wanted] if wanted else next(iter(history.plans.values()))


def _past(history: History, wish: Wish) -> Past:
    """The plan and what it is set to, with the goal that is asked about."""
    plan = plan_of(history, wish.plan_id)
    setting = plan.setting or Setting(history.now, Goal.NET)
    return Past(history, plan, setting if wish.goal is None else replace(setting, goal=wish.goal))


def _aims(setting: Setting) -> bool:
    """Whether a plan set so holds a target."""
    return setting.goal is not Goal.PROFIT and setting.bid_mode is BidMode.TARGET_ROI


def _lacking(past: Past, wish: Wish) -> list[str]:
    """What is neither set nor asked, in words."""
    setting = past.setting
    known = {"target": wish.target or setting.target, "budget": wish.budget or setting.budget_daily}
    return [
        say(f"whatif.input.{name}")
        for name, one in known.items()
        if one is None and (name != "target" or _aims(setting))
    ]


def _check(past: Past, lacking: Sequence[str]) -> None:
    if lacking:
        raise Refused("whatif.missing", place=past.plan.subject.name, names="; ".join(lacking))


def _answer(past: Past, landscape: Landscape, wish: Wish, grid: Frontier) -> Answer:
    now, asked = _asked(past, landscape.market.shares, wish)
    rules = _rules(past.plan.policy, past.history.today)
    question = Question(landscape, now, wish.aim, rules)
    targets = [round(float(share) * now.target, 2) for share in grid.targets] if now.target else []
    points = frontier(question, targets, [float(share) * now.budget for share in grid.budgets])
    found = question.of(asked)
    return Answer(
        past.plan,
        past.history.source,
        past.setting,
        wish.aim,
        question.of(now),
        found,
        points,
        suggestion(question, points, float(grid.least_chance)),
        None if found.feasible else nearest(question, asked),
        landscape.spread.days,
        _missing(landscape.market.shares),
        past.history.shop.balance,
    )


def _asked(past: Past, shares: Shares, wish: Wish) -> tuple[Trial, Trial]:
    """What the plan is set to (as asked where that is not known), and what is asked."""
    setting = past.setting
    own = _converted(setting, past.plan.setting, shares) if _aims(setting) else None
    wanted = own if wish.target is None or not _aims(setting) else float(wish.target)
    budget = wish.budget or setting.budget_daily or 0
    was = setting.budget_daily or budget
    return Trial(own or wanted, float(was), wish.days), Trial(wanted, float(budget), wish.days)


def _converted(setting: Setting, before: Setting | None, shares: Shares) -> float | None:
    """The target in terms of the goal asked about (SPEC 3.3): times what that goal counts of what the old one did."""
    if before is None or before.target is None:
        return None
    old, new = shares.counted(before.goal), shares.counted(setting.goal)
    if before.goal is setting.goal or old is None or new is None or before.goal is Goal.PROFIT:
        return float(before.target)
    return float(before.target) * new[0] / old[0]


def _rules(policy: str | None, today: date) -> Rules | None:
    return None if policy is None else in_force(policy, today).rules


def _missing(shares: Shares) -> list[str]:
    """What is not known and keeps figures unknown, by name."""
    needed = {"net_gmv": shares.net, "settled_gmv_7d": shares.settled, "contribution": shares.contribution}
    return [name for name, share in needed.items() if share is None]


def answer_json(answer: Answer) -> Json:
    """The answer as plain values: money as decimal strings in yuan, ratios and chances as decimal strings or `None`."""
    best = answer.suggested.best
    return {
        "plan_id": answer.plan.subject.id,
        "name": answer.plan.subject.name,
        "source": answer.source,
        "goal": answer.setting.goal,
        "bid_mode": answer.setting.bid_mode,
        "aim": answer.aim,
        "days": answer.asked.trial.days,
        "rests_on_days": answer.rests_on,
        "missing": list(answer.missing),
        "balance": None if answer.balance is None else yuan(answer.balance),
        "runs_short": answer.runs_short,
        "now": outlook_json(answer.now),
        "asked": outlook_json(answer.asked),
        "feasible": answer.asked.feasible,
        "nearest": None if answer.nearest is None else outlook_json(answer.nearest),
        "suggestion": None if best is None else outlook_json(best),
        "chance_better": f"{answer.suggested.chance_better:.3f}",
        "why": why(answer),
        "points": [outlook_json(one) for one in answer.points],
    }


def outlook_json(one: Outlook) -> Json:
    """One outlook as plain values."""
    money = {name: yuan_json(getattr(one, name)) for name in ("spend", "gmv", "net_gmv", "profit")}
    ends = one.roi and {name: ratio_text(_fraction(one.roi, name)) for name in ENDS}
    risk = one.guarantee_risk
    return {
        "target_roi": None if one.trial.target is None else f"{one.trial.target:.4g}",
        "budget": yuan(round(one.trial.budget)),
        **money,
        "orders": {name: round(float(getattr(one.orders, name)), 1) for name in ENDS},
        "roi": ends,
        "chance_of_target": _share(one.chance_of_target),
        "guarantee": risk and {"chance": _share(risk.chance), "expected": yuan(risk.expected)},
        "ended_by_budget": _share(one.bound),
        "extrapolated": one.extrapolated,
        "feasible": one.feasible,
    }


def why(answer: Answer) -> str:
    """The suggestion and its reason in a sentence."""
    best, aim = answer.suggested.best, say(f"whatif.aim.{answer.aim}")
    if best is None:
        return say("whatif.stay", aim=aim)
    told = {"budget": yuan(round(best.trial.budget)), "chance": f"{answer.suggested.chance_better:.0%}", "aim": aim}
    told |= {"amount": _amount(answer.aim, best), "instead": _amount(answer.aim, answer.now)}
    key = "suggest" if best.trial.target is not None else "suggest_budget"
    return say(f"whatif.{key}", target=f"{best.trial.target or 0:.2f}", **told)


def remarks(answer: Answer) -> list[str]:
    """Everything there is to say of an answer, in sentences."""
    said = [verdict(answer), why(answer), say("whatif.rests_on", days=answer.rests_on)]
    if answer.runs_short:
        said.append(say("whatif.runs_short", balance=yuan(answer.balance or 0)))
    if answer.missing:
        names = ", ".join(say(f"histories.missing.{one}") for one in answer.missing)
        said.append(say("whatif.unknown_inputs", names=names))
    return said


def verdict(answer: Answer) -> str:
    """Whether what was asked is within reach, why not, and the nearest that is."""
    asked, near = answer.asked, answer.nearest
    if asked.feasible:
        return say("whatif.within_reach") if not asked.extrapolated else say("whatif.unseen")
    reason = say("whatif.misses_target" if asked.sells else "whatif.too_few_orders")
    if near is None:
        return say("whatif.hopeless", reason=reason)
    target = "–" if near.trial.target is None else f"{near.trial.target:.4g}"
    return say("whatif.out_of_reach", reason=reason, target=target, budget=yuan(round(near.trial.budget)))


def _amount(aim: Aim, one: Outlook) -> str:
    told = {Aim.PROFIT: one.profit, Aim.GMV: one.gmv, Aim.ORDERS: one.orders}[aim]
    if told is None:
        return "–"
    return f"{float(told.expected):.1f}" if aim is Aim.ORDERS else f"{int(told.expected) / YUAN:,.2f}"


def _fraction(interval: Interval, name: str) -> Fraction:
    return Fraction(getattr(interval, name))


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"
