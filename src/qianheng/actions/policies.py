"""The policies of this installation: those shipped, and an operator's own in `QIANHENG_HOME/policies`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from qianheng.core.errors import BadInput
from qianheng.guarantee.policy import Policy, read_policy
from qianheng.guarantee.shelf import Shelf, shelf
from qianheng.store.database import home_path


def policies() -> Shelf:
    """The policies at hand now. Whoever judges many units takes it once and asks it for each."""
    return shelf(home_path() / "policies")


def in_force(name: str, day: date, folder: Path = Path()) -> Policy:
    """The version of a policy that judges a unit of that day; see `Shelf.in_force`."""
    return policies().in_force(name, day, folder)


class Validated(NamedTuple):
    """A policy file that can be used, and why it cannot be installed, if so."""

    file: str
    policy: Policy
    why_not: str | None


def validated(files: Sequence[str]) -> list[Validated]:
    """The policies in these files. Any that cannot be used: BadInput that tells every fault of every file."""
    found, faults = [], []
    for file in files:
        try:
            policy = read_policy(Path(file))
        except BadInput as error:
            faults.append(str(error).replace("\n", "\n  "))
        else:
            found.append(Validated(file, policy, _why_not(policy)))
    if faults:
        raise BadInput("guarantee.policy.not_valid", faults="".join(f"\n  {fault}" for fault in faults))
    return found


def _why_not(policy: Policy) -> str | None:
    kept = policies()
    try:
        if policy.name not in kept.families or policy not in kept.versions(policy.name):
            kept.joined_by(policy, "")
    except BadInput as error:
        return str(error)
    return None


def named(text: str) -> Policy:
    """The policy that a person names: "seed" (its latest version), "seed@1", or a file. None of that name: BadInput."""
    if text.endswith(".toml"):
        return read_policy(Path(text).expanduser())
    name, at, number = text.partition("@")
    versions = policies().versions(name)
    found = [version for version in versions if not at or str(version.version) == number]
    if not found:
        known = ", ".join(str(version.version) for version in versions)
        raise BadInput("guarantee.policy.no_version", value=number, name=name, known=known)
    return found[-1]
