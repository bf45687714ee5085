"""Reading a scenario: a shipped one by name or a file by path, over the defaults, with single values overridden."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from qianheng.core.errors import BadInput, NotFound
from qianheng.core.tables import build, read_toml
from qianheng.simulator.scenario import Scenario

_HERE = Path(__file__).parent


def shipped() -> dict[str, Path]:
    """The scenarios that come with the package, by name."""
    return {path.stem: path for path in sorted((_HERE / "scenarios").glob("*.toml"))}


def load(source: str | Path, overrides: Mapping[str, str] | None = None) -> Scenario:
    """The scenario in a TOML file, or the shipped one of that name, with `key.path = value` overrides.

    Tables are laid over `defaults.toml`; lists replace. A list's entries are addressed by number from 0
    ("plans.0.target"). Unknown scenario: NotFound; anything unreadable, unknown or contradictory: BadInput.
    """
    path = _find(source)
    table = _laid_over(read_toml(_HERE / "defaults.toml"), read_toml(path))
    for key, value in (overrides or {}).items():
        _set(table, key, _parsed(value))
    return build(Scenario, table, str(path))


def _find(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix == ".toml" or path.exists():
        return path
    if str(source) not in shipped():
        raise NotFound("simulator.unknown_scenario", value=str(source), known=", ".join(shipped()))
    return shipped()[str(source)]


def _laid_over(below: Any, above: Any) -> Any:
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    return {
        **below,
        **{name: _laid_over(below[name], value) if name in below else value for name, value in above.items()},
    }


def _set(table: Any, key: str, value: object) -> None:
    """Change one value in place; the table was made by `_laid_over` and TOML, so nobody else holds it."""
    *path, last = key.split(".")
    node = table
    try:
        for part in path:
            node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
        node[int(last) if isinstance(node, list) else last] = value
    except (IndexError, ValueError, TypeError, AttributeError):
        raise BadInput("simulator.bad_override", place=f"--set {key}") from None


def _parsed(text: str) -> object:
    """The value as TOML would read it; text that is not TOML stands for itself."""
    try:
        return tomllib.loads(f"value = {text}", parse_float=Decimal)["value"]
    except tomllib.TOMLDecodeError:
        return text
