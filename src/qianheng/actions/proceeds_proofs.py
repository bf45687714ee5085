"""What a transfer of orders' money follows from: sales, subsidy, fee or commission, order by order (SPEC 3.6, 10).

A promise is what was stamped on the orders known then; what is posted is what their refunds have left of it; both less
what was promised or moved of the same money besides (decision 0016).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from typing import Any

from qianheng.actions.cases import Asked
from qianheng.actions.proceeds import sold_of, taken_of
from qianheng.actions.proofs import Books, clock, found_by_key
from qianheng.actions.traces import Traces
from qianheng.core.days import REFUND_WINDOW_7D
from qianheng.core.errors import NotFound
from qianheng.core.money import Micros, ratio_text
from qianheng.core.proof import Part
from qianheng.facts.schema import Channel, Kind
from qianheng.incentives.dues import UNNAMED, Flow, Origin, Takings
from qianheng.incentives.settling import Taken
from qianheng.incentives.terms import NOTHING, Rate, Sale
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.measures.days import Days
from qianheng.store import incentives, ledger, plans

Row = Mapping[str, int]
_STAMPED = ("amount", "coupon", "subsidy", "commission", "service_fee")
_COLUMNS = ("id", "at", *_STAMPED, "product_id", "room_id", "channel")
_PAYS_SHOP = (Flow.SALES, Flow.SUBSIDY)


def proceeds_proof(books: Books, found: Transfer) -> Iterator[Part]:
    """What stands under a transfer of a flow of orders' money: posted, promised or taken back."""
    if found.state is State.VOIDED:
        promise = ledger.transfer(books.connection, found.pending_id or 0)
        yield Part("promise", found.amount, {"id": str(promise.id)}, below=lambda: proceeds_proof(books, promise))
        return
    flow = _Flow(books, found)
    yield Part(*flow.top(), flow.sign, below=flow.orders)
    for one, amount in flow.besides():
        kind = "promised_before" if flow.promised else "moved_besides"
        yield Part(kind, amount, {"id": str(one.id)}, -flow.sign, f"transfer {one.id}")


@dataclass(frozen=True)
class _Flow:
    """One transfer among those of the same money: of the orders of a shop, a plan and a day."""

    books: Books
    found: Transfer

    @property
    def promised(self) -> bool:
        return self.found.state is State.PENDING

    @property
    def reason(self) -> Flow:
        return Flow(self.found.reason)

    @property
    def now(self) -> datetime:
        """When it was told first: what was known then is what it follows from."""
        return self.found.as_told.at

    @cached_property
    def owners(self) -> dict[AccountKind, int]:
        """Whose the two accounts are, by their kind."""
        kept = ledger.accounts(self.books.connection)
        return {kept[one].kind: kept[one].owner for one in (self.found.debit, self.found.credit)}

    @cached_property
    def sign(self) -> int:
        """1 in the direction that dues of this reason have, −1 for what went back."""
        proceeds = account(AccountKind.PROCEEDS, self.owners[AccountKind.PROCEEDS]).id
        return 1 if (self.found.credit == proceeds) is (self.reason in _PAYS_SHOP) else -1

    @cached_property
    def asked(self) -> Asked:
        shop = self.owners[AccountKind.PROCEEDS]

        def key(plan_id: int, day: Any) -> int:
            return Origin(shop, plan_id, day).reference

        plan_id, day = found_by_key(self.books, self.found, Kind.ORDER, key)
        days = Days(day, day, self.books.timezone)
        return Asked(self.books.connection, self.books.lake, self.now, plan_id, days)

    @cached_property
    def creator(self) -> int | None:
        """Who is due the commission; `None` where it is not about one."""
        return self.owners.get(AccountKind.COMMISSION)

    def value(self, taken: Taken) -> Micros:
        """What of an order's money this is about."""
        amount: Micros = taken.from_buyers if self.reason is Flow.SALES else getattr(taken, self.reason)
        return amount

    def top(self) -> tuple[str, Micros, dict[str, Any]]:
        """The sum of the orders as the close saw it, from SQL."""
        asked = self.asked
        origin = Origin(self.owners[AccountKind.PROCEEDS], asked.plan_id, asked.days.first)
        sold = sold_of(asked.connection, asked.lake, asked.days, self.now).get(origin, Takings({}, {}))
        parts = sold.estimated if self.promised else sold.kept
        amount = sum(self.value(taken) for one, taken in parts.items() if self.creator in (None, one))
        told = {"plan_id": str(asked.plan_id), "day": asked.days.first.isoformat()}
        told |= {"flow": str(self.reason), "known_at": self.now.astimezone(self.books.zone).isoformat()}
        return "stamped_on_orders" if self.promised else "kept_of_orders", amount, told

    def besides(self) -> Iterator[tuple[Transfer, Micros]]:
        """The other transfers of this money that had been made by then, and what each came to (back: below zero)."""
        ends = {self.found.debit, self.found.credit}
        for one in ledger.transfers_about(self.books.connection, self.found.reference):
            same = one.reason == self.reason and {one.debit, one.credit} == ends and one.state is self.found.state
            if one.id == self.found.id and self.promised:
                return  # promises are made one after the other; what is posted at once adds up together
            if same and one.id != self.found.id and one.as_told.at <= self.now:
                ours = self.sign if one.debit == self.found.debit else -self.sign
                yield one, ours * one.amount

    def orders(self) -> Iterator[Part]:
        """The orders, each with what of it this is about."""
        refunds = self._refunds()
        traces = Traces(self.asked)
        for values in self.asked.facts(", ".join(f"f.{name}" for name in _COLUMNS), Kind.ORDER):
            row = dict(zip(_COLUMNS, values, strict=True))
            if self._is_mine(row) and self.value(_stamped(row)):
                yield self._order(row, refunds[row["id"]], traces)

    def _is_mine(self, row: Row) -> bool:
        product = self._goods.get(row["product_id"])
        if product is None or product.shop_id != self.owners[AccountKind.PROCEEDS]:
            return False
        creator = row["room_id"] if self._rules.terms.is_creators(row["room_id"]) else UNNAMED
        return self.creator in (None, creator)

    def _order(self, row: Row, refunds: list[tuple[int, int, int, Micros]], traces: Traces) -> Part:
        stamped, within = _stamped(row), [] if self.promised else refunds
        lost = sum(amount for *_, at, amount in within if at - row["at"] <= REFUND_WINDOW_7D)
        amount = self.value(stamped.settled(lost) if lost else stamped)
        rate = self._rate(row)
        exact = rate.of(row["amount"]) == self.value(stamped) and rate is not NOTHING
        share = Fraction(rate.share) if exact else Fraction(self.value(stamped), row["amount"])
        kept = max(row["amount"] - lost, 0)
        told: dict[str, Any] = {"id": str(row["id"]), "at": clock(self.asked, row["at"])}
        at = {"rate": ratio_text(share)} | ({"rule": str(rate.rule)} if exact else {"rule": "stamped"})

        def below() -> Iterator[Part]:
            yield Part("kept", kept, at, share, below=lambda: self._kept(row, within))
            if rounding := amount - kept * share:
                yield Part("rounded_down", rounding, fact="rounding")
            yield from traces.behind("order", str(row["id"]))

        return Part("order", amount, told, below=below)

    def _kept(self, row: Row, refunds: list[tuple[int, int, int, Micros]]) -> Iterator[Part]:
        """What was paid, less what was refunded within the window, never more than that."""
        yield Part("paid", row["amount"], fact=f"order {row['id']}")
        lost = 0
        for key, _, at, amount in refunds:
            counts = at - row["at"] <= REFUND_WINDOW_7D
            lost += amount if counts else 0
            told = {"id": str(key), "at": clock(self.asked, at)}
            yield Part("refund", amount, told, -1 if counts else 0, f"refund {key}")
        if lost > row["amount"]:
            yield Part("more_than_paid", lost - row["amount"], fact="rule")

    def _rate(self, row: Row) -> Rate:
        """The rate that was stamped on an order, where one was."""
        sale = Sale(row["product_id"], row["room_id"], row["channel"] == Channel.PROMOTED, row["at"])
        plan = self._plan
        if self.reason is Flow.SERVICE_FEE:
            return self._rules.terms.service_fee(sale, None if plan is None else plan.kind)
        if self.reason is Flow.COMMISSION:
            return self._rules.terms.commission(sale, *([] if plan is None else [plan.commission_rate]))
        return NOTHING

    @cached_property
    def _plan(self) -> Any:
        try:
            return plans.load(self.books.connection, self.asked.plan_id).plan
        except NotFound:  # no plan, or a standard campaign, which is kept nowhere
            return None

    @cached_property
    def _rules(self) -> incentives.Rules:
        return incentives.rules(self.books.connection)

    @cached_property
    def _goods(self) -> dict[int, incentives.Product]:
        return incentives.products(self.books.connection)

    def _refunds(self) -> defaultdict[int, list[tuple[int, int, int, Micros]]]:
        """(id, order, time, amount) of the refunds of these orders, by order."""
        found = defaultdict[int, list[tuple[int, int, int, Micros]]](list)
        for one in self.asked.facts("f.id, f.order_id, f.at, f.amount", Kind.REFUND, at="f.order_at"):
            found[one[1]].append(one)
        return found


def _stamped(row: Row) -> Taken:
    return taken_of({**row, "gmv": row["amount"]})
