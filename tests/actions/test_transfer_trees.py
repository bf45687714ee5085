"""Claims, compensation and invalid traffic of one day: every transfer opens, for those who may see it."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qianheng.actions import claims, funds
from qianheng.core.actors import REVIEWER, SYSTEM
from qianheng.core.days import HOUR, midnight
from qianheng.core.errors import NotFound
from qianheng.core.money import YUAN
from qianheng.facts.batch import FactBatch
from qianheng.facts.schema import Kind
from qianheng.incentives.dues import Flow
from qianheng.incentives.terms import ServiceFee, Terms
from qianheng.ledger.transfers import AccountKind, State, account
from qianheng.store import incentives, ledger
from qianheng.store.database import reading
from qianheng.store.statement import Wanted
from tests.actions.claimed_days import (
    DAY,
    EXPIRES,
    FINANCE,
    OTHER,
    OWNER,
    PLAN,
    STRANGER,
    Shop,
    asked,
    facts,
    fraud,
    opened,
    orders,
)
from tests.actions.opened_trees import below, kinds, tree, trees

JUDGED = DAY + timedelta(days=8)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as found:
        yield found


def grant(shop: Shop, amount: int, key: str = "") -> None:
    claim = claims.file(shop.of(FINANCE), asked(amount, key=key)).claim.id
    claims.take(shop.of(REVIEWER), claim)
    claims.approve(shop.of(REVIEWER), claim)


def test_claims_compensation_and_invalid_traffic_of_one_day_open_beside_each_other(shop: Shop) -> None:
    grant(shop, 150 * YUAN)
    grant(shop, 50 * YUAN, "2")
    for charge in range(1, 3):
        shop.tell(fraud(charge, midnight(DAY + timedelta(days=2))))
    shop.close_until(JUDGED + timedelta(days=2))
    shop.tell(orders(11, 2, midnight(JUDGED + timedelta(days=2))))
    shop.close_until(JUDGED + timedelta(days=6))
    later = shop.on(JUDGED + timedelta(days=6))
    grant(later, 60 * YUAN, "3")
    found = trees(shop.on(JUDGED + timedelta(days=7)).of(REVIEWER))
    for state in (State.PENDING, State.POSTED):
        paid = below(found, "claim", state)
        assert {"granted", "captured", "charge", "claimed", "stays_spent", "went_elsewhere", "sources"} <= kinds(paid)
    assert "compensated" in kinds(below(found, "claim", State.PENDING))  # of the last claim
    assert {"found_invalid", "charge", "moved_besides"} <= kinds(below(found, "invalid_traffic"))
    assert {"compensation", "claimed", "charge", "order"} <= kinds(below(found, "compensation"))
    assert {"compensation", "promised_before", "claimed"} <= kinds(below(found, "correction"))
    assert {"paid_by_grant"} <= kinds(below(found, "spend"))
    assert min(part.amount for one in found.values() for part in one[1]) >= 0
    shares = [part for part in below(found, "claim", State.PENDING) if part.kind == "granted"]
    assert {part.amount for part in shares} == {150 * YUAN, 50 * YUAN, 60 * YUAN}


def test_a_line_of_the_statement_names_the_claim_the_day_or_the_credit_that_it_is_about(shop: Shop) -> None:
    grant(shop, 100 * YUAN)
    shop.tell(fraud(1, midnight(DAY + timedelta(days=2))))
    shop.close_until(DAY + timedelta(days=3))
    with shop.desk.database.begin() as connection:
        ledger.lapse_credit(connection, PLAN.ad_account_id, EXPIRES)
        lines = list(funds.lines(funds.view(shop.desk, connection), Wanted()))
    names = {line["reason"]: line["about"] for line in lines}
    assert names["claim"] == f"{PLAN.name}, claim on {DAY}"
    assert names["invalid_traffic"] == f"{PLAN.name}, {DAY}"
    assert names["lapse"] in {"refund claim of 2025-09-12", "invalid traffic given back of 2025-09-13"}
    assert (names["spend"], names["top_up"]) == (PLAN.name, None)


def test_orders_and_refunds_that_come_late_are_further_promises_and_corrections_that_open_too(shop: Shop) -> None:
    terms = Terms({0: [ServiceFee(Decimal("0.05"))]})
    with shop.desk.database.begin() as connection:
        incentives.enter(connection, [incentives.Product(0, 1, "dress")], incentives.Rules(terms))
    fee: dict[str, Any] = {"amount": 99_999_999, "service_fee": 99_999_999 // 20}
    shop.tell(orders(21, 2, **fee))
    shop.close_until(DAY + timedelta(days=1))
    shop.tell(orders(31, 1, midnight(DAY + timedelta(days=1)), **fee))
    shop.tell(refund(1, 21, 33_333_333, DAY + timedelta(days=3)))
    shop.close_until(DAY + timedelta(days=9))
    shop.tell(refund(2, 31, 200_000_000, DAY + timedelta(days=10)))  # more than was paid
    shop.close_until(DAY + timedelta(days=12))
    found = trees(shop.of(SYSTEM))
    promised, posted = (below(found, Flow.SERVICE_FEE, state) for state in (State.PENDING, State.POSTED))
    assert "promised_before" in kinds(promised)
    assert {"moved_besides", "rounded_down", "refund", "more_than_paid"} <= kinds(posted)
    assert {part.told["rate"] for part in posted if part.kind == "kept"} == {"0.05"}
    moved = [one for one, _ in found.values() if one.reason == Flow.SERVICE_FEE and one.state is State.POSTED]
    assert len({(one.debit, one.credit) for one in moved}) == 2  # the correction goes back


def refund(key: int, order: int, amount: int, received: date) -> FactBatch:
    """A refund of an order, told late: half an hour after it was paid."""
    at = int(facts(Kind.ORDER, order, 1).tables[Kind.ORDER]["at"][0].as_py())
    told = {"order_id": order, "order_at": at, "amount": amount, "at": at + HOUR // 2}
    return facts(Kind.REFUND, key, 1, midnight(received), **told)


def test_a_shop_opens_its_own_transfers_alone(shop: Shop) -> None:
    with reading(shop.desk.database) as connection:
        theirs = next(one for one in ledger.all_transfers(connection) if one.credit == cash_of(OTHER.ad_account_id))
    assert kinds(tree(shop.of(STRANGER), theirs)) == {"transfer", "from_outside"}
    with pytest.raises(NotFound):
        tree(shop.of(OWNER), theirs)


def cash_of(ad_account_id: int) -> int:
    return account(AccountKind.CASH, ad_account_id).id
