"""What a policy says, rule by rule, in the language spoken; and where two of them differ."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from qianheng.core.words import say
from qianheng.guarantee.policy import ChangeRule, Policy, Rules

Phrases = Iterator[tuple[str, str]]


class Difference(NamedTuple):
    """A rule that two policies word differently; `None` where one has no such rule."""

    rule: str
    before: str | None
    after: str | None


def rules_in_words(policy: Policy) -> list[str]:
    """Each rule of a policy as a phrase in the language spoken."""
    return list(phrases(policy).values())


def differences(before: Policy, after: Policy) -> list[Difference]:
    """The rules by which two policies differ, each with what either says."""
    old, new = phrases(before), phrases(after)
    return [Difference(rule, old.get(rule), new.get(rule)) for rule in {**old, **new} if old.get(rule) != new.get(rule)]


def change_in_words(before: Policy | None, after: Policy) -> str:
    """What a new version changes, in one line; of one that begins a policy, all it says."""
    if before is None:
        return "; ".join(rules_in_words(after))
    changed = differences(before, after)
    return "; ".join(f"{one.before or '–'} → {one.after or '–'}" for one in changed) or say("guarantee.rule.same")


def phrases(policy: Policy) -> dict[str, str]:
    """Each rule of a policy in the language spoken, by its name; what is ruled twice stands together."""
    if (rules := policy.rules) is None:
        return {"promise": say("guarantee.rule.nothing")}
    told: dict[str, str] = {}
    for name, phrase in (*_promise(rules), *_limits(rules), *_week(rules), *_settlement(rules)):
        told[name] = f"{told[name]}; {phrase}" if name in told else phrase
    return told


def _promise(rules: Rules) -> Phrases:
    if rules.unit != "plan_day":
        yield "unit", say(f"guarantee.rule.unit.{rules.unit}")
    yield "goals", say("guarantee.rule.goals", goals=", ".join(rules.goals), modes=", ".join(rules.bid_modes))
    if rules.orders.fewest:
        yield "orders", say("guarantee.rule.orders", limit=rules.orders)
    target = "minimum" if rules.unit == "week" else "weighted"
    yield "trigger_ratio", say(f"guarantee.rule.trigger.{target}", percent=_percent(rules.trigger_ratio))
    if rules.bid_trigger_ratio is not None:
        yield "bid_trigger_ratio", say("guarantee.rule.trigger.bid", percent=_percent(rules.bid_trigger_ratio))
    yield "pays", say(f"guarantee.rule.{_pays(rules)}", pay_ratio=rules.pay_ratio)
    if rules.rapid_boost_pays != 1:
        yield "rapid_boost_pays", say("guarantee.rule.rapid_boost", share=rules.rapid_boost_pays)


def _pays(rules: Rules) -> str:
    if rules.bid_trigger_ratio is not None:
        return "pay_or_bid"
    if rules.unit == "week":
        return "pay_minimum"
    return "pay" if rules.pay_ratio == 1 else "pay_part"


def _limits(rules: Rules) -> Phrases:
    for rule in rules.changes:
        yield from _change(rule)
    if rules.void_events:
        yield "void_events", say("guarantee.rule.events", events=", ".join(rules.void_events))
    if rules.fraud_days:
        yield "fraud_days", say("guarantee.rule.fraud", days=rules.fraud_days)
    if rules.commission_limits_target:
        yield "commission_limits_target", say("guarantee.rule.commission")
    yield "boosts", say("guarantee.rule.own_boost" if rules.unit == "boost" else "guarantee.rule.boosts")


def _change(rule: ChangeRule) -> Phrases:
    if rule.gap_minutes is not None:
        yield f"changes.{rule.of}.gap_minutes", say(f"guarantee.rule.gap.{rule.of}", minutes=rule.gap_minutes)
    if rule.most_a_day is not None:
        words = f"guarantee.rule.{'most' if rule.most_a_day else 'never'}.{rule.of}"
        yield f"changes.{rule.of}.most_a_day", say(words, count=rule.most_a_day)


def _week(rules: Rules) -> Phrases:
    if (week := rules.week) is None:
        return
    yield "week.effective_days", say("guarantee.rule.week.effective_days", count=week.effective_days)
    yield "week.product_spend", say("guarantee.rule.week.product_spend", amount=week.product_spend)
    told = {"amount": week.account_spend, "days": week.account_days, "since": week.account_since}
    yield "week.account_spend", say("guarantee.rule.week.account_spend", **told)


def _settlement(rules: Rules) -> Phrases:
    first, last = rules.credit_days
    words = "judged" if rules.unit == "plan_day" else "judged_after"
    yield "judged", say(f"guarantee.rule.{words}", day=rules.data_days + 1, first=first, last=last)
    yield "minimum", say("guarantee.rule.minimum", minimum=rules.minimum)


def _percent(ratio: Decimal) -> str:
    return f"{(ratio * 100).normalize():f}"
