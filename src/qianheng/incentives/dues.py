"""The money of orders in the ledger: who is due what, promised when they are paid, moved when their window has closed.

Of the orders of a shop, a plan and a day (decision 0016):

    sales        clearing          → shop's proceeds        what buyers pay out of their own pocket
    subsidy      coupons           → shop's proceeds        the platform's part of coupons, out of its programme
    service_fee  shop's proceeds   → service fees           the platform's revenue
    commission   shop's proceeds   → creator's commission   payable to the creator

Each is promised (pending) as orders come in, and settled for what refunds have left once the window of the last of them
has closed; what was refunded is released. What comes to be known later is a further transfer, to either side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.incentives.settling import Taken
from qianheng.ledger.transfers import Account, AccountKind, State, Transfer, account, posting, voiding

UNNAMED = 0  # whose commission it is that a plan or an affiliate campaign agreed on


class Flow(StrEnum):
    """Why the money of orders moves."""

    SALES = "sales"
    SUBSIDY = "subsidy"
    SERVICE_FEE = "service_fee"
    COMMISSION = "commission"


@dataclass(frozen=True, slots=True)
class Origin:
    """What orders are added up by: their shop, the plan that they count for (-1: none) and their day."""

    shop_id: int
    plan_id: int
    day: date

    @property
    def reference(self) -> int:
        """What the transfers of these orders refer to."""
        return stable_id("sold", self.shop_id, self.plan_id, self.day)


@dataclass(frozen=True, slots=True)
class Due:
    """What one account owes another: `estimated` on all that was paid, and `settled` on what was kept, which is `None`
    until the window has closed.
    """

    flow: Flow
    debit: Account
    credit: Account
    reference: int
    estimated: Micros
    settled: Micros | None

    def is_mine(self, transfer: Transfer) -> bool:
        """Whether a transfer with the same reference is of this due, in either direction."""
        return transfer.reason == self.flow and {transfer.debit, transfer.credit} == {self.debit.id, self.credit.id}


@dataclass(frozen=True, slots=True)
class Takings:
    """Orders of one origin by the creator who is due their commission: as stamped, and what of it is kept so far."""

    estimated: Mapping[int, Taken]
    kept: Mapping[int, Taken]


def dues(origin: Origin, sold: Takings, closed: bool) -> Iterator[Due]:
    """Who is due what of these orders; settled if the window of all of them has `closed`."""
    proceeds, estimated, kept = account(AccountKind.PROCEEDS, origin.shop_id), _all(sold.estimated), _all(sold.kept)
    to_platform = account(AccountKind.SERVICE_FEES)
    between = [
        (Flow.SALES, account(AccountKind.CLEARING), proceeds, estimated.from_buyers, kept.from_buyers),
        (Flow.SUBSIDY, account(AccountKind.COUPONS), proceeds, estimated.subsidy, kept.subsidy),
        (Flow.SERVICE_FEE, proceeds, to_platform, estimated.service_fee, kept.service_fee),
    ]
    for creator, taken in sorted(sold.estimated.items()):
        payable = account(AccountKind.COMMISSION, creator)
        between.append((Flow.COMMISSION, proceeds, payable, taken.commission, sold.kept[creator].commission))
    for flow, debit, credit, amount, settled in between:
        if amount:
            yield Due(flow, debit, credit, origin.reference, amount, settled if closed else None)


def transfers(due: Due, known: Iterable[Transfer], now: datetime) -> Iterator[Transfer]:
    """The transfers that bring the ledger from what it knows of a due's reference to the due; none if it is there."""
    mine = [transfer for transfer in known if due.is_mine(transfer)]
    promised = [transfer for transfer in mine if transfer.state is State.PENDING]
    if due.settled is None:
        if (more := due.estimated - sum(transfer.amount for transfer in promised)) > 0:
            yield _new(due, ("promised", len(promised)), more, now, State.PENDING)
        return
    done = {transfer.pending_id for transfer in mine}
    left = due.settled - sum(_moved(due, transfer) for transfer in mine)
    for pending in promised:
        if pending.id not in done:
            part = min(max(left, 0), pending.amount)
            yield posting(pending, now, part) if part else voiding(pending, now)
            left -= part
    if left:
        corrections = sum(transfer.pending_id is None for transfer in mine) - len(promised)
        yield _new(due, ("corrected", corrections), left, now, State.POSTED)


def _new(due: Due, what: tuple[str, int], amount: Micros, now: datetime, state: State) -> Transfer:
    """A transfer of its own; of an amount below zero, back."""
    debit, credit = (due.debit.id, due.credit.id) if amount > 0 else (due.credit.id, due.debit.id)
    key = stable_id("due", due.reference, due.flow, due.debit.id, due.credit.id, *what)
    return Transfer(key, debit, credit, abs(amount), now, state, reason=due.flow, reference=due.reference)


def _moved(due: Due, transfer: Transfer) -> Micros:
    if transfer.state is not State.POSTED:
        return 0
    return transfer.amount if transfer.debit == due.debit.id else -transfer.amount


def _all(parts: Mapping[int, Taken]) -> Taken:
    return sum(parts.values(), Taken())


def accounts(due: Sequence[Due]) -> list[Account]:
    """The accounts that these dues are between, each once."""
    return sorted({one for each in due for one in (each.debit, each.credit)}, key=lambda one: one.id)
