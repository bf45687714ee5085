"""Advice as plain values: money as decimal strings in yuan, ratios as decimal strings, days and times as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

from qianheng.cli.evidence import evidence_json
from qianheng.core.money import ratio_text, yuan
from qianheng.diagnosis.evidence import Evidence
from qianheng.strategy.targets import Warned

MONEY = frozenset(
    {"amount", "budget", "commission", "gmv", "left", "lost", "lost_daily", "net_gmv", "profit", "refunded_1h", "spend"}
)


def plain(value: Any, name: str = "") -> Any:
    """A value of advice as JSON holds it; `name` is the field it stands in."""
    if isinstance(value, Evidence):
        return evidence_json(value)
    if isinstance(value, Warned):
        return {"key": value.key, "values": plain(dict(value.values))}
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name), one.name) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, name) for one in value]
    return _scalar(value, name)


def _scalar(value: Any, name: str) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Fraction):
        return ratio_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if name in MONEY and isinstance(value, int):
        return yuan(value)
    return str(value) if isinstance(value, Decimal) else value
