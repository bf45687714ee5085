"""How verdicts and their explanations look to a person."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from qianheng.cli.output import headings, print_table
from qianheng.core.plain import Json
from qianheng.core.words import known, say
from qianheng.guarantee.case import BoostUnit, Case, Price, Unit
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.reasons import Check, Status
from qianheng.guarantee.verdict import Verdict, answer

Judged: TypeAlias = tuple[Policy, Case, Verdict]

FIGURES = ("spend", "gmv", "orders", "weighted_target", "actual_roi", "expected_spend", "compensation", "forgone")
_CODE = re.compile(r"[a-z_]{2,}")
BRIEFLY = ("spend", "gmv", "orders", "weighted_target", "actual_roi", "compensation")


def print_one(policy: Policy, case: Case, verdict: Verdict) -> None:
    """A verdict: its figures, each condition with value and limit, and the reason in words."""
    told = answer(verdict, case.unit.timezone)
    boost = case.unit.boost_id if isinstance(case.unit, BoostUnit) else ""
    title = _title(case.unit.type, plan=case.unit.plan_id, boost=boost, day=case.unit.day, policy=policy.name)
    figures = [name for name in FIGURES if name in told]
    rows = [(title_of, told[name]) for title_of, name in zip(headings("guarantee", *figures), figures, strict=True)]
    _console().print(title)
    status = (say("guarantee.column.status"), _status(told))
    print_table("", headings("guarantee", "figure", "value"), [status, *rows])
    if verdict.checks:
        print_table("", ["", *headings("guarantee", "check", "value", "limit")], map(_check_row, verdict.checks))
    _console().print(sentence(told))


def print_many(judged: Iterable[Judged]) -> None:
    """One line a verdict."""
    rows = []
    for policy, case, verdict in judged:
        told = answer(verdict, case.unit.timezone)
        unit = [escape(case.unit.plan_id), case.unit.day, escape(policy.name)]
        rows.append([*unit, *(told[name] for name in BRIEFLY), _status(told), _reason(told)])
    print_table("", headings("guarantee", "plan", "day", "policy", *BRIEFLY, "status", "reason"), rows)


def print_explanation(explanation: Json) -> None:
    """An explanation as a tree: targets, changes, charges, orders with their refunds, what would have kept it."""
    unit = {"plan": explanation["plan_id"], "day": explanation["day"], "policy": explanation["policy"]["name"]}
    tree = Tree(_title(explanation.get("type", Unit.type), boost=explanation.get("boost_id"), **unit))
    tree.add(f"{_status(explanation['verdict'])}: {sentence(explanation['verdict'])}")
    if days := explanation.get("days"):
        effective = sum(day["ineffective"] is None for day in days)
        _branch(tree, say("guarantee.explain.days", effective=effective), map(_day_line, days))
    _branch(tree, say("guarantee.explain.targets"), map(_target_line, explanation["targets"]))
    _branch(tree, say("guarantee.explain.changes"), map(_change_line, explanation["changes"]))
    charges, orders = explanation["charges"], explanation["orders"]
    _branch(tree, _counts("charges", charges), map(fact_line, charges))
    branch = _branch(tree, _counts("orders", orders), [])
    for order in orders:
        _branch(branch, _order_line(order), map(_refund_line, order["refunds"]))
    if explanation["would_have_kept"]:
        _branch(tree, say("guarantee.explain.kept"), [explanation["would_have_kept"]])
    _console().print(tree)


def sentence(told: dict[str, Any]) -> str:
    """The answer in one sentence."""
    amount, status = told["compensation"], told["status"]
    if status == Status.VOID:
        return say("guarantee.sentence.void", reason=_reason(told), amount=told["forgone"])
    if told["reason"]:
        return say("guarantee.sentence.nothing", reason=_reason(told))
    if told["final"]:
        return say("guarantee.sentence.due", amount=amount)
    return say("guarantee.sentence.provisional", amount=amount, judged_at=told["judged_at"])


def _title(unit: str, **told: object) -> str:
    return say("guarantee.title" if unit == Unit.type else f"guarantee.title_{unit}", **told)


def _day_line(day: Json) -> str:
    why_not = day["ineffective"]
    return f"{day['day']} ✓" if why_not is None else f"{day['day']} ✗ {say(f'guarantee.ineffective.{why_not}')}"


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False)  # ids are shown as they are


def _status(told: dict[str, Any]) -> str:
    return say(f"guarantee.status.{told['status']}")


def _reason(told: dict[str, Any]) -> str | None:
    return say(f"guarantee.reason.{told['reason']}") if told["reason"] else None


def _check_row(check: Check) -> tuple[str | None, ...]:
    told = (None if code is None else in_words(code) for code in (check.value, check.limit))
    return "✓" if check.passed else "✗", say(f"guarantee.check.{check.name}"), *told


def in_words(codes: str) -> str:
    """A value or limit of a check with the codes in it (a goal, a bid mode, a unit) in words."""
    return _CODE.sub(lambda found: _word_of(found[0]), codes)


def _word_of(code: str) -> str:
    keys = (f"pages.goal.{code}", f"pages.bid_mode.{code}", f"guarantee.code.{code}")
    return next((say(key) for key in keys if known(key)), code)


def _branch(tree: Tree, title: str, lines: Iterable[str]) -> Tree:
    branch = tree.add(title)
    for line in lines:
        branch.add(line)
    return branch


def _counts(kind: str, facts: list[Json]) -> str:
    left_out = sum(fact["left_out"] is not None for fact in facts)
    return say(f"guarantee.explain.{kind}", counted=len(facts) - left_out, left_out=left_out)


def _target_line(target: Json) -> str:
    key = "guarantee.explain.target_price" if target["goal"] == Price.CONVERSION else "guarantee.explain.target"
    return say(key, since=target["from"], **{k: v for k, v in target.items() if k != "from"})


def _change_line(change: Json) -> str:
    kinds = [kind for kind in ("of_value", "of_goal") if change[kind]]
    what = " + ".join(say(f"guarantee.explain.{kind}") for kind in kinds)
    gap = change["minutes_since_change"]
    return say("guarantee.explain.change", at=change["at"], what=what, gap="–" if gap is None else gap)


def fact_line(fact: Json, key: str = "guarantee.explain.fact") -> str:
    """A fact, and why it does not count if it does not."""
    line = say(key, **fact)
    return line if fact["left_out"] is None else f"{line} ✗ {say('guarantee.left_out.' + fact['left_out'])}"


def _order_line(order: Json) -> str:
    return fact_line(order, "guarantee.explain.fact" if order["left_out"] else "guarantee.explain.counted_order")


def _refund_line(refund: Json) -> str:
    return fact_line(refund, "guarantee.explain.refund")
