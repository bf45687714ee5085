"""Where units stand, on a run whose plans miss their targets, and the end of a day made by hand."""

import json
import shutil
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crash import DAY, World, rows_of
from qianheng.actions.close import close_until
from qianheng.actions.desk import Desk, desk_of
from qianheng.actions.simulation import RunFolder
from qianheng.actions.standing import standings
from qianheng.cli import main
from qianheng.core.actors import SYSTEM
from qianheng.core.days import midnight
from qianheng.core.money import YUAN, micros
from qianheng.store import ledger
from qianheng.store.database import connect, reading
from qianheng.store.lake import Lake
from tests.actions.conftest import Say


@pytest.fixture
def kept(missed: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run that a test may write to; the only one in the home folder."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    return Path(shutil.copytree(missed.path, tmp_path / "runs" / missed.path.name))


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """The command line: what it prints, after its exit code."""

    def said(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["qianheng", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        told = capsys.readouterr()
        return f"{ended.value.code or 0}: {told.out or told.err}"

    return said


def asked(say: Say, *arguments: str) -> list[dict[str, Any]]:
    told = say("guarantee", "status", *arguments, "--json")
    assert told.startswith("0: ")
    found: list[dict[str, Any]] = json.loads(told.removeprefix("0: "))
    return found


def test_a_missed_day_is_told_from_its_beginning_to_the_credit(kept: Path, say: Say) -> None:
    found = [one for one in asked(say, "--plan", "1") if one["status"] == "compensated"]
    assert found
    for one in found:
        assert [move["status"] for move in one["moves"]] == ["in_effect", "confirming", "compensated"]
        assert [move["because"] for move in one["moves"]] == ["day_began", "day_ended", "paid"]
        assert one["paid"] == one["compensation"] == one["verdict"]["compensation"]
        assert (one["pending"], one["due_by"], one["overdue"]) == ("0.00", None, False)
        assert [given["policy"] for given in one["given"]] == ["shopee-gmv-max"]


def test_between_judgement_and_payment_it_is_pending_until_a_working_day(kept: Path, say: Say) -> None:
    """1 to 8 October 2025 are holidays: what is judged on the 2nd is due on the 9th, 10th or 11th (make-up day)."""
    (paid,) = asked(say, "--plan", "1", "--day", "2025-10-01", "--now", "2025-10-09T00:00")
    assert (paid["status"], paid["pending"], paid["due_by"]) == ("compensated", "0.00", None)
    (pending,) = asked(say, "--plan", "1", "--day", "2025-10-01", "--now", "2025-10-03T12:00")
    assert (pending["status"], pending["paid"], pending["overdue"]) == ("confirming", "0.00", False)
    assert (pending["pending"], pending["due_by"]) == (paid["paid"], "2025-10-11")
    assert micros(pending["pending"]) > 0


def test_a_day_that_has_not_begun_has_no_standing(kept: Path, say: Say) -> None:
    found = {one["day"] for one in asked(say, "--now", "2025-10-02T12:00")}
    assert max(found) == "2025-10-02"
    assert "of 2 plan days in view" in say("review", "daily", "--now", "2025-10-02T00:00")


def test_status_is_a_table_in_either_language(kept: Path, say: Say) -> None:
    for lang, status in (("en", "compensated"), ("zh", "已赔付")):
        told = say("guarantee", "status", "--plan", "1", "--day", "2025-10-01", "--lang", lang)
        assert told.startswith("0: ")
        assert status in told


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("status", "--plan", "99"), 2, "no plan 99"),
        (("status", "--day", "soon"), 2, "not a day"),
        (("close", "--until", "2031-01-01"), 1, "not over"),
        (("close", "--as", "owner"), 1, "may not"),
    ],
)
def test_what_cannot_be_is_told(kept: Path, say: Say, arguments: tuple[str, ...], code: int, told: str) -> None:
    said = say("guarantee", *arguments)
    assert said.startswith(f"{code}: ")
    assert told in said


def test_closing_again_changes_nothing(kept: Path, say: Say) -> None:
    with desk_of() as desk:
        before = rows_of(desk.database)
        assert "closed already" in say("guarantee", "close")
        assert rows_of(desk.database) == before


def test_days_after_a_run_are_closed_by_hand_once(kept: Path, say: Say) -> None:
    options = ("guarantee", "close", "--until", "2025-10-20", "--now", "2025-10-21T08:00", "--json")
    closed = json.loads(say(*options).removeprefix("0: "))
    assert [day["day"] for day in closed[-8:]] == [f"2025-10-{day}" for day in range(13, 21)]
    assert say(*options) == "0: []\n"
    with desk_of() as desk, reading(desk.database) as connection:
        assert ledger.balanced(connection)


def test_a_day_that_an_unfinished_run_has_not_lived_is_refused(
    kept: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk_of(actor=SYSTEM.name) as desk:
        with desk.database.begin() as connection:
            connection.exec_driver_sql("UPDATE run SET finished = 0")
        assert list(close_until(desk)) == []
    assert "has not lived" in say("guarantee", "close", "--now", "2031-01-02", "--until", "2031-01-01")


def test_what_nobody_closed_in_time_is_overdue_until_it_is_paid(tmp_path: Path) -> None:
    world = World(f"sqlite:///{tmp_path / 'run.db'}", tmp_path / "lake", plans=1)
    world.make()
    database = connect(world.url)

    def stands(days_later: int) -> tuple[str, int, int, date | None, bool]:
        desk = Desk(database, Lake(world.folder), SYSTEM, midnight(DAY + timedelta(days=days_later)))
        (one,) = standings(desk, 1, DAY)
        return one.moves[-1].status, one.paid // YUAN, one.pending // YUAN, one.due_by, one.overdue

    due_by = date(2025, 9, 23)  # judged on Thursday the 18th; the third working day after it
    assert stands(11) == ("confirming", 0, 0, due_by, False)
    assert stands(15) == ("confirming", 0, 0, due_by, True)
    world.close(15)
    assert stands(15) == ("confirming", 0, 600, due_by, True)
    world.close(16)
    assert stands(16) == ("compensated", 600, 0, None, False)
    database.dispose()
