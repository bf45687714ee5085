"""The command line as a person meets it."""

import sys
from collections.abc import Callable

import pytest

from qianheng.cli import main
from qianheng.core.words import speaking

Told = Callable[..., tuple[int, str]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """The exit code of a command line and what it tells, on whichever stream."""

    def ran(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["qianheng", *arguments])
        with pytest.raises(SystemExit) as ended, speaking("en"):
            main.main()
        told = capsys.readouterr()
        return int(str(ended.value.code)), told.out + told.err

    return ran
