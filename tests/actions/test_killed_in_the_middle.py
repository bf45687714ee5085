"""Processes killed at their worst moment, and eight that act as stop is said: nothing half done, again is safe."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qianheng.actions.automation import set_limits, stop
from qianheng.actions.desk import Desk, desk_of
from qianheng.actions.messages import deliver, outbox, set_channel
from qianheng.actions.proposing import advise, grounds_of_run
from qianheng.actions.simulation import RunFolder
from qianheng.store import audit, plans
from qianheng.store.database import reading
from qianheng.strategy.automation import Limits
from tests.actions.desks_for_tests import Say, copied, saying
from tests.actions.receivers import SECRET, receiver
from tests.actions.test_automated_run import automated
from tests.actions.test_messages import channel, happens
from tests.actions.test_proposals import BY_HAND, MORNING, RACER

KILLED = """
import os, signal, sys
from importlib import import_module
from qianheng.cli import main
module, name, *words = sys.argv[1:]
module = import_module(module)
whole = getattr(module, name)
def dying(*told, **named):
    whole(*told, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(module, name, dying)
sys.argv = ["qianheng", *words]
main.main()
"""
PROPOSALS = "qianheng.actions.proposals"


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return automated(tmp_path_factory.mktemp("by-hand"), MORNING, **BY_HAND)


@pytest.fixture
def desk(morning: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    copied(morning, tmp_path)
    with desk_of() as found:
        yield found


@pytest.fixture
def say(desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    return saying(monkeypatch, capsys)


def killed(where: str, *words: str) -> None:
    """Say something on the command line in a process that is killed when a function ("module:name") has returned."""
    module, _, name = where.partition(":")
    told = subprocess.run([sys.executable, "-c", KILLED, module, name, *words], capture_output=True, check=False)
    assert told.returncode == -signal.SIGKILL, told.stderr.decode()


def left(desk: Desk) -> tuple[int, list[str]]:
    """How many changes of plans there are, and of what the audit tells."""
    with reading(desk.database) as connection:
        made = sum(len(plans.log(connection, plan_id)) for plan_id in (1, 2))
        return made, [entry.subject.split()[0] for entry in audit.entries(connection)]


def first_change(desk: Desk) -> str:
    return next(one.name for one in advise(desk, grounds_of_run(desk)) if one.proposal.changes_plan)


def status(say: Say, name: str) -> str:
    return str(json.loads(say("proposals", "show", name, "--json")[1])["status"])


@pytest.mark.parametrize("point", ["step_made", "trace"])  # of two steps the first; the plan changed, and audited
def test_killed_while_accepting_or_rolling_back_nothing_is_half_done(desk: Desk, say: Say, point: str) -> None:
    name, before = first_change(desk), left(desk)
    for words, was, becomes in (("accept", "open", "carried_out"), ("roll-back", "carried_out", "rolled_back")):
        killed(f"{PROPOSALS}:{point}", "proposals", words, name, "--confirm")
        assert left(desk) == before
        assert status(say, name) == was
        say("proposals", words, name, "--confirm")
        assert status(say, name) == becomes
        before = left(desk)
    assert before[0] == 2
    assert before[1].count("proposal") == 2


def test_killed_when_it_was_done_it_is_done_once(desk: Desk, say: Say) -> None:
    name = first_change(desk)
    killed(f"{PROPOSALS}:accept", "proposals", "accept", name)
    done = left(desk)
    assert (status(say, name), done[0]) == ("carried_out", 1)
    assert say("proposals", "accept", name)[0] == 1
    assert left(desk) == done


@pytest.mark.parametrize("point", ["qianheng.actions.messages:_send", "qianheng.store.messages:tried"])
def test_killed_between_sending_and_writing_it_down_it_is_sent_again_as_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("SHOP_SECRET", SECRET)
    with receiver() as server:
        set_channel(desk, channel(server))
        happens(desk, 2)
        killed(point, "alerts", "deliver")
        assert [one.attempts for one in outbox(desk)] == [0, 0]
        assert [one.outcome for one in deliver(desk, datetime.now(UTC))] == ["sent", "sent"]
        first, again, second = server.ids
        assert first == again != second
        assert (outbox(desk), deliver(desk, datetime.now(UTC))) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("late", [0, 4, 8])
def test_of_eight_processes_that_act_as_stop_is_said_none_acts_after_it(desk: Desk, late: int) -> None:
    """So many of them are told to go when it has returned, the others as it is said."""
    first_change(desk)
    set_limits(desk, "1", Limits(enabled=True, only_if_sure=False))
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers[late:]:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    stop(desk, "1")
    told = [int(racer.communicate("go\n", timeout=300)[0]) for racer in racers[:late]]
    assert told == [0] * late
    early = [int(racer.communicate(timeout=300)[0]) for racer in racers[late:]]
    made, subjects = left(desk)
    stopped = len(subjects) - 1 - subjects[::-1].index("automation")
    assert "plan" not in subjects[stopped:]
    assert made == sum(early)
