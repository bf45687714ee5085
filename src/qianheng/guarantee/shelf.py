"""The policies at hand: families of versions, and which version is in force on a day (SPEC 5.1, decision 0011)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

from qianheng.core.errors import BadInput
from qianheng.guarantee.policy import Policy, read_policy

SHIPPED = Path(__file__).with_name("policies")
_STEM = re.compile(r"(?P<name>.+?)(?:\.v\d+)?")
_NAME = re.compile(r"\w[\w-]*")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The files of every policy by its name. A family is `NAME.toml` and `NAME.v2.toml`, `NAME.v3.toml` …, each of them
    a version: shipped, or an operator's own, who may begin a family or add a version to one shipped.

    A file is read once a process: a changed rule is a new version in a new file.
    """

    families: Mapping[str, tuple[Path, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all policies."""
        return tuple(sorted(self.families))

    def versions(self, name: str) -> tuple[Policy, ...]:
        """The versions of a policy in order. No policy of that name, or a file that cannot be used: BadInput."""
        if name not in self.families:
            raise unknown_policy(name, self.names)
        return _family(name, self.families[name])

    def joined_by(self, policy: Policy, place: str) -> Policy | None:
        """The version that this one would follow if it came onto the shelf, `None` if it begins a family.

        A name that makes no file name, or a version that cannot follow: BadInput at `place`.
        """
        if not _NAME.fullmatch(policy.name):
            raise BadInput("guarantee.policy.bad_name", place=place, value=policy.name)
        if policy.name not in self.families:
            return None
        latest = self.versions(policy.name)[-1]
        _check_follows(latest, policy, place)
        return latest

    def in_force(self, name: str, day: date, folder: Path = Path()) -> Policy:
        """The version of a policy that judges a unit of that day: the latest that is effective by then.

        Before the first one known the first stands: what was promised earlier is not known, and a plan that names a
        policy was promised something. A `name` that ends in ".toml" is a file (relative to `folder`) and is asked for
        by its rules, whatever the day. Errors as in `versions`.
        """
        if name.endswith(".toml"):
            return _read_once(folder / Path(name).expanduser())
        versions = self.versions(name)
        return next((policy for policy in reversed(versions) if policy.effective_from <= day), versions[0])


def shelf(folder: Path | None = None) -> Shelf:
    """The policies shipped and, if given, those in an operator's folder, which need not exist."""
    families: dict[str, tuple[Path, ...]] = {}
    for place in (SHIPPED, folder):
        for path in sorted(place.glob("*.toml")) if place is not None else ():
            name = _family_of(path)
            families[name] = (*families.get(name, ()), path)
    return Shelf(families)


@cache
def shipped() -> Shelf:
    """The policies shipped."""
    return shelf()


def _family_of(path: Path) -> str:
    """The name of the policy that a file of a shelf is a version of: "seed" for "seed.toml" and "seed.v2.toml"."""
    found = _STEM.fullmatch(path.stem)
    return found["name"] if found else path.stem


def file_name(policy: Policy) -> str:
    """What the file of a version is called on a shelf."""
    return f"{policy.name}.toml" if policy.version == 1 else f"{policy.name}.v{policy.version}.toml"


def unknown_policy(name: str, known: Collection[str]) -> BadInput:
    """The refusal of a name that no policy goes by."""
    return BadInput("guarantee.policy.unknown", value=name, known=", ".join(sorted(known)))


_read_once = lru_cache(maxsize=256)(read_policy)


@lru_cache(maxsize=256)
def _family(name: str, files: tuple[Path, ...]) -> tuple[Policy, ...]:
    """The versions in these files, checked to be of one family."""
    versions = sorted(((_read_once(path), path) for path in files), key=lambda found: found[0].version)
    for policy, path in versions:
        if policy.name != name:
            raise BadInput("guarantee.policy.other_name", place=str(path), value=policy.name, name=name)
    for (before, _), (after, path) in pairwise(versions):
        _check_follows(before, after, str(path))
    return tuple(policy for policy, _ in versions)


def _check_follows(before: Policy, after: Policy, place: str) -> None:
    """Go on only if one version can follow another: a higher number, in force from a later day. Else BadInput."""
    if after.version <= before.version:
        raise BadInput("guarantee.policy.version_taken", place=place, value=after.version, name=after.name)
    if after.effective_from <= before.effective_from:
        told = {"before": before.version, "day": before.effective_from}
        raise BadInput("guarantee.policy.not_later", place=place, value=after.effective_from, **told)
