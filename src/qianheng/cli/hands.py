"""Many hands on a file of cases: blocks of its lines go to worker processes, their answers come back in order.

Only a few blocks a worker are out at any time, so that memory stays the same however long the file is. Each block is
answered by the very code that one process alone runs: the bytes do not depend on how many hands there were.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from qianheng.cli.cases import Question, all_faults, case_of, unreadable
from qianheng.cli.output import json_line
from qianheng.core.errors import BadInput
from qianheng.core.plain import Json
from qianheng.core.words import Language, language, speak
from qianheng.guarantee.case import Case
from qianheng.guarantee.policy import Policy

BLOCK_BYTES = 1 << 19
BLOCKS_A_WORKER = 3  # one at work, one waiting, one answered and not yet collected

Tell = Callable[[Policy, Case], Json]


class Block(NamedTuple):
    """Some lines of a file; `first` is the number of the first."""

    first: int
    lines: list[bytes]


class Answered(NamedTuple):
    """What came of a block: its answers as JSON lines, and what is wrong with each faulty line."""

    text: str
    faults: list[str]


@dataclass(frozen=True, slots=True)
class Task:
    """What every worker does: tell of each case asked about, in a language."""

    asked: Question
    tell: Tell
    spoken: Language

    def answer(self, block: Block) -> Answered:
        """The answers to a block, in order, and its faults."""
        told, faults = [], []
        for number, line in enumerate(block.lines, block.first):
            if not line.strip():
                continue
            try:
                policy, case = case_of(self.asked, line, f"{self.asked.path}:{number}")
                told.append(json_line(self.tell(policy, case)))
            except BadInput as error:
                faults.append(str(error))
        return Answered("".join(told), faults)


def answers(asked: Question, tell: Tell, workers: int | None) -> Iterator[str]:
    """The answers to a file of cases as JSON lines, in order, many at a time. `workers`: so many processes (default:
    the cores of this machine, and no more than there are blocks).

    Any faulty line: BadInput after the last, naming all, to a limit.
    """
    faults: list[str] = []
    for answered in _answered(Task(asked, tell, language()), workers or os.cpu_count() or 1):
        faults += answered.faults
        if not faults:
            yield answered.text
    if faults:
        raise all_faults(asked.path, faults)


def _answered(task: Task, workers: int) -> Iterator[Answered]:
    path = Path(task.asked.path)
    with unreadable(task.asked.path):
        hands = min(workers, -(-path.stat().st_size // BLOCK_BYTES))
    if hands < 2:
        yield from map(task.answer, _blocks(path))
        return
    with ProcessPoolExecutor(hands, initializer=_begin, initargs=(task,)) as pool:
        yield from _in_order(pool, _blocks(path), hands * BLOCKS_A_WORKER)


def _in_order(pool: ProcessPoolExecutor, blocks: Iterable[Block], most: int) -> Iterator[Answered]:
    """The answers in the order of the blocks, at most so many of which are out."""
    out: deque[Future[Answered]] = deque()
    for block in blocks:
        if len(out) == most:
            yield out.popleft().result()
        out.append(pool.submit(_work, block))
    while out:
        yield out.popleft().result()


def _blocks(path: Path) -> Iterator[Block]:
    number = 1
    with unreadable(str(path)), path.open("rb") as file:
        while lines := file.readlines(BLOCK_BYTES):
            yield Block(number, lines)
            number += len(lines)


_task: Any = None  # of a worker process, which has one all its life


def _begin(task: Task) -> None:
    global _task
    _task = task
    speak(task.spoken)


def _work(block: Block) -> Answered:
    answered: Answered = _task.answer(block)
    return answered
