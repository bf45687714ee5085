"""Invalid traffic: which charges nobody should have paid, by rules that anybody can check (SPEC 5.8, 2).

duplicate_click   the same user clicked on the same product of the same plan moments before
impossible_rate   the user clicked more often in a short time than a person can
flagged_order     it led to an order that the platform judged a fraud

A charge is judged by what its click, or the order that it brought, looks like; the first rule that holds is its reason.
The limits are data (`traffic.toml`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qianheng.core.days import SECOND
from qianheng.core.tables import build, read_toml
from qianheng.facts.batch import table
from qianheng.facts.schema import Kind

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


class Invalidity(StrEnum):
    """Why a charge is invalid, in precedence."""

    DUPLICATE_CLICK = "duplicate_click"
    IMPOSSIBLE_RATE = "impossible_rate"
    FLAGGED_ORDER = "flagged_order"


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still a person: clicks on one product further apart than `duplicate_seconds`, and at most
    `rate_clicks` on anything promoted within `rate_seconds`.
    """

    name: str
    version: int
    duplicate_seconds: int
    rate_clicks: int
    rate_seconds: int


@dataclass(frozen=True, slots=True)
class Charged:
    """Charges to be judged, [n] in any order, each with its first click. `user_id` is -1 where nobody clicked;
    `flagged`: it led to a fraud.
    """

    id: Int64
    clicked_at: Int64
    user_id: Int64
    plan_id: Int64
    product_id: Int64
    flagged: Bool


@cache
def limits() -> Limits:
    """The limits in force."""
    path = Path(__file__).with_name("traffic.toml")
    return build(Limits, read_toml(path), str(path))


def invalid(charged: Charged, rules: Limits) -> dict[Invalidity, Bool]:
    """[n] by reason, which charges are invalid for it; each for one reason at most, whatever order they came in."""
    clicked = charged.user_id >= 0
    holds = {
        Invalidity.DUPLICATE_CLICK: clicked & _follows_at_once(charged, rules.duplicate_seconds * SECOND),
        Invalidity.IMPOSSIBLE_RATE: clicked & _too_often(charged, rules.rate_clicks, rules.rate_seconds * SECOND),
        Invalidity.FLAGGED_ORDER: charged.flagged,
    }
    found: dict[Invalidity, Bool] = {}
    open_: Bool = np.ones(len(charged.id), bool)
    for reason, held in holds.items():
        found[reason] = held & open_
        open_ = open_ & ~held
    return found


def invalid_facts(answer: pa.Table, rules: Limits, now: int) -> pa.Table:
    """The facts that say which charges are invalid: the charge's id, and its reason by its place in `Invalidity`.

    answer: that of `measures.query.doubtful_charges`; they are received at `now` (UTC microseconds).
    """
    columns = {name: answer[name].to_numpy() for name in answer.column_names}
    found = invalid(Charged(*(columns[name] for name in Charged.__dataclass_fields__)), rules)
    which, reason = np.zeros(answer.num_rows, bool), np.zeros(answer.num_rows, np.int8)
    for number, held in enumerate(found.values()):
        which, reason = which | held, np.where(held, number, reason).astype(np.int8)
    of_charge = ("id", "at", "plan_id", "boost", "target_version", "amount")
    kept = {name: columns[name][which] for name in of_charge}
    return table(Kind.INVALID, {**kept, "received_at": now, "reason": reason[which]})


def _follows_at_once(charged: Charged, gap: int) -> Bool:
    """Which clicks come at most `gap` after another of the same user on the same product of the same plan."""
    keys = (charged.user_id, charged.plan_id, charged.product_id)
    order = np.lexsort((charged.id, charged.clicked_at, *keys[::-1]))
    same = np.logical_and.reduce([np.diff(key[order]) == 0 for key in keys])
    follows: Bool = np.zeros(len(order), bool)
    follows[order[1:]] = same & (np.diff(charged.clicked_at[order]) <= gap)
    return follows


def _too_often(charged: Charged, most: int, window: int) -> Bool:
    """Which clicks lie in a stretch of less than `window` in which their user clicked more than `most` times."""
    order = np.lexsort((charged.id, charged.clicked_at, charged.user_id))
    at, user = charged.clicked_at[order], charged.user_id[order]
    starts = np.flatnonzero((user[most:] == user[:-most]) & (at[most:] - at[:-most] < window))
    edges = np.zeros(len(order) + 1, np.int64)
    np.add.at(edges, starts, 1)
    np.add.at(edges, starts + most + 1, -1)
    often: Bool = np.zeros(len(order), bool)
    often[order] = np.cumsum(edges[:-1]) > 0
    return often
