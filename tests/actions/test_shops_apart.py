"""No command shows a member of one shop anything of another: all that know who asks, also those yet to come."""

import shutil
from pathlib import Path

import pytest

from qianheng.actions.desk import desk_of
from qianheng.actions.simulation import RunFolder
from qianheng.core.actors import Actor, Role
from qianheng.core.words import speak
from qianheng.store import audit, members, notices
from qianheng.store.database import reading
from tests.actions.all_commands import asked, asks_who, commands
from tests.actions.desks_for_tests import saying

THEIRS = ("推商品", "推直播间", "小满", '"plan_id": 1', '"shop_id": 1')


ALL = [(path, command) for path, command in commands() if asks_who(command)]


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
