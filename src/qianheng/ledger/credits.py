"""Credits (赠款): every grant has its own expiry, and what is spent is of the grant that expires first (SPEC 5.9).

Money that is held counts as spent until it is released; what is released of a grant goes back to that very grant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple

from qianheng.core.days import microseconds
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.ledger.transfers import State, Transfer

LAPSE = "lapse"  # why transfers end credit that nobody spent


class Grant(NamedTuple):
    """Credit that one transfer brought: what of it is available (neither spent nor held), and when that lapses."""

    id: int  # of the transfer
    account_id: int
    source: int  # the account it came from, where it returns when it lapses
    amount: Micros
    available: Micros
    expires_at: datetime


class Use(NamedTuple):
    """What a transfer takes, or holds, of one grant."""

    grant_id: int
    amount: Micros


first_expiring = attrgetter("expires_at", "id")


@dataclass(frozen=True, slots=True)
class Credits:
    """Grants by id, and by the id of a transfer what it takes or holds of them."""

    grants: dict[int, Grant] = field(default_factory=dict)
    uses: dict[int, tuple[Use, ...]] = field(default_factory=dict)

    def copy(self) -> Credits:
        """The same, to be changed on its own."""
        return Credits(dict(self.grants), dict(self.uses))

    def grant(self, transfer: Transfer) -> None:
        """Posted credit arrives: it lapses when the transfer says, else after a year."""
        expires_at = transfer.expires_at or a_year_after(transfer.at)
        amount = transfer.amount
        self.grants[transfer.id] = Grant(transfer.id, transfer.credit, transfer.debit, amount, amount, expires_at)

    def take(self, transfer: Transfer, pending: Transfer | None) -> None:
        """Credit is spent or held; or what `pending` held is spent, as far as it goes, and the rest released."""
        if pending is None:
            ours = (grant for grant in self.grants.values() if grant.account_id == transfer.debit)
            taken = drawn(ours, transfer.amount)
            self._add(taken, -1)
        else:
            held = self.uses[pending.id]
            taken = first_of(held, transfer.amount if transfer.state is State.POSTED else 0)
            self._add(held, +1)
            self._add(taken, -1)
        if taken:
            self.uses[transfer.id] = taken

    def _add(self, uses: Iterable[Use], sign: int) -> None:
        for grant_id, amount in uses:
            grant = self.grants[grant_id]
            self.grants[grant_id] = grant._replace(available=grant.available + sign * amount)


def drawn(grants: Iterable[Grant], amount: Micros) -> tuple[Use, ...]:
    """What of which grants pays an amount, the first to expire first; all of them if they do not suffice."""
    left = sorted((grant for grant in grants if grant.available), key=first_expiring)
    return first_of([Use(grant.id, grant.available) for grant in left], amount)


def first_of(uses: Sequence[Use], amount: Micros) -> tuple[Use, ...]:
    """The first uses, up to an amount in all."""
    found = []
    for grant_id, most in uses:
        if amount <= 0:
            break
        found.append(Use(grant_id, min(most, amount)))
        amount -= most
    return tuple(found)


def lapsing(grants: Iterable[Grant], now: datetime) -> list[Transfer]:
    """The transfers that end what is left of grants expired by `now`: back to where it came from, one a grant."""
    expired = sorted((grant for grant in grants if grant.available and grant.expires_at <= now), key=first_expiring)
    return [_lapse(grant, now) for grant in expired]


def a_year_after(at: datetime) -> datetime:
    """The same time a year later, in UTC; after 29 February on the 28th."""
    at = at.astimezone(UTC)
    try:
        return at.replace(year=at.year + 1)
    except ValueError:  # 29 February
        return at.replace(year=at.year + 1, day=28)


def _lapse(grant: Grant, now: datetime) -> Transfer:
    transfer_id = stable_id(LAPSE, grant.id, microseconds(now), grant.available)
    return Transfer(transfer_id, grant.account_id, grant.source, grant.available, now, reason=LAPSE, reference=grant.id)
