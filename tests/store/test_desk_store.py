"""Audit entries, notices and members in SQL: appended once, read back in order, apart by shop."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from qianheng.core.actors import Act, Actor, Role
from qianheng.core.errors import Refused
from qianheng.store import audit, members, notices
from qianheng.store.audit import Entry
from qianheng.store.notices import Notice

AT = datetime(2025, 10, 1, 9, tzinfo=UTC)
ENTRY = Entry(1, AT, "li", Role.OWNER, Act.CHANGE_PLAN, "plan 7", {"target": "3.2"}, shop_id=1)
NOTICE = Notice(1, AT, 1, "store.no_plan", "plan 7", {"plan": 7})


def test_an_audit_entry_is_kept_once(engine: Engine) -> None:
    other = replace(ENTRY, id=2, subject="plan 8", shop_id=2)
    with engine.begin() as connection:
        for entry in (ENTRY, ENTRY, other):
            audit.enter(connection, entry)
        assert audit.entries(connection) == [ENTRY, other]
        assert audit.entries(connection, shop_id=1) == [ENTRY]
        assert audit.entries(connection, subject="plan 8") == [other]


def test_an_audit_entry_is_never_written_over(engine: Engine) -> None:
    with engine.begin() as connection:
        audit.enter(connection, ENTRY)
        with pytest.raises(Refused):
            audit.enter(connection, replace(ENTRY, detail={"target": "3.3"}))
        assert audit.entries(connection) == [ENTRY]


def test_notices_are_told_once_and_read_in_order_of_time(engine: Engine) -> None:
    earlier = replace(NOTICE, id=2, at=AT - timedelta(hours=1), shop_id=2)
    with engine.begin() as connection:
        for notice in (NOTICE, earlier, NOTICE):
            notices.tell(connection, notice)
        assert notices.notices(connection) == [earlier, NOTICE]
        assert notices.notices(connection, shop_id=1) == [NOTICE]
        with pytest.raises(Refused):
            notices.tell(connection, replace(NOTICE, values={"plan": 8}))


@pytest.mark.parametrize("wrong", [{"kind": "store.never_said"}, {"values": {"shop": 7}}])
def test_a_notice_that_cannot_be_read_is_not_told(engine: Engine, wrong: dict[str, object]) -> None:
    with engine.begin() as connection:
        with pytest.raises(KeyError):
            notices.tell(connection, replace(NOTICE, **wrong))  # type: ignore[arg-type]
        assert notices.notices(connection) == []


def test_members_come_change_their_role_and_go(engine: Engine) -> None:
    owner, finance = Actor("owner", Role.OWNER, 1), Actor("li", Role.FINANCE, 1)
    with engine.begin() as connection:
        for member in (owner, replace(finance, role=Role.VIEWER), finance):
            members.add(connection, member, AT)
        assert members.members(connection) == {"owner": owner, "li": finance}
        members.remove(connection, "li", AT)
        members.found(connection, finance, AT)
        assert members.members(connection) == {"owner": owner}
