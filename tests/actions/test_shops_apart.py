"""No command shows a member of one shop anything of another: all that know who asks, also those yet to come."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from qianheng.actions.desk import desk_of
from qianheng.actions.simulation import RunFolder
from qianheng.cli.app import build_app
from qianheng.core.actors import Actor, Role
from qianheng.core.words import speak
from qianheng.store import audit, members, notices
from qianheng.store.database import reading
from tests.actions.desks_for_tests import saying

GIVEN = {
    "--plan": "1",
    "--day": "2025-10-01",
    "--from": "2025-10-01",
    "--month": "2025-10",
    "--condition": "dispute",
    "--reason": "why",
    "--out": "told.json",
    "plan": "1",
    "claim": "1",
    "amount": "5",
    "name": "guest",
    "changes": "target=3",
    "what": "statement",
    "file": "evidence.txt",
    "files": "evidence.txt",
    "node": "plan 1",
}
THEIRS = ("推商品", "推直播间", "小满", '"plan_id": 1', '"shop_id": 1')


def commands(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if hasattr(found, "commands"):
        for name, below in found.commands.items():
            yield from commands(below, (*path, name))
    elif any("--as" in parameter.opts for parameter in found.params):
        yield path, found


def asked(command: Any, more: tuple[str, ...] = ()) -> list[str]:
    """The command's required arguments and options, and those of `more` that it knows."""
    words = []
    for parameter in command.params:
        name = next((opt for opt in parameter.opts if opt.startswith("--")), parameter.opts[0])
        if parameter.required or name in more:
            value = GIVEN.get(name, "1")
            words += [value] if parameter.param_type_name == "argument" else [name, value]
    return words


ALL = list(commands(typer.main.get_command(build_app())))


@pytest.fixture
def home(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with a copy of the run, in which somebody of another shop works."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run.path, tmp_path / "runs" / run.path.name)
    (tmp_path / "evidence.txt").write_text("seen", encoding="utf-8")
    with desk_of() as desk, desk.database.begin() as connection:
        members.add(connection, Actor("zhao", Role.OWNER, 2), desk.now)
    return tmp_path


def test_a_stranger_is_shown_nothing_of_another_shop_and_changes_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say, leaks = saying(monkeypatch, capsys), []
    for path, command in ALL:
        for words in {tuple(asked(command)), tuple(asked(command, ("--plan",)))}:
            code, told, error = say("--lang", "zh", *path, *words, "--as", "zhao", "--json")
            leaks += [f"{path} {words}: {word}" for word in THEIRS if word in told + error]
            names_a_plan = "--plan" in words or (path[0] == "plan" and words)
            leaks += [f"{path} {words} answers: {told[:200]}"] if names_a_plan and code == 0 else []
    speak("en")
    assert leaks == []
    with desk_of() as desk, reading(desk.database) as connection:
        assert audit.entries(connection, shop_id=1) == []
        assert [notice for notice in notices.notices(connection, shop_id=1) if notice.at >= desk.now] == []


def test_commands_that_know_who_asks_are_found() -> None:
    assert {("plan", "show"), ("audit",), ("money", "statement"), ("claim", "file")} <= {path for path, _ in ALL}
