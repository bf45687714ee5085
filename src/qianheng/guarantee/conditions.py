"""The conditions of a policy: each is a check with the value found, the limit and the reason it gives when it fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from qianheng.core.days import MINUTE
from qianheng.core.money import YUAN, quotient_text, ratio_text, to_fen, yuan
from qianheng.guarantee.case import Event, Log, Price, Target, Unit, WeekUnit, start_of
from qianheng.guarantee.policy import ChangeRule, Rules, WeekRule
from qianheng.guarantee.reasons import Check, Reason, Sums, exact
from qianheng.guarantee.targets import Change, changes, in_force, known_targets, smallest_gap, within
from qianheng.guarantee.weeks import largest_account_spend
from qianheng.plans.plan import PlanKind


def checks(rules: Rules, unit: Unit, log: Log, sums: Sums, now: int) -> Iterator[Check]:
    """Every check of a unit, in the precedence of their reasons but for units of several kinds of rules."""
    known = known_targets(log.targets, now)
    targets = in_force(known, unit.window)
    shown = targets if unit.type != "week" else [target for target in targets if target.value is not None]
    yield Check("targets", bool(shown), str(len(shown)), ">= 1", Reason.NO_TARGET)
    yield from _coverage(rules, unit, targets)
    if rules.week is not None and isinstance(unit, WeekUnit):
        yield _account(rules.week, unit, log, now)
    for rule in rules.changes:
        yield from _change_checks(rule, changes_of(rule, known, log, now), unit)
    yield from _event_checks(rules, unit, log, now)
    yield from _commission(rules, unit, targets)
    if rules.week is not None:
        yield from _week(rules.week, unit, sums)
    yield from _outcome(rules, unit, sums)


def due(rules: Rules, unit: Unit, sums: Sums) -> Fraction:
    """What a unit is due if every condition holds, exactly."""
    return sums.shortfall * exact(rules.rapid_boost_pays) if unit.rapid_boost else sums.shortfall


def _coverage(rules: Rules, unit: Unit, targets: Sequence[Target]) -> Iterator[Check]:
    goals = sorted({target.goal for target in targets})
    covered = all(goal in rules.goals for goal in goals)
    yield Check("goals", covered, ", ".join(goals) or None, " | ".join(rules.goals), Reason.GOAL_NOT_COVERED)
    if Price.CONVERSION in goals and len(goals) > 1:
        yield Check("forms", False, str(len(goals)), "<= 1", Reason.GOAL_NOT_COVERED)
    mode_covered = unit.bid_mode in rules.bid_modes
    yield Check("bid_mode", mode_covered, unit.bid_mode, " | ".join(rules.bid_modes), Reason.GOAL_NOT_COVERED)
    if unit.type != rules.unit:
        yield Check("unit", False, unit.type, rules.unit, Reason.UNIT_NOT_COVERED)


def _account(rule: WeekRule, unit: Unit, log: Log, now: int) -> Check:
    """Whether the account ever was too large, by what it spent before the Sunday before the week."""
    known = [spent for spent in log.account_spend if start_of(spent.day, unit.timezone, 0) <= now]
    most = largest_account_spend(rule, known, unit.day)
    kept = most <= exact(rule.account_spend) * YUAN
    return Check("account_spend", kept, yuan(to_fen(most)), f"<= {rule.account_spend}", Reason.ACCOUNT_TOO_LARGE)


def changes_of(rule: ChangeRule, known: Sequence[Target], log: Log, now: int) -> list[Change]:
    """The changes a rule speaks of, in order of time; of a boost's target and its plan's together."""
    if rule.of == "targeting":
        return _told(log, Event.TARGETING_CHANGE, now)
    own = changes(known, rule.of)
    elsewhere = _told(log, Event.PLAN_TARGET_CHANGE, now) if rule.of == "any" and log.events else []
    return sorted(own + elsewhere) if elsewhere else own


def _told(log: Log, kind: Event, now: int) -> list[Change]:
    times = {event.at for event in log.events if event.type is kind and event.at <= now}
    return [Change(at, False, False) for at in sorted(times)]


def _change_checks(rule: ChangeRule, made: Sequence[Change], unit: Unit) -> Iterator[Check]:
    kind = "" if rule.of == "any" else f"{rule.of}_"
    if rule.gap_minutes is not None:
        gap = smallest_gap(made, unit.window)
        kept = gap is None or gap >= rule.gap_minutes * MINUTE
        value = None if gap is None else ratio_text(Fraction(gap, MINUTE))
        yield Check(f"{kind}change_gap_minutes", kept, value, f">= {rule.gap_minutes}", Reason.CHANGES_TOO_CLOSE)
    if rule.most_a_day is not None:
        count = max(len(within(made, day)) for day in unit.day_windows) if made else 0
        kept = count <= rule.most_a_day
        yield Check(f"{kind}changes", kept, str(count), f"<= {rule.most_a_day}", _too_many(rule))


def _too_many(rule: ChangeRule) -> Reason:
    if rule.of == "targeting":
        return Reason.TOO_MANY_TARGETING_CHANGES
    return Reason.TOO_MANY_CHANGES if rule.most_a_day else Reason.CHANGED_THAT_DAY


def _event_checks(rules: Rules, unit: Unit, log: Log, now: int) -> Iterator[Check]:
    start, end = unit.window
    seen = [event.type for event in log.events if start <= event.at < end and event.at <= now]
    for kind in rules.void_events:
        count = seen.count(Event(kind))
        reason = Reason.DELETED if kind == "delete" else Reason.PAUSED_THAT_DAY
        yield Check(f"{kind}s", count == 0, str(count), "<= 0", reason)
    if rules.fraud_days and any(event.type is Event.FRAUD for event in log.events):
        since = start_of(unit.day, unit.timezone, 1 - rules.fraud_days)
        count = sum(since <= fraud.at < end for fraud in _told(log, Event.FRAUD, now))
        yield Check("frauds", count == 0, str(count), "<= 0", Reason.FRAUD)


def _commission(rules: Rules, unit: Unit, targets: Sequence[Target]) -> Iterator[Check]:
    if not rules.commission_limits_target or not unit.commission_rate:
        return
    limit = 1 / Fraction(unit.commission_rate)
    values = [target.value for target in targets if target.goal is not Price.CONVERSION]
    highest = max((value for value in values if value is not None), default=None)
    kept = highest is None or highest < limit
    yield Check("highest_target", kept, ratio_text(highest), f"< {ratio_text(limit)}", Reason.COMMISSION_TOO_HIGH)


def _week(rule: WeekRule, unit: Unit, sums: Sums) -> Iterator[Check]:
    days = sums.effective_days
    enough = days >= rule.effective_days
    yield Check("effective_days", enough, str(days), f">= {rule.effective_days}", Reason.TOO_FEW_EFFECTIVE_DAYS)
    if unit.kind is PlanKind.PRODUCT:
        enough = sums.spend >= exact(rule.product_spend) * YUAN
        told = yuan(to_fen(sums.spend)), f">= {rule.product_spend}"
        yield Check("effective_spend", enough, *told, Reason.SPENT_TOO_LITTLE)


def _outcome(rules: Rules, unit: Unit, sums: Sums) -> Iterator[Check]:
    yield Check("spend", sums.spend > 0, yuan(to_fen(sums.spend)), "> 0", Reason.NOTHING_SPENT)
    if rules.orders.fewest:
        enough = sums.orders >= rules.orders.fewest
        yield Check("orders", enough, str(sums.orders), str(rules.orders), Reason.TOO_FEW_ORDERS)
    yield _price(rules, sums) if sums.per_conversion and rules.bid_trigger_ratio else _roi(rules, sums)
    amount = due(rules, unit, sums)
    minimum = exact(rules.minimum)
    worth = amount.numerator * minimum.denominator >= minimum.numerator * YUAN * amount.denominator
    yield Check("shortfall", worth, yuan(to_fen(amount)), f">= {rules.minimum}", Reason.BELOW_MINIMUM)


def _roi(rules: Rules, sums: Sums) -> Check:
    spend, promised = sums.spend, sums.promised
    trigger = exact(rules.trigger_ratio)
    # ROI < trigger × weighted target, multiplied out: it holds without GMV too, where there is no weighted target.
    missed = promised.numerator * trigger.denominator < trigger.numerator * spend * promised.denominator
    actual = quotient_text(sums.gmv, spend) if spend else None
    return Check("roi", missed, actual, f"< {_least_roi(rules, trigger, sums)}", Reason.ROI_MET)


def _least_roi(rules: Rules, trigger: Fraction, sums: Sums) -> str:
    """The ROI below which compensation is due: trigger × weighted target, in words while there is none."""
    promised = sums.promised
    if not (promised and sums.gmv):
        return f"{rules.trigger_ratio} x weighted_target"
    least = trigger.numerator * sums.gmv * promised.denominator
    return quotient_text(least, trigger.denominator * promised.numerator)


def _price(rules: Rules, sums: Sums) -> Check:
    trigger = exact(rules.bid_trigger_ratio)
    missed = sums.spend > trigger * sums.promised
    weighted = sums.weighted_target
    limit = ratio_text(trigger * weighted) if weighted else f"{rules.bid_trigger_ratio} x weighted_target"
    return Check("spend_per_conversion", missed, ratio_text(sums.spend_per_conversion), f"> {limit}", Reason.ROI_MET)
