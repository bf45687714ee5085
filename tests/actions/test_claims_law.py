"""Whatever order claims, decisions, compensations, corrections, fraud and crashes come in, a yuan goes back once."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Engine

from qianheng.actions import claims
from qianheng.actions.claim_review import claims_of
from qianheng.actions.desk import Desk
from qianheng.actions.giving_back import INVALID
from qianheng.actions.promises import unit_id
from qianheng.core.actors import REVIEWER, Actor
from qianheng.core.days import midnight
from qianheng.core.errors import Refused
from qianheng.core.money import YUAN
from qianheng.guarantee.claims import Standing, Status
from qianheng.ledger.transfers import AccountKind
from qianheng.store import closes
from tests.actions.claimed_days import CHARGES, CREDIT, DAY, FINANCE, PLAN, SPEND, asked, fraud, opened, orders, undone


class Killed(BaseException):
    """The process dies before its transaction is committed."""


def dying(desk: Desk) -> Desk:
    """The same desk, at which every transaction is done in full and lost."""

    @contextmanager
    def begin() -> Iterator[Any]:
        with desk.database.begin() as connection:
            yield connection
            raise Killed

    return replace(desk, database=cast(Engine, SimpleNamespace(begin=begin)))


@cache
def prepared(policy: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="qianheng-claims-"))
    with opened(folder, policy=policy):
        pass
    return folder


class Claims(RuleBasedStateMachine):
    """One shop's day, and everything that may give its spend back."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.today, self.number, self.late = DAY + timedelta(days=1), 0, 0

    def teardown(self) -> None:
        """In the end everything is judged and paid."""
        with self.stack:
            self.today += timedelta(days=12)
            self.shop.close_until(self.today)
            self.nothing_goes_back_twice()
            self.every_claim_is_paid_once_to_where_the_spend_came_from()
            assert all(
                one.status not in (Status.APPROVED, Status.PARTLY_APPROVED) for one in claims_of(self.of(FINANCE))
            )

    def of(self, actor: Actor) -> Desk:
        return self.shop.on(self.today).of(actor)

    def twice(self, actor: Actor, does: Callable[[Desk], Standing]) -> None:
        """Done, lost with the process, done again, and told once more; a refusal changes nothing."""
        before = claims_of(self.of(FINANCE))
        try:
            does(dying(self.of(actor)))
        except Refused:
            assert claims_of(self.of(FINANCE)) == before
            return
        except Killed:
            assert claims_of(self.of(FINANCE)) == before
        assert does(self.of(actor)) == does(self.of(actor))

    def one(self, data: st.DataObject, *statuses: Status) -> int:
        ids = [one.claim.id for one in claims_of(self.of(FINANCE)) if one.status in statuses]
        return data.draw(st.sampled_from(ids)) if ids else 0

    @initialize(policy=st.sampled_from(["seed", "shopee-gmv-max"]), yuan=st.sampled_from([440, 0]))
    def begin(self, policy: str, yuan: int) -> None:
        """The day is judged a week later or at once; a large claim comes first, or none."""
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory())) / "run"
        shutil.copytree(prepared(policy), folder)
        self.shop = self.stack.enter_context(opened(folder, live=False))
        self.shop.close_until(self.today)
        if yuan:
            id_ = claims.file(self.of(FINANCE), asked(yuan * YUAN)).claim.id
            claims.take(self.of(REVIEWER), id_)
            claims.approve(self.of(REVIEWER), id_)

    @rule(yuan=st.integers(1, 600))
    def file(self, yuan: int) -> None:
        self.number += 1
        self.twice(FINANCE, lambda desk: claims.file(desk, asked(yuan * YUAN + 7, key=str(self.number))))

    @rule(data=st.data(), share=st.integers(1, 100))
    def decide(self, data: st.DataObject, share: int) -> None:
        if (id_ := self.one(data, Status.SUBMITTED, Status.UNDER_REVIEW)) == 0:
            return
        found = next(one for one in claims_of(self.of(FINANCE)) if one.claim.id == id_)
        if found.status is Status.SUBMITTED:
            self.twice(REVIEWER, lambda desk: claims.take(desk, id_))
        amount = found.claim.asked * share // 100
        self.twice(REVIEWER, lambda desk: claims.approve(desk, id_, amount, "so much"))

    @rule(data=st.data(), rejected=st.booleans())
    def end(self, data: st.DataObject, rejected: bool) -> None:
        if rejected and (id_ := self.one(data, Status.UNDER_REVIEW)):
            self.twice(REVIEWER, lambda desk: claims.reject(desk, id_, "no"))
        elif id_ := self.one(data, Status.SUBMITTED):
            self.twice(FINANCE, lambda desk: claims.withdraw(desk, id_))

    @rule(days=st.sampled_from([1, 2, 8]))
    def close(self, days: int) -> None:
        self.today += timedelta(days=days)
        for _ in range(2):
            self.shop.close_until(self.today)

    @rule(count=st.integers(1, 6))
    def sell_late(self, count: int) -> None:
        """Orders told late: what is due by the guarantee falls."""
        self.shop.tell(orders(20 + self.late, count, midnight(self.today) + timedelta(hours=3)))
        self.late += count

    @rule(order=st.integers(1, 10))
    def undo_an_order(self, order: int) -> None:
        """An order was refunded at once, which is told late: what is due by the guarantee rises."""
        self.shop.tell(undone(order, midnight(self.today) + timedelta(hours=3)))

    @precondition(lambda self: self.today < DAY + timedelta(days=7))
    @rule(charge=st.integers(1, CHARGES))
    def find_fraud(self, charge: int) -> None:
        self.shop.tell(fraud(charge, midnight(self.today) + timedelta(hours=4)))

    @invariant()
    def nothing_goes_back_twice(self) -> None:
        day = self.shop.day
        assert day.compensated >= 0
        assert day.compensated + day.claimed_amount + day.invalid <= SPEND
        ends = [-1, *(edge for stretch in day.claimed for edge in stretch)]
        assert all(a <= b for a, b in pairwise(ends))

    @invariant()
    def what_a_verdict_is_worth_goes_back_once(self) -> None:
        """Whichever yuan below it went back on claims are none that the compensation pays."""
        with self.shop.desk.database.begin() as connection:
            given = closes.given(connection, [unit_id(PLAN.id, DAY)]).get(unit_id(PLAN.id, DAY))
        worth, day = given[-1].compensation if given else 0, self.shop.day
        claimed = sum(max(0, min(end, worth) - start) for start, end in day.claimed)
        assert day.compensated + claimed <= worth

    @invariant()
    def every_claim_is_paid_once_to_where_the_spend_came_from(self) -> None:
        found = claims_of(self.of(FINANCE))
        paid = sum(one.granted for one in found if one.status is Status.PAID)
        to_claims, to_invalid = self.shop.posted("claim"), self.shop.posted(INVALID)
        assert sum(to_claims.values()) == paid
        assert sum(to_invalid.values()) == self.shop.day.invalid
        assert to_claims[AccountKind.CREDIT] + to_invalid[AccountKind.CREDIT] <= CREDIT
        assert to_claims[AccountKind.CASH] + to_invalid[AccountKind.CASH] <= SPEND - CREDIT
        assert sum(one.granted for one in found) == self.shop.day.claimed_amount


TestClaims = pytest.mark.slow(Claims.TestCase)
TestClaims.settings = settings(max_examples=4, stateful_step_count=8, deadline=None)


def test_the_sources_are_split_exactly_however_many_claims_there_are(tmp_path: Path) -> None:
    with opened(tmp_path) as shop:
        for number in range(3):
            filed = claims.file(shop.of(FINANCE), asked(33_333_333 + number, key=str(number)))
            claims.take(shop.of(REVIEWER), filed.claim.id)
            claims.approve(shop.of(REVIEWER), filed.claim.id)
        shop.close_until(date(2025, 9, 13))
        granted = 3 * 33_333_333 + 3
        assert shop.posted("claim") == {
            AccountKind.CASH: granted - granted * CREDIT // SPEND,
            AccountKind.CREDIT: granted * CREDIT // SPEND,
        }
