"""The policies of this installation: those shipped, and an operator's own in `QIANHENG_HOME/policies`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from qianheng.guarantee.policy import Policy
from qianheng.guarantee.shelf import Shelf, shelf
from qianheng.store.database import home_path


def policies() -> Shelf:
    """The policies at hand now. Whoever judges many units takes it once and asks it for each."""
    return shelf(home_path() / "policies")


def in_force(name: str, day: date, folder: Path = Path()) -> Policy:
    """The version of a policy that judges a unit of that day; see `Shelf.in_force`."""
    return policies().in_force(name, day, folder)
