"""The vendor's API as typed data: `api.toml` says where each thing is asked for and in which units it is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

from qianheng.core import tables
from qianheng.core.errors import BadInput, raise_together
from qianheng.core.money import YUAN, Micros

Json = dict[str, Any]
SHIPPED = Path(__file__).with_name("api.toml")
OWN = "qianchuan.toml"
_NOISE = Decimal("0.001")  # of a micro-yuan: what a sum of floating numbers on the vendor's side may be off


# Every endpoint that is asked, and which of its limits are asked by.
_LIMITS: dict[str, tuple[str, ...]] = {
    "plans": ("span_days",),
    "report": ("span_days",),
    "guarantee": ("at_once",),
    **dict.fromkeys(("budget", "target", "status"), ("at_once",)),
    **dict.fromkeys(("totals", "changes", "wallet", "finance", "sign_in", "refresh"), ()),
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of the API. `rows` names where a list stands in `data`, `key` what its rows are known by."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    rows: str = ""
    key: tuple[str, ...] = ()
    page_size: int = 0
    at_once: int = 0
    span_days: int = 0
    back_days: int = 0
    money: str = "yuan"
    a_minute: int = 300

    @property
    def writes(self) -> bool:
        """Whether it changes a plan."""
        return self.method == "POST" and bool(self.at_once)


@dataclass(frozen=True, slots=True)
class Codes:
    """What to do about a code of the envelope that is not 0."""

    rate_limited: tuple[int, ...]
    token_expired: tuple[int, ...]
    sign_in_again: tuple[int, ...]
    try_again: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lists:
    """Which plans a list is asked for: every goal (with our kind), scene and way of bidding (with our bid mode); which
    metrics of reports it does not tell.
    """

    goals: dict[str, str]
    scenes: tuple[str, ...]
    modes: dict[str, str]
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """The vendor's words and ours."""

    goals: dict[str, str]
    status: dict[str, str]
    guarantee: dict[str, str]


@dataclass(frozen=True, slots=True)
class Topic:
    """One detailed report: what its rows are of, and the dimension that names them."""

    name: str
    kind: Literal["plan", "product", "creative"]
    topic: str
    id: str
    spend: str
    label: str = ""
    hourly: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """What a field of a report is to us."""

    field: str
    unit: Literal["money", "count", "ratio"]


@dataclass(frozen=True, slots=True)
class Api:
    """All of it. An endpoint that is lacking, told in a unit that is not defined, or asked for nothing at a time:
    BadInput.
    """

    base: str
    prefix: str
    timezone: str
    overlap_days: int
    first_days: int
    hours_days: int
    unlike_finance: Decimal
    units: dict[str, int]
    codes: Codes
    endpoints: dict[str, Endpoint]
    lists: Lists
    words: Words
    topics: tuple[Topic, ...]
    metrics: dict[str, Metric]
    policies: dict[str, str] = field(default_factory=dict)
    spellings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = [
            BadInput("core.fault.missing", place=f"endpoints.{name}") for name in _LIMITS if name not in self.endpoints
        ]
        known = ", ".join(self.units)
        for name, one in self.endpoints.items():
            place = f"endpoints.{name}"
            if one.money not in self.units:
                faults.append(BadInput("sync.unknown_unit", place=f"{place}.money", value=one.money, known=known))
            limits = [limit for limit in ("a_minute", *_LIMITS.get(name, ())) if getattr(one, limit) < 1]
            faults += [BadInput("sync.not_above_zero", place=f"{place}.{limit}") for limit in limits]
        raise_together(faults)

    def unit(self, endpoint: str) -> int:
        """How many of the endpoint's units are one yuan."""
        return self.units[self.endpoints[endpoint].money]

    def per_yuan(self, endpoint: str, metric: str) -> int:
        """What the cells of a metric are divided by: the endpoint's unit where it is money."""
        known = self.metrics.get(metric)
        return self.unit(endpoint) if known and known.unit == "money" else 1

    def metrics_of(self, topic: Topic) -> list[str]:
        """The fields that are asked of a report: each of our figures once, its spend under its own name."""
        return [name for name, one in self.metrics.items() if one.field != "spend" or name == topic.spend]


def api(own: Path | None = None) -> Api:
    """The API as shipped, or as the owner's copy says. Unknown key or wrong value: BadInput with file and key."""
    return tables.build(Api, tables.read_toml(own), str(own)) if own else _shipped()


@cache
def _shipped() -> Api:
    return tables.build(Api, tables.read_toml(SHIPPED), SHIPPED.name)


def spelt(value: Any, spellings: Mapping[str, str]) -> Any:
    """An answer with every name in the official spelling; where both stand, the official one holds."""
    if isinstance(value, list):
        return [spelt(one, spellings) for one in value]
    if not isinstance(value, dict):
        return value
    official = {name: spelt(one, spellings) for name, one in value.items() if name not in spellings}
    other = {spellings[name]: spelt(one, spellings) for name, one in value.items() if name in spellings}
    return other | official


def amount(value: object, a_yuan: int) -> Micros:
    """Money told in units of which `a_yuan` are one yuan, exactly. No number, or finer than a micro-yuan: BadInput."""
    micros = number(value) * YUAN / a_yuan
    whole = round(micros)
    if abs(micros - whole) > _NOISE:
        raise BadInput("core.too_many_decimals", value=value)
    return whole


def number(value: object) -> Decimal:
    """A number of an answer, also one that is told as text. Anything else: BadInput."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            raise ArithmeticError
        read = Decimal(value)
    except ArithmeticError:
        raise BadInput("core.not_a_number", value=str(value)) from None
    if not read.is_finite() or read.adjusted() >= 20:
        raise BadInput("core.not_a_number", value=str(value))
    return read


def windows(first: date, last: date, days: int) -> Iterator[tuple[date, date]]:
    """The days from first to last in spans of so many days at most, in order."""
    while first <= last:
        end = min(last, first + timedelta(days=days - 1))
        yield first, end
        first = end + timedelta(days=1)
