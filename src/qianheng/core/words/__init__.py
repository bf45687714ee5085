"""One catalogue of words for commands, reports and errors, in English and Chinese.

`words/<area>.toml` holds one table a phrase, `en` beside `zh`; a key is `area.name` or `area.group.name`.
The language is chosen once at an edge (`--lang`, the environment, the locale) and read from here.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
VALUE_SHOWN = 160

_language: ContextVar[Language] = ContextVar("language", default="en")


def language() -> Language:
    """The language spoken here and now."""
    return _language.get()


def speak(chosen: Language) -> None:
    """Choose the language of everything said from now on (in this context)."""
    _language.set(chosen)


@contextmanager
def speaking(chosen: Language) -> Iterator[None]:
    """Say what is said inside in this language."""
    before = _language.set(chosen)
    try:
        yield
    finally:
        _language.reset(before)


def language_of_environment() -> Language:
    """`QIANHENG_LANG` if set, else Chinese for a `zh` locale, else English."""
    for name in ("QIANHENG_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def say(key: str, /, **values: object) -> str:
    """The phrase of `key` in the language spoken, filled with `values` (str.format). Unknown key: KeyError.

    What somebody gave (`value`) is told in full up to a limit: a whole file may stand where a number belongs.
    """
    phrase = _phrase(key)[_language.get()]
    given = values.get("value")
    if isinstance(given, str) and len(given) > VALUE_SHOWN:
        values["value"] = f"{given[:VALUE_SHOWN]}…"
    return phrase.format(**values) if values else phrase


def spoken(value: Any) -> Any:
    """What fills a phrase: words kept in every language (`{"en": …, "zh": …}`) in the one spoken, anything else as it
    is.
    """
    return value[_language.get()] if isinstance(value, Mapping) and value.keys() == {*LANGUAGES} else value


def known(key: str) -> bool:
    """Whether the catalogue has a phrase of that key."""
    try:
        _phrase(key)
    except KeyError:
        return False
    return True


def areas() -> list[str]:
    """The areas of the catalogue: one file each."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.toml"))


@cache
def area(name: str) -> dict[str, Any]:
    """One area of the catalogue as read: nested tables ending in `{en, zh}`. Unknown area: KeyError."""
    path = Path(__file__).with_name(f"{name}.toml")
    if not path.exists():
        raise KeyError(name)
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def _phrase(key: str) -> dict[str, str]:
    name, _, rest = key.partition(".")
    node: Any = area(name)
    for part in rest.split("."):
        node = node[part]
    if not {"en", "zh"} <= node.keys():
        raise KeyError(key)
    return dict(node)
