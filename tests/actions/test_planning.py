"""Plans at the desk: who may change them, what the guarantee says before it, and what is kept of it."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qianheng.actions.desk import Desk, desk_of, locked
from qianheng.actions.members import add_member, founders, remove_member
from qianheng.actions.planning import Wanted, change_plan, consider, list_plans, log_of_plan, show_plan
from qianheng.actions.simulation import RunFolder
from qianheng.core.actors import REVIEWER, Actor, Role
from qianheng.core.errors import BadInput, NotFound, QianhengError, Refused
from qianheng.core.words import known, speak
from qianheng.guarantee.guard import Effect
from qianheng.guarantee.reasons import Status
from qianheng.plans.plan import CHANGEABLE, PlanStatus
from qianheng.store import audit, plans
from qianheng.store.database import reading
from tests.actions.desks_for_tests import SECOND_DAY, Say, copied, lived_until, saying

NOON = "2025-10-02T12:00"
SOON = "2025-10-02T12:40"
OTHERS = Actor("zhao", Role.OWNER, 2)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return lived_until(tmp_path_factory.mktemp("stopped"), SECOND_DAY)


@pytest.fixture
def kept(stopped: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A copy to write to, the only run in the home folder."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    return copied(stopped, tmp_path)


@pytest.fixture
def say(kept: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Say]:
    yield saying(monkeypatch, capsys)
    speak("en")


@contextmanager
def sitting(now: str = NOON, actor: Actor | None = None) -> Iterator[Desk]:
    with desk_of(now=now) as desk:
        yield desk if actor is None else replace(desk, actor=actor)


def everything_kept(desk: Desk) -> list[Any]:
    with reading(desk.database) as connection:
        logs = [plans.log(connection, stored.plan.id) for stored in plans.load_all(connection)]
        return [plans.load_all(connection), logs, audit.entries(connection)]


def test_a_change_is_kept_with_who_made_it_when_and_why(kept: RunFolder) -> None:
    with sitting() as desk:
        made = change_plan(desk, Wanted(1, {"target": "2.6"}, "sale"))
        assert made.saved is not None
        assert (str(made.saved.plan.target), made.saved.version) == ("2.6", 1)
        (entry,) = log_of_plan(desk, 1)
        assert (entry.actor, entry.at, entry.reason) == ("owner", desk.now, "sale")
        with reading(desk.database) as connection:
            (left,) = audit.entries(connection, subject="plan 1")
    assert (left.actor, left.shop_id, left.detail["target"]) == ("owner", 1, "2.6")


def test_what_is_so_already_leaves_no_entry(kept: RunFolder) -> None:
    with sitting() as desk:
        before = everything_kept(desk)
        assert change_plan(desk, Wanted(1, {"target": "2.40", "status": "active"})).made.after == ()
        assert everything_kept(desk) == before


def test_a_change_that_voids_the_day_is_refused_until_confirmed(kept: RunFolder) -> None:
    with sitting() as desk:
        change_plan(desk, Wanted(1, {"target": "2.6"}))
    with sitting(SOON) as desk:
        wanted = Wanted(1, {"target": "2.7", "budget_daily": 400_000_000})
        assert consider(desk, wanted).weighed.effect is Effect.VOID
        before = everything_kept(desk)
        with pytest.raises(Refused, match=r"void.*0\.00 yuan.*2025-10-02 13:00.*--confirm"):
            change_plan(desk, wanted)
        assert everything_kept(desk) == before
        change_plan(desk, replace(wanted, confirmed=True))
        assert show_plan(desk, 1).verdict.status is Status.VOID


def test_a_deletion_always_asks_and_cannot_be_undone(kept: RunFolder) -> None:
    with sitting() as desk:
        wanted = Wanted(2, {"status": "deleted"})
        with pytest.raises(Refused, match="cannot be undone"):
            change_plan(desk, wanted)
        saved = change_plan(desk, replace(wanted, confirmed=True)).saved
        assert saved is not None
        assert saved.plan.status is PlanStatus.DELETED
        with pytest.raises(Refused, match="deleted"):
            change_plan(desk, Wanted(2, {"status": "active"}))


def test_pausing_one_plan_touches_no_other(kept: RunFolder) -> None:
    with sitting() as desk:
        (_, other), (_, other_log), _ = everything_kept(desk)
        change_plan(desk, Wanted(1, {"status": "paused"}))
        (one, untouched), (_, untouched_log), _ = everything_kept(desk)
    assert one.plan.status is PlanStatus.PAUSED
    assert (untouched, untouched_log) == (other, other_log)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
@pytest.mark.parametrize("after", [{"target": "3"}, {"status": "paused"}, {"status": "deleted"}])
def test_only_owner_and_operator_change_plans(kept: RunFolder, role: Role, after: dict[str, Any]) -> None:
    wanted = Wanted(1, after, confirmed=True)
    with sitting(actor=Actor("li", role, 1)) as desk:
        with pytest.raises(Refused, match="owner, operator"):
            change_plan(desk, wanted)
        assert list_plans(desk)
        change_plan(replace(desk, actor=Actor("chen", Role.OPERATOR, 1)), wanted)


@pytest.mark.parametrize(
    "ask",
    [
        lambda desk: show_plan(desk, 1),
        lambda desk: log_of_plan(desk, 1),
        lambda desk: consider(desk, Wanted(1, {"target": "3"})),
        lambda desk: change_plan(desk, Wanted(1, {"status": "paused"})),
        lambda desk: change_plan(desk, Wanted(1, {"status": "deleted"}, confirmed=True)),
    ],
)
def test_another_shops_plan_is_as_if_there_were_none(kept: RunFolder, ask: Any) -> None:
    with sitting(actor=OTHERS) as desk:
        before = everything_kept(desk)
        with pytest.raises(NotFound) as refusal:
            ask(desk)
        assert str(refusal.value) == "there is no plan 1"
        assert list_plans(desk) == []
        assert everything_kept(desk) == before


def test_the_platform_sees_all_plans_and_changes_none(kept: RunFolder) -> None:
    with sitting(actor=REVIEWER) as desk:
        assert [stored.plan.id for stored in list_plans(desk)] == [1, 2]
        with pytest.raises(Refused):
            change_plan(desk, Wanted(1, {"target": "3"}))


def test_who_decided_on_an_older_version_is_told_what_happened_since(kept: RunFolder) -> None:
    with sitting() as desk:
        change_plan(replace(desk, actor=Actor("li", Role.OPERATOR, 1)), Wanted(1, {"target": "2.6"}, version=0))
        with pytest.raises(Refused, match=r"li: ROI target 2\.4 → 2\.6"):
            change_plan(desk, Wanted(1, {"name": "mine"}, version=0))
        change_plan(desk, Wanted(1, {"name": "mine"}, version=1))


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        (Wanted(1, {"target": "3"}, surface="light"), Refused, ["light", "console"]),
        (Wanted(1, {"target": "3"}, surface="fax"), BadInput, ["fax", "mobile"]),
        (Wanted(1, {"target": "3"}, version=5), BadInput, ["--version", "5"]),
        (Wanted(1, {"product_ids": (99,), "budget_daily": 1}), Refused, ["99", "11, 12", "0.000001", "1.00"]),
        (Wanted(1, {"colour": "red", "id": 3}), BadInput, ["colour", "id"]),
        (Wanted(1, {"goal": "profit"}), BadInput, ["target"]),
        (Wanted(1, {"status": "draft"}), Refused, ["draft"]),
        (Wanted(9, {"target": "3"}), NotFound, ["9"]),
    ],
)
def test_what_is_not_allowed_is_refused_with_all_reasons_and_nothing_is_kept(
    kept: RunFolder, wanted: Wanted, error: type[QianhengError], said: list[str]
) -> None:
    with sitting() as desk:
        before = everything_kept(desk)
        with pytest.raises(error) as refusal:
            change_plan(desk, wanted)
        assert [part for part in said if part not in str(refusal.value)] == []
        assert everything_kept(desk) == before


@pytest.mark.parametrize("now", ["2025-10-01T23:59:59.999999", "2025-10-03T00:00"])
def test_only_the_day_to_come_can_be_changed(kept: RunFolder, now: str) -> None:
    with sitting(now) as desk, pytest.raises(Refused, match="2025-10-02 00:00"):
        change_plan(desk, Wanted(1, {"target": "3"}))


def test_changes_are_made_in_order_of_time(kept: RunFolder) -> None:
    with sitting() as desk:
        change_plan(desk, Wanted(1, {"target": "3"}))
    with sitting("2025-10-02T11:00") as desk, pytest.raises(Refused, match="12:00"):
        change_plan(desk, Wanted(1, {"target": "4"}))


def test_nobody_changes_plans_while_the_run_is_lived(kept: RunFolder) -> None:
    with locked(kept.path, alone=True), sitting() as desk, pytest.raises(Refused, match="being lived"):
        change_plan(desk, Wanted(1, {"target": "3"}))


def test_the_commands_answer_people_and_programs(say: Say) -> None:
    _, told, _ = say("plan", "list", "--json")
    assert [(one["id"], one["version"]) for one in json.loads(told)] == [(1, 0), (2, 1)]
    code, told, _ = say("plan", "change", "1", "target=2.6", "budget_daily=350", "--now", NOON, "--json")
    assert code == 0
    assert json.loads(told)["saved"]["budget_daily"] == "350.00"
    code, told, error = say("plan", "change", "1", "target=2.7", "--now", SOON)
    assert (code, "becomes void" in told, "--confirm" in error) == (1, True, True)
    code, told, _ = say("--lang", "zh", "plan", "change", "1", "target=2.7", "--now", SOON, "--dry-run")
    assert (code, "下一个安全时间 2025-10-02 13:00" in told) == (0, True)
    speak("en")
    _, told, _ = say("plan", "log", "1", "--json")
    assert [entry["after"] for entry in json.loads(told)] == [{"target": "2.6", "budget_daily": "350.00"}]
    code, told, _ = say("plan", "pause", "1", "--now", SOON)
    assert (code, "CTR" in told, "version 2, paused" in told) == (0, True, True)
    assert "paused" in say("plan", "show", "1")[1]
    assert "active" in say("plan", "resume", "1", "--now", SOON)[1]
    assert say("plan", "delete", "1", "--now", SOON)[0] == 1
    assert say("plan", "delete", "1", "--now", SOON, "--confirm")[0] == 0
    assert "350.00" in say("plan", "log", "1")[1]


@pytest.mark.parametrize(("answer", "code", "status"), [("y", 0, "deleted"), ("n", 1, "active")])
def test_a_person_at_a_terminal_is_asked(
    say: Say, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, status: str
) -> None:
    terminal = io.StringIO(f"{answer}\n")
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    left, told, _ = say("plan", "delete", "1", "--now", NOON)
    assert (left, "all the same?" in told) == (code, True)
    assert json.loads(say("plan", "show", "1", "--json")[1])["plan"]["status"] == status


def test_a_program_that_is_refused_is_told_what_the_change_would_have_done(say: Say) -> None:
    code, told, error = say("plan", "delete", "1", "--now", NOON, "--json")
    assert (code, json.loads(told)["saved"], "--confirm" in error) == (1, None, True)


def test_the_owner_of_a_shop_is_called_as_the_scenario_says() -> None:
    owners = {
        member.shop_id: member.name for member in founders({1: "", 5: "chen", 7: ""}) if member.role is Role.OWNER
    }
    assert owners == {1: "owner", 5: "chen", 7: "owner-7"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("change", "1", "target=abc", "target"), ["target", "'abc'", "'target'"]),
        (("change", "1", "target=2", "target=3"), ["'target=3'"]),
        (("change", "1", "schedule=8-99x"), ["schedule", "8-99x"]),
        (("show", "99"), ["99"]),
    ],
)
def test_what_cannot_be_read_is_told_by_field(say: Say, arguments: tuple[str, ...], said: list[str]) -> None:
    code, _, error = say("plan", *arguments)
    assert code == 2
    assert [part for part in said if part not in error] == []


def test_members_are_the_owners_business(say: Say) -> None:
    assert say("member", "add", "li", "--role", "viewer")[0] == 0
    assert [one["name"] for one in json.loads(say("member", "list", "--json")[1])] == ["owner", "li"]
    code, _, error = say("member", "add", "chen", "--as", "li")
    assert (code, "only these may: owner" in error) == (1, True)
    assert say("plan", "change", "1", "target=3", "--as", "li")[0] == 1
    assert say("member", "add", "li", "--role", "operator")[0] == 0
    assert say("plan", "change", "1", "target=3", "--as", "li", "--now", NOON)[0] == 0
    assert say("member", "remove", "li")[0] == 0
    assert say("plan", "list", "--as", "li")[0] == 2
    assert [one["act"] for one in json.loads(say("audit", "--json", "--about", "member li")[1])] == ["set_members"] * 3


def test_a_shop_keeps_an_owner_and_names_are_nobody_elses(kept: RunFolder) -> None:
    with sitting() as desk:
        for refused in (lambda: remove_member(desk, "owner"), lambda: add_member(desk, "owner", "viewer")):
            with pytest.raises(Refused, match="only owner"):
                refused()
        for name, role in (("reviewer", "viewer"), ("scenario", "viewer"), ("li", "reviewer"), (" ", "viewer")):
            with pytest.raises(BadInput):
                add_member(desk, name, role)
        with pytest.raises(NotFound):
            remove_member(desk, "reviewer")


def test_every_field_and_effect_has_its_words() -> None:
    keys = [f"{area}.field.{name}" for area in ("planning", "pages") for name in CHANGEABLE]
    keys += [f"planning.effect.{one}" for one in Effect]
    assert [key for key in keys if not known(key)] == []
