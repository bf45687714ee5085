"""Cases on the command line: one file or one line each, every fault told, all answers or none."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import date
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

from qianheng.actions.policies import policies
from qianheng.core import days
from qianheng.core.errors import BadInput
from qianheng.core.words import say
from qianheng.guarantee.case import Case
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.reading import Given, parse_case
from qianheng.guarantee.shelf import Shelf

FAULTY_LINES_TOLD = 20
_SPOOLED_IN_MEMORY = 1 << 24


class Question(NamedTuple):
    """What to look at, and how: the case file and its folder, what stands in for parts of each case, and the policies
    at hand."""

    path: str
    folder: Path
    given: Given
    shelf: Shelf

    def policy(self, case: Case, place: str) -> Policy:
        """The version of the case's policy in force on its day; a policy file is looked for beside the case."""
        try:
            return self.shelf.in_force(case.policy, case.unit.day, self.folder)
        except BadInput as error:
            raise error.at(f"{place}: policy") from None


def question(path: str, now: str, policy: str) -> Question:
    """What the command line asks. A time or a policy that cannot be read: BadInput."""
    try:
        at = days.microseconds(days.parse_time(now)) if now else None
    except BadInput as error:
        raise error.at("--now") from None
    shelf = policies()
    name = str(Path(policy).absolute()) if policy.endswith(".toml") else policy or None
    check_names(shelf, [policy] if policy else [], "--policy")
    return Question(path, Path(path).parent, Given(at, name, shelf.names), shelf)


def check_names(shelf: Shelf, names: Iterable[str], place: str) -> None:
    """Go on only if these policies are there and can be read. Otherwise: BadInput at `place`."""
    try:
        for name in names:
            shelf.in_force(name, date.min)
    except BadInput as error:
        raise error.at(place) from None


def cases(asked: Question) -> Iterator[tuple[Policy, Case]]:
    """The cases of a file with their policies. Any faulty line: BadInput after the last, naming all, to a limit."""
    if not asked.path.endswith(".jsonl"):
        yield case_of(asked, _read(asked.path), asked.path)
        return
    faults: list[str] = []
    for number, line in _lines(asked.path):
        try:
            found = case_of(asked, line, f"{asked.path}:{number}")
        except BadInput as error:
            faults.append(str(error))
            continue
        if not faults:
            yield found
    if faults:
        raise all_faults(asked.path, faults)


def case_of(asked: Question, text: bytes, place: str) -> tuple[Policy, Case]:
    """The case in a text with its policy. Anything wrong with either: BadInput at `place`."""
    case = parse_case(text, place, asked.given)
    return asked.policy(case, place), case


def _read(path: str) -> bytes:
    with unreadable(path):
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()


def _lines(path: str) -> Iterator[tuple[int, bytes]]:
    with unreadable(path), Path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line


@contextmanager
def unreadable(path: str) -> Iterator[None]:
    """A file that the system does not let us read, told as BadInput."""
    try:
        yield
    except OSError as error:
        raise BadInput("core.unreadable_file", place=path, why=error.strerror) from None


def all_faults(path: str, faults: list[str]) -> BadInput:
    """The refusal of a file, naming its faulty lines, to a limit."""
    told = [fault.replace("\n", "\n  ") for fault in faults[:FAULTY_LINES_TOLD]]
    if len(faults) > FAULTY_LINES_TOLD:
        told.append(say("guarantee.case.more_faults", count=len(faults) - FAULTY_LINES_TOLD))
    return BadInput("guarantee.case.faulty_lines", place=path, faults="\n  ".join(["", *told]))


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Hold what is printed until all of it is known: an error leaves standard output empty."""
    with SpooledTemporaryFile(_SPOOLED_IN_MEMORY, "w+", encoding="utf-8") as spool:
        with redirect_stdout(spool):
            yield
        spool.seek(0)
        shutil.copyfileobj(spool, sys.stdout)
