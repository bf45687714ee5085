"""What the days of a kept run would pay under other policies: the evidence on each, for `guarantee.compare`."""

from __future__ import annotations

from collections.abc import Iterator

from qianheng.actions import judging
from qianheng.actions.desk import Desk
from qianheng.actions.judging import PLAN_DAY
from qianheng.guarantee.compare import Evidence
from qianheng.measures.days import Days
from qianheng.store import closes, plans
from qianheng.store.database import reading


def kept_evidence(desk: Desk) -> Iterator[Evidence]:
    """The evidence on every plan's day that facts are known of, of the plans that the actor sees, at the desk's now."""
    with reading(desk.database) as connection:
        wanted = {(unit.subject, unit.day) for unit in closes.units(connection) if unit.type == PLAN_DAY}
        dates = [day for _, day in wanted]
        for timezone in sorted({stored.plan.timezone for stored in plans.load_all(connection)} if wanted else ()):
            days = Days(min(dates), max(dates), timezone)
            for plan, found in judging.evidence(connection, desk.lake, days, desk.now):
                if (plan.id, found.unit.day) in wanted and desk.actor.sees(plan.shop_id):
                    yield found
