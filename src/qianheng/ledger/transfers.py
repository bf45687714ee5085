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
    PROMOTIONS = "promotions"  # credit the platform gives away beside the guarantee
    COUPONS = "coupons"  # the subsidy programme: what the platform has put aside for its part of coupons
    SERVICE_FEES = "service_fees"  # the platform's revenue of orders
    PROCEEDS = (
        "proceeds"  # 货款: what a shop's orders brought it; promised of before it is there, so it may be negative
    )
    COMMISSION = "commission"  # payable to a creator, by their room; 0: to affiliates whom no room names
    CLEARING = "clearing"  # the world outside: what is paid in and paid out


MAY_BE_NEGATIVE = frozenset(
    {AccountKind.GUARANTEE_EXPENSE, AccountKind.PROMOTIONS, AccountKind.PROCEEDS, AccountKind.CLEARING}
)

_OWNED = (AccountKind.CASH, AccountKind.CREDIT, AccountKind.PROCEEDS, AccountKind.COMMISSION)  # not the platform's


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
    names what the money is about (a plan, a unit of the guarantee); 0 is nothing in particular. `expires_at` is when a
    pending one is to be released at the latest, or when posted credit lapses. `happened_at` is when it happened, if
    that lies in a month closed since: `at` is then the first instant after it.
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
    expires_at: datetime | None = None
    happened_at: datetime | None = None

    @property
    def as_told(self) -> Transfer:
        """The transfer as it was told first, before a closed month moved its date: what makes it the same again."""
        return self if self.happened_at is None else replace(self, at=self.happened_at, happened_at=None)


def account(kind: AccountKind, owner: int = PLATFORM) -> Account:
    """The account of that kind of an owner (an ad account's id); its id is a function of both."""
    return Account(stable_id("account", kind, owner), kind, owner, kind in MAY_BE_NEGATIVE)


def accounts_of(ad_account_id: int) -> tuple[Account, ...]:
    """The accounts of one ad account."""
    return account(AccountKind.CASH, ad_account_id), account(AccountKind.CREDIT, ad_account_id)


def platform_accounts() -> tuple[Account, ...]:
    """The platform's own accounts."""
    return tuple(account(kind) for kind in AccountKind if kind not in _OWNED)


def posting(
    pending: Transfer, at: datetime, amount: Micros | None = None, expires_at: datetime | None = None
) -> Transfer:
    """The transfer that moves what `pending` promised, or only `amount` of it; the rest is released.

    expires_at: when credit that it brings lapses; a year later if not said.
    """
    moved = pending.amount if amount is None else amount
    return replace(_settling(pending, at, State.POSTED, moved), expires_at=expires_at)


def voiding(pending: Transfer, at: datetime) -> Transfer:
    """The transfer that takes back what `pending` promised."""
    return _settling(pending, at, State.VOIDED, pending.amount)


def _settling(pending: Transfer, at: datetime, state: State, amount: Micros) -> Transfer:
    settling_id = stable_id("settle", pending.id)
    changed = replace(pending, id=settling_id, at=at, state=state, amount=amount, pending_id=pending.id)
    return replace(changed, expires_at=None, happened_at=None)
