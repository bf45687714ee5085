"""All the money of a shop at once: whatever is done to it, in whatever order, told twice, told late or lost in a crash.

Everything goes through the doors that people and the close of a day use, and is done three times: in a transaction that
is lost, then really, then once more, which must change nothing.
"""

import shutil
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from benchmarks.crash import rows_of
from qianheng.actions.claim_review import claims_of
from qianheng.actions.claims import Asked
from qianheng.actions.close import unpaid
from qianheng.actions.giving_back import INVALID, spent_day
from qianheng.actions.money import Order
from qianheng.actions.promises import promises, unit_id
from qianheng.core.days import REFUND_WINDOW_7D, microseconds
from qianheng.core.errors import BadInput, Refused
from qianheng.core.money import FEN, YUAN
from qianheng.facts.schema import Kind
from qianheng.guarantee.claims import Status
from qianheng.incentives.settling import NAMES, Taken
from qianheng.ledger.months import Month
from qianheng.ledger.transfers import AccountKind, account
from qianheng.plans.plan import PlanStatus
from qianheng.store import ledger
from qianheng.store.database import reading
from qianheng.store.verify import verify
from tests.actions.lived_shop import (
    FINANCE,
    OTHER,
    PLAN,
    SUBSIDIES,
    TARGETS,
    TOPPED_UP,
    Fact,
    Killed,
    Lived,
    Shop,
    happened,
    order,
)

OURS = (AccountKind.CASH, AccountKind.CREDIT)
OCTOBER = Month(2025, 10)
UNDECIDED = (Status.SUBMITTED, Status.UNDER_REVIEW)


@cache
def founded() -> Path:
    shop = Shop(Path(tempfile.mkdtemp(prefix="qianheng-shop-")))
    shop.found()
    shop.database.dispose()
    return shop.folder


def opened() -> Shop:
    return Shop(Path(shutil.copytree(founded(), Path(tempfile.mkdtemp()) / "run")))


class Money(RuleBasedStateMachine):
    """The shop, what was asked of it, and what must be true of its money at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = opened()
        self.done: list[tuple[Any, ...]] = []
        self.waiting: list[Fact] = []  # happened, and nobody has told of them yet
        self.told: list[Fact] = []
        self.days: list[Any] = []  # on which the plan spent something
        self.number = 0
        self.instructed = Counter({"top_up": TOPPED_UP})

    def next(self) -> int:
        self.number += 1
        return self.number

    def do(self, *operation: Any) -> Any:
        """Do it in vain, really and again; `None` if it is refused, which leaves no trace."""
        before = rows_of(self.shop.database)
        try:
            self.shop.do(True, *operation)
        except (Refused, BadInput):
            assert rows_of(self.shop.database) == before
            return None
        except Killed:
            assert rows_of(self.shop.database) == before
        answer = self.once(*operation)
        after = rows_of(self.shop.database)
        assert self.once(*operation) == answer
        assert rows_of(self.shop.database) == after
        self.once("wait", 0)
        return answer

    def once(self, *operation: Any) -> Any:
        """Do it really, and remember it."""
        self.done.append(operation)
        return self.shop.do(False, *operation)

    @rule(
        spend=st.integers(100, 1400),
        boost=st.sampled_from([0, 0, 0, 150]),
        orders=st.sampled_from([3, 9, 11, 14]),
        refunded=st.integers(0, 4),
        captured=st.sampled_from([True, True, True, False]),
    )
    def live(self, spend: int, boost: int, orders: int, refunded: int, captured: bool) -> None:
        """A day: money is held, spent and, if the engine lives so long, captured; nobody is told of the facts yet."""
        held, held_of_boost = self.do("lease", bool(boost))
        spent, of_boost = min(spend * YUAN + 7, held), min(boost * YUAN, held_of_boost)
        if spent:
            self.days.append(self.shop.today)
        if captured:
            self.do("capture", spent, of_boost)
        first, self.number = self.number + 1, self.number + 20
        lived = Lived(spent, of_boost, orders if spent else 0, refunded)
        self.waiting += happened(self.shop, lived, first)
        self.once("wait", 1)

    @rule(data=st.data(), late=st.booleans())
    def tell(self, data: st.DataObject, late: bool) -> None:
        """Some of what happened is told, in any order, some of what was told is told again."""
        now = microseconds(self.shop.now)
        over = [fact for fact in self.waiting if fact.at < now]
        chosen = data.draw(st.lists(st.sampled_from(over), unique_by=id)) if over and late else over[::-1]
        again = data.draw(st.lists(st.sampled_from(self.told), max_size=3)) if self.told else []
        self.waiting = [fact for fact in self.waiting if not any(fact is one for one in chosen)]
        self.told += chosen
        self.do("tell", [*chosen, *again], now - 1)

    @precondition(lambda self: any(fact.kind is Kind.CLICK for fact in self.told))
    @rule(data=st.data())
    def find_fraud(self, data: st.DataObject) -> None:
        """An order after a click turns out a fraud, so that what was charged for its impression is invalid."""
        click = data.draw(st.sampled_from([fact for fact in self.told if fact.kind is Kind.CLICK]))
        found = order(1_000_000 + click.id, click.at + 1, flagged=True, click_id=click.id, amount=300 * YUAN)
        if found.id not in {fact.id for fact in self.told}:
            self.told.append(found)
            self.do("tell", [found], microseconds(self.shop.now) - 1)

    @rule(days=st.sampled_from([0, 0, 0, 1, 8]))
    def close(self, days: int) -> None:
        self.once("wait", days)
        self.do("close_days")

    @rule(new_target=st.sampled_from(TARGETS), paused=st.sampled_from([None, None, False, True]))
    def change(self, new_target: Any, paused: bool | None) -> None:
        status = PlanStatus.PAUSED if paused else PlanStatus.ACTIVE
        self.do("change", {"target": new_target} if paused is None else {"status": status})

    @precondition(lambda self: self.days)
    @rule(data=st.data(), yuan=st.integers(1, 600), condition=st.sampled_from(["dispute", "system_fault"]))
    def file(self, data: st.DataObject, yuan: int, condition: str) -> None:
        first, last = sorted(data.draw(st.sampled_from(self.days)) for _ in range(2))
        self.do("file_claim", Asked(PLAN.id, first, last, condition, "why", yuan * YUAN + 3, str(self.next())))

    @rule(data=st.data(), share=st.integers(1, 100))
    def decide(self, data: st.DataObject, share: int) -> None:
        found = [one for one in claims_of(self.shop.desk(FINANCE)) if one.status in UNDECIDED]
        if found:
            one = data.draw(st.sampled_from(found))
            step = data.draw(st.sampled_from(["approve", "approve", "approve", "reject", "withdraw"]))
            if step != "withdraw":
                self.do("decide_claim", one.claim.id, "take", None)
            self.do("decide_claim", one.claim.id, step, one.claim.asked * share // 100)

    @rule(
        what=st.sampled_from(["top_up", "withdraw", "grant", "grant"]),
        fen=st.integers(1, 90_000),
        lives=st.integers(1, 12),
    )
    def instruct(self, what: str, fen: int, lives: int) -> None:
        if self.do("instruct", what, Order(fen * FEN, PLAN.ad_account_id, str(self.next())), lives):
            self.instructed[what] += fen * FEN

    @rule()
    def close_month(self) -> None:
        self.do("close_month", OCTOBER)

    @invariant()
    def the_ledger_is_proven_and_nobody_owes(self) -> None:
        with reading(self.shop.database) as connection:
            assert ledger.balanced(connection)
            assert verify(connection).differences == ()
            assert min(ledger.funds(connection, PLAN.ad_account_id)) >= 0
            assert ledger.funds(connection, OTHER.ad_account_id) == (TOPPED_UP, 0, 0)

    @invariant()
    def no_yuan_of_a_day_goes_back_twice(self) -> None:
        with reading(self.shop.database) as connection:
            for day in self.days:
                of = spent_day(connection, self.shop.lake, PLAN.id, day, PLAN.timezone)
                if of is not None:
                    assert min(of.compensated, of.claimed_amount, of.invalid) >= 0
                    assert of.compensated + of.claimed_amount + of.invalid <= of.sources.total

    @invariant()
    def everything_paid_was_owed_once(self) -> None:
        granted = claims_of(self.shop.desk(FINANCE))
        with reading(self.shop.database) as connection:
            moved = Counter[str]()
            for kind in OURS:
                for line in ledger.statement(connection, account(kind, PLAN.ad_account_id).id):
                    moved[line.transfer.reason] += line.change
            judged = [promise for day in self.days for promise in promises(connection, unit_id(PLAN.id, day))]
            found = (spent_day(connection, self.shop.lake, PLAN.id, day, PLAN.timezone) for day in self.days)
            assert moved[INVALID] == sum(of.invalid for of in found if of is not None)
        assert moved["claim"] == sum(one.granted for one in granted if one.status is Status.PAID)
        assert moved["compensation"] + moved["correction"] == sum(promise.paid for promise in judged)
        assert moved["top_up"] == self.instructed["top_up"]
        assert moved["withdrawal"] == -self.instructed["withdraw"]
        assert moved["promotion"] == self.instructed["grant"]

    def teardown(self) -> None:
        """In the end all is told, judged and paid, orders' money is where it belongs, and all of it again the same."""
        try:
            self.settle()
            self.the_ledger_is_proven_and_nobody_owes()
            self.no_yuan_of_a_day_goes_back_twice()
            self.everything_paid_was_owed_once()
            self.nothing_is_left_open()
            self.the_money_of_orders_is_what_was_kept()
            self.the_same_history_gives_the_same_rows()
        finally:
            self.shop.database.dispose()
            shutil.rmtree(self.shop.folder.parent)

    def settle(self) -> None:
        """Let every window close, tell what is not told yet, and close days until all is paid."""
        for days in (9, 1, 3):
            self.once("wait", days)
            if days == 9:
                self.tell_all()
            self.once("close_days")

    def tell_all(self) -> None:
        told, self.waiting = self.waiting[::-1], []
        self.told += told
        self.once("tell", told, microseconds(self.shop.now) - 1)

    def nothing_is_left_open(self) -> None:
        granted = (Status.APPROVED, Status.PARTLY_APPROVED)
        assert all(one.status not in granted for one in claims_of(self.shop.desk(FINANCE)))
        with reading(self.shop.database) as connection:
            assert not unpaid(connection)
            for kind in OURS:
                assert ledger.balance(connection, account(kind, PLAN.ad_account_id).id)[1:] == (0, 0)

    def the_money_of_orders_is_what_was_kept(self) -> None:
        kept = Taken()
        for fact in self.told:
            if fact.kind is Kind.ORDER:
                stamped = {name: fact.more.get(name, 0) for name in NAMES} | {"gmv": fact.more["amount"]}
                kept += Taken(**stamped).settled(refunded(self.told, fact))
        with reading(self.shop.database) as connection:
            posted = {one: held.posted for one, held in ledger.balances(connection).items()}
        assert posted.get(account(AccountKind.PROCEEDS, PLAN.shop_id).id, 0) == kept.proceeds
        assert posted[account(AccountKind.COUPONS).id] == SUBSIDIES - kept.subsidy

    def the_same_history_gives_the_same_rows(self) -> None:
        other = opened()
        for operation in self.done:
            other.do(False, *operation)
        assert rows_of(other.database) == rows_of(self.shop.database)
        other.database.dispose()
        shutil.rmtree(other.folder.parent)


def refunded(told: list[Fact], of: Fact) -> int:
    """What was refunded of an order within its seven days."""
    refunds = {fact.id: fact for fact in told if fact.kind is Kind.REFUND and fact.more["order_id"] == of.id}
    return sum(fact.more["amount"] for fact in refunds.values() if fact.at < of.at + REFUND_WINDOW_7D)


@pytest.mark.parametrize(("examples", "steps"), [(1, 6), pytest.param(3, 10, marks=pytest.mark.slow)])
def test_the_money_of_a_shop_holds_whatever_happens(examples: int, steps: int) -> None:
    run_state_machine_as_test(Money, settings=settings(max_examples=examples, stateful_step_count=steps))
