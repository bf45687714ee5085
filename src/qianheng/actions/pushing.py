"""Write a change of a plan to a vendor: only what the owner allowed, told exactly before, read back after.

An audit entry stands before every write and one after it. Nothing is sent twice: where no answer came, the plan is read
back, and what is found there is what was done. A write that was killed before it was read back is read back when the
plan is looked at next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Engine

from qianheng.actions.desk import Desk
from qianheng.actions.report_alerts import OWNER
from qianheng.actions.syncing import keep_plans
from qianheng.actions.vendor_accounts import VendorAccount, Writes
from qianheng.core.actors import Act
from qianheng.core.days import zone
from qianheng.core.errors import BadInput, NotFound, QianhengError, Refused, raise_together
from qianheng.core.money import FEN, YUAN
from qianheng.core.words import say
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
WRITTEN = ("target", "budget_daily", "status")


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

    @property
    def today(self) -> date:
        """The day it is where the account is."""
        return self.now.astimezone(zone(self.client.api.timezone)).date()

    def plan(self, plan_id: str) -> AdPlan:
        """A plan as it is there now. None of that id: NotFound."""
        plans = fetch_plans(self.client, Account(self.account.advertiser, ""), self.today)
        found = next((one for one in plans if one.id == plan_id), None)
        if found is None:
            raise NotFound("sync.no_plan", place="--plan", value=plan_id, account=self.account.name)
        return found

    def log(self, plan_id: str, detail: Mapping[str, Any]) -> None:
        """Leave an audit entry, in the name of the home's owner."""
        desk = Desk(self.engine, Lake(home() / "lake"), OWNER, self.now)
        with self.engine.begin() as connection:
            desk.enter(connection, Act.CHANGE_PLAN, f"plan {plan_id}", {"account": self.account.name, **detail})


def look(push: Push, plan_id: str) -> AdPlan:
    """A plan as it is there now, with what was still unsure of its last write found out. None of that id: NotFound."""
    plan = push.plan(plan_id)
    last = next(reversed(_entries(push, plan_id)), None)
    if last is not None and last.detail["step"] == "writing":
        _tell_found(push, plan, _Write.of(last.detail), say("sync.not_read_back"))
    return plan


def differing(plan: AdPlan, wanted: Values) -> dict[str, Value]:
    """The values that a plan does not have yet."""
    return {name: value for name, value in wanted.items() if getattr(plan, name) != value}


def prepare(push: Push, plan: AdPlan, wanted: Values, back: bool = False) -> Pushed:
    """What a change would write; `back`: of values that the plan had before, however wide the step to them is. Nothing
    to change, or a value that cannot be: BadInput; beyond what the owner allowed, or nothing is allowed: Refused.
    """
    after = differing(plan, wanted)
    if not after:
        raise BadInput("sync.no_change", place=plan.id)
    before = {name: getattr(plan, name) for name in after}
    raise_together([*_faults(plan, after)])
    _check_allowed(push, plan, after, back)
    return Pushed(plan, before, after, tuple(bodies(push.client.api, push.account.advertiser, plan, after)))


def undo_of(push: Push, plan_id: str) -> dict[str, Value]:
    """The values that a plan had before it was written to last. Never written to: NotFound."""
    done = [one for one in _entries(push, plan_id) if one.detail["step"] == "written"]
    if not done:
        raise NotFound("sync.nothing_to_undo", place=plan_id)
    return dict(_Write.of(done[-1].detail).before)


def carry_out(push: Push, ready: Pushed) -> Pushed:
    """Write a change and read it back. The vendor refuses, or has done otherwise: Refused, with what is found there."""
    write = _Write(ready.before, ready.after)
    push.log(ready.plan.id, {"step": "writing", **write.told()})
    try:
        for endpoint, body in ready.bodies:
            _send(push.client, endpoint, body)
        why = ""
    except QianhengError as error:
        why = str(error)
    found = push.plan(ready.plan.id)
    keep_plans(push.engine, push.account, [found], push.now)
    there = _tell_found(push, found, write, why)
    if len(there) < len(ready.after):
        raise Refused("sync.not_written", place=found.id, why=why or "–", done=", ".join(there) or "–")
    return replace(ready, plan=found, done=True)


@dataclass(frozen=True, slots=True)
class _Write:
    """A write as the audit tells of it: the values of a plan before and after."""

    before: Values
    after: Values

    def told(self) -> dict[str, Any]:
        """As plain values; what is unknown is `None`."""
        return {
            kind: {name: None if value is None else str(value) for name, value in values.items()}
            for kind, values in (("was", self.before), ("is", self.after))
        }

    @classmethod
    def of(cls, detail: Mapping[str, Any]) -> _Write:
        """The same, read again."""
        read: dict[str, Callable[[str], Value]] = {"target": Decimal, "budget_daily": int, "status": PlanStatus}
        was, after = (
            {name: None if value is None else read[name](value) for name, value in detail[kind].items()}
            for kind in ("was", "is")
        )
        return cls(was, after)

    def only(self, names: Collection[str]) -> _Write:
        """The part of it that is about some values."""
        was, after = ({name: values[name] for name in names} for values in (self.before, self.after))
        return _Write(was, after)


def _tell_found(push: Push, found: AdPlan, write: _Write, why: str) -> list[str]:
    """Enter in the audit what of a write is found at the plan, and what is not; the names of what is."""
    missing = differing(found, write.after)
    there = [name for name in write.after if name not in missing]
    if there:
        push.log(found.id, {"step": "written", **write.only(there).told()})
    if missing:
        push.log(found.id, {"step": "refused", "why": why, **write.only(missing).told()})
    return there


def _entries(push: Push, plan_id: str) -> list[audit.Entry]:
    """What the audit tells of writes to a plan of the account."""
    with reading(push.engine) as connection:
        told = audit.entries(connection, None, f"plan {plan_id}")
    return [one for one in told if one.detail.get("account") == push.account.name and "step" in one.detail]


def _send(client: Client, endpoint: str, body: Json) -> None:
    """Write one body; what the vendor did not do of it: Refused."""
    try:
        results = client.post(endpoint, body).get("results") or []
    except Unreachable:
        return  # nobody knows; what is read back does
    failed = [why for one in results if (why := _failure(one))]
    if failed:
        raise Refused("sync.write_failed", place=endpoint, why="; ".join(failed))


def _failure(result: Json) -> str:
    """Why a plan was not written to; "" if it was. Targets and budgets are answered by a status, switches by a flag."""
    if result.get("status", "SUCCESS") == "SUCCESS" and result.get("flag", True) and not result.get("error"):
        return ""
    error: Json = result.get("error") or result
    return str(error.get("error_message") or result.get("status") or error)


def _faults(plan: AdPlan, after: Values) -> Iterator[BadInput]:
    for name in after:
        if name not in WRITTEN:
            yield BadInput("sync.not_written_from_here", place=name, known=", ".join(WRITTEN))
        elif name != "status":
            value = Fraction(str(after[name])) / (YUAN if name == "budget_daily" else 1)
            if value <= 0 or (value * YUAN) % FEN:
                yield BadInput("sync.two_decimals", place=f"--{name.removesuffix('_daily')}", value=str(after[name]))
    if "target" in after and plan.bid_mode is BidMode.MAX_DELIVERY:
        yield BadInput("sync.no_target_there", place="--target")


def _check_allowed(push: Push, plan: AdPlan, after: Values, back: bool) -> None:
    allowed = push.account.writes
    if allowed is None:
        raise Refused("sync.not_allowed", place=push.account.name)
    for name in ("target", "budget_daily"):
        _check_step(allowed, name, None if back else getattr(plan, name), after.get(name))
    zone_there = zone(push.client.api.timezone)
    days = [one.at.astimezone(zone_there).date() for one in _entries(push, plan.id) if one.detail["step"] == "writing"]
    made = [day for day in days if day == push.today]
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
