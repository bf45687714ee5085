from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from qianheng.core.errors import Damaged, NotFound, Refused
from qianheng.core.placements import Placement
from qianheng.plans.plan import BidMode, Counting, Goal, Pace, Plan, PlanKind, PlanStatus, apply, change
from qianheng.store import plans

NOW = datetime(2025, 10, 1, tzinfo=UTC)
PLAN = Plan(
    id=7,
    shop_id=1,
    ad_account_id=2,
    name="秋装",
    kind=PlanKind.LIVE,
    goal=Goal.PAYMENT,
    target=Decimal("2.50"),
    budget_daily=500_000_000,
    product_ids=(3, 4),
    room_id=9,
    counting=Counting.ALL,
    commission_rate=Decimal("0.1"),
)
CHANGES = (
    {"status": PlanStatus.ACTIVE},
    {"goal": Goal.NET, "target": Decimal("2.3")},
    {"product_ids": (3,), "budget_daily": 1},
    {"bid_mode": BidMode.MAX_DELIVERY, "target": None},
    {"placements": (Placement.FEED, Placement.MALL), "schedule": (8, 9), "pace": Pace.FAST},
    {"budget_weekly": 7_000_000, "budget_total": None},
)


def test_a_plan_comes_back_as_it_was_and_its_log_leads_to_what_it_is(engine: Engine) -> None:
    with engine.begin() as connection:
        plans.create(connection, PLAN)
        plans.create(connection, PLAN)
        plan = PLAN
        for version, after in enumerate(CHANGES, start=1):
            made = change(plan, version, NOW + timedelta(hours=version), "owner", "why not", **after)  # type: ignore[arg-type]
            plan, stored_version = plans.append(connection, made)
            assert stored_version == version
    with engine.begin() as connection:
        log = plans.log(connection, 7)
        assert plans.load(connection, 7) == (plan, len(CHANGES))
        assert plans.load_all(connection) == plans.load_all(connection, shop_id=1) == [(plan, len(CHANGES))]
        assert plans.load_all(connection, shop_id=2) == []
        assert reduce(apply, log, PLAN) == plan
        assert plans.history(connection, 7)[1] == replace(PLAN, status=PlanStatus.ACTIVE)
        assert [entry.at for entry in log] == [NOW + timedelta(hours=version) for version in range(1, len(CHANGES) + 1)]


def test_a_change_made_on_a_stale_version_is_refused_and_the_same_change_again_is_not(engine: Engine) -> None:
    first = change(PLAN, 1, NOW, "ann", "", name="a")
    with engine.begin() as connection:
        plans.create(connection, PLAN)
        assert plans.append(connection, first) == plans.append(connection, first) == (replace(PLAN, name="a"), 1)
    for version in (0, 1, 3):
        with pytest.raises(Refused), engine.begin() as connection:
            plans.append(connection, change(PLAN, version, NOW, "bob", "", name="b"))
    with engine.begin() as connection:
        assert plans.load(connection, 7).plan.name == "a"


def test_what_is_not_there_or_there_already_is_named(engine: Engine) -> None:
    with engine.begin() as connection:
        plans.create(connection, PLAN)
        for missing in (plans.load, plans.history):
            with pytest.raises(NotFound, match="8"):
                missing(connection, 8)
        with pytest.raises(NotFound, match="8"):
            plans.append(connection, change(replace(PLAN, id=8), 1, NOW, "ann", "", name="a"))
        with pytest.raises(Refused, match="7"):
            plans.create(connection, replace(PLAN, name="another"))


def test_a_log_that_does_not_lead_to_the_plan_is_found(engine: Engine) -> None:
    with engine.begin() as connection:
        plans.create(connection, PLAN)
        plans.append(connection, change(PLAN, 1, NOW, "ann", "", name="a"))
        connection.execute(sa.delete(plans.PLAN_CHANGE))
        with pytest.raises(Damaged):
            plans.history(connection, 7)


def test_a_plan_stored_before_a_field_was_known_reads_as_if_it_were_not_set(engine: Engine) -> None:
    with engine.begin() as connection:
        plans.create(connection, PLAN)
        new = {"placements", "budget_weekly", "budget_total", "pace", "roi_float", "schedule"}
        body = connection.execute(sa.select(plans.PLAN.c.first)).one().first
        old = {name: value for name, value in body.items() if name not in new}
        connection.execute(sa.update(plans.PLAN).values(first=old, current=old))
        assert plans.history(connection, 7) == [PLAN]
