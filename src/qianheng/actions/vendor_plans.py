"""The plans of connected accounts as history tells them: what the vendor's API told of their settings, by when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from qianheng.actions.vendor_accounts import known_api
from qianheng.core.days import SHANGHAI, parse_time, zone
from qianheng.measures.history import About, PlanHistory, Setting, Subject
from qianheng.plans.plan import BidMode, Goal, PlanKind, PlanStatus
from qianheng.store import vendor_accounts
from qianheng.store.vendor_accounts import SeenPlan


def plans_told(connection: Connection, account: str = "") -> dict[str, PlanHistory]:
    """The plans of one account, or of all, by the vendor's id: set as they are since the vendor last changed them."""
    seen: dict[str, list[SeenPlan]] = {}
    for one in vendor_accounts.seen(connection, account):
        seen.setdefault(one.plan_id, []).append(one)
    policies = known_api().policies if seen else {}
    return {plan_id: _history(plan_id, told, policies) for plan_id, told in seen.items()}


def _history(plan_id: str, seen: Iterable[SeenPlan], policies: Mapping[str, str]) -> PlanHistory:
    *_, last = seen
    settings: dict[datetime, Setting] = {}
    for one in seen:
        setting = setting_of(one.body, one.seen_at)
        settings[setting.at] = setting
    kind = PlanKind(last.body["kind"])
    ordered = tuple(settings[at] for at in sorted(settings))
    subject = Subject(About.PLAN, plan_id, last.body["name"])
    return PlanHistory(subject, kind, policies.get(kind), _without_repeating(ordered))


def setting_of(body: Mapping[str, Any], seen_at: datetime) -> Setting:
    """What a plan was set to as it was seen: since the vendor's last change of it, or else since then."""
    at = parse_time(body["modified"]) if body["modified"] else seen_at
    target = None if body["target"] is None else Decimal(body["target"])
    aims = Goal(body["goal"]), BidMode(body["bid_mode"]), target
    return Setting(at.astimezone(zone(SHANGHAI)), *aims, body["budget_daily"], PlanStatus(body["status"]))


def _without_repeating(settings: tuple[Setting, ...]) -> tuple[Setting, ...]:
    """The settings without those that are as the one before was."""
    found: list[Setting] = []
    for one in settings:
        if not found or _values(found[-1]) != _values(one):
            found.append(one)
    return tuple(found)


def _values(setting: Setting) -> tuple[object, ...]:
    return setting.goal, setting.bid_mode, setting.target, setting.budget_daily, setting.status
