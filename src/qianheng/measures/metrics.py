"""The dictionary of measures (`metrics.toml`): what each is called, made of, told in, and when it is final (SPEC 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal

from qianheng.core import tables
from qianheng.core.errors import BadInput
from qianheng.core.money import ratio
from qianheng.core.words import say


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure. `over` / `under` are the sums a ratio is taken of, `is_` those that a sum is the same as ("-x": less
    x), `per` what the ratio is multiplied by. Money is in millionths of its currency's unit.
    """

    name: str
    kind: Literal["sum", "level", "ratio"]
    unit: Literal["money", "count", "ratio", "rate"]
    over: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    is_: tuple[str, ...] = ()
    per: int = 1
    final_after_hours: int = 0
    facts: tuple[str, ...] = ()

    @property
    def formula(self) -> str:
        """How it is made of other measures, by their names; "" for what is told as it is."""
        if self.kind == "ratio":
            times = f"{self.per} × " if self.per != 1 else ""
            return f"{times}{_added(self.over)} / {_added(self.under)}"
        return _added(self.is_).strip("()")

    @property
    def meaning(self) -> str:
        """What it says, in a sentence."""
        return say(f"metrics.meaning.{self.name}")

    def of(self, told: object) -> Fraction | int | None:
        """Its value from what holds its sums as attributes (`Sums`, `Figures`); `None` where one of them is unknown."""
        if self.kind == "ratio":
            above, below = _total(told, self.over), _total(told, self.under)
            return None if above is None or below is None else ratio(self.per * above, below)
        return _total(told, self.is_ or (self.name,))


@cache
def metrics() -> dict[str, Metric]:
    """All measures by name."""
    path = Path(__file__).with_name("metrics.toml")
    told = {
        name: {"name": name, **{("is_" if key == "is" else key): value for key, value in entry.items()}}
        for name, entry in tables.read_toml(path).items()
    }
    return {name: tables.build(Metric, entry, f"{path.name} [{name}]") for name, entry in told.items()}


def metric(name: str) -> Metric:
    """A measure by its name. None of that name: BadInput that lists them."""
    if name not in metrics():
        raise BadInput("metrics.unknown", value=name, known=", ".join(metrics()))
    return metrics()[name]


def metric_name(name: str) -> str:
    """What a person calls a measure."""
    return say(f"metrics.name.{name}")


def _total(told: object, names: Iterable[str]) -> int | None:
    values: list[int] = []
    for name in names:
        value = getattr(told, name.removeprefix("-"), None)
        if value is None:
            return None
        values.append(-value if name.startswith("-") else value)
    return sum(values)


def _added(names: tuple[str, ...]) -> str:
    joined = " + ".join(names).replace("+ -", "− ")
    return f"({joined})" if len(names) > 1 else joined
