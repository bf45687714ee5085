"""What the library of the command line says of itself, in the language spoken: headings, hints and complaints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from io import StringIO
from string import Formatter
from typing import Any

from typer.core import TyperGroup

from qianheng.core.words import area, language, say

AREA = "click"
_Help: Any = TyperGroup.context_class.formatter_class


class SpokenHelp(_Help):  # type: ignore[misc]  # the library does not say where its class stands
    """A page of help whose own words are in the language spoken."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The line that shows how a command is written."""
        super().write_usage(prog, args, prefix or say("click.usage"))

    def section(self, name: str) -> AbstractContextManager[None]:
        """A part of the page under its heading."""
        entered: AbstractContextManager[None] = super().section(spoken_by_click(name))
        return entered

    def write_dl(self, rows: Iterable[Sequence[str]], *widths: int, **more: int) -> None:
        """Names with what they mean."""
        super().write_dl([(name, spoken_by_click(text)) for name, text in rows], *widths, **more)


def speak_in_help() -> None:
    """Let every page of help be `SpokenHelp`."""
    TyperGroup.context_class.formatter_class = SpokenHelp


def complaint(error: Any) -> str:
    """What the library says of a wrong use, in the language spoken; "" where it has shown the help instead."""
    shown = StringIO()
    error.show(file=shown)
    return "\n".join(map(spoken_by_click, shown.getvalue().splitlines()))


def spoken_by_click(text: str) -> str:
    """A phrase of the library in the language spoken; anything else as it is."""
    if language() == "en":
        return text
    for key, pattern in _patterns():
        if found := pattern.fullmatch(text):
            return say(key, **{name: spoken_by_click(part) for name, part in found.groupdict().items()})
    return text


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(f"{AREA}.{name}", _pattern(phrase["en"])) for name, phrase in area(AREA).items()]


def _pattern(phrase: str) -> re.Pattern[str]:
    parts = Formatter().parse(phrase)
    return re.compile(
        "".join(re.escape(text) + (f"(?P<{name}>.+)" if name else "") for text, name, _, _ in parts), re.S
    )
