"""Months made by chance come back from the vendor's files with the compensation their cases owe, to the fen."""

import json
from pathlib import Path

import pytest

from benchmarks.audit import Compared, compare_months, compare_run, main
from qianheng.actions.simulation import RunFolder
from tests.actions.conftest import missed

__all__ = ["missed"]


def test_months_with_many_edits_are_audited_exactly() -> None:
    found = compare_months(5, shift=500)
    assert found.plan_days == 140
    assert found.with_due > 0
    assert (found.due, found.different, found.uncertain) == (found.audited, 0, 0)


def test_the_study_of_audits_keeps_what_it_found(tmp_path: Path) -> None:
    main(["--months", "1", "--json", str(tmp_path / "audit.json")])
    (told,) = json.loads((tmp_path / "audit.json").read_text("utf-8"))
    assert (told["plan_days"], told["different"], told["audited"]) == (28, 0, told["due"])


def test_a_run_is_audited_as_its_own_verdicts_say(missed: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(missed.path.parent.parent))
    found: Compared = compare_run(str(missed.path))
    assert found.with_due > 0
    assert (found.due, found.different, found.uncertain) == (found.audited, 0, 0)
