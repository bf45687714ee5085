"""What was promised for a unit of the guarantee: its transfers in the ledger, which refer to the unit by its id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.guarantee.case import BoostUnit, Unit
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.store import ledger

COMPENSATION, CORRECTION = "compensation", "correction"
CREDITS = (COMPENSATION, CORRECTION)  # why transfers are made for a unit


class Promise(NamedTuple):
    """Credit promised for a unit (below zero: taken back): the pending transfer, and what posted or voided it."""

    pending: Transfer
    amount: Micros
    settling: Transfer | None

    @property
    def open(self) -> bool:
        """Whether it is neither paid nor withdrawn."""
        return self.settling is None

    @property
    def standing(self) -> Micros:
        """What of it still holds or was kept: nothing once voided."""
        return 0 if self.settling and self.settling.state is State.VOIDED else self.amount

    @property
    def paid(self) -> Micros:
        """What of it was paid."""
        return self.standing if self.settling else 0


def unit_id(plan_id: int, day: date) -> int:
    """What the transfers of a plan's day refer to."""
    return stable_id("unit", plan_id, day)


def id_of(unit: Unit) -> int:
    """What verdicts and transfers of a unit refer to."""
    if isinstance(unit, BoostUnit):
        return boost_unit_id(int(unit.boost_id))
    return unit_id(int(unit.plan_id), unit.day)


def boost_unit_id(boost_id: int) -> int:
    """What the transfers of a boost's guarantee refer to: it has one unit, whichever its first-spend day."""
    return stable_id("unit", "boost", boost_id)


def promises(connection: Connection, unit: int) -> list[Promise]:
    """What was promised for a unit so far, oldest first."""
    return promises_of(connection, [unit]).get(unit, [])


def as_of(made: Iterable[Promise], at: datetime) -> list[Promise]:
    """What had been promised at a time, still open where it was settled later."""
    return [
        promise._replace(settling=promise.settling if promise.settling and promise.settling.at <= at else None)
        for promise in made
        if promise.pending.at <= at
    ]


def promises_of(connection: Connection, units: Iterable[int]) -> dict[int, list[Promise]]:
    """What was promised for each of these units so far, oldest first; one without any is left out."""
    found = ledger.transfers_about_each(connection, units)
    return {unit: _promises([one for one in about if one.reason in CREDITS]) for unit, about in found.items()}


def _promises(transfers: Sequence[Transfer]) -> list[Promise]:
    settling = {transfer.pending_id: transfer for transfer in transfers}
    expense = account(AccountKind.GUARANTEE_EXPENSE).id
    return [
        Promise(made, made.amount if made.debit == expense else -made.amount, settling.get(made.id))
        for made in transfers
        if made.pending_id is None
    ]
