"""The compensation of a case as a tree: spend less expected spend, period by period, down to charges, orders, refunds.

Source: SPEC 3.6, 5.2. Every level adds up exactly; the one rounding, to fen, is a part of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from qianheng.core.days import moment
from qianheng.core.money import ratio_text, to_fen
from qianheng.core.proof import Part
from qianheng.guarantee.case import Case, Charge, Order, Refund
from qianheng.guarantee.conditions import due
from qianheng.guarantee.explain import refund_reasons
from qianheng.guarantee.figures import Counted, LeftOut, Sifted, add_up, sift
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.reasons import exact
from qianheng.guarantee.verdict import Verdict, judge

Behind = Callable[[str, str], Iterable[Part]]
"""What stands behind a fact, by its kind and id: told beside it, counted nowhere."""


def _nothing(_: str, __: str) -> Iterable[Part]:
    return ()


def compensation_proof(policy: Policy, case: Case, behind: Behind = _nothing) -> Part:
    """The compensation of a case on what is known at its `now` (nothing due: 0), and everything it follows from."""
    return _Proof(policy, case, behind).compensation()


@dataclass(frozen=True, slots=True)
class _Of:
    """An order, how it counts, and why each of its refunds is not subtracted."""

    order: Order
    counted: Counted
    refunds: tuple[tuple[Refund, LeftOut | None], ...]


class _Proof:
    def __init__(self, policy: Policy, case: Case, behind: Behind) -> None:
        self.policy, self.case, self.behind = policy, case, behind
        self.sifted: Sifted = sift(case)
        self.figures = add_up(case, self.sifted)
        self.verdict: Verdict = judge(policy, case.unit, case.log, self.figures, case.now)
        self.orders = list(self._judged_orders())

    def compensation(self) -> Part:
        """Spend − expected spend ± rounding, and what is not due of it."""
        case, verdict = self.case, self.verdict
        told: dict[str, object] = {"plan_id": case.unit.plan_id, "day": case.unit.day.isoformat()}
        told |= {"policy": self.policy.name, "policy_version": self.policy.version}
        told |= {"status": verdict.status, "reason": verdict.reason, "known_at": self._clock(case.now)}
        return Part("compensation", verdict.compensation, told, below=self._parts)

    def _parts(self) -> Iterator[Part]:
        sums = self.verdict.sums
        yield Part("spend", sums.spend, below=lambda: self._charges(counted=True))
        yield Part("expected_spend", sums.expected_spend, factor=-1, below=self._periods)
        rules = self.policy.rules
        owed = due(rules, self.case.unit, sums) if rules else sums.shortfall
        if owed != sums.shortfall:
            yield Part("rapid_boost", sums.shortfall - owed, factor=-1, fact="rule")
        rounded = to_fen(owed)
        if rounded != owed:
            yield Part("rounding", rounded - owed, fact="rounding")
        if rounded != self.verdict.compensation:
            failed = [check.reason for check in self.verdict.checks if not check.passed]
            reason = self.verdict.reason or next(iter(failed), None)
            yield Part("not_due", rounded - self.verdict.compensation, {"reason": reason}, -1, "rule")
        for check in self.verdict.checks:
            told = {"name": check.name, "passed": check.passed, "value": check.value, "limit": check.limit}
            yield Part("check", 0, told, 0, "check")
        yield from self._left_out()

    def _charges(self, *, counted: bool) -> Iterator[Part]:
        for charge, reason in zip(self.case.charges, self.sifted.charges, strict=True):
            if (reason is None) is counted:
                yield self._charge(charge, reason)

    def _charge(self, charge: Charge, reason: LeftOut | None) -> Part:
        told = {"id": charge.id, "at": self._clock(charge.at)} | _left_out(reason)
        fact = f"charge {charge.id}"
        return Part("charge", charge.amount, told, 1, fact, lambda: self.behind("charge", charge.id))

    def _periods(self) -> Iterator[Part]:
        """Each period's GMV counts as much spend as its target stands for: GMV / target."""
        start, end = self.case.unit.window
        begins = [max(start, target.at) for target in self.sifted.targets]
        paid = exact(self.policy.rules.pay_ratio) if self.policy.rules else Fraction(1)
        by_period = defaultdict[int, list[_Of]](list)
        for one in self.orders:
            if one.counted.left_out is None:
                by_period[one.counted.period].append(one)
        for number, period in enumerate(self.figures.periods):
            until = [*begins[1:], end][number]
            told = {"goal": period.goal, "target": ratio_text(period.target), "orders": period.orders}
            told |= {"from": self._clock(begins[number]), "until": self._clock(until)}
            factor = 1 / (period.target * paid) if period.target else Fraction(0)
            held = by_period[number]
            yield Part("period", period.gmv, told, factor, below=lambda held=held: map(self._order, held))  # type: ignore[misc]

    def _order(self, one: _Of) -> Part:
        order, counted = one.order, one.counted
        told = {"id": order.id, "at": self._clock(order.at)} | _left_out(counted.left_out)
        amount = counted.gmv if counted.left_out is None else order.amount
        return Part("order", amount, told, below=lambda: self._of_order(one))

    def _of_order(self, one: _Of) -> Iterator[Part]:
        yield Part("paid", one.order.amount, fact=f"order {one.order.id}")
        for refund, reason in one.refunds:
            told = {"id": refund.id, "at": self._clock(refund.at)} | _left_out(reason)
            subtracted = reason is None and one.counted.left_out is None
            yield Part("refund", refund.amount, told, -1 if subtracted else 0, f"refund {refund.id}")
        yield from self.behind("order", one.order.id)

    def _left_out(self) -> Iterator[Part]:
        """What was looked at and does not count, by its reason."""
        charges = [pair for pair in zip(self.case.charges, self.sifted.charges, strict=True) if pair[1] is not None]
        for reason, group in groupby(sorted(charges, key=lambda pair: str(pair[1])), key=lambda pair: pair[1]):
            held = [self._charge(charge, reason) for charge, _ in group]
            yield _bundle("charges_left_out", reason, held)
        orders = [one for one in self.orders if one.counted.left_out is not None]
        orders.sort(key=lambda one: str(one.counted.left_out))
        for reason, these in groupby(orders, key=lambda one: one.counted.left_out):
            yield _bundle("orders_left_out", reason, [self._order(one) for one in these])

    def _judged_orders(self) -> Iterator[_Of]:
        seen: set[str] = set()
        for order, counted in zip(self.case.orders, self.sifted.orders, strict=True):
            reasons = refund_reasons(self.case, order, counted, self.sifted.targets, seen)
            yield _Of(order, counted, tuple(zip(order.refunds, reasons, strict=True)))

    def _clock(self, at: int) -> str:
        return moment(at, self.case.unit.timezone).isoformat()


def _left_out(reason: LeftOut | None) -> dict[str, str]:
    return {} if reason is None else {"left_out": reason}


def _bundle(kind: str, reason: LeftOut | None, held: Sequence[Part]) -> Part:
    amount = sum(part.amount for part in held)
    return Part(kind, amount, {"count": len(held), "left_out": reason}, 0, below=lambda: held)
