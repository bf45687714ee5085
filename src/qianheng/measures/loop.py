"""Measures in the loop: the sums of a batch of facts, to be added to what is known; the same sums as the SQL's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from qianheng.core.days import REFUND_WINDOW_1H, REFUND_WINDOW_7D, REFUND_WINDOW_14D, SHANGHAI
from qianheng.facts.batch import FactBatch
from qianheng.facts.schema import Channel, Kind
from qianheng.measures.days import Int64, day_numbers
from qianheng.measures.query import PlanDay, grouped
from qianheng.measures.sums import NAMES, Sums
from qianheng.plans.boost import BoostKind

Columns = Mapping[str, Int64]

_WINDOWS = {"refunded_1h": REFUND_WINDOW_1H, "refunded_7d": REFUND_WINDOW_7D, "refunded_14d": REFUND_WINDOW_14D}


def of_batch(batch: FactBatch, timezone: str = SHANGHAI) -> dict[PlanDay, Sums]:
    """The sums of a batch by plan and natural day. A refund counts on the day of its order, whenever it comes.

    Sums are additive, so every fact must be given once: drop those known before (`facts.batch.unique` within one).
    """
    parts: list[tuple[pa.Table, str, Columns]] = [
        (batch[Kind.IMPRESSION], "at", {"impressions": _ones(batch[Kind.IMPRESSION])}),
        (batch[Kind.CLICK], "at", {"clicks": _ones(batch[Kind.CLICK])}),
        (batch[Kind.CHARGE], "at", _charged(batch[Kind.CHARGE])),
        (batch[Kind.ORDER], "at", _ordered(batch[Kind.ORDER])),
        (batch[Kind.REFUND], "order_at", _refunded(batch[Kind.REFUND])),
    ]
    plan_ids = np.concatenate([facts["plan_id"].to_numpy() for facts, _, _ in parts])
    at = np.concatenate([facts[when].to_numpy() for facts, when, _ in parts])
    columns = {
        name: np.concatenate([sums.get(name, np.zeros(facts.num_rows, np.int64)) for facts, _, sums in parts])
        for name in NAMES
    }
    return grouped(plan_ids, day_numbers(at, timezone), columns)


def _charged(charges: pa.Table) -> Columns:
    amount = charges["amount"].to_numpy()
    return {"spend": amount, "boosted_spend": amount * (charges["boost"].to_numpy() != BoostKind.NONE)}


def _ordered(orders: pa.Table) -> Columns:
    amount = orders["amount"].to_numpy()
    boosted = (orders["boost"].to_numpy() != BoostKind.NONE).astype(np.int64)
    promoted = (orders["channel"].to_numpy() == Channel.PROMOTED).astype(np.int64)
    return {
        "orders": _ones(orders),
        "gmv": amount,
        "boosted_orders": boosted,
        "boosted_gmv": boosted * amount,
        "promoted_orders": promoted,
        "promoted_gmv": promoted * amount,
    } | {name: orders[name].to_numpy() for name in ("coupon", "subsidy", "commission", "service_fee")}


def _refunded(refunds: pa.Table) -> Columns:
    age = refunds["at"].to_numpy() - refunds["order_at"].to_numpy()
    amount = refunds["amount"].to_numpy()
    return {name: amount * (age <= window) for name, window in _WINDOWS.items()}


def _ones(facts: pa.Table) -> Int64:
    return np.ones(facts.num_rows, np.int64)
