"""The error tree. Every refusal a person can meet is one of these, named by a key of the catalogue of words.

QianhengError        what went wrong, where, what to do            exit code   HTTP status
├── BadInput         unreadable, unknown or out of range                2          422
├── NotFound         nothing goes by that name                          2          404
├── Refused          understood, but the rules say no                   1          409
└── Damaged          stored state contradicts itself                    1          500
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qianheng.core.words import say


class QianhengError(Exception):
    """An error a person can act on: a catalogue key, the values that fill it, and where it happened.

    `place` names the file, line or field ("orders.xlsx, row 57, 整体消耗"); it is shown before the sentence.
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, key: str, *, place: str = "", **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.place = place
        self.values = values

    def __str__(self) -> str:
        sentence = say(self.key, **self.values)
        return f"{self.place}: {sentence}" if self.place else sentence

    def at(self, place: str) -> QianhengError:
        """The same error, told from one level further out: `place` is put before the place known so far."""
        self.place = f"{place}: {self.place}" if self.place else place
        return self


class BadInput(QianhengError):
    """What was given cannot be read, is unknown or out of range; nothing was stored."""

    exit_code = 2
    http_status = 422


class NotFound(QianhengError):
    """Nothing goes by that name."""

    exit_code = 2
    http_status = 404


class Refused(QianhengError):
    """Understood, but a rule says no; the key names the rule."""

    exit_code = 1
    http_status = 409


class Damaged(QianhengError):
    """Stored state contradicts itself (a missing part, a hash that does not fit); it is never guessed over."""

    exit_code = 1
    http_status = 500


def raise_together(faults: Sequence[BadInput]) -> None:
    """Raise one fault as it is, several in one BadInput that tells them all; nothing if there is none."""
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise BadInput("core.faults", faults="".join(f"\n  {fault}" for fault in faults))
