"""Asking a figure by name: is it below a limit or not, and how surely (rules and playbooks are data that ask so)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from qianheng.core.errors import BadInput
from qianheng.core.money import YUAN, decimal
from qianheng.diagnosis.evidence import Unit
from qianheng.diagnosis.ground import Ground, Reading
from qianheng.diagnosis.readings import READINGS, read


class Answer(StrEnum):
    """What a figure answers. `unsure`: chance reaches over the limit; `unknown`: an input is missing."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of data: whether a figure is below a limit, or at least as much as one. sure: it has to be so whatever
    chance did; otherwise as it looks. A figure that does not exist, not just one limit: BadInput.
    """

    figure: str
    below: str | None = None
    at_least: str | None = None
    sure: bool = True

    def __post_init__(self) -> None:
        if self.figure not in READINGS:
            raise BadInput("triage.unknown_figure", value=self.figure, known=", ".join(sorted(READINGS)))
        if (self.below is None) == (self.at_least is None):
            raise BadInput("triage.one_limit", value=self.figure)
        decimal(self.below or self.at_least or "")

    def limit(self, unit: Unit) -> Fraction:
        """What the figure is held against, money in micro-yuan."""
        limit = Fraction(decimal(self.below if self.below is not None else self.at_least or ""))
        return limit * YUAN if unit == "yuan" else limit

    @property
    def limit_text(self) -> str:
        """The limit as a person writes it."""
        return f"< {self.below}" if self.below is not None else f"≥ {self.at_least}"

    def looks(self, reading: Reading) -> bool:
        """Whether it is so as far as it looks; not so if nothing is known."""
        return reading.value is not None and _holds(self, reading.unit, reading.value) is Answer.YES


@dataclass(frozen=True, slots=True)
class Told:
    """A question, the reading it was put to, and the answer."""

    asked: Asked
    reading: Reading
    answer: Answer


def ask(ground: Ground, asked: Asked) -> Told:
    """Put the question to the ground. What does not apply (it is `None` and nothing is missing) is answered no."""
    reading = read(ground, asked.figure)
    return Told(asked, reading, _answer(asked, reading))


def all_of(told: list[Told]) -> Answer:
    """Whether all are so: no if one is not, unknown or unsure if one is."""
    answers = {one.answer for one in told}
    return next((one for one in (Answer.NO, Answer.UNKNOWN, Answer.UNSURE) if one in answers), Answer.YES)


def _answer(asked: Asked, reading: Reading) -> Answer:
    if reading.value is None:
        return Answer.UNKNOWN if reading.missing else Answer.NO
    if reading.between is None or not asked.sure:
        return _holds(asked, reading.unit, reading.value)
    ends = {_holds(asked, reading.unit, Fraction(end)) for end in (reading.between.low, reading.between.high)}
    return ends.pop() if len(ends) == 1 else Answer.UNSURE


def _holds(asked: Asked, unit: Unit, value: Fraction) -> Answer:
    return Answer.YES if (value < asked.limit(unit)) is (asked.below is not None) else Answer.NO
