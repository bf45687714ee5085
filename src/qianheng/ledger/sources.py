"""Where the money came from that was spent on something: cash, or which grants of credit (SPEC 5.8, 5.9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from qianheng.core.days import SHANGHAI, day_of
from qianheng.core.money import Micros
from qianheng.ledger.credits import Use, first_of
from qianheng.ledger.transfers import AccountKind, State, Transfer, account


@dataclass(frozen=True, slots=True)
class Sources:
    """What came from cash and what from which grants of credit, first expiring first; micro-yuan."""

    cash: Micros = 0
    grants: tuple[Use, ...] = ()

    @property
    def credit(self) -> Micros:
        """What came from credit in all."""
        return sum(use.amount for use in self.grants)

    @property
    def total(self) -> Micros:
        """What was spent in all."""
        return self.cash + self.credit

    def __add__(self, other: Sources) -> Sources:
        return Sources(self.cash + other.cash, _added([*self.grants, *other.grants]))

    def next(self, before: Micros, amount: Micros) -> Sources:
        """The share of an amount after one of `before` was taken: shares taken one after the other add up exactly, and
        never to more than came from anywhere.
        """
        first, taken = self.share(before + amount), self.share(before)
        used = dict(taken.grants)
        grants = (Use(id_, part - used.get(id_, 0)) for id_, part in first.grants)
        return Sources(first.cash - taken.cash, tuple(use for use in grants if use.amount))

    def share(self, amount: Micros) -> Sources:
        """An amount in the same proportion of cash to credit, to the micro-yuan (what does not divide is cash), of the
        grants that expire first.

        amount: between 0 and `total`.
        """
        credit = amount * self.credit // self.total if self.total else 0
        return Sources(amount - credit, first_of(self.grants, credit))


def sources(
    transfers: Sequence[Transfer], uses: Mapping[int, Sequence[Use]], ad_account_id: int, timezone: str = SHANGHAI
) -> dict[date, Sources]:
    """Of what an ad account spent by these transfers, where it came from, by the day it was held for or spent.

    transfers: about one thing (a plan, a boost), pending ones among them. uses: what they took of which grants, first
    expiring first, by the transfer's id.
    """
    cash, credit = (account(kind, ad_account_id).id for kind in (AccountKind.CASH, AccountKind.CREDIT))
    held = {transfer.id: transfer for transfer in transfers if transfer.state is State.PENDING}
    found: defaultdict[date, tuple[list[Micros], list[Use]]] = defaultdict(lambda: ([], []))
    for transfer in transfers:
        if transfer.state is State.POSTED and transfer.debit in (cash, credit):
            begun = transfer if transfer.pending_id is None else held[transfer.pending_id]
            of_cash, of_grants = found[day_of(begun.as_told.at, timezone)]
            if transfer.debit == cash:
                of_cash.append(transfer.amount)
            of_grants.extend(uses.get(transfer.id, ()))
    return {day: Sources(sum(of_cash), _added(of_grants)) for day, (of_cash, of_grants) in sorted(found.items())}


def _added(uses: Iterable[Use]) -> tuple[Use, ...]:
    """The uses of each grant as one, in the order they came."""
    sums: defaultdict[int, Micros] = defaultdict(int)
    for use in uses:
        sums[use.grant_id] += use.amount
    return tuple(Use(grant_id, amount) for grant_id, amount in sums.items())
