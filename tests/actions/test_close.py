"""A plan's day: judged by what was in force that day, credited once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.actions import books, close, judging, promises
from qianheng.actions.close import Closed
from qianheng.actions.judging import Judged
from qianheng.core.days import HOUR, microseconds, midnight
from qianheng.core.errors import Refused
from qianheng.core.money import YUAN
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import SCHEMAS, Channel, Kind
from qianheng.guarantee.reasons import Reason, Status
from qianheng.guarantee.shelf import SHIPPED
from qianheng.ledger.spending import Payment
from qianheng.ledger.transfers import State
from qianheng.measures.days import Days
from qianheng.plans.plan import Goal, Plan, PlanKind, PlanStatus, Value, change
from qianheng.store import closes, ledger, notices, plans
from qianheng.store.database import connect, migrate
from qianheng.store.lake import Lake

DAY = date(2025, 9, 10)
PLAN = Plan(1, 1, 5, "p", PlanKind.PRODUCT, Goal.PAYMENT, Decimal("7.5"), 2000 * YUAN, (11,), status=PlanStatus.ACTIVE)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = connect(f"sqlite:///{tmp_path / 'run.db'}")
    migrate(database)
    with database.begin() as open_connection:
        books.open_accounts(open_connection, PLAN.ad_account_id, 5000 * YUAN, midnight(DAY))
        plans.create(open_connection, PLAN)
        yield open_connection
    database.dispose()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def of_kind(kind: Kind, count: int, amount: int, **known: int) -> FactBatch:
    at = microseconds(midnight(DAY)) + 9 * HOUR + np.arange(count)
    columns: dict[str, np.ndarray | int | bool] = dict.fromkeys(SCHEMAS[kind].names, 0)
    columns |= {"id": np.arange(count) + 1, "at": at, "received_at": at, "plan_id": PLAN.id, "amount": amount}
    return FactBatch({kind: table(kind, columns | known)})


def sell(connection: Connection, lake: Lake, orders: int) -> None:
    """SPEC 5.3 (a): spend 1000, GMV 3000 if there are ten orders, target 7.5."""
    lake.add(connection, of_kind(Kind.CHARGE, 1, 1000 * YUAN))
    lake.add(connection, of_kind(Kind.ORDER, orders, 3000 * YUAN // 10, channel=int(Channel.PROMOTED)))


def judged(connection: Connection, lake: Lake, now: datetime, day: date = DAY) -> Judged:
    (found,) = judging.judge_days(connection, lake, Days(day, day), now)
    return found


def settle(connection: Connection, lake: Lake, now: datetime) -> Judged:
    """What the end of a day does, twice: doing it again changes nothing."""
    for _ in range(2):
        again = close.close_day(connection, lake, now.date() - timedelta(days=1), now)
    assert again == Closed()
    return judged(connection, lake, now)


def changed(connection: Connection, at: datetime, **after: Value) -> None:
    now = plans.load(connection, PLAN.id)
    plans.append(connection, change(now.plan, now.version + 1, at, "owner", "", **after))


def test_a_missed_day_is_promised_when_judged_and_paid_once_on_the_next_working_day(
    connection: Connection, lake: Lake
) -> None:
    sell(connection, lake, 10)
    seen = []
    for later in range(1, 15):
        unit = settle(connection, lake, midnight(DAY + timedelta(days=later)))
        seen.append((later, unit.status, unit.promised, unit.paid))
    due = 600 * YUAN
    assert [row for row in seen if row[0] in (1, 7, 8, 9, 14)] == [
        (1, Status.CONFIRMING, 0, 0),
        (7, Status.CONFIRMING, 0, 0),
        (8, Status.CONFIRMING, due, 0),  # Thursday, 18 September
        (9, Status.COMPENSATED, 0, due),
        (14, Status.COMPENSATED, 0, due),
    ]
    assert ledger.funds(connection, PLAN.ad_account_id).credit == due
    assert ledger.balanced(connection)


def test_nobody_is_paid_on_a_day_off(connection: Connection, lake: Lake) -> None:
    sell(connection, lake, 10)
    settle(connection, lake, midnight(date(2025, 9, 19)))  # Friday
    for off in (date(2025, 9, 20), date(2025, 9, 21)):
        assert settle(connection, lake, midnight(off)).paid == 0
    assert settle(connection, lake, midnight(date(2025, 9, 22))).paid == 600 * YUAN


def test_too_few_orders_are_not_covered(connection: Connection, lake: Lake) -> None:
    sell(connection, lake, 9)
    unit = settle(connection, lake, midnight(DAY + timedelta(days=8)))
    assert (unit.status, unit.verdict.reason, unit.promised) == (Status.ENDED, Reason.TOO_FEW_ORDERS, 0)


def test_organic_orders_do_not_count_for_a_plan_that_counts_attributed_ones(connection: Connection, lake: Lake) -> None:
    lake.add(connection, of_kind(Kind.CHARGE, 1, 1000 * YUAN))
    lake.add(connection, of_kind(Kind.ORDER, 40, 300 * YUAN, channel=int(Channel.ORGANIC)))
    unit = judged(connection, lake, midnight(DAY + timedelta(days=8)))
    assert unit.verdict.sums.orders == 0
    assert unit.verdict.reason is Reason.TOO_FEW_ORDERS


def test_a_late_order_is_a_correction_and_never_an_edit(connection: Connection, lake: Lake) -> None:
    sell(connection, lake, 10)
    for later in range(8, 10):
        settle(connection, lake, midnight(DAY + timedelta(days=later)))
    late = of_kind(Kind.ORDER, 11, 300 * YUAN, channel=int(Channel.PROMOTED))  # the eleventh is new
    lake.add(connection, late)
    for later in range(10, 14):
        unit = settle(connection, lake, midnight(DAY + timedelta(days=later)))
    assert unit.paid == 560 * YUAN
    about = ledger.transfers_about(connection, promises.unit_id(PLAN.id, DAY))
    assert [(one.reason, one.amount) for one in about if one.pending_id is None] == [
        ("compensation", 600 * YUAN),
        ("correction", 40 * YUAN),
    ]
    assert ledger.balanced(connection)


def test_a_correction_takes_back_at_most_the_credit_that_is_still_there(connection: Connection, lake: Lake) -> None:
    sell(connection, lake, 10)
    for later in range(8, 10):
        settle(connection, lake, midnight(DAY + timedelta(days=later)))
    at = midnight(DAY + timedelta(days=10))
    ledger.spend(connection, Payment(1, PLAN.ad_account_id, 590 * YUAN, at))
    lake.add(connection, of_kind(Kind.ORDER, 11, 300 * YUAN, channel=int(Channel.PROMOTED)))
    for later in range(10, 14):
        settle(connection, lake, midnight(DAY + timedelta(days=later)))
    about = ledger.transfers_about(connection, promises.unit_id(PLAN.id, DAY))
    assert [one.amount for one in about if one.reason == "correction" and one.pending_id is None] == [10 * YUAN]
    assert ledger.funds(connection, PLAN.ad_account_id).credit == 0
    assert ledger.balanced(connection)


def test_a_day_is_judged_by_the_bid_mode_it_had(connection: Connection, lake: Lake) -> None:
    sell(connection, lake, 10)
    later = midnight(DAY + timedelta(days=2))
    changed(connection, later, bid_mode="max_delivery", target=None)
    now = midnight(DAY + timedelta(days=12))
    assert judged(connection, lake, now).verdict.compensation == 600 * YUAN
    uncovered = judged(connection, lake, now, DAY + timedelta(days=2))
    assert uncovered.verdict.reason is Reason.GOAL_NOT_COVERED


def test_two_changes_forty_minutes_apart_void_the_day(connection: Connection, lake: Lake) -> None:
    sell(connection, lake, 10)
    for minutes, target in ((0, "2.7"), (40, "2.6")):
        changed(connection, midnight(DAY) + timedelta(hours=9, minutes=minutes), target=Decimal(target))
    unit = settle(connection, lake, midnight(DAY + timedelta(days=8)))
    assert (unit.status, unit.verdict.reason, unit.promised) == (Status.VOID, Reason.CHANGES_TOO_CLOSE, 0)


def test_a_day_is_judged_and_paid_by_the_version_of_its_policy_in_force_then(
    connection: Connection, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(connection, lake, 10)
    monday = midnight(DAY) + timedelta(days=12)
    for start, due in ((DAY + timedelta(days=1), 600 * YUAN), (DAY, 0)):
        text = (SHIPPED / "seed.toml").read_text(encoding="utf-8").replace("version = 1", "version = 2")
        text = text.replace("2025-01-01", start.isoformat()).replace("at_least = 10", "at_least = 11")
        path = tmp_path / start.isoformat() / "policies" / "seed.v2.toml"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("QIANHENG_HOME", str(path.parents[1]))
        assert judged(connection, lake, monday).verdict.compensation == due


def test_days_missed_are_closed_in_order_however_long_ago(connection: Connection, lake: Lake) -> None:
    settle(connection, lake, midnight(DAY))
    sell(connection, lake, 10)
    unit = settle(connection, lake, midnight(DAY + timedelta(days=20)))
    assert (unit.status, unit.promised) == (Status.CONFIRMING, 600 * YUAN)
    kept = connection.execute(sa.select(closes.DAY_CLOSE.c.day).order_by(closes.DAY_CLOSE.c.day)).scalars().all()
    assert kept == [DAY + timedelta(days=later) for later in range(-1, 20)]


def test_a_plan_is_judged_by_the_days_of_its_own_zone(connection: Connection, lake: Lake) -> None:
    """What is nine in the morning in Shanghai is the evening before in New York, whose midnight comes at noon."""
    plans.create(connection, replace(PLAN, id=2, timezone="America/New_York"))
    sell(connection, lake, 10)
    lake.add(connection, of_kind(Kind.CHARGE, 2, 1000 * YUAN, plan_id=2))  # the first is known, and of plan 1
    evening = DAY - timedelta(days=1)
    for later, judged_days in ((7, []), (8, [(1, DAY), (2, evening)])):
        now = midnight(DAY + timedelta(days=later))
        close.close_day(connection, lake, now.date() - timedelta(days=1), now)
        said = closes.given(connection, [one.id for one in closes.units(connection)])
        assert [(one.subject, one.day) for one in closes.units(connection) if one.id in said] == sorted(
            judged_days, key=lambda one: one[1]
        )
    assert [(one.subject, one.day) for one in closes.units(connection)] == [(2, evening), (1, DAY)]


def test_a_late_fact_corrects_a_day_however_long_ago(connection: Connection, lake: Lake) -> None:
    sell(connection, lake, 10)
    settle(connection, lake, midnight(DAY + timedelta(days=8)))
    settle(connection, lake, midnight(DAY + timedelta(days=9)))
    lake.add(connection, of_kind(Kind.ORDER, 11, 300 * YUAN, channel=int(Channel.PROMOTED)))
    for later in (30, 31):
        unit = settle(connection, lake, midnight(DAY + timedelta(days=later)))
    assert unit.paid == 560 * YUAN


def test_a_fact_received_after_the_time_of_a_close_is_looked_at_by_the_next(connection: Connection, lake: Lake) -> None:
    """Stored before the close it is, and yet not known at its time."""
    sell(connection, lake, 10)
    received = microseconds(midnight(DAY + timedelta(days=8))) + HOUR
    lake.add(connection, of_kind(Kind.ORDER, 11, 300 * YUAN, channel=int(Channel.PROMOTED), received_at=received))
    assert settle(connection, lake, midnight(DAY + timedelta(days=8))).promised == 600 * YUAN
    assert settle(connection, lake, midnight(DAY + timedelta(days=9))).promised == 560 * YUAN


def test_a_promise_not_paid_yet_is_made_anew_when_it_was_too_much(connection: Connection, lake: Lake) -> None:
    sell(connection, lake, 10)
    friday = midnight(date(2025, 9, 19))
    assert settle(connection, lake, friday).promised == 600 * YUAN
    lake.add(connection, of_kind(Kind.ORDER, 11, 300 * YUAN, channel=int(Channel.PROMOTED)))
    assert settle(connection, lake, friday + timedelta(days=1)).promised == 560 * YUAN
    assert settle(connection, lake, friday + timedelta(days=3)).paid == 560 * YUAN
    about = ledger.transfers_about(connection, promises.unit_id(PLAN.id, DAY))
    assert [(one.state, one.amount // YUAN) for one in about] == [
        (State.PENDING, 600),
        (State.VOIDED, 600),
        (State.PENDING, 560),
        (State.POSTED, 560),
    ]
    assert ledger.balanced(connection)


def test_what_was_said_is_kept_and_a_correction_names_it(connection: Connection, lake: Lake) -> None:
    sell(connection, lake, 10)
    settle(connection, lake, midnight(DAY + timedelta(days=8)))
    lake.add(connection, of_kind(Kind.ORDER, 11, 300 * YUAN, channel=int(Channel.PROMOTED)))
    settle(connection, lake, midnight(DAY + timedelta(days=10)))
    unit = promises.unit_id(PLAN.id, DAY)
    first, second = closes.given(connection, [unit])[unit]
    assert [one.answer["compensation"] for one in (first, second)] == ["600.00", "560.00"]
    assert [one.given_at for one in (first, second)] == [
        microseconds(midnight(DAY + timedelta(days=later))) for later in (8, 10)
    ]
    assert (first.corrects, second.corrects) == (None, first.id)
    assert (first.policy, first.policy_version, first.answer["orders"]) == ("seed", 1, 10)


def test_the_shop_is_told_of_every_move_of_its_money(connection: Connection, lake: Lake) -> None:
    sell(connection, lake, 10)
    for later in (8, 9):
        settle(connection, lake, midnight(DAY + timedelta(days=later)))
    at = midnight(DAY + timedelta(days=10))
    ledger.spend(connection, Payment(1, PLAN.ad_account_id, 590 * YUAN, at))
    lake.add(connection, of_kind(Kind.ORDER, 11, 300 * YUAN, channel=int(Channel.PROMOTED)))
    for later in (10, 14):
        settle(connection, lake, midnight(DAY + timedelta(days=later)))
    told = notices.notices(connection, PLAN.shop_id, "plan 1")
    assert [(one.kind.rpartition(".")[2], one.values) for one in told] == [
        ("confirmed", {"day": "2025-09-10", "due": "600.00", "amount": "600.00", "left": "0.00"}),
        ("paid", {"day": "2025-09-10", "amount": "600.00"}),
        ("lowered", {"day": "2025-09-10", "due": "560.00", "amount": "10.00", "left": "30.00"}),
        ("taken_back", {"day": "2025-09-10", "amount": "10.00"}),
    ]


@pytest.mark.parametrize(("day", "now"), [(DAY, DAY), (DAY + timedelta(days=1), DAY)])
def test_a_day_that_is_not_over_cannot_be_closed(connection: Connection, lake: Lake, day: date, now: date) -> None:
    with pytest.raises(Refused, match="not over"):
        close.close_day(connection, lake, day, midnight(now))


def test_no_close_is_made_before_the_last_one(connection: Connection, lake: Lake) -> None:
    close.close_day(connection, lake, DAY, midnight(DAY + timedelta(days=3)) + timedelta(hours=5))
    with pytest.raises(Refused, match="before it"):
        close.close_day(connection, lake, DAY + timedelta(days=1), midnight(DAY + timedelta(days=3)))
