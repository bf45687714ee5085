"""The desk of a run: who works at it, when, and what the questions asked there answer."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from qianheng.actions.desk import desk_of, path_of
from qianheng.core.actors import Act, Actor, Role
from qianheng.core.errors import BadInput, NotFound, Refused
from qianheng.store import members, notices
from qianheng.store.notices import Notice
from tests.actions.conftest import Say


def test_a_desk_is_the_newest_runs_the_owners_and_at_its_clock(kept: Path) -> None:
    with desk_of() as desk:
        assert desk.actor == Actor("owner", Role.OWNER, 1)
        assert desk.now.isoformat() > "2025-10-10T00:00:00+08:00"
    assert path_of("tiny") == path_of(kept.name) == path_of(str(kept)) == kept


def test_a_time_without_a_zone_is_the_runs(kept: Path) -> None:
    with desk_of(now="2025-10-02T09:30") as desk:
        assert desk.now.isoformat() == "2025-10-02T09:30:00+08:00"
    with desk_of(now="2025-10-02T01:30Z") as desk:
        assert desk.now.isoformat() == "2025-10-02T09:30:00+08:00"


@pytest.mark.parametrize(
    ("options", "error"),
    [({"run": "nowhere"}, NotFound), ({"actor": "nobody"}, NotFound), ({"now": "noon"}, BadInput)],
)
def test_a_desk_that_is_not_there_is_told(kept: Path, options: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error), desk_of(**options):
        pass


def test_the_plan_of_another_shop_is_as_if_it_were_none(kept: Path) -> None:
    with desk_of() as desk, desk.database.begin() as connection:
        assert desk.plan(connection, 1).plan.id == 1
        stranger = replace(desk, actor=Actor("zhao", Role.OWNER, 2))
        told = set[str]()
        for someone, plan_id in ((stranger, 1), (desk, 99)):
            with pytest.raises(NotFound) as refusal:
                someone.plan(connection, plan_id)
            told.add(str(refusal.value).replace(str(plan_id), "N"))
        assert len(told) == 1


def test_what_is_done_is_asked_for_by_the_shop_it_was_done_in(kept: Path, say: Say) -> None:
    with desk_of() as desk, desk.database.begin() as connection:
        members.add(connection, Actor("zhao", Role.OWNER, 2), desk.now)
        desk.enter(connection, Act.CHANGE_PLAN, "plan 1", {"target": "3.2"})
        notices.tell(connection, Notice(1, desk.now, 1, "store.no_plan", "plan 1", {"plan": 1}))
        viewer = replace(desk, actor=Actor("li", Role.VIEWER, 1))
        with pytest.raises(Refused):
            viewer.enter(connection, Act.CHANGE_PLAN, "plan 1", {})
    (entry,) = json.loads(say("audit", "--json"))
    assert (entry["actor"], entry["act"], entry["detail"]) == ("owner", "change_plan", {"target": "3.2"})
    *_, notice = json.loads(say("notices", "--json", "--lang", "zh"))
    assert notice["text"] == "没有计划 1"
    assert "change plans" in say("audit", "--about", "plan 1")
    assert "there is no plan 1" in say("notices", "--as", "reviewer")
    for asked in ("audit", "notices"):
        assert json.loads(say(asked, "--json", "--as", "zhao")) == []
        assert json.loads(say(asked, "--json", "--about", "plan 9")) == []
    assert "nobody" in say("audit", "--as", "chen")
