"""Help comes at once: no command's help loads what only work needs."""

import subprocess
import sys

import pytest

HEAVY = "scipy numpy pyarrow duckdb sqlalchemy httpx fpdf"
ASKED = """
import sys
sys.argv = ["qianheng", *sys.argv[2:]] if (heavy := sys.argv[1].split()) else []
from qianheng.cli.main import main
try:
    main()
except SystemExit as done:
    assert done.code == 0
print("LOADED", *(name for name in heavy if name in sys.modules))
"""


@pytest.mark.parametrize(
    "command", ["", "experiment", "sync", "proposals", "guarantee audit", "advise target", "review"]
)
def test_help_loads_nothing_heavy(command: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", ASKED, HEAVY, *command.split(), "--help"], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1].strip() == "LOADED"
