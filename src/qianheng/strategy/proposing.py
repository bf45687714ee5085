"""Which proposals a history calls for: for each plan the one change that is expected to pay most (SPEC 7.3, 7.6, 11).

Where a plan's market is known, every step the rules allow is tried on it and the most profitable is proposed, in the
light of what followed earlier advice. Where it is not, the rules of thumb of SPEC 7.3 and 11 speak, without a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import hypot, sqrt
from pathlib import Path
from typing import Any, Literal, NamedTuple

from qianheng.core import tables
from qianheng.core.days import midnight
from qianheng.core.interval import Interval
from qianheng.core.money import YUAN, Micros, ratio, ratio_text, yuan
from qianheng.diagnosis.evidence import Evidence
from qianheng.diagnosis.verdicts import Thresholds, verdicts
from qianheng.measures.history import History, PlanHistory, Setting
from qianheng.measures.reports import Figures
from qianheng.plans.plan import Goal, PlanStatus, Value
from qianheng.strategy.followup import margin_of
from qianheng.strategy.landscape import Market
from qianheng.strategy.learning import Learnt
from qianheng.strategy.proposal import Action, Effect, Measure, Proposal, Reason, most_gain_first

SHIPPED = Path(__file__).with_name("proposing.toml")
HUNDREDTH = Decimal("0.01")
Asked = Literal["lower_target", "lower_target_a_little", "raise_target", "cut_budget", "pause"]


@dataclass(frozen=True, slots=True)
class Rules:
    """How proposals are made; each field as its comment in `proposing.toml` says."""

    target_steps: tuple[Decimal, ...]
    budget_steps: tuple[Decimal, ...]
    ladder: tuple[Decimal, ...]
    ladder_spend: Decimal
    little: Decimal
    gain_least: Decimal
    gain_least_share: Decimal
    days_seen: int
    days_least: int
    days_rest: int
    days_rest_goal: int
    days_watched: int
    days_losing: int
    days_balance: int
    verdicts: dict[str, Asked]


def rules(path: Path | None = None) -> Rules:
    """The rules in a TOML file, or those shipped. Unknown or missing key, or a wrong value: BadInput."""
    place = path or SHIPPED
    return tables.build(Rules, tables.read_toml(place), str(place))


class Expected(NamedTuple):
    """What a day of a plan is expected to bring, micro-yuan."""

    spend: float
    gmv: float


class Stake(NamedTuple):
    """What a change would do to the guarantee of its day: whether it costs it, and the compensation due so far."""

    costs: bool
    amount: Micros = 0


StakeOf = Callable[[str, Mapping[str, Value]], Stake]


def _nothing(plan_id: str, after: Mapping[str, Value]) -> Stake:
    return Stake(costs=False)


@dataclass(frozen=True, slots=True)
class Advisers:
    """Whom a proposal asks: the markets of plans that have learned of theirs, what a change does to the guarantee of
    its day, what followed earlier advice, what figures are judged by, and changes that were measured to hurt.
    """

    markets: Mapping[str, Market] = field(default_factory=dict)
    stake: StakeOf = _nothing
    learnt: Learnt = field(default_factory=Learnt)
    thresholds: Thresholds | None = None
    undo: tuple[Proposal, ...] = ()


def propose(history: History, advisers: Advisers, rules: Rules) -> tuple[Proposal, ...]:
    """What to change today, the most profitable first: at most one change of each plan.

    A plan that is not running, is too young to be judged, or was changed too lately is left alone.
    """
    found = list(_of_balance(history, rules))
    undone = {one.plan_id: one for one in advisers.undo}
    for plan_id, plan in history.plans.items():
        if plan_id in undone:
            found.append(_staked(undone[plan_id], advisers))
        elif plan.setting is not None and _ripe(history, plan, rules):
            found += _of_plan(_Case(history, plan_id, plan.setting, advisers, rules))
    return tuple(most_gain_first(found))


def _ripe(history: History, plan: PlanHistory, rules: Rules) -> bool:
    """Whether a plan runs, has run long enough, and has shown what its last change does."""
    setting = plan.setting
    if setting is None or setting.status is not PlanStatus.ACTIVE or plan.began is None:
        return False
    if (history.today - plan.began).days < rules.days_least:
        return False
    rests = (
        (now, rules.days_rest_goal if now.goal is not before.goal else rules.days_rest)
        for before, now in zip(plan.settings, plan.settings[1:], strict=False)
    )
    return all(history.now - now.at >= timedelta(days=rest) for now, rest in rests)


@dataclass(frozen=True, slots=True)
class _Case:
    """A plan that something may be proposed for."""

    history: History
    plan_id: str
    setting: Setting
    advisers: Advisers
    rules: Rules

    @property
    def seen(self) -> Figures:
        """Its last days, since it was changed if that is later."""
        days = min(self.rules.days_seen, max(1, (self.history.now - self.setting.at).days))
        return self.history.last(days, self.history.plan_subject(self.plan_id))

    @property
    def days(self) -> int:
        """How many days `seen` holds something of."""
        days = min(self.rules.days_seen, max(1, (self.history.now - self.setting.at).days))
        return len(self.history.each(self.history.plan_subject(self.plan_id), *self.history.back(days)))

    @property
    def margin(self) -> Fraction | None:
        """What a yuan of its GMV contributes before spend: as its market tells, else as its history does."""
        market = self.advisers.markets.get(self.plan_id)
        told = None if market is None else market.shares.contribution
        return margin_of(self.history, self.plan_id) if told is None else Fraction(told).limit_denominator(10_000)

    def expected(self, setting: Setting) -> Expected | None:
        """What its market gives for a setting; `None` where that is not known."""
        market = self.advisers.markets.get(self.plan_id)
        if market is None or setting.budget_daily is None:
            return None
        market = replace(market, goal=setting.goal, bid_mode=setting.bid_mode)
        free = float(market.unbound(None if setting.target is None else float(setting.target)))
        spend = min(free, float(setting.budget_daily))
        return Expected(spend, market.response.gmv_of(spend) + market.response.unpromoted)

    def roi(self, seen: Figures) -> Fraction | None:
        """The ROI of its goal, as far as it is known so soon: of a net goal on net GMV, else on GMV."""
        gmv = seen.net_gmv if self.setting.goal is Goal.NET and seen.net_gmv is not None else seen.gmv
        return None if gmv is None or seen.spend is None else ratio(gmv, seen.spend)

    def spent_share(self, seen: Figures, days: int) -> Fraction | None:
        """Spend over the budget of so many days."""
        if seen.spend is None or not self.setting.budget_daily or not days:
            return None
        return ratio(seen.spend, self.setting.budget_daily * days)


class _Change(NamedTuple):
    """A change that is tried: what it asks for, and the fields it gives a plan."""

    action: Action
    after: Mapping[str, Value]


def _of_plan(case: _Case) -> Iterator[Proposal]:
    now = case.expected(case.setting)
    if now is not None and case.margin is not None:
        yield from _most_profitable(case, now)
    elif (asked := _asked(case)) is not None:
        yield _proposal(case, *asked, ())


def _most_profitable(case: _Case, now: Expected) -> Iterator[Proposal]:
    """The step that is expected to add most profit, if it is worth the trouble."""
    weighed = [(change, effects) for change in _steps(case) if (effects := _effects(case, change, now)) is not None]
    best = max(weighed, key=lambda one: one[1][0].change.expected, default=None)
    if best is None:
        return
    change, effects = best
    gain = effects[0].change.expected
    least = max(float(case.rules.gain_least) * YUAN, float(case.rules.gain_least_share) * now.spend)
    if gain >= least:
        reason = Reason("most_profit", {"gain": yuan(round(gain / 10_000) * 10_000)})
        yield _proposal(case, change, reason, effects)


def _steps(case: _Case) -> Iterator[_Change]:
    """Every step of the target and of the budget that the rules allow."""
    target, budget, rules = case.setting.target, case.setting.budget_daily, case.rules
    if target is not None:
        steps = [target * share for share in rules.target_steps]
        if _met(case):
            steps += rules.ladder
        yield from (_target(target, target + step) for step in steps if (target + step).quantize(HUNDREDTH) != target)
    if budget:
        yield from (_budget(budget, share) for share in rules.budget_steps)


def _met(case: _Case) -> bool:
    """Whether the target is met while nearly the whole budget goes (SPEC 7.3)."""
    seen = case.seen
    roi, share = case.roi(seen), case.spent_share(seen, case.days)
    if roi is None or share is None or case.setting.target is None:
        return False
    return roi >= Fraction(case.setting.target) and share > Fraction(case.rules.ladder_spend)


def _target(before: Decimal, after: Decimal) -> _Change:
    action = Action.RAISE_TARGET if after > before else Action.LOWER_TARGET
    return _Change(action, {"target": max(after, HUNDREDTH).quantize(HUNDREDTH)})


def _budget(before: Micros, share: Decimal) -> _Change:
    action = Action.RAISE_BUDGET if share > 0 else Action.CUT_BUDGET
    return _Change(action, {"budget_daily": round(Fraction(before) * (1 + Fraction(share)) / YUAN) * YUAN})


def _set(setting: Setting, after: Mapping[str, Any]) -> Setting:
    """The setting once a change is made."""
    return replace(setting, **{name: value for name, value in after.items() if name in Setting.__dataclass_fields__})


def _effects(case: _Case, change: _Change, now: Expected) -> tuple[Effect, ...] | None:
    """What a change is expected to do a day: profit, GMV and spend, the first of them first."""
    then = case.expected(_set(case.setting, change.after))
    if then is None or case.margin is None:
        return None
    learnt, margin, level = case.advisers.learnt, float(case.margin), _level(case, now)
    gmv, spend = (
        learnt.ratio(change.action, measure).of(moved)
        for measure, moved in (
            (Measure.GMV, (then.gmv - now.gmv) * level.gmv),
            (Measure.SPEND, (then.spend - now.spend) * level.spend),
        )
    )
    profit = _profit(margin, gmv, spend)
    before = Expected(now.spend * level.spend, now.gmv * level.gmv)
    return (
        Effect(Measure.PROFIT, profit, round(margin * before.gmv - before.spend)),
        Effect(Measure.GMV, gmv, round(before.gmv)),
        Effect(Measure.SPEND, spend, round(before.spend)),
    )


def _profit(margin: float, gmv: Interval, spend: Interval) -> Interval:
    """What a change does to profit. Spend and GMV miss together where the market is smaller or larger than was thought;
    what GMV misses beyond that is the value of the traffic, which alone can turn a gain into a loss.
    """
    middle = margin * float(gmv.expected) - float(spend.expected)
    sold, paid = (_relative(one) for one in (gmv, spend))
    value = sqrt(max(sold**2 - paid**2, 0.0)) * margin * float(gmv.expected)
    half = hypot(value, paid * middle)
    return Interval(round(middle - half), round(middle), round(middle + half))


def _relative(interval: Interval) -> float:
    return float(interval.high - interval.expected) / abs(float(interval.expected)) if interval.expected else 0.0


def _level(case: _Case, now: Expected) -> Expected:
    """What to multiply a landscape by, so that it tells what the plan really spent and sold of late."""
    seen, days = case.seen, case.days
    if days < case.rules.days_least or not seen.spend or not seen.gmv or now.spend <= 0 or now.gmv <= 0:
        return Expected(1.0, 1.0)
    return Expected(*(_within(real / days / told) for real, told in ((seen.spend, now.spend), (seen.gmv, now.gmv))))


def _within(factor: float, furthest: float = 2.0) -> float:
    return max(1 / furthest, min(furthest, factor))


def _asked(case: _Case) -> tuple[_Change, Reason] | None:
    """What the rules of thumb ask for: the first of the verdicts, in the order of the rules, else the ladder."""
    thresholds, target = case.advisers.thresholds, case.setting.target
    told = {one.verdict: one for one in (verdicts(_judged(case), thresholds) if thresholds else ())}
    for verdict, asked in case.rules.verdicts.items():
        if verdict in told and (change := _by_verdict(case, asked)) is not None:
            judged = told[verdict]
            return change, Reason(verdict, {"value": ratio_text(judged.value, 2), "limit": judged.limit})
    if target is not None and case.rules.ladder and _met(case):
        return _target(target, target + case.rules.ladder[0]), Reason("ladder")
    return None


def _judged(case: _Case) -> dict[str, Fraction | None]:
    """The measures of the last days that are judged (SPEC 11), and whether longer ones lose money (SPEC 7.7)."""
    rules, about = case.rules, case.history.plan_subject(case.plan_id)
    lately, longer = (case.history.last(days, about) for days in (rules.days_watched, rules.days_losing))
    target, margin = case.setting.target, case.margin
    roi = case.roi(lately)
    to_target = None if roi is None or not target else roi / Fraction(target)
    gmv_to_spend = ratio(longer.gmv, longer.spend) if longer.gmv is not None and longer.spend else None
    name = "net_roi_to_target" if case.setting.goal is Goal.NET else "payment_roi_to_target"
    return {
        "net_roi_to_breakeven": None if margin is None or gmv_to_spend is None else margin * gmv_to_spend,
        name: to_target,
        "refund_rate_1h": ratio(lately.refunded_1h, lately.gmv)
        if lately.refunded_1h is not None and lately.gmv
        else None,
        "spend_to_budget": case.spent_share(lately, rules.days_watched),
    }


def _by_verdict(case: _Case, asked: Asked) -> _Change | None:
    target, budget, rules = case.setting.target, case.setting.budget_daily, case.rules
    match asked:
        case "lower_target" if target is not None:
            return _target(target, target * (1 + min(rules.target_steps)))
        case "lower_target_a_little" if target is not None:
            return _target(target, target * (1 - rules.little))
        case "raise_target" if target is not None:
            return _target(target, target * (1 + max(rules.target_steps)))
        case "cut_budget" if budget:
            return _budget(budget, min(rules.budget_steps))
        case "pause":
            return _Change(Action.PAUSE, {"status": PlanStatus.PAUSED})
    return None


def _proposal(case: _Case, change: _Change, reason: Reason, effects: tuple[Effect, ...]) -> Proposal:
    before: dict[str, Value] = {name: getattr(case.setting, name) for name in change.after}
    made = Proposal(
        plan_id=case.plan_id,
        action=change.action,
        reason=reason,
        made_at=case.history.now,
        good_until=case.history.now,
        before=before,
        after=change.after,
        effects=effects,
        evidence=tuple(_evidence(case)),
    )
    return _staked(replace(made, good_until=_good_until(made, case.history.timezone)), case.advisers)


def _good_until(made: Proposal, timezone: str) -> datetime:
    """The end of the last day it holds."""
    return midnight(made.made_at.date() + timedelta(days=made.kind.days_good), timezone)


def _staked(made: Proposal, advisers: Advisers) -> Proposal:
    """The same, with what it does to the guarantee of the day."""
    if made.plan_id is None or not made.changes_plan:
        return made
    stake = advisers.stake(made.plan_id, made.after)
    if not stake.costs:
        return made
    lost = Effect(Measure.GUARANTEE, Interval(-stake.amount, -stake.amount, -stake.amount), stake.amount)
    return replace(made, effects=(*made.effects, lost))


def _evidence(case: _Case) -> Iterator[Evidence]:
    """The figures of the plan that the proposal rests on."""
    seen = case.seen
    target = None if case.setting.target is None else Fraction(case.setting.target)
    yield Evidence("days_seen", case.days, None, "days")
    yield Evidence("spend", seen.spend, case.setting.budget_daily and case.setting.budget_daily * case.days, "yuan")
    yield Evidence("goal_roi", case.roi(seen), target, "ratio", "SPEC 7.3")
    margin = case.margin
    yield Evidence("margin", margin, None, "share", "SPEC 3.4")
    yield Evidence("breakeven_payment_roi", None if not margin else 1 / margin, None, "ratio", "SPEC 3.4")


def _of_balance(history: History, rules: Rules) -> Iterator[Proposal]:
    """A balance that lasts less than some days of mean spend (SPEC 7.5)."""
    seen, days = history.last(rules.days_seen), len(history.each(history.whole_shop, *history.back(rules.days_seen)))
    balance = history.shop.balance
    if balance is None or not seen.spend or not days:
        return
    needed = rules.days_balance * seen.spend // days
    if balance >= needed:
        return
    reason = Reason("balance_low", {"balance": yuan(balance), "days": rules.days_balance, "needed": yuan(needed)})
    made = Proposal(None, Action.TOP_UP_BALANCE, reason, history.now, history.now)
    evidence = Evidence("balance", balance, needed, "yuan", "SPEC 4.5")
    yield replace(made, good_until=_good_until(made, history.timezone), evidence=(evidence,))
