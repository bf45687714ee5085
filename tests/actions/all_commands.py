"""Every command there is, also those yet to come, and words to call each with."""

from collections.abc import Iterator
from typing import Any

import typer.main

from qianheng.cli.app import build_app

GIVEN = {
    "--plan": "1",
    "--day": "2025-10-01",
    "--from": "2025-10-01",
    "--month": "2025-10",
    "--condition": "dispute",
    "--reason": "why",
    "--out": "told.json",
    "plan": "1",
    "claim": "1",
    "amount": "5",
    "name": "guest",
    "changes": "target=3",
    "what": "statement",
    "file": "evidence.txt",
    "files": "evidence.txt",
    "node": "plan 1",
}


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands by their path; a group that answers without one of its commands is one too."""
    yield from _below(typer.main.get_command(build_app()), ())


def _below(found: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(found, "commands"):
        yield path, found
        return
    if path and found.invoke_without_command:
        yield path, found
    for name, below in found.commands.items():
        yield from _below(below, (*path, name))


def asks_who(command: Any) -> bool:
    """Whether it is asked by somebody, at the desk of a run."""
    return any("--as" in parameter.opts for parameter in command.params)


def asked(command: Any, more: tuple[str, ...] = ()) -> list[str]:
    """The command's required arguments and options, and those of `more` that it knows."""
    words = []
    for parameter in command.params:
        name = next((opt for opt in parameter.opts if opt.startswith("--")), parameter.opts[0])
        if parameter.required or name in more:
            value = GIVEN.get(name, "1")
            words += [value] if parameter.param_type_name == "argument" else [name, value]
    return words
