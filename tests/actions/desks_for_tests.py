"""A run that stands at the beginning of its second day, and how to sit down at it."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from qianheng.actions.simulation import RunFolder, run_simulation
from qianheng.cli import main
from tests.actions import runs_for_tests

SECOND_DAY = date(2025, 10, 2)
UNCHANGED = {"plans.0.changes": "[]"}
Say = Callable[..., tuple[int, str, str]]


def lived_until(folder: Path, until: date | None, **overrides: str) -> RunFolder:
    return run_simulation(replace(runs_for_tests.request(folder, **{**UNCHANGED, **overrides}), until=until))


def copied(run: RunFolder, home: Path) -> RunFolder:
    """A copy of a run in a home folder of its own."""
    return replace(run, path=Path(shutil.copytree(run.path, home / "runs" / run.path.name)))


def saying(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """The command line: its exit code, what it prints and what it tells of errors."""

    def said(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["qianheng", *arguments])
        with pytest.raises(SystemExit) as left:
            main.main()
        return (int(left.value.code or 0), *capsys.readouterr())

    return said
