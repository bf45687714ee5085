"""Bring what a vendor's API tells of an account to where imported reports lie: only what is new or told anew.

Days are read in stretches; each is kept whole, with the mark that it was read, or not at all. Killed at any moment it
goes on where it was; run twice it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from qianheng.actions.vendor_accounts import VendorAccount, alone_with
from qianheng.core.days import microseconds, zone
from qianheng.core.errors import BadInput, Refused
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros, yuan
from qianheng.measures.reports import ReportRow, Span, of_account
from qianheng.plans.entries import LogEntry
from qianheng.store import records, reports, vendor_accounts
from qianheng.store.database import reading
from qianheng.store.records import RecordFile
from qianheng.store.reports import ReportFile
from qianheng.store.vendor_accounts import DaysRead, SeenPlan
from qianheng.vendors.qianchuan.api import Api, windows
from qianheng.vendors.qianchuan.client import Client
from qianheng.vendors.qianchuan.fetching import Account, Fetched, fetch_changes, fetch_days, fetch_plans, fetch_wallet
from qianheng.vendors.qianchuan.reading import AdPlan, Unlike
from qianheng.vendors.records import RecordKind

LAYOUT = "qianchuan_api"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be read: the time it is, the days (default: since the last time, with those that may be told anew, up
    to yesterday), and whether it is only looked at (`dry`).
    """

    now: datetime
    first: date | None = None
    last: date | None = None
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was read of a stretch of days: rows of reports, and entries of the log of changes."""

    found: Fetched
    entries: list[LogEntry]


@dataclass(slots=True)
class Synced:
    """What was read of an account: `rows` of each kind, of them `changed` new or told anew; how many plans, of them how
    many set anew, and how many `changes` their log tells; what the account holds; and what a person should know.
    """

    account: str
    timezone: str
    span: Span
    plans: int = 0
    plans_changed: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    changed: int = 0
    changes: int = 0
    balance: Micros | None = None
    unlike: list[Unlike] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    asked: int = 0
    asked_again: int = 0


def sync(
    engine: Engine, account: VendorAccount, client: Client, asked: Asked, told: Callable[[str], None] = lambda _: None
) -> Synced:
    """Read an account and keep what is new. `told` hears of each stretch of days.

    Days reversed or in the future: BadInput. Money that the vendor tells in two units at once: Refused, and nothing of
    those days is kept. No answer: Unreachable; what was kept before stays. Another process is at it: Refused.
    """
    with nullcontext() if asked.dry else alone_with(account):
        return _read(engine, account, client, asked, told)


def _read(engine: Engine, account: VendorAccount, client: Client, asked: Asked, told: Callable[[str], None]) -> Synced:
    span = _span(engine, account, client.api, asked)
    whose, today = Account(account.advertiser, of_account(account.name)), _today(client.api, asked)
    done = Synced(account.name, client.api.timezone, span)
    plans = {one.id: one for one in fetch_plans(client, whose, today)}
    done.plans = len(plans)
    if not asked.dry:
        done.plans_changed = keep_plans(engine, account, plans.values(), asked.now)
    hourly_since = span[1] - timedelta(days=client.api.hours_days - 1)
    for stretch in windows(*span, client.api.endpoints["report"].span_days):
        told(f"{stretch[0]} – {stretch[1]}")
        found = fetch_days(client, whose, stretch, plans, hourly_since)
        _refuse_units(found)
        entries = fetch_changes(client, whose, stretch, plans)
        if stretch[1] == span[1]:
            found.rows.append(fetch_wallet(client, whose, stretch[1]))
            done.balance = found.rows[-1].figures.balance
        done.changes += len(entries)
        _keep(engine, done, stretch, Stretch(found, entries), asked)
    done.asked, done.asked_again = client.asked, client.asked_again
    return done


def _today(api: Api, asked: Asked) -> date:
    return asked.now.astimezone(zone(api.timezone)).date()


def _span(engine: Engine, account: VendorAccount, api: Api, asked: Asked) -> Span:
    """The days to read."""
    yesterday = _today(api, asked) - timedelta(days=1)
    last = asked.last or yesterday
    if last > yesterday + timedelta(days=1):
        raise BadInput("sync.future", place="--to", value=last, last=yesterday)
    with reading(engine) as connection:
        read = [one.last for one in vendor_accounts.days_read(connection, account.name)]
    since = max(read) - timedelta(days=api.overlap_days) if read else last - timedelta(days=api.first_days - 1)
    first = asked.first or min(since, last)
    if first > last:
        raise BadInput("reports.days_reversed", place="--from", first=first, last=last)
    return first, last


def _refuse_units(found: Fetched) -> None:
    """Money that is a unit apart from what the account paid is not kept: it would be wrong everywhere."""
    for one in found.unlike:
        if one.unit and one.what == "finance":
            raise Refused("sync.unit_apart", told=yuan(one.told), against=yuan(one.against))


def _keep(engine: Engine, done: Synced, stretch: Span, whole: Stretch, asked: Asked) -> None:
    """Keep what is new of some days, and that they were read."""
    found = whole.found
    for row in found.rows:
        kind = f"{row.kind}_hours" if row.hour is not None else str(row.kind)
        done.rows[kind] = done.rows.get(kind, 0) + 1
    done.unlike += found.unlike
    done.left_out += found.left_out
    with engine.begin() if not asked.dry else reading(engine) as connection:
        new = _new(connection, stretch, found.rows)
        done.changed += len(new)
        if not asked.dry:
            at = microseconds(asked.now)
            name = f"{done.account}, {stretch[0]} – {stretch[1]}"
            file_id = stable_id("sync", done.account, *stretch, at, *(row.key for row in new))
            log = RecordFile(file_id, name, RecordKind.CHANGE_LOG, done.timezone, stretch, at)
            records.save(connection, log, whole.entries)
            if new:
                reports.save(connection, ReportFile(file_id, name, LAYOUT, done.timezone, at), new)
            vendor_accounts.read_whole(connection, DaysRead(done.account, *stretch, asked.now, len(new)))


def _new(connection: Connection, stretch: Span, rows: Iterable[ReportRow]) -> list[ReportRow]:
    """The rows that are not kept already as they are told now."""
    kept = {one.row.key: one.row.figures for one in reports.load(connection, *stretch)}
    return [row for row in rows if kept.get(row.key) != row.figures]


def keep_plans(engine: Engine, account: VendorAccount, plans: Iterable[AdPlan], now: datetime) -> int:
    """Keep plans as they are seen to be now; how many differ from what was seen of them last."""
    seen = [SeenPlan(account.name, one.id, now, _plain(asdict(one))) for one in plans]
    with engine.begin() as connection:
        return vendor_accounts.see(connection, seen)


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """A plan as plain values: times as ISO 8601, decimals as text."""
    return {
        name: [list(pair) for pair in value] if name == "aside" else value if value is None else _plain_value(value)
        for name, value in body.items()
    }


def _plain_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int) else str(value)
