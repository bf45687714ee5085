"""Accounts and transfers: the records of the ledger. A transfer never changes; a correction is another transfer.

After TigerBeetle's data model: a pending transfer reserves money on its debit account; a later one posts it, in whole
or in part (the rest is released), or voids it, once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from qianheng.core.ids import stable_id
from qianheng.core.money import Micros

PLATFORM = 0  # the owner of the platform's own accounts


class AccountKind(StrEnum):
    """The accounts of an ad account's owner and of the platform (SPEC 5.9). What is frozen of cash and credit is what
    pending transfers reserve of them.
    """

    CASH = "cash"
    CREDIT = "credit"  # 赠款: spendable on ads only
    REVENUE = "revenue"
    GUARANTEE_EXPENSE = "guarantee_expense"
    COUPONS = "coupons"
    CLEARING = "clearing"  # the world outside: what is paid in and paid out


MAY_BE_NEGATIVE = frozenset({AccountKind.GUARANTEE_EXPENSE, AccountKind.COUPONS, AccountKind.CLEARING})


class State(StrEnum):
    """What a transfer does: promise money, move it, or take a promise back."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class Account:
    """An account. Its balance is what was credited less what was debited; all balances add up to zero."""

    id: int
    kind: AccountKind
    owner: int
    may_be_negative: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    """`amount` micro-yuan from the account `debit` to the account `credit`, for a `reason`.

    `id` is the idempotency key. `pending_id` names the pending transfer that this one posts or voids. `reference`
    names what the money is about (a plan, a unit of the guarantee); 0 is nothing in particular.
    """

    id: int
    debit: int
    credit: int
    amount: Micros
    at: datetime
    state: State = State.POSTED
    pending_id: int | None = None
    reason: str = ""
    reference: int = 0


def account(kind: AccountKind, owner: int = PLATFORM) -> Account:
    """The account of that kind of an owner (an ad account's id); its id is a function of both."""
    return Account(stable_id("account", kind, owner), kind, owner, kind in MAY_BE_NEGATIVE)


def accounts_of(ad_account_id: int) -> tuple[Account, ...]:
    """The accounts of one ad account."""
    return account(AccountKind.CASH, ad_account_id), account(AccountKind.CREDIT, ad_account_id)


def platform_accounts() -> tuple[Account, ...]:
    """The platform's own accounts."""
    kinds = (AccountKind.REVENUE, AccountKind.GUARANTEE_EXPENSE, AccountKind.COUPONS, AccountKind.CLEARING)
    return tuple(account(kind) for kind in kinds)


def posting(pending: Transfer, at: datetime, amount: Micros | None = None) -> Transfer:
    """The transfer that moves what `pending` promised, or only `amount` of it; the rest is released."""
    moved = pending.amount if amount is None else amount
    return _settling(pending, at, State.POSTED, moved)


def voiding(pending: Transfer, at: datetime) -> Transfer:
    """The transfer that takes back what `pending` promised."""
    return _settling(pending, at, State.VOIDED, pending.amount)


def _settling(pending: Transfer, at: datetime, state: State, amount: Micros) -> Transfer:
    settling_id = stable_id("settle", pending.id)
    return replace(pending, id=settling_id, at=at, state=state, amount=amount, pending_id=pending.id)
