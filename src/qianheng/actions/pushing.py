"""Write a change of a plan to a vendor: only what the owner allowed, told exactly before, read back after.

An audit entry stands before every write and one after it. Nothing is sent twice: where no answer came, the plan is read
back, and what is found there is what was done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Engine

from qianheng.actions.desk import Desk
from qianheng.actions.report_alerts import OWNER
from qianheng.actions.syncing import keep_plans
from qianheng.actions.vendor_accounts import VendorAccount, Writes
from qianheng.core.actors import Act
from qianheng.core.errors import BadInput, NotFound, QianhengError, Refused, raise_together
from qianheng.core.money import FEN, YUAN
from qianheng.plans.plan import BidMode, PlanStatus, Value
from qianheng.plans.writing import shown
from qianheng.store import audit
from qianheng.store.database import home, reading
from qianheng.store.lake import Lake
from qianheng.vendors.qianchuan.api import Json
from qianheng.vendors.qianchuan.client import Client, Unreachable
from qianheng.vendors.qianchuan.fetching import Account, fetch_plans
from qianheng.vendors.qianchuan.reading import AdPlan
from qianheng.vendors.qianchuan.writing import bodies

Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Pushed:
    """A change of a plan: its values before and after, the bodies as they are sent, and whether they were (`None`:
    nothing was sent).
    """

    plan: AdPlan
    before: Values
    after: Values
    bodies: tuple[tuple[str, Json], ...]
    done: bool | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """Where a change is written: the database that keeps the audit, the account, a client of it, and the time."""

    engine: Engine
    account: VendorAccount
    client: Client
    now: datetime

    def plan(self, plan_id: str) -> AdPlan:
        """A plan as it is there now. None of that id: NotFound."""
        plans = fetch_plans(self.client, Account(self.account.advertiser, ""), self.now.date())
        found = next((one for one in plans if one.id == plan_id), None)
        if found is None:
            raise NotFound("sync.no_plan", place="--plan", value=plan_id, account=self.account.name)
        return found

    def log(self, plan_id: str, detail: Mapping[str, Any]) -> None:
        """Leave an audit entry, in the name of the home's owner."""
        desk = Desk(self.engine, Lake(home() / "lake"), OWNER, self.now)
        with self.engine.begin() as connection:
            desk.enter(connection, Act.CHANGE_PLAN, f"plan {plan_id}", {"account": self.account.name, **detail})


def prepare(push: Push, plan_id: str, wanted: Values) -> Pushed:
    """What a change would write. Nothing to change, or a value that cannot be: BadInput; beyond what the owner allowed,
    or nothing is allowed: Refused.
    """
    plan = push.plan(plan_id)
    after = {name: value for name, value in wanted.items() if getattr(plan, name) != value}
    if not after:
        raise BadInput("sync.no_change", place=plan_id)
    before = {name: getattr(plan, name) for name in after}
    raise_together([*_faults(plan, after)])
    _check_allowed(push, plan, after)
    return Pushed(plan, before, after, tuple(bodies(push.client.api, push.account.advertiser, plan, after)))


def undo_of(push: Push, plan_id: str) -> dict[str, Value]:
    """The values that a plan had before it was written to last. Never written to: NotFound."""
    with reading(push.engine) as connection:
        told = [one.detail for one in audit.entries(connection, None, f"plan {plan_id}")]
    done = [one for one in told if one.get("step") == "written" and one.get("account") == push.account.name]
    if not done:
        raise NotFound("sync.nothing_to_undo", place=plan_id)
    read = {"target": Decimal, "budget_daily": int, "status": PlanStatus}
    return {name: read[name](value) for name, value in done[-1]["was"].items()}


def carry_out(push: Push, ready: Pushed) -> Pushed:
    """Write a change and read it back. The vendor refuses, or has done otherwise: Refused, with what is found there."""
    plan_id = ready.plan.id
    told = {name: [shown(name, ready.before[name]), shown(name, value)] for name, value in ready.after.items()}
    push.log(plan_id, {"step": "writing", **told})
    try:
        for endpoint, body in ready.bodies:
            _send(push.client, endpoint, body)
        why = ""
    except QianhengError as error:
        why = str(error)
    found = push.plan(plan_id)
    keep_plans(push.engine, push.account, [found], push.now)
    there = [name for name, value in ready.after.items() if getattr(found, name) == value]
    if len(there) < len(ready.after):
        push.log(plan_id, {"step": "refused", "why": why, **told})
        raise Refused("sync.not_written", place=plan_id, why=why or "–", done=", ".join(there) or "–")
    was = {name: None if value is None else str(value) for name, value in ready.before.items()}
    push.log(plan_id, {"step": "written", "was": was, **told})
    return Pushed(found, ready.before, ready.after, ready.bodies, done=True)


def _send(client: Client, endpoint: str, body: Json) -> None:
    """Write one body; what the vendor did not do of it: Refused."""
    try:
        results = client.post(endpoint, body).get("results") or []
    except Unreachable:
        return  # nobody knows; what is read back does
    failed = [str(one.get("error_message") or one.get("status")) for one in results if one.get("status") != "SUCCESS"]
    if failed:
        raise Refused("sync.write_failed", place=endpoint, why="; ".join(failed))


def _faults(plan: AdPlan, after: Values) -> Iterator[BadInput]:
    for name in ("target", "budget_daily"):
        if name in after:
            value = Fraction(str(after[name])) / (YUAN if name == "budget_daily" else 1)
            if value <= 0 or (value * YUAN) % FEN:
                yield BadInput("sync.two_decimals", place=f"--{name.removesuffix('_daily')}", value=str(after[name]))
    if "target" in after and plan.bid_mode is BidMode.MAX_DELIVERY:
        yield BadInput("sync.no_target_there", place="--target")


def _check_allowed(push: Push, plan: AdPlan, after: Values) -> None:
    allowed = push.account.writes
    if allowed is None:
        raise Refused("sync.not_allowed", place=push.account.name)
    for name in ("target", "budget_daily"):
        _check_step(allowed, name, getattr(plan, name), after.get(name))
    with reading(push.engine) as connection:
        entries = audit.entries(connection, None, f"plan {plan.id}")
    today = push.now.date()
    made = [
        one
        for one in entries
        if one.detail.get("step") == "writing" and one.at.astimezone(push.now.tzinfo).date() == today
    ]
    if len(made) >= allowed.changes_a_day:
        raise Refused("sync.enough_today", place=plan.id, made=len(made), allowed=allowed.changes_a_day)


def _check_step(allowed: Writes, name: str, before: Value, after: Value) -> None:
    """A value within what the owner allowed: a budget not above his limit, and no step wider than his share."""
    if after is None:
        return
    told = {"place": name, "before": shown(name, before), "after": shown(name, after)}
    if name == "budget_daily" and int(str(after)) > allowed.budget_at_most * YUAN:
        raise Refused("sync.budget_above", limit=allowed.budget_at_most, **told)
    if before is None:
        return
    step = abs(Fraction(str(after)) / Fraction(str(before)) - 1)
    if step > Fraction(allowed.change_at_most):
        raise Refused("sync.step_too_wide", limit=f"{allowed.change_at_most:%}", **told)
