"""A boost of a run in plain values."""

from __future__ import annotations

from typing import Any

from qianheng.core.days import moment
from qianheng.core.money import Micros, yuan
from qianheng.plans.boost import Boost


def boost_json(boost: Boost, spend: Micros, timezone: str) -> dict[str, Any]:
    """A boost and what it spent: money as decimal strings in yuan, times with their offset."""
    return {
        "kind": boost.kind.name.lower(),
        "starts": moment(boost.starts, timezone).isoformat(),
        "ends": moment(boost.ends, timezone).isoformat(),
        "budget": yuan(boost.budget),
        "spend": yuan(spend),
        "target": None if boost.target is None else f"{boost.target:f}",
    }
