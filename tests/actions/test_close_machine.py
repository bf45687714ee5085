"""Whatever happens, in whatever order, told twice or late, with closes that die: the money of the guarantee holds."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection

from benchmarks.crash import rows_of
from qianheng.actions import books
from qianheng.actions.close import Closed, close_day, unpaid
from qianheng.actions.promises import promises
from qianheng.core.days import HOUR, MINUTE, microseconds, midnight
from qianheng.core.money import YUAN, micros
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import SCHEMAS, Channel, Kind
from qianheng.ledger.spending import Payment
from qianheng.plans.plan import Counting, Goal, Plan, PlanKind, PlanStatus, change
from qianheng.store import closes, ledger, notices, plans
from qianheng.store.database import connect, migrate, reading
from qianheng.store.lake import Lake

FIRST = date(2025, 9, 25)  # the long holiday of October and its make-up days come in the way
TARGETS = (Decimal("7.5"), Decimal(5), Decimal("3.3"), Decimal("2.6"))
SEED = Plan(1, 1, 1, "a", PlanKind.PRODUCT, Goal.NET, TARGETS[0], 2000 * YUAN, (11,), status=PlanStatus.ACTIVE)
PLANS = (SEED, replace(SEED, id=2, shop_id=2, ad_account_id=2, policy="shopee-gmv-max", counting=Counting.ALL))


class Fact(NamedTuple):
    """A fact as it is told; `of` is the order of a refund."""

    kind: Kind
    id: int
    plan_id: int
    at: int
    amount: int
    version: int
    boost: int = 0
    of: int = 0
    received_at: int = 0


@dataclass
class Marketplace:
    """Two plans and what happens to them, kept on SQLite: every operation may be done again elsewhere."""

    folder: Path
    today: int = 1  # it is the beginning of that day; those before it are over

    def __post_init__(self) -> None:
        self.database, self.lake = connect(f"sqlite:///{self.folder / 'run.db'}"), Lake(self.folder / "lake")
        migrate(self.database)
        with self.database.begin() as connection:
            for plan in PLANS:
                books.open_accounts(connection, plan.ad_account_id, 5000 * YUAN, midnight(FIRST))
                plans.create(connection, plan)

    @property
    def now(self) -> Any:
        return midnight(FIRST + timedelta(days=self.today))

    def do(self, name: str, *arguments: Any) -> None:
        """Carry out one operation in a transaction of its own."""
        with self.database.begin() as connection:
            getattr(self, name)(connection, *arguments)

    def tell(self, connection: Connection, facts: Sequence[Fact]) -> None:
        for kind in (Kind.CHARGE, Kind.ORDER, Kind.REFUND):
            for fact in facts:  # one at a time: an id told twice within one batch would be told once
                if fact.kind is kind:
                    self.lake.add(connection, FactBatch({kind: table(kind, columns(fact, facts))}))

    def change(self, connection: Connection, plan_id: int, minutes: int, after: dict[str, Any]) -> None:
        kept = plans.load(connection, plan_id)
        at = self.now + timedelta(minutes=minutes)
        plans.append(connection, change(kept.plan, kept.version + 1, at, "owner", "", **after))

    def spend(self, connection: Connection, key: int, ad_account_id: int, amount: int) -> None:
        ledger.spend(connection, Payment(key, ad_account_id, amount, self.now))

    def wait(self, _: Connection, days: int) -> None:
        self.today += days

    def close(self, connection: Connection) -> None:
        close_day(connection, self.lake, self.now.date() - timedelta(days=1), self.now)

    def settle(self, connection: Connection) -> None:
        """Let every window close and everything be paid."""
        self.today += 20
        self.close(connection)
        while unpaid(connection):
            self.today += 1
            self.close(connection)

    def end(self) -> None:
        self.database.dispose()
        shutil.rmtree(self.folder)


def columns(fact: Fact, told: Sequence[Fact]) -> dict[str, Any]:
    filled: dict[str, Any] = dict.fromkeys(SCHEMAS[fact.kind].names, 0)
    filled |= {"id": fact.id, "plan_id": fact.plan_id, "at": fact.at, "received_at": fact.received_at}
    filled["amount"] = fact.amount
    if fact.kind is Kind.REFUND:
        return filled | {"order_id": fact.of, "order_at": fact.at - MINUTE * (fact.id % 90)}
    return filled | {
        "boost": fact.boost,
        "target_version": fact.version,
        **({"channel": int(Channel.PROMOTED)} if fact.kind is Kind.ORDER else {}),
    }


class Closing(RuleBasedStateMachine):
    """The end of days under everything that may happen between and during them."""

    def __init__(self) -> None:
        super().__init__()
        self.market = Marketplace(Path(tempfile.mkdtemp()))
        self.done: list[tuple[Any, ...]] = []
        self.waiting: list[Fact] = []  # happened, and nobody has told of them yet
        self.told: list[Fact] = []
        self.changes: dict[int, list[int]] = {plan.id: [] for plan in PLANS}
        self.number = 0

    def do(self, *operation: Any) -> None:
        self.done.append(operation)
        self.market.do(*operation)

    def ids(self) -> int:
        self.number += 1
        return self.number

    def version(self, plan_id: int, at: int) -> int:
        return sum(changed <= at for changed in self.changes[plan_id])

    @rule(
        plan_id=st.sampled_from([1, 2]),
        back=st.integers(1, 3),
        spend=st.integers(100, 1200),
        orders=st.sampled_from([3, 6, 11]),
        refunded=st.integers(0, 4),
        boost=st.sampled_from([0, 0, 0, 1]),
    )
    def sell(self, plan_id: int, back: int, spend: int, orders: int, refunded: int, boost: int) -> None:
        """A plan spends and sells on one of the last days; nobody is told yet."""
        day = microseconds(midnight(FIRST + timedelta(days=max(self.market.today - back, 0))))
        at, amount = day + 9 * HOUR + self.number * 1000, 90 * YUAN
        version = self.version(plan_id, at)
        facts = [Fact(Kind.CHARGE, self.ids(), plan_id, at, spend * YUAN, version, boost)]
        sold = [Fact(Kind.ORDER, self.ids(), plan_id, at, amount, version, boost) for _ in range(orders)]
        for order in sold[:refunded]:
            key = self.ids()
            facts.append(Fact(Kind.REFUND, key, plan_id, at + MINUTE * (key % 90), amount, version, of=order.id))
        self.waiting += facts + sold

    @rule(data=st.data())
    def tell(self, data: st.DataObject) -> None:
        """Some of what happened is told, in any order, some of what was told is told again."""
        chosen = data.draw(st.lists(st.sampled_from(self.waiting), unique=True)) if self.waiting else []
        again = data.draw(st.lists(st.sampled_from(self.told), max_size=3)) if self.told else []
        received = microseconds(self.market.now) + data.draw(st.sampled_from([-1, -1, HOUR]))
        self.waiting = [fact for fact in self.waiting if fact not in chosen]
        told = [fact._replace(received_at=received) for fact in chosen]
        self.told += told
        self.do("tell", told + [fact._replace(received_at=received) for fact in again])

    @rule()
    def tell_all(self) -> None:
        """All of it is told, the latest first."""
        told = [fact._replace(received_at=microseconds(self.market.now) - 1) for fact in reversed(self.waiting)]
        self.waiting, self.told = [], self.told + told
        self.do("tell", told)

    @rule(plan_id=st.sampled_from([1, 2]), gap=st.sampled_from([20, 70]), paused=st.booleans())
    def change(self, plan_id: int, gap: int, paused: bool) -> None:
        """The target is changed today, or the plan paused or started again."""
        start = microseconds(self.market.now)
        today = [at for at in self.changes[plan_id] if at >= start]
        minutes = ((today[-1] - start) // MINUTE if today else 0) + gap
        if minutes >= 9 * 60:
            return
        number = len(self.changes[plan_id])
        self.changes[plan_id].append(start + minutes * MINUTE)
        with reading(self.market.database) as connection:
            now = plans.load(connection, plan_id).plan
        other = PlanStatus.PAUSED if now.status is PlanStatus.ACTIVE else PlanStatus.ACTIVE
        target = TARGETS[(number + 1) % 4] if now.target != TARGETS[(number + 1) % 4] else TARGETS[number % 4]
        after = {"status": other} if paused else {"target": target}
        self.do("change", plan_id, minutes, after)

    @rule(ad_account_id=st.sampled_from([1, 2]), share=st.integers(1, 4))
    def spend_credit(self, ad_account_id: int, share: int) -> None:
        with reading(self.market.database) as connection:
            credit = ledger.funds(connection, ad_account_id).credit
        if credit >= 4:
            self.do("spend", self.ids(), ad_account_id, credit // 4 * share)

    @rule(days=st.sampled_from([1, 1, 2, 5, 9]))
    def wait(self, days: int) -> None:
        self.do("wait", days)

    @rule(dies=st.booleans())
    def close(self, dies: bool) -> None:
        """The open days are closed; perhaps it dies at the end, before anything is there, and is done again."""
        if dies:
            with self.market.database.connect() as connection, connection.begin() as transaction:
                self.market.close(connection)
                transaction.rollback()
        self.do("close")
        yesterday = self.market.now.date() - timedelta(days=1)
        with self.market.database.begin() as connection:
            assert close_day(connection, self.market.lake, yesterday, self.market.now) == Closed()

    @invariant()
    def the_ledger_balances_and_nobody_owes(self) -> None:
        with reading(self.market.database) as connection:
            assert ledger.balanced(connection)
            for plan in PLANS:
                assert min(ledger.funds(connection, plan.ad_account_id)) >= 0

    def teardown(self) -> None:
        self.tell_all()
        self.do("settle")
        try:
            with reading(self.market.database) as connection:
                for answer, paid, left in ends(connection):
                    assert paid == micros(answer["compensation"]) + left
            self.again_it_is_the_same()
            self.in_one_telling_it_is_the_same()
        finally:
            self.market.end()

    def again_it_is_the_same(self) -> None:
        """Every row, done again from the beginning."""
        other = Marketplace(Path(tempfile.mkdtemp()))
        for operation in self.done:
            other.do(*operation)
        assert rows_of(other.database) == rows_of(self.market.database)
        other.end()

    def in_one_telling_it_is_the_same(self) -> None:
        """Every verdict, where all facts are told at once and one close judges them."""
        other = Marketplace(Path(tempfile.mkdtemp()))
        for operation in self.done:
            if operation[0] in ("change", "wait"):
                other.do(*operation)
        other.do("tell", [fact._replace(received_at=microseconds(midnight(FIRST))) for fact in self.told])
        other.do("settle")
        with reading(self.market.database) as connection, reading(other.database) as connection_of_other:
            assert last_answers(connection) == last_answers(connection_of_other)
        other.end()


def last_answers(connection: Connection) -> dict[int, Any]:
    given = closes.given(connection, [unit.id for unit in closes.units(connection)])
    return {unit_id: verdicts[-1].answer for unit_id, verdicts in given.items()}


def ends(connection: Connection) -> Iterator[tuple[Any, int, int]]:
    """The last answer of each unit, what was paid for it, and what could not be taken back because it was spent."""
    left: dict[tuple[str, str], int] = {}
    for notice in notices.notices(connection):
        if notice.kind.startswith("close.notice.") and "left" in notice.values:
            left[(notice.subject, notice.values["day"])] = micros(notice.values["left"])
    answers = last_answers(connection)
    for unit in closes.units(connection):
        if unit.id in answers:
            made = promises(connection, unit.id)
            assert all(not promise.open for promise in made)
            about = (f"plan {unit.subject}", unit.day.isoformat())
            yield answers[unit.id], sum(promise.paid for promise in made), left.get(about, 0)


@pytest.mark.parametrize(("examples", "steps"), [(2, 10), pytest.param(5, 15, marks=pytest.mark.slow)])
def test_the_end_of_days_holds_whatever_happens(examples: int, steps: int) -> None:
    run_state_machine_as_test(Closing, settings=settings(max_examples=examples, stateful_step_count=steps))
