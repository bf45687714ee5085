"""One run for all tests of this folder that only read it, and the command line as a person meets it."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qianheng.actions.simulation import RunFolder
from qianheng.cli import main
from tests.actions import runs_for_tests
from tests.store.conftest import engine, postgresql, url

__all__ = ["engine", "postgresql", "url"]

Say = Callable[..., str]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return runs_for_tests.lived(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def missed(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run whose plans miss their targets: some days are compensated, one is void, a boost stands apart."""
    return runs_for_tests.missed(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """The command line: what it prints, on an error what it tells."""

    def said(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["qianheng", *arguments])
        with pytest.raises(SystemExit):
            main.main()
        told = capsys.readouterr()
        return told.out + told.err

    return said


@pytest.fixture
def kept(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run that a test may write to; the only one in the home folder."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    return Path(shutil.copytree(run.path, tmp_path / "runs" / run.path.name))
