"""A simulated run: the same request gives the same bytes, killed or not, and every yuan is in the ledger once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from qianheng.actions.simulation import DayTold, RunFolder, RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.core.errors import BadInput, NotFound, Refused
from qianheng.core.money import YUAN
from tests.actions.runs_for_tests import Killed, killed_each_day, lived, request, told, transfers


def test_a_run_killed_in_mid_day_comes_to_the_same(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = killed_each_day(monkeypatch)
    for _ in range(2):
        with pytest.raises(Killed):
            lived(tmp_path)
    again = lived(tmp_path)
    assert len(deaths) == 2
    assert told(again) == told(run)
    assert transfers(again) == transfers(run)


LIVE = """
import sys
from pathlib import Path
from tests.actions.runs_for_tests import lived
lived(Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_a_run_killed_at_any_moment_comes_to_the_same(run: RunFolder, tmp_path: Path) -> None:
    moments = np.random.default_rng(7).uniform(0.1, 0.9, 4) * max(run.seconds, 2.0)
    for moment in moments.tolist():
        path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen([sys.executable, "-c", LIVE, str(tmp_path)], env={**os.environ, "PYTHONPATH": path})
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
    again = lived(tmp_path)
    assert told(again) == told(run)
    assert transfers(again) == transfers(run)


@pytest.mark.slow
def test_the_same_request_lived_anew_gives_the_same_bytes(run: RunFolder) -> None:
    before, paid = told(run), transfers(run)
    again = run_simulation(request(run.path.parent))
    assert again.path == run.path
    assert told(again) == before
    assert transfers(again) == paid


def test_so_many_days_are_delivered_and_then_windows_close(run: RunFolder) -> None:
    summary = told(run)
    assert summary["days"] == 2
    assert all(len(plan["days"]) == 2 for plan in summary["plans"])
    assert {day["guarantee"]["status"] for plan in summary["plans"] for day in plan["days"]} <= {
        "ended",
        "void",
        "compensated",
    }


@pytest.mark.slow
@pytest.mark.parametrize("first_day", ["2025-03-08", "2025-11-01"])
def test_a_day_on_which_the_clocks_change_is_lived_from_midnight_to_midnight(first_day: str, tmp_path: Path) -> None:
    changes = {"first_day": first_day, "timezone": "America/New_York", "plans.0.changes": "[]"}
    summary = summarise(run_simulation(request(tmp_path, **changes, opportunities_per_day="300")))
    assert summary.sums.spend > 0
    assert sum(hour.spend for plan in summary.plans for hour in plan.hours) == summary.sums.spend
    assert summary.funds.cash == 3000 * YUAN - summary.sums.spend
    assert summary.balanced


def test_a_run_that_is_being_lived_cannot_be_lived_twice(tmp_path: Path) -> None:
    def meanwhile(_: DayTold) -> None:
        with pytest.raises(Refused) as refusal:
            run_simulation(wanted)
        assert refusal.value.key == "simulation.running"
        raise Killed

    wanted = request(tmp_path, opportunities_per_day="10", days="1")
    with pytest.raises(Killed):
        run_simulation(wanted, meanwhile)


@pytest.mark.parametrize(
    ("source", "key", "value"),
    [
        ("tiny", "colour", "red"),
        ("tiny", "plans.0.colour", "red"),
        ("tiny", "days", "0"),
        ("tiny", "days", "soon"),
        ("tiny", "plans.7.target", "2"),
        ("nowhere", "days", "1"),
    ],
)
def test_a_scenario_that_cannot_be_used_writes_nothing(source: str, key: str, value: str, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    with pytest.raises((BadInput, NotFound)) as refusal:
        run_simulation(RunRequest(source, overrides={key: value}, folder=folder))
    assert str(refusal.value)
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file", encoding="utf-8")
    with pytest.raises(BadInput, match="runs") as refusal:
        run_simulation(request(tmp_path / "runs"))
    assert refusal.value.key == "simulation.cannot_write"


FULL = """
import resource, signal, sys
from pathlib import Path
from tests.actions.runs_for_tests import lived
from qianheng.actions.summarise import summarise
from qianheng.core.errors import BadInput
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    lived(Path(sys.argv[1]))
except BadInput as error:
    print(error.key)
"""


def test_a_full_disk_is_told_and_what_was_lived_is_kept(tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    answer = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.stdout.strip() == "simulation.cannot_write", answer.stderr
