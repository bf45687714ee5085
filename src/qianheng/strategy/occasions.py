"""What an occasion calls for, not a market: something found wrong, a balance that ends, a promotion, another goal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from fractions import Fraction

from qianheng.core.interval import Interval
from qianheng.core.money import yuan
from qianheng.diagnosis.evidence import Evidence
from qianheng.diagnosis.findings import Anomaly, Finding
from qianheng.measures.goals import Rates, converted
from qianheng.measures.history import About, History
from qianheng.plans.plan import Goal, PlanStatus, Value
from qianheng.strategy.case import Advisers, Case, Rules
from qianheng.strategy.proposal import Action, Effect, Measure, Proposal, Reason, lasting
from qianheng.strategy.targets import cents

RATES = 30  # days whose rates convert a target of one goal into another's (SPEC 3.3)


def occasions(history: History, advisers: Advisers, rules: Rules) -> Iterator[Proposal]:
    """What is called for today: of each plan at most one change."""
    yield from _of_balance(history, rules)
    yield from (_of_finding(history, one, rules) for one in advisers.findings)
    changed = {one.plan_id for one in advisers.undo}
    yield from advisers.undo
    yield from (one for one in _of_promotion(history, advisers) if one.plan_id not in changed)


def _of_balance(history: History, rules: Rules) -> Iterator[Proposal]:
    """A balance that lasts less than some days of mean spend (SPEC 7.5)."""
    seen, days = history.last(rules.days_seen), len(history.each(history.whole_shop, *history.back(rules.days_seen)))
    balance = history.shop.balance
    if balance is None or not seen.spend or not days:
        return
    needed = rules.days_balance * seen.spend // days
    if balance < needed:
        reason = Reason("balance_low", {"balance": yuan(balance), "days": rules.days_balance, "needed": yuan(needed)})
        made = _made(history, None, Action.TOP_UP_BALANCE, reason)
        yield replace(made, evidence=(Evidence("balance", balance, needed, "yuan", "SPEC 4.5"),))


def _of_finding(history: History, finding: Finding, rules: Rules) -> Proposal:
    """The work that something found wrong calls for."""
    subject = finding.subject
    plan_id = subject.id if subject.about is About.PLAN else subject.within or None
    told = {"name": subject.name or subject.id, "since": f"{finding.since:%Y-%m-%d %H:%M}"}
    made = _made(history, plan_id, Action(rules.findings[finding.anomaly]), Reason(finding.anomaly, told))
    return replace(made, effects=tuple(_saved(history, finding)), evidence=finding.evidence)


def _saved(history: History, finding: Finding) -> Iterator[Effect]:
    """What is spent off air is saved to the last yuan once that ends; of anything else no number is known."""
    spent = history.last(1, finding.subject).off_air_spend
    if finding.anomaly is Anomaly.OFF_AIR_SPEND and spent:
        yield Effect(Measure.PROFIT, Interval(spent, spent, spent), -spent)
        yield Effect(Measure.SPEND, Interval(-spent, -spent, -spent), spent)


def _of_promotion(history: History, advisers: Advisers) -> Iterator[Proposal]:
    """What a plan is to be set to today for a promotion that comes or is on, and afterwards what it was before."""
    yield from advisers.after_promotion
    for schedule in advisers.promotion.schedules if advisers.promotion else ():
        plan = history.plans.get(schedule.plan.id)
        today = [step for step in schedule.steps if step.at.date() == history.today and step.why != "end"]
        if plan is None or plan.setting is None or plan.setting.status is not PlanStatus.ACTIVE or not today:
            continue
        before = {name: getattr(plan.setting, name) for name in today[0].after if hasattr(plan.setting, name)}
        after = {name: value for name, value in today[0].after.items() if name in before and before[name] != value}
        if after:
            coming = advisers.promotion.coming[0] if advisers.promotion else None
            title = asdict(coming.title) if coming else {}
            told = {"name": title, "last": coming.last.isoformat()} if coming else {}
            made = _made(history, plan.subject.id, Action.START_PROMOTION, Reason(f"promotion_{today[0].why}", told))
            yield replace(made, before={name: before[name] for name in after}, after=after)


def settled_goal(case: Case) -> Iterator[Proposal]:
    """Another goal, where the table of SPEC 7.1 speaks for one and nothing else is to be gained; the target is the same
    sales' under the new goal.
    """
    advice, setting = case.advisers.goal, case.setting
    choice = advice.choice if advice else None
    if advice is None or choice is None or setting.goal not in (Goal.PAYMENT, Goal.NET) or str(setting.goal) == choice:
        return
    told: Mapping[str, int] = {"payment": advice.votes["payment"], "net": advice.votes["net"]}
    if choice == "both":
        if len({plan.setting.goal for plan in case.history.plans.values() if plan.setting}) == 1:
            yield _made(case.history, case.plan_id, Action.SPLIT_GOALS, Reason("both_goals", told))
        return
    target = _converted(case, choice)
    if target is not None:
        values: dict[str, Value] = {"goal": Goal(choice), "target": cents(target)}
        made = _made(case.history, case.plan_id, Action.SWITCH_GOAL, Reason("goal_table", {**told, "goal": choice}))
        evidence = tuple(row.evidence for row in advice.rows if row.speaks_for is not None)
        yield replace(made, before={"goal": setting.goal, "target": setting.target}, after=values, evidence=evidence)


def _converted(case: Case, goal: str) -> Fraction | None:
    """The plan's target as one of another goal, by the rates of thirty days."""
    if case.setting.target is None:
        return None
    about = case.history.plan_subject(case.plan_id)
    rates = Rates(case.history.ratio("net_gmv", "gmv", RATES, about), None)
    return converted(Fraction(case.setting.target), case.setting.goal, rates)[goal]


def _made(history: History, plan_id: str | None, action: Action, reason: Reason) -> Proposal:
    return lasting(Proposal(plan_id, action, reason, history.now, history.now), history.timezone)
