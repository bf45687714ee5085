"""A table becomes a frozen dataclass, or all of its faults are told at once, each with its place."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest

from qianheng.core.errors import BadInput
from qianheng.core.tables import build, read_toml


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise BadInput("core.not_a_number", value=self.share)


@dataclass(frozen=True, slots=True)
class Whole:
    count: int
    price: Decimal
    first: date
    mode: Literal["fast", "slow"] = "fast"
    parts: tuple[Part, ...] = ()
    pair: tuple[int, str] = (0, "")
    named: dict[str, Part] | None = None
    limit: int | None = None


GOOD: dict[str, Any] = {"count": 3, "price": Decimal("1.50"), "first": date(2025, 10, 1)}


def faults(**changed: object) -> list[str]:
    with pytest.raises(BadInput) as refusal:
        build(Whole, {**GOOD, **changed}, "whole.toml")
    assert str(refusal.value).startswith("whole.toml: ")
    return [line.strip().split(": ")[0] for line in str(refusal.value).splitlines()[1:]]


def test_a_good_table_is_built_whole() -> None:
    table = {**GOOD, "parts": [{"name": "a", "share": 1}], "named": {"x": {"name": "b"}}, "pair": [1, "one"]}
    built = build(Whole, table, "")
    assert built == Whole(
        3, Decimal("1.50"), date(2025, 10, 1), "fast", (Part("a", 1.0),), (1, "one"), {"x": Part("b")}
    )
    assert isinstance(built.parts[0].share, float)


def test_every_fault_is_told_at_once_with_its_path() -> None:
    parts = [{"nome": "a"}, {"name": 7}, {"name": "c", "share": 2}, {"name": "d", "share": -1}, 5]
    told = faults(count=True, mode="late", parts=parts, named={"x": {}}, pair=[1], more=1)
    assert told == [
        "more",
        "count",
        "mode",
        "parts[0].nome",
        "parts[0].name",
        "parts[1].name",
        "parts[2]",
        "parts[3]",
        "parts[4]",
        "pair",
        "named.x.name",
    ]


def test_a_missing_key_is_a_fault_and_a_default_is_none() -> None:
    with pytest.raises(BadInput) as refusal:
        build(Whole, {}, "")
    assert [line.strip().split(":")[0] for line in str(refusal.value).splitlines()[1:]] == ["count", "price", "first"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", 1.0),
        ("count", "1"),
        ("price", "1"),
        ("price", True),
        ("price", Decimal("NaN")),
        ("price", Decimal("Infinity")),
        ("first", "2025-13-01"),
        ("first", datetime(2025, 10, 1, tzinfo=UTC)),
        ("parts", {"name": "a"}),
        ("parts", [{"name": "a", "share": Decimal("sNaN")}]),
        ("parts", [{"name": "a", "share": 10**400}]),
        ("named", ["a"]),
        ("count", None),
    ],
)
def test_a_value_of_another_kind_is_a_fault(field: str, value: object) -> None:
    assert faults(**{field: value})[0].startswith(field)


def test_days_may_be_text_and_what_may_be_missing_may_be_null() -> None:
    assert build(Whole, {**GOOD, "first": "2025-10-02", "limit": None}, "").first == date(2025, 10, 2)


def test_a_table_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput):
        build(Whole, [], "list.json")  # type: ignore[arg-type]


def test_toml_keeps_decimals_exact_and_names_the_file_that_is_broken(tmp_path: Path) -> None:
    good, broken = tmp_path / "good.toml", tmp_path / "broken.toml"
    good.write_text("price = 0.1", encoding="utf-8")
    broken.write_bytes(b"price = \xff")
    assert read_toml(good) == {"price": Decimal("0.1")}
    for path in (broken, tmp_path / "none.toml", tmp_path):
        with pytest.raises(BadInput, match=path.name):
            read_toml(path)
