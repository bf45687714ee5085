"""Who may do what: every act of the role table is reached by a command and refused by it to every role that may not,
before anything is looked up; whatever else writes is named here, with the reason why anybody may.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from qianheng.actions.desk import DATABASE, desk_of
from qianheng.actions.simulation import RunFolder
from qianheng.core.actors import MAY, REVIEWER, SYSTEM, Act, Actor, Role
from qianheng.core.words import say as words
from qianheng.store import members
from tests.actions.all_commands import asked, asks_who, commands
from tests.actions.desks_for_tests import Say, saying

MEMBERS = {
    "owner": Role.OWNER,
    "wu": Role.OPERATOR,
    "fang": Role.FINANCE,
    "vera": Role.VIEWER,
    REVIEWER.name: Role.REVIEWER,
    SYSTEM.name: Role.SYSTEM,
}

# What each act is reached by. No claim, proposal, alert, test or channel of these names is kept.
REACHED = {
    Act.SEE: ["money balance --account 5", "plan list"],
    Act.CHANGE_PLAN: [
        "plan change 1 target=3",
        "plan change 99 target=3",
        "plan pause 1",
        "plan resume 1",
        "claim offer 1 --accept",
        "automation run",
    ],
    Act.DELETE_PLAN: ["plan delete 1", "plan delete 99"],
    Act.SET_MEMBERS: ["member add guest --role viewer", "member remove nobody"],
    Act.FILE_CLAIM: [
        "claim file --plan 1 --from 2025-10-01 --condition dispute --reason why",
        "claim evidence 1 evidence.txt",
        "claim withdraw 1",
        "claim offer 1 --decline",
    ],
    Act.DECIDE_CLAIM: ["claim queue", "claim take 1", "claim approve 1", "claim reject 1 --reason why", "claim pay"],
    Act.MOVE_MONEY: ["money top-up 5 --account 5", "money withdraw 5 --account 5", "money top-up 5 --account 99"],
    Act.GRANT_CREDIT: ["money grant 5 --account 5"],
    Act.CLOSE_DAY: ["guarantee close"],
    Act.CLOSE_MONTH: ["money close --month 2025-10 --account 5", "money close --month 2025-10 --account 99"],
    Act.SET_POLICY: ["guarantee install evidence.txt", "guarantee announce seed"],
    Act.HANDLE_ALERT: ["alerts handle a1", "alerts silence --rule no_such --for 2h --why sale"],
    Act.SET_CHANNELS: [
        "alerts channels add team --kind webhook --to http://127.0.0.1:9/",
        "alerts channels test nowhere",
        "alerts channels remove nowhere",
    ],
    Act.DECIDE_PROPOSAL: [
        "proposals accept p1",
        "proposals reject p1",
        "proposals schedule p1 --at 2025-12-01",
        "proposals roll-back p1",
    ],
    Act.SET_AUTOMATION: ["automation set enabled=true", "automation resume"],
    Act.STOP_AUTOMATION: ["automation stop"],
    Act.STOP_EVERYWHERE: ["automation stop --all", "automation resume --all"],
    Act.RUN_EXPERIMENT: [
        "experiment plan budget-test --plan 1 --set B.budget_daily=60",
        "experiment start e1",
        "experiment stop e1",
        "experiment adopt e1 A",
    ],
}

# What writes to a run without an act, and why everybody who sees its figures may.
FREE = {
    "alerts check": "the system's own look at what has come in, asked for earlier",
    "alerts deliver": "the system's own telling, where the owner said that it tells",
    "proposals": "keeps what follows from the facts; to decide on it is the act",
    "proposals list": "the same",
    "proposals follow-up": "keeps what has been measured of what was done",
    "proposals record": "the same",
    "experiment show": "keeps that somebody looked, since that is part of what the figures may say",
}

# What asks for no name and writes: beside the runs, where reports are imported, there are no members.
NOBODY_ASKED = {
    "simulate": "makes a run and lives it; a run has members from then on",
    "import": "reports at home",
    "diagnose peers import": "figures of peers at home",
    "shop set": "what the owner of the home says of his shop",
    "sync": "reads into the reports at home",
    "sync connect": "accounts of the home, whose secrets lie with its files",
    "sync disconnect": "the same",
    "sync push": "within what `sync allow` says",
    "sync allow": "what may be written to an account of the home",
    "sync forbid": "the same",
}

# What asks for no name and only tells.
NOBODY_NEEDED = {
    *("alerts rules", "diagnose peers show", "doctor", "experiment templates", "metrics", "reconcile", "replay"),
    *("guarantee audit", "guarantee diff", "guarantee evaluate", "guarantee explain", "guarantee policies"),
    *("guarantee validate", "report", "serve", "shop show", "sync accounts"),
}


ASKS = {" ".join(path): asks_who(command) for path, command in commands()}


@pytest.fixture
def say(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """The command line in a home folder with a copy of the run, where somebody of every role works."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run.path, tmp_path / "runs" / run.path.name)
    (tmp_path / "evidence.txt").write_text("seen", encoding="utf-8")
    with desk_of() as desk, desk.database.begin() as connection:
        for name, role in MEMBERS.items():
            if name not in members.members(connection):
                members.add(connection, Actor(name, role, desk.actor.shop_id), desk.now)
    return saying(monkeypatch, capsys)


@contextmanager
def watching(home: Path) -> Iterator[list[bool]]:
    """Whether anything was written to the run meanwhile, told at the end."""
    (path,) = home.glob(f"runs/*/{DATABASE}")
    told = list[bool]()
    with closing(sqlite3.connect(path)) as database:
        before = database.execute("PRAGMA data_version").fetchone()
        yield told
        told.append(database.execute("PRAGMA data_version").fetchone() != before)


def command_of(line: str) -> str:
    """The name of the command that a line calls."""
    return max((name for name in ASKS if f"{line} ".startswith(f"{name} ")), key=len)


def refusal(name: str, act: Act) -> str:
    """What somebody is told who may not."""
    allowed = words("actors.list").join(words(f"actors.role.{role}") for role in MAY[act])
    role = words(f"actors.role.{MEMBERS[name]}")
    return words("actors.may_not", name=name, role=role, act=words(f"actors.act.{act}"), allowed=allowed)


@pytest.mark.parametrize("act", Act)
def test_an_act_is_for_those_who_may_and_nobody_else_learns_or_changes_anything(
    act: Act, say: Say, tmp_path: Path
) -> None:
    wrong = list[tuple[object, ...]]()
    for command in REACHED[act]:
        for name in [name for name, role in MEMBERS.items() if role not in MAY[act]]:
            with watching(tmp_path) as wrote:
                told = say(*command.split(), "--as", name)
            if told != (1, "", f"qianheng: {refusal(name, act)}\n") or wrote != [False]:
                wrong.append((command, name, *told, *wrote))
    for name in [name for name, role in MEMBERS.items() if role in MAY[act]]:
        told = say(*REACHED[act][0].split(), "--as", name)
        wrong += [(name, *told)] if refusal(name, act) in told[2] else []
    assert wrong == []


def test_every_role_and_every_act_is_asked() -> None:
    assert set(MEMBERS.values()) == set(Role)
    assert set(REACHED) == set(MAY) == set(Act)


def test_every_command_asks_who_or_is_named_with_the_reason_why_not() -> None:
    assert {name for name, asks in ASKS.items() if not asks} == NOBODY_NEEDED | NOBODY_ASKED.keys()
    assert {name for name, asks in ASKS.items() if asks} >= FREE.keys()
    assert all(ASKS[command_of(line)] for act in Act for line in REACHED[act])


@pytest.mark.slow
def test_a_command_without_an_act_writes_nothing_unless_it_is_named(say: Say, tmp_path: Path) -> None:
    reached = {command_of(line) for act in Act if act is not Act.SEE for line in REACHED[act]}
    wrote = set[str]()
    for path, command in commands():
        name = " ".join(path)
        if asks_who(command) and name not in reached:
            with watching(tmp_path) as changed:
                say(*path, *asked(command), "--as", "vera", "--json")
            wrote |= {name} if changed == [True] else set()
    assert wrote
    assert wrote <= FREE.keys()
