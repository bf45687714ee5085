"""The plans of connected accounts as history tells them: what the vendor's API told of their settings, by when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias

from sqlalchemy import Connection

from qianheng.actions.vendor_accounts import VendorAccount, accounts, known_api
from qianheng.core.days import SHANGHAI, moment, parse_time, zone
from qianheng.core.money import micros
from qianheng.measures.history import About, PlanHistory, Setting, Subject
from qianheng.plans.entries import LogEntry, LogField
from qianheng.plans.plan import BidMode, Goal, PlanKind, PlanStatus, Value
from qianheng.store import records, vendor_accounts
from qianheng.store.vendor_accounts import SeenPlan


def plans_told(connection: Connection, account: str = "") -> dict[str, PlanHistory]:
    """The plans of one account, or of all, by the vendor's id: as they were seen to be set, each since the vendor last
    changed it, and before that as the log of changes tells.
    """
    seen: dict[str, list[SeenPlan]] = {}
    for one in vendor_accounts.seen(connection, account):
        seen.setdefault(one.plan_id, []).append(one)
    if not seen:
        return {}
    entries: dict[str, list[LogEntry]] = {}
    for entry in records.load(connection, LogEntry):
        entries.setdefault(entry.plan_id, []).append(entry)
    policies = known_api().policies
    return {plan_id: _history(told, entries.get(plan_id, []), policies) for plan_id, told in seen.items()}


def _history(seen: Sequence[SeenPlan], entries: Sequence[LogEntry], policies: Mapping[str, str]) -> PlanHistory:
    last = seen[-1]
    kind, subject = PlanKind(last.body["kind"]), Subject(About.PLAN, last.plan_id, last.body["name"])
    told = [setting_of(one.body, one.seen_at) for one in seen]
    return PlanHistory(subject, kind, policies.get(kind), tuple(_settings(told, entries, last.body["created"])))


def _settings(seen: Sequence[Setting], entries: Sequence[LogEntry], created: str | None) -> Iterator[Setting]:
    """What a plan was set to, oldest first: what was seen, and between what the log says, back to its beginning where
    the log tells what was before.
    """
    setting = seen[0]
    earlier = [entry for entry in entries if _at(entry) <= setting.at]
    for entry in reversed(earlier):
        setting = _with(setting, entry.field, entry.before, setting.at)
    if earlier:
        begun = _local(parse_time(created)) if created else _at(earlier[0])
        setting = replace(setting, at=min(begun, _at(earlier[0])))
    told = [setting]
    timed: list[Timed] = [*((_at(one), one) for one in entries), *((one.at, one) for one in seen)]
    for at, thing in sorted(timed, key=_when):
        setting = thing if isinstance(thing, Setting) else _with(setting, thing.field, thing.after, at)
        told.append(setting)
    yield told[0]
    yield from (one for before, one in pairwise(told) if replace(before, at=one.at) != one)


@dataclass(frozen=True, slots=True)
class There:
    """Where a plan runs: the connected account that was read last, and what the plan was last seen to be set to."""

    account: VendorAccount
    setting: Setting

    def has(self, values: Mapping[str, Value]) -> bool:
        """Whether the plan is set to these values."""
        return all(getattr(self.setting, name, None) == value for name, value in values.items())


def where(connection: Connection, plan_id: str) -> There | None:
    """Where a plan runs; `None`: in no connected account."""
    known = {one.name: one for one in accounts()}
    seen = [one for one in vendor_accounts.seen(connection) if one.plan_id == plan_id and one.account in known]
    return There(known[seen[-1].account], setting_of(seen[-1].body, seen[-1].seen_at)) if seen else None


Timed: TypeAlias = tuple[datetime, LogEntry | Setting]


def _when(timed: Timed) -> tuple[datetime, bool]:
    return timed[0], isinstance(timed[1], Setting)  # what was seen holds after what was done at that time


def _with(setting: Setting, field: LogField, value: str | None, at: datetime) -> Setting:
    """The setting after a field was given a value; as it was where the log does not say which."""
    if value is None or field not in _READ:
        return replace(setting, at=at)
    name, read = _READ[field]
    return replace(setting, at=at, **{name: read(value)})


_READ: dict[LogField, tuple[str, Callable[[str], Any]]] = {
    LogField.TARGET: ("target", Decimal),
    LogField.BUDGET: ("budget_daily", micros),
    LogField.GOAL: ("goal", Goal),
    LogField.BID_MODE: ("bid_mode", BidMode),
    LogField.STATUS: ("status", PlanStatus),
}


def _at(entry: LogEntry) -> datetime:
    return moment(entry.at, SHANGHAI)


def _local(at: datetime) -> datetime:
    return at.astimezone(zone(SHANGHAI))


def setting_of(body: Mapping[str, Any], seen_at: datetime) -> Setting:
    """What a plan was set to as it was seen: since the vendor's last change of it, or else since then."""
    at = parse_time(body["modified"]) if body["modified"] else seen_at
    target = None if body["target"] is None else Decimal(body["target"])
    aims = Goal(body["goal"]), BidMode(body["bid_mode"]), target
    return Setting(_local(at), *aims, body["budget_daily"], PlanStatus(body["status"]))
