"""The self-check of a unit (SPEC 5.6): figures, conditions, reason, the facts behind, what would have helped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from qianheng.actions.desk import Desk
from qianheng.actions.policies import in_force
from qianheng.actions.promises import id_of, promises
from qianheng.core.money import yuan
from qianheng.core.plain import Json
from qianheng.core.words import say
from qianheng.guarantee.case import Case, Unit
from qianheng.guarantee.explain import explain
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.remedies import Remedy, remedies
from qianheng.store.database import reading


def self_check(policy: Policy, case: Case, *, facts: bool) -> Json:
    """What the guarantee says of a case and why, as JSON; with `facts` every charge and order, else how many."""
    told = explain(policy, case)
    del told["would_have_kept"]
    counted = {kind: _counts(told[kind]) for kind in ("charges", "orders")}
    whole = {kind: told.pop(kind) for kind in ("charges", "orders")}
    found = [_told(remedy, case.unit.timezone) for remedy in remedies(policy, case)]
    return {**told, "facts": counted, "remedies": found} | (whole if facts else {})


def kept_check(desk: Desk, case: Case, *, facts: bool) -> tuple[Policy, Case, Json]:
    """The self-check of a unit on a desk, with what the ledger promised and paid for it beside."""
    policy = in_force(case.policy, case.unit.day)
    checked = self_check(policy, case, facts=facts)
    return policy, case, checked | {"ledger": _ledger(desk, case.unit)}


def _ledger(desk: Desk, unit: Unit) -> Json:
    with reading(desk.database) as connection:
        made = [one for one in promises(connection, id_of(unit)) if one.pending.at <= desk.now]
    return {"promised": yuan(sum(one.standing for one in made)), "paid": yuan(sum(one.paid for one in made))}


def _counts(facts: Iterable[Json]) -> Json:
    """How many facts count, and how many are left out for which reason."""
    found = Counter(fact["left_out"] for fact in facts)
    return {"counted": found.pop(None, 0), "left_out": {str(reason): count for reason, count in found.items()}}


def _told(remedy: Remedy, timezone: str) -> Json:
    told = {"step": remedy.step, "kind": remedy.kind, **remedy.told}
    after = remedy.after
    outcome = {"compensation": yuan(after.compensation)} if after else {"compensation": None}
    failed = [check.reason for check in after.checks if not check.passed] if after else []
    return told | outcome | {"reason": failed[0] if failed else None, "sentence": sentence(remedy)}


def sentence(remedy: Remedy) -> str:
    """A remedy and what would have come of it, in words."""
    told = {name: _words(name, value) for name, value in remedy.told.items()}
    what = say(f"proof.remedy.{remedy.kind}", **told)
    if remedy.after is None:
        return what
    failed = [check.reason for check in remedy.after.checks if not check.passed]
    if failed:
        outcome = say("proof.outcome.nothing", reason=say(f"guarantee.reason.{failed[0]}"))
    else:
        outcome = say("proof.outcome.due", amount=yuan(remedy.after.compensation))
    return say("proof.outcome.then", what=what, outcome=outcome)


def _words(name: str, value: Any) -> Any:
    """Lists of times, changes and events in words."""
    if name == "times":
        return say("proof.comma").join(at[11:16] for at in value)
    if name == "changes":
        return say("proof.comma").join(
            say("proof.remedy.one_change", **one | {"at": one["at"][11:16]}) for one in value
        )
    if name == "events":
        return say("proof.comma").join(say(f"proof.event.{one['type']}", at=one["at"][11:16]) for one in value)
    return "–" if value is None else value
