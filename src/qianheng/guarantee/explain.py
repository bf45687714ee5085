"""Why a verdict is what it is: the facts behind each figure, what was left out, what would have kept it (SPEC 5.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from qianheng.core.days import MINUTE, REFUND_WINDOW_1H, day_of, moment
from qianheng.core.money import ratio_text, to_fen, yuan
from qianheng.core.plain import Json
from qianheng.core.words import say
from qianheng.guarantee.case import BoostUnit, Case, Charge, Event, Order, Refund, Target, Unit, WeekUnit
from qianheng.guarantee.conditions import changes_of
from qianheng.guarantee.figures import Counted, LeftOut, Sifted, add_up, by_target, sift
from qianheng.guarantee.policy import Policy, Rules
from qianheng.guarantee.reasons import PRECEDENCE, Reason
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.targets import changes, known_targets
from qianheng.guarantee.verdict import Verdict, answer, judge
from qianheng.guarantee.weeks import Ineffective, days_of
from qianheng.plans.plan import Goal

Days = Mapping[date, Ineffective | None]


def explain(policy: Policy, case: Case) -> Json:
    """The verdict with everything behind it, as JSON: the targets in force with their sums, the changes, each charge
    and order with its refunds and, if left out, the reason, and a sentence on what would have kept the guarantee."""
    sifted = sift(case)
    found = add_up(case, sifted)
    verdict = judge(policy, case.unit, case.log, found, case.now)
    days = days_of(case.unit, case.log, found, case.now) if isinstance(case.unit, WeekUnit) else {}
    sifted = _effective(case, sifted, days)
    return {
        "plan_id": case.unit.plan_id,
        **_unit(case.unit, days),
        "policy": {"name": policy.name, "version": policy.version},
        "verdict": answer(verdict, case.unit.timezone),
        "targets": _targets(policy, case, sifted),
        "changes": _changes(case),
        "charges": [_fact(case, *pair) for pair in zip(case.charges, sifted.charges, strict=True)],
        "orders": _orders(case, sifted),
        "would_have_kept": would_have_kept(policy, case, verdict),
    }


def _unit(unit: Unit, days: Days) -> Json:
    """What beside the plan tells the unit; of a week each day, and why it is not effective if it is not."""
    told: Json = {"day": unit.day.isoformat()}
    if isinstance(unit, BoostUnit):
        return {"type": unit.type, "boost_id": unit.boost_id, **told}
    if isinstance(unit, WeekUnit):
        of_week = [{"day": day.isoformat(), "ineffective": why_not} for day, why_not in days.items()]
        return {"type": unit.type, **told, "days": of_week}
    return told


def _effective(case: Case, sifted: Sifted, days: Days) -> Sifted:
    """The facts of a week's days that are not effective left out."""
    skipped = [window for window, why_not in zip(case.unit.day_windows, days.values(), strict=False) if why_not]
    if not skipped:
        return sifted

    def off(at: int) -> LeftOut | None:
        return LeftOut.INEFFECTIVE_DAY if any(start <= at < end for start, end in skipped) else None

    charges = [why or off(charge.at) for charge, why in zip(case.charges, sifted.charges, strict=True)]
    orders = [
        Counted(LeftOut.INEFFECTIVE_DAY) if counted.left_out is None and off(order.at) else counted
        for order, counted in zip(case.orders, sifted.orders, strict=True)
    ]
    return Sifted(sifted.targets, charges, orders)


def _clock(case: Case, at: int) -> str:
    return moment(at, case.unit.timezone).isoformat()


def _targets(policy: Policy, case: Case, sifted: Sifted) -> list[Json]:
    start, end = case.unit.window
    begins = [max(start, target.at) for target in sifted.targets]
    pay_ratio = Fraction(policy.rules.pay_ratio) if policy.rules else Fraction(1)
    return [
        {
            "from": _clock(case, begin),
            "until": _clock(case, until),
            "goal": period.goal,
            "value": ratio_text(period.target),
            "orders": period.orders,
            "gmv": yuan(period.gmv),
            "expected_spend": yuan(to_fen(period.promised / pay_ratio)) if period.target else None,
        }
        for begin, until, period in zip(begins, [*begins, end][1:], by_target(case, sifted).periods, strict=True)
    ]


def _changes(case: Case) -> list[Json]:
    start, end = case.unit.window
    made = changes(known_targets(case.log.targets, case.now))
    gaps = [None, *(later.at - earlier.at for earlier, later in pairwise(made))]
    return [
        {
            "at": _clock(case, change.at),
            "of_value": change.of_value,
            "of_goal": change.of_goal,
            "minutes_since_change": None if gap is None else ratio_text(Fraction(gap, MINUTE)),
        }
        for change, gap in zip(made, gaps, strict=False)
        if start <= change.at < end
    ]


def _fact(case: Case, fact: Charge | Order | Refund, left_out: str | None) -> Json:
    return {"id": fact.id, "at": _clock(case, fact.at), "amount": yuan(fact.amount), "left_out": left_out}


def _orders(case: Case, sifted: Sifted) -> list[Json]:
    seen: set[str] = set()
    shown = []
    for order, counted in zip(case.orders, sifted.orders, strict=True):
        reasons = refund_reasons(case, order, counted, sifted.targets, seen)
        refunds = [_fact(case, refund, why) for refund, why in zip(order.refunds, reasons, strict=True)]
        gmv = yuan(counted.gmv) if counted.left_out is None else None
        shown.append({**_fact(case, order, counted.left_out), "gmv": gmv, "refunds": refunds})
    return shown


def refund_reasons(
    case: Case, order: Order, counted: Counted, targets: Sequence[Target], seen: set[str]
) -> list[LeftOut | None]:
    """Why each refund of an order is not subtracted; `None` for one that is, or that made the order not count."""
    if counted.left_out is LeftOut.DUPLICATE:
        return [LeftOut.DUPLICATE] * len(order.refunds)
    by_order = _order_reason(counted, targets)
    reasons = []
    for refund in order.refunds:
        told_before = refund.id in seen
        seen.add(refund.id)
        reasons.append(LeftOut.DUPLICATE if told_before else _refund_reason(case, order, refund, by_order))
    return reasons


def _order_reason(counted: Counted, targets: Sequence[Target]) -> LeftOut | None:
    if counted.left_out is not None:
        heeded = counted.left_out in (LeftOut.REFUNDED_AT_ONCE, LeftOut.NO_GMV)
        return None if heeded else LeftOut.ORDER_LEFT_OUT
    return None if targets[counted.period].goal is Goal.NET else LeftOut.PAYMENT_GOAL


def _refund_reason(case: Case, order: Order, refund: Refund, by_order: LeftOut | None) -> LeftOut | None:
    if refund.at > case.now:
        return LeftOut.LATER_THAN_NOW
    if by_order is not None:
        return by_order
    return LeftOut.AFTER_AN_HOUR if refund.at - order.at > REFUND_WINDOW_1H else None


def would_have_kept(policy: Policy, case: Case, verdict: Verdict) -> str | None:
    """A sentence on what would have kept the guarantee, for the first condition that fails now; `None` if all hold."""
    if policy.rules is None:
        return say("guarantee.kept.no_policy", policies=", ".join(name for name in shipped().names if name != "none"))
    failed = [check.reason for check in verdict.checks if not check.passed]
    if not failed:
        return None
    first = min(failed, key=PRECEDENCE.__getitem__)
    values = _KEPT[first](policy.rules, case, verdict) if first in _KEPT else {}
    per_conversion = first is Reason.ROI_MET and verdict.sums.per_conversion
    return say(f"guarantee.kept.{'price_met' if per_conversion else first}", **values)


def _too_close(rules: Rules, case: Case, _: Verdict) -> Json:
    start, end = case.unit.window
    known = known_targets(case.log.targets, case.now)
    late = [
        (later.at, earlier.at + (rule.gap_minutes or 0) * MINUTE)
        for rule in rules.changes
        for earlier, later in pairwise(changes_of(rule, known, case.log, case.now))
        if start <= later.at < end
    ]
    at, earliest = next((at, earliest) for at, earliest in sorted(late) if at < earliest)
    return {"at": _clock(case, at), "earliest": _clock(case, earliest)}


def _after_fraud(rules: Rules, case: Case, _: Verdict) -> Json:
    end = min(case.unit.window[1], case.now + 1)
    last = max(event.at for event in case.log.events if event.type is Event.FRAUD and event.at < end)
    return {"day": day_of(moment(last), case.unit.timezone) + timedelta(days=rules.fraud_days)}


def _failed(_: Rules, __: Case, verdict: Verdict) -> Json:
    check = min((check for check in verdict.checks if not check.passed), key=lambda check: PRECEDENCE[check.reason])
    return {"count": check.value, "limit": check.limit.lstrip("<>= ")}


_KEPT: dict[Reason, Callable[[Rules, Case, Verdict], Json]] = {
    Reason.GOAL_NOT_COVERED: lambda rules, _, __: {"goals": ", ".join(rules.goals)},
    Reason.UNIT_NOT_COVERED: _failed,
    Reason.ACCOUNT_TOO_LARGE: _failed,
    Reason.CHANGES_TOO_CLOSE: _too_close,
    Reason.TOO_MANY_CHANGES: _failed,
    Reason.CHANGED_THAT_DAY: _failed,
    Reason.TOO_MANY_TARGETING_CHANGES: _failed,
    Reason.FRAUD: _after_fraud,
    Reason.COMMISSION_TOO_HIGH: _failed,
    Reason.TOO_FEW_EFFECTIVE_DAYS: _failed,
    Reason.SPENT_TOO_LITTLE: _failed,
    Reason.TOO_FEW_ORDERS: lambda rules, _, verdict: {"missing": rules.orders.fewest - verdict.sums.orders},
    Reason.ROI_MET: _failed,
    Reason.BELOW_MINIMUM: lambda rules, _, __: {"minimum": rules.minimum},
}
