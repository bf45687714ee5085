"""Playbooks: what to do in an emergency, as decision trees that are data, walked with the shop's own figures (SPEC 11).

A node asks whether a figure is below a limit or at least as much; a leaf gives advice. Where a figure is not known, or
chance reaches over the limit, the walk says so and goes on along both branches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from qianheng.core import tables
from qianheng.core.errors import BadInput, raise_together
from qianheng.core.words import area, language
from qianheng.diagnosis.asking import Answer, Asked, Told, all_of, ask
from qianheng.diagnosis.ground import Ground

SHIPPED = Path(__file__).with_name("playbooks")
Branch: TypeAlias = Literal["yes", "no"]
ACTIONS = frozenset(area("triage")["action"])
"""What a leaf may advise: the actions that proposals know by these names."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence of a tree, in both languages."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.zh if language() == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Node:
    """A question of the tree, put to a figure, and where its answers lead."""

    ask: Phrase
    figure: str
    yes: str
    no: str
    below: str | None = None
    at_least: str | None = None
    sure: bool = True

    def __post_init__(self) -> None:
        self.asked()

    def asked(self) -> Asked:
        """The question as it is put. An unknown figure, not just one limit: BadInput."""
        return Asked(self.figure, self.below, self.at_least, self.sure)


@dataclass(frozen=True, slots=True)
class Leaf:
    """An end of the tree: what to do, in words and as actions."""

    advice: Phrase
    actions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.actions if name not in ACTIONS]
        raise_together(
            [
                BadInput("triage.unknown_choice", place="actions", value=name, known=", ".join(sorted(ACTIONS)))
                for name in unknown
            ]
        )


@dataclass(frozen=True, slots=True)
class Playbook:
    """A tree. opens: what is so when it is worth opening by itself; nothing: only when asked for. since: from when
    figures are told apart from before, "goal" for the last switch of the goal, else the last days.
    """

    title: Phrase
    root: str
    nodes: dict[str, Node]
    leaves: dict[str, Leaf]
    opens: tuple[Asked, ...] = ()
    since: Literal["days", "goal"] = "days"
    source: str = ""

    def __post_init__(self) -> None:
        raise_together([*self._missing(), *self._unreachable(), *self._circles()])

    def _missing(self) -> Iterator[BadInput]:
        """Branches that lead nowhere, and names that mean two things."""
        places = {"root": self.root}
        for name, node in self.nodes.items():
            places |= {f"nodes.{name}.yes": node.yes, f"nodes.{name}.no": node.no}
        for place, to in places.items():
            if to not in self.nodes and to not in self.leaves:
                yield BadInput("triage.playbook.leads_nowhere", place=place, value=to)
        for name in self.nodes.keys() & self.leaves.keys():
            yield BadInput("triage.playbook.twice", place=f"leaves.{name}", value=name)

    def _unreachable(self) -> Iterator[BadInput]:
        reached: set[str] = set()
        waiting = [self.root]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += [self.nodes[name].yes, self.nodes[name].no] if name in self.nodes else []
        for table, names in (("nodes", self.nodes), ("leaves", self.leaves)):
            for name in names:
                if name not in reached:
                    yield BadInput("triage.playbook.unreachable", place=f"{table}.{name}")

    def _circles(self) -> Iterator[BadInput]:
        """A walk that comes back would never end."""
        done: set[str] = set()

        def comes_back(name: str, above: tuple[str, ...]) -> bool:
            if name in above:
                return True
            if name in done or name not in self.nodes:
                return False
            found = any(comes_back(to, (*above, name)) for to in (self.nodes[name].yes, self.nodes[name].no))
            done.add(name)
            return found

        if comes_back(self.root, ()):
            yield BadInput("triage.playbook.circle", place="nodes")


@dataclass(frozen=True, slots=True)
class Step:
    """A node of the walk: what was asked and told, and the branches taken: one, or both, the likelier first, where the
    answer is open.
    """

    name: str
    question: Phrase
    told: Told
    branches: Mapping[Branch, Step | End]


@dataclass(frozen=True, slots=True)
class End:
    """A leaf that the walk came to."""

    name: str
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Walk:
    """A playbook walked with a subject's figures."""

    playbook: str
    ground: Ground
    start: Step | End

    @property
    def ends(self) -> tuple[End, ...]:
        """The leaves it may be, in the order of the walk."""
        return tuple(dict.fromkeys(_ends(self.start)))

    @property
    def missing(self) -> tuple[str, ...]:
        """The inputs it lacked."""
        told = (step.told.reading.missing for step in _steps(self.start))
        return tuple(dict.fromkeys(name for name in told if name))


def read_playbook(path: Path) -> Playbook:
    """A tree from its file. Every fault in it, with file and key: BadInput."""
    return tables.build(Playbook, tables.read_toml(path), str(path))


def playbooks(own: Path | None = None) -> dict[str, Playbook]:
    """The trees shipped and those in the owner's folder, by the name of their file; an owner's replaces one shipped."""
    folders = [SHIPPED, *([own] if own and own.is_dir() else [])]
    paths = {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
    return {name: read_playbook(path) for name, path in paths.items()}


def opens(playbook: Playbook, ground: Ground) -> bool:
    """Whether the figures say that it is worth opening."""
    ground = stand_on(playbook, ground)
    return bool(playbook.opens) and all_of([ask(ground, asked) for asked in playbook.opens]) is Answer.YES


def stand_on(playbook: Playbook, ground: Ground) -> Ground:
    """The ground with the days that the playbook tells apart."""
    return replace(ground, since=ground.goal_switched) if playbook.since == "goal" else ground


def walk(name: str, playbook: Playbook, ground: Ground) -> Walk:
    """Walk a playbook with the figures of the ground."""
    ground = stand_on(playbook, ground)
    return Walk(name, ground, _step(playbook, playbook.root, ground))


def _step(playbook: Playbook, name: str, ground: Ground) -> Step | End:
    if name in playbook.leaves:
        return End(name, playbook.leaves[name])
    node = playbook.nodes[name]
    told = ask(ground, node.asked())
    likely: Branch = "yes" if node.asked().looks(told.reading) else "no"
    taken: tuple[Branch, ...] = (likely, "no" if likely == "yes" else "yes")
    taken = taken[:1] if told.answer in (Answer.YES, Answer.NO) else taken
    branches = {branch: _step(playbook, node.yes if branch == "yes" else node.no, ground) for branch in taken}
    return Step(name, node.ask, told, branches)


def _steps(start: Step | End) -> Iterator[Step]:
    if isinstance(start, Step):
        yield start
        for branch in start.branches.values():
            yield from _steps(branch)


def _ends(start: Step | End) -> Iterator[End]:
    if isinstance(start, End):
        yield start
    else:
        for branch in start.branches.values():
            yield from _ends(branch)
