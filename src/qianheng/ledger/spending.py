"""How an ad account pays: credit before cash (SPEC 5.9), at once or in two phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from qianheng.core.errors import Refused
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros, yuan
from qianheng.ledger.transfers import AccountKind, State, Transfer, account, posting, voiding


@dataclass(frozen=True, slots=True)
class Payment:
    """What an ad account pays to the platform: `amount` micro-yuan; `reference` is the plan it is spent for.

    expires_at: when a hold is to be released at the latest, whoever held it.
    """

    id: int
    ad_account_id: int
    amount: Micros
    at: datetime
    reason: str = "spend"
    reference: int = 0
    expires_at: datetime | None = None


def split(amount: Micros, credit: Micros, cash: Micros) -> tuple[Micros, Micros]:
    """What of an amount is taken from credit and what from cash, given what is available of each; credit goes first.

    More than both hold: Refused.
    """
    from_credit = min(amount, max(credit, 0))
    if amount - from_credit > cash:
        raise Refused("ledger.balance_too_low", amount=yuan(amount), available=yuan(credit + cash))
    return from_credit, amount - from_credit


def pay(payment: Payment, available: tuple[Micros, Micros], state: State = State.POSTED) -> tuple[Transfer, ...]:
    """The transfers of a payment, one from credit and one from cash as needed; `state` pending holds it only.

    available: (credit, cash). More than both hold: Refused.
    """
    parts = zip((AccountKind.CREDIT, AccountKind.CASH), split(payment.amount, *available), strict=True)
    return tuple(_part(payment, kind, amount, state) for kind, amount in parts if amount)


def capture(held: Sequence[Transfer], amount: Micros, at: datetime) -> tuple[Transfer, ...]:
    """Take `amount` of what `pay` held, from credit first, and release the rest. More than was held: Refused."""
    left = amount
    settled = []
    for part in held:
        taken = min(left, part.amount)
        left -= taken
        settled.append(posting(part, at, taken) if taken else voiding(part, at))
    if left:
        raise Refused("ledger.over_hold", amount=yuan(amount), held=yuan(sum(part.amount for part in held)))
    return tuple(settled)


def part_id(payment_id: int, kind: AccountKind) -> int:
    """The id of the part of a payment that is taken from one kind of account."""
    return stable_id("payment", payment_id, kind)


def _part(payment: Payment, kind: AccountKind, amount: Micros, state: State) -> Transfer:
    return Transfer(
        id=part_id(payment.id, kind),
        debit=account(kind, payment.ad_account_id).id,
        credit=account(AccountKind.REVENUE).id,
        amount=amount,
        at=payment.at,
        state=state,
        reason=payment.reason,
        reference=payment.reference,
        expires_at=payment.expires_at if state is State.PENDING else None,
    )
