"""The catalogue of words is whole: every phrase in both languages, filled with the same values."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qianheng.core import words

SOURCE = Path(words.__file__).parents[2]


def phrases(node: dict[str, Any], key: str) -> Iterator[tuple[str, dict[str, str]]]:
    if any(isinstance(value, str) for value in node.values()):
        yield key, node
        return
    for name, below in node.items():
        yield from phrases(below, f"{key}.{name}")


def slots(phrase: str) -> set[str]:
    return {name.split("!")[0] for _, name, _, _ in string.Formatter().parse(phrase) if name}


ALL = [entry for area in words.areas() for entry in phrases(words.area(area), area)]


@pytest.mark.parametrize(("key", "phrase"), ALL, ids=[key for key, _ in ALL])
def test_every_phrase_stands_in_both_languages_with_the_same_values(key: str, phrase: dict[str, str]) -> None:
    assert phrase.keys() == {"en", "zh"}
    assert slots(phrase["en"]) == slots(phrase["zh"])


def keys_said() -> Iterator[tuple[str, str]]:
    sayers = {"say", "BadInput", "NotFound", "Refused", "Damaged", "_fault"}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in sayers:
                for argument in node.args[:2]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and "." in argument.value:
                        yield f"{path.relative_to(SOURCE)}:{node.lineno}", argument.value


def test_every_key_said_in_the_source_is_in_the_catalogue() -> None:
    unknown = [f"{place} says {key}" for place, key in keys_said() if not words.known(key)]
    assert not unknown, "\n".join(unknown)


def test_a_value_as_long_as_a_file_is_cut_short() -> None:
    """A sentence stays readable whatever stood where a number belongs."""
    assert len(words.say("core.not_a_number", value="9" * 10_000)) < 300
