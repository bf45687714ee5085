"""Which proposals a history calls for: for each plan the one change that is expected to pay most (SPEC 7.3, 7.6, 11).

Where a plan's market is known, every step the rules allow is tried on it and the most profitable is proposed, in the
light of what followed earlier advice. Where it is not, the rules of thumb of SPEC 7.3 and 11 speak, without a number.
What a target should be by those rules `targets.advise_target` alone says, so that proposals and advice agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import hypot, sqrt
from typing import Any, NamedTuple

from qianheng.core.interval import Interval
from qianheng.core.money import YUAN, Micros, ratio_text, yuan
from qianheng.diagnosis.evidence import Evidence
from qianheng.diagnosis.standing import Span, judged
from qianheng.diagnosis.verdicts import verdicts
from qianheng.diagnosis.worth import worth_of
from qianheng.measures.history import History, PlanHistory, Setting
from qianheng.plans.plan import BidMode, PlanStatus, Value
from qianheng.strategy.case import Advisers, Asked, Case, Rules
from qianheng.strategy.occasions import occasions, settled_goal
from qianheng.strategy.proposal import Action, Effect, Measure, Proposal, Reason, lasting, most_gain_first
from qianheng.strategy.rules import TargetRules
from qianheng.strategy.targets import Move, advise_target
from qianheng.strategy.whatif import Outlook

HUNDREDTH = Decimal("0.01")


def propose(history: History, advisers: Advisers, rules: Rules) -> tuple[Proposal, ...]:
    """What to change today, the most profitable first: at most one change of each plan.

    A plan that an occasion calls to change is changed for that alone; one that is not running, is too young to be
    judged, or was changed too lately is left alone.
    """
    called = (_weighed(history, one, advisers, rules) for one in occasions(history, advisers, rules))
    found = [_staked(one, advisers) for one in called]
    taken = {one.plan_id for one in found if one.changes_plan}
    for plan_id, plan in history.plans.items():
        if plan_id in taken:
            continue
        if plan.setting is not None and _ripe(history, plan, (rules, advisers.targets)):
            case = _case(history, plan_id, plan.setting, (advisers, rules))
            found += list(_of_plan(case)) or [_staked(one, advisers) for one in settled_goal(case)]
    return tuple(most_gain_first(found))


def _case(history: History, plan_id: str, setting: Setting, by: tuple[Advisers, Rules]) -> Case:
    advisers, rules = by
    return Case(history, plan_id, setting, advisers, rules, advise_target(history, plan_id, advisers.targets))


def _weighed(history: History, made: Proposal, advisers: Advisers, rules: Rules) -> Proposal:
    """The same with what the market of its plan expects of it, where that is known and nothing was said yet."""
    plan = history.plans.get(made.plan_id or "")
    setting = plan.setting if plan else None
    if made.effects or not made.changes_plan or setting is None or made.plan_id is None:
        return made
    case = _case(history, made.plan_id, setting, (advisers, rules))
    now = case.expected(setting)
    effects = None if now is None else _effects(case, _Change(made.action, made.after), now)
    return replace(made, effects=effects or ())


def unknown_inputs(history: History) -> tuple[str, ...]:
    """What would have to be known to weigh more: the names of inputs, as the catalogue words them."""
    running = [one.setting for one in history.plans.values()]
    aimless = any(one is None or (one.target is None and one.bid_mode is BidMode.TARGET_ROI) for one in running)
    lacking = {
        "target": aimless,
        "budget_daily": any(one is None or not one.budget_daily for one in running),
        "margin": all(worth_of(history, plan.subject).margin is None for plan in history.plans.values()),
    }
    return tuple(name for name, lacks in lacking.items() if lacks)


def _ripe(history: History, plan: PlanHistory, by: tuple[Rules, TargetRules]) -> bool:
    """Whether a plan runs, has run long enough, and has shown what its last change does."""
    setting, (rules, targets) = plan.setting, by
    if setting is None or setting.status is not PlanStatus.ACTIVE or plan.began is None:
        return False
    if (history.today - plan.began).days < rules.days_least:
        return False
    rests = (
        (now, targets.judge_days if now.goal is not before.goal else targets.rest_days)
        for before, now in zip(plan.settings, plan.settings[1:], strict=False)
    )
    return all(history.now - now.at >= timedelta(days=rest) for now, rest in rests)


class _Change(NamedTuple):
    """A change that is tried: what it asks for, and the fields it gives a plan."""

    action: Action
    after: Mapping[str, Value]


def _of_plan(case: Case) -> Iterator[Proposal]:
    now = case.expected(case.setting)
    if now is not None and case.margin is not None:
        yield from _most_profitable(case, now)
    elif (asked := _asked(case)) is not None:
        yield _proposal(case, *asked, ())


def _most_profitable(case: Case, now: Outlook) -> Iterator[Proposal]:
    """The step that is expected to add most profit, if it is worth the trouble."""
    weighed = [(change, effects) for change in _steps(case) if (effects := _effects(case, change, now)) is not None]
    best = max(weighed, key=lambda one: one[1][0].change.expected, default=None)
    if best is None:
        return
    change, effects = best
    gain = effects[0].change.expected
    least = max(float(case.rules.gain_least) * YUAN, float(case.rules.gain_least_share) * float(now.spend.expected))
    if gain >= least:
        reason = Reason("most_profit", {"gain": yuan(round(gain / 10_000) * 10_000)})
        yield _proposal(case, change, reason, effects)


def _steps(case: Case) -> Iterator[_Change]:
    """Every step of the target and of the budget that the rules allow."""
    target, budget = case.setting.target, case.setting.budget_daily
    if target is not None:
        wanted = dict.fromkeys(after.quantize(HUNDREDTH) for after in _targets(case, target))
        yield from (_target(target, after) for after in wanted if after != target)
    if budget:
        yield from (_budget(budget, share) for share in case.rules.budget_steps)


def _targets(case: Case, target: Decimal) -> Iterator[Decimal]:
    """The targets that one change may lead to: single steps, what is advised, and the longest step up with it."""
    most = case.advisers.targets.change_most
    yield from (target * (1 + max(-most, min(most, share))) for share in case.rules.target_steps)
    if case.advice.suggested is not None:
        yield case.advice.suggested
    if case.advice.move is Move.STEP_UP:
        yield target + case.advisers.targets.step_most


def _target(before: Decimal, after: Decimal) -> _Change:
    action = Action.RAISE_TARGET if after > before else Action.LOWER_TARGET
    return _Change(action, {"target": max(after, HUNDREDTH).quantize(HUNDREDTH)})


def _budget(before: Micros, share: Decimal) -> _Change:
    action = Action.RAISE_BUDGET if share > 0 else Action.CUT_BUDGET
    return _Change(action, {"budget_daily": round(Fraction(before) * (1 + Fraction(share)) / YUAN) * YUAN})


def _set(setting: Setting, after: Mapping[str, Any]) -> Setting:
    """The setting once a change is made."""
    return replace(setting, **{name: value for name, value in after.items() if name in Setting.__dataclass_fields__})


def _effects(case: Case, change: _Change, now: Outlook) -> tuple[Effect, ...] | None:
    """What a change is expected to do a day, by what-ifs and by what followed earlier advice: profit, GMV and spend,
    the first of them first.
    """
    then = case.expected(_set(case.setting, change.after))
    if then is None or case.margin is None:
        return None
    gmv, spend = (
        case.advisers.learnt.ratio(change.action, measure).of(float(after.expected - before.expected))
        for measure, after, before in ((Measure.GMV, then.gmv, now.gmv), (Measure.SPEND, then.spend, now.spend))
    )
    profit = case.margin * now.gmv.expected - now.spend.expected if now.profit is None else now.profit.expected
    return (
        Effect(Measure.PROFIT, _profit(float(case.margin), gmv, spend), round(profit)),
        Effect(Measure.GMV, gmv, round(now.gmv.expected)),
        Effect(Measure.SPEND, spend, round(now.spend.expected)),
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


def _asked(case: Case) -> tuple[_Change, Reason] | None:
    """What the rules of thumb ask for: the first of the verdicts, in the order of the rules, else what is advised."""
    thresholds = case.advisers.thresholds
    told = {one.verdict: one for one in (verdicts(_judged(case), thresholds) if thresholds else ())}
    for verdict, asked in case.rules.verdicts.items():
        if verdict in told and (change := _by_verdict(case, asked)) is not None:
            judged = told[verdict]
            if asked == "advised_target" and change.action is not Action.LOWER_TARGET:
                break  # advice that goes up, into the band, has a reason of its own
            return change, Reason(verdict, {"value": ratio_text(judged.value, 2), "limit": judged.limit})
    change = _advised(case)
    return None if change is None else (change, Reason(str(case.advice.move)))


def _advised(case: Case) -> _Change | None:
    """The target that is advised, where it is another than is set."""
    target, advised = case.setting.target, case.advice.suggested
    return None if target is None or advised is None or advised == target else _target(target, advised)


def _judged(case: Case) -> dict[str, Fraction | None]:
    """The measures of the last days that are judged (SPEC 11), and whether longer ones lose money (SPEC 7.7)."""
    history, plan = case.history, case.history.plans[case.plan_id]
    spans = (Span(*history.back(days)) for days in (case.rules.days_watched, case.rules.days_losing))
    lately, longer = (judged(history, plan, span) for span in spans)
    return {**lately, "net_roi_to_breakeven": longer["net_roi_to_breakeven"]}


def _by_verdict(case: Case, asked: Asked) -> _Change | None:
    target, budget, rules = case.setting.target, case.setting.budget_daily, case.rules
    match asked:
        case "advised_target":
            return _advised(case)
        case "raise_target" if target is not None:
            return _target(target, target * (1 + case.advisers.targets.change_most))
        case "cut_budget" if budget:
            return _budget(budget, min(rules.budget_steps))
        case "pause":
            return _Change(Action.PAUSE, {"status": PlanStatus.PAUSED})
    return None


def _proposal(case: Case, change: _Change, reason: Reason, effects: tuple[Effect, ...]) -> Proposal:
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
    return _staked(lasting(made, case.history.timezone), case.advisers)


def _staked(made: Proposal, advisers: Advisers) -> Proposal:
    """The same, with what it does to the guarantee of the day."""
    if made.plan_id is None or not made.changes_plan:
        return made
    stake = advisers.stake(made.plan_id, made.after)
    if not stake.costs:
        return made
    lost = Effect(Measure.GUARANTEE, Interval(-stake.amount, -stake.amount, -stake.amount), stake.amount)
    return replace(made, effects=(*made.effects, lost))


def _evidence(case: Case) -> Iterator[Evidence]:
    """The figures of the plan that the proposal rests on."""
    seen = case.seen
    target = None if case.setting.target is None else Fraction(case.setting.target)
    yield Evidence("days_seen", case.days, None, "days")
    yield Evidence("spend", seen.spend, case.setting.budget_daily and case.setting.budget_daily * case.days, "yuan")
    yield Evidence("goal_roi", case.roi(seen), target, "ratio", "SPEC 7.3")
    advised = case.advice.suggested
    yield Evidence("advised_target", None if advised is None else Fraction(advised), target, "ratio", "SPEC 7.3")
    margin = case.margin
    yield Evidence("margin", margin, None, "share", "SPEC 3.4")
    yield Evidence("breakeven_payment_roi", None if not margin else 1 / margin, None, "ratio", "SPEC 3.4")
