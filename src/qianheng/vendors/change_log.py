"""The vendor's log of what was done to plans (操作日志) → entries in our words; what is not understood is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qianheng.core import tables
from qianheng.core.errors import BadInput
from qianheng.core.ids import stable_id
from qianheng.core.money import decimal
from qianheng.plans.entries import LogEntry, LogField
from qianheng.plans.plan import Goal

_COLON = re.compile(r"\s*[:：]\s*")
_LINES = re.compile(r"[\n\r;；]+")
_NUMBERS = (LogField.TARGET, LogField.BUDGET)


@dataclass(frozen=True, slots=True)
class VendorLog:
    """A record of the vendor's log: when (UTC microseconds), to which plan, by whom; its title and its texts.

    `log_id` is "" where none is told. `before` and `after` are set where the log has columns for them: then the title
    says what they are of.
    """

    log_id: str
    at: int
    plan_id: str
    operator: str
    title: str
    texts: tuple[str, ...] = ()
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text that begins so is about; the value after it if the name says that too."""

    field: str
    goal: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """How the vendor words its log: `change_log.toml`."""

    arrows: tuple[str, ...]
    nothing: tuple[str, ...]
    names: dict[str, Meaning]
    codes: dict[str, dict[str, str]]

    def meaning(self, text: str) -> tuple[str, Meaning] | None:
        """The longest name that the text begins with and what it means; `None` if it begins with none."""
        known = [name for name in self.names if text.startswith(name)]
        return (longest, self.names[longest]) if (longest := max(known, key=len, default="")) else None

    def name_of(self, field: LogField, goal: Goal | None = None) -> str:
        """The vendor's name of a field, of the target of a goal: the first that fits."""
        fits = (name for name, one in self.names.items() if one.field == field and not one.after)
        return next(name for name in fits if goal is None or self.names[name].goal == goal)

    def word_of(self, field: LogField, code: str) -> str:
        """The vendor's word for one of our codes; what has none stands as it is."""
        words = self.codes.get(field, {})
        return next((word for word, meant in words.items() if meant == code), code)


@cache
def wording() -> Wording:
    """The wording as shipped."""
    path = Path(__file__).with_name("change_log.toml")
    return tables.build(Wording, tables.read_toml(path), path.name)


def entries_of(log: VendorLog) -> tuple[LogEntry, ...]:
    """The entries of a record: one for each text that tells something, or one for its title.

    A text that is not understood, or whose value cannot be, is an entry of the field `other` with that text.
    """
    texts = [part.strip() for text in log.texts for part in _LINES.split(text) if part.strip()]
    if log.before or log.after:
        told = [_entry(log, log.title, (log.before, log.after))]
    else:
        told = [_entry(log, text, None) for text in texts or [log.title]]
    return tuple(_apart(log, told))


def _apart(log: VendorLog, told: Sequence[LogEntry]) -> Iterator[LogEntry]:
    """One record may tell several fields: each has an id of its own, the same however often it is read."""
    for entry in told:
        origin = log.log_id or f"{log.at}/{log.plan_id}"
        own = stable_id("log", origin, entry.field, entry.text)
        yield LogEntry(f"{origin}/{own}", *(getattr(entry, name) for name in LogEntry.__slots__[1:]))


def _entry(log: VendorLog, text: str, values: tuple[str, str] | None) -> LogEntry:
    whole = text if values is None else f"{text}: {values[0]} → {values[1]}"
    found = wording().meaning(text)
    if found is not None:
        name, meaning = found
        before, after = values if values is not None else _values(text.removeprefix(name))
        with suppress(BadInput, KeyError):  # a value in other words than ours: the entry is kept as it was told
            return _understood(log, whole, meaning, (before, meaning.after or after))
    return LogEntry("", log.at, log.plan_id, log.operator, LogField.OTHER, None, None, whole)


def _values(rest: str) -> tuple[str, str]:
    """Before and after as written behind a name: "：2.00 → 2.20", or the value after alone."""
    told = _COLON.sub("", rest, count=1).strip()
    for arrow in wording().arrows:
        if arrow in told:
            before, _, after = told.partition(arrow)
            return before.removeprefix("由").removeprefix("从").strip(), after.strip()
    return "", told


def _understood(log: VendorLog, text: str, meaning: Meaning, values: tuple[str, str]) -> LogEntry:
    field = LogField(meaning.field)
    before, after = (_value(field, value) for value in values)
    if after is None and field is not LogField.BOOST and not (field is LogField.TARGET and before):
        raise BadInput("vendors.not_a_figure", value=text)
    goal = Goal(meaning.goal) if meaning.goal else None
    return LogEntry("", log.at, log.plan_id, log.operator, field, before, after, text, goal)


def _value(field: LogField, written: str) -> str | None:
    """A value in our words; unknown words: KeyError, unreadable numbers: BadInput."""
    if written in wording().nothing:
        return None
    if field in _NUMBERS:
        return str(decimal(written.replace(",", "").removeprefix("¥").removesuffix("元").strip()))
    codes = wording().codes.get(field)
    return written if codes is None or written in codes.values() else codes[written]
