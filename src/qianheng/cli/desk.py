"""What anybody may ask at a desk: `qianheng audit`, `notices`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import Seat, minute
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.words import known, say

if TYPE_CHECKING:
    from datetime import datetime

    from qianheng.store.audit import Entry
    from qianheng.store.notices import Notice

Subject: TypeAlias = Annotated[str, typer.Option("--about", metavar="SUBJECT", help=say("desk.command.subject"))]


def add_to(app: typer.Typer) -> None:
    """Add the commands on what was done and told."""
    app.command("audit", help=say("desk.command.audit"))(_audit)
    app.command("notices", help=say("desk.command.notices"))(_notices)


def subject_text(subject: str) -> str:
    """What an entry or a notice is about ("plan 7"), in the language spoken."""
    kind, _, name = subject.rpartition(" ")
    key = f"desk.about.{kind.replace(' ', '_')}"
    return say(key, name=name) if kind and known(key) else subject


def _audit(seat: Seat, about: Subject = "", as_json: AsJson = False) -> None:
    from qianheng.store.audit import entries
    from qianheng.store.database import reading

    with seat.desk() as desk, reading(desk.database) as connection:
        found = entries(connection, desk.actor.shop_id, about or None)
    if as_json:
        print_json([_entry(entry, desk.now) for entry in found])
        return
    columns = headings("desk", "at", "actor", "role", "act", "subject", "detail")
    print_table("", columns, [_entry_row(entry, desk.now) for entry in found])


def _notices(seat: Seat, about: Subject = "", as_json: AsJson = False) -> None:
    from qianheng.store.database import reading
    from qianheng.store.notices import notices

    with seat.desk() as desk, reading(desk.database) as connection:
        found = notices(connection, desk.actor.shop_id, about or None)
    if as_json:
        print_json([_notice(notice, desk.now) for notice in found])
        return
    columns = headings("desk", "at", "subject", "text")
    print_table("", columns, [(minute(one.at, desk.now), subject_text(one.subject), one.text()) for one in found])


def _entry(entry: Entry, here: datetime) -> dict[str, Any]:
    who = {"actor": entry.actor, "role": str(entry.role), "act": str(entry.act)}
    at = entry.at.astimezone(here.tzinfo).isoformat()
    return {"id": str(entry.id), "at": at, **who, "subject": entry.subject, "detail": entry.detail}


def _entry_row(entry: Entry, here: datetime) -> list[str]:
    detail = ", ".join(f"{_detail(name)}={_plain(value)}" for name, value in entry.detail.items())
    role, act = say(f"actors.role.{entry.role}"), say(f"actors.act.{entry.act}")
    return [minute(entry.at, here), entry.actor, role, act, subject_text(entry.subject), detail]


def _detail(name: str) -> str:
    keys = (f"desk.detail.{name}", f"planning.field.{name}")
    return next((say(key) for key in keys if known(key)), name)


def _plain(value: object) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _notice(notice: Notice, here: datetime) -> dict[str, Any]:
    at = notice.at.astimezone(here.tzinfo).isoformat()
    told = {"kind": notice.kind, "subject": notice.subject, "values": notice.values}
    return {"id": str(notice.id), "at": at, **told, "text": notice.text()}
