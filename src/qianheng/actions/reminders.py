"""The reminder to look when a plan's day is judged (day 8 under most policies), where no credit says so already."""

from __future__ import annotations

from sqlalchemy import Connection

from qianheng.actions.judging import Judged
from qianheng.core.days import moment
from qianheng.core.ids import stable_id
from qianheng.core.money import yuan
from qianheng.guarantee.reasons import Status
from qianheng.store import notices
from qianheng.store.closes import Given
from qianheng.store.notices import Notice

_KINDS = {Status.ENDED: "proof.notice.ended", Status.VOID: "proof.notice.void"}
_OF_BOOSTS = {Status.ENDED: "proof.boost_notice.ended", Status.VOID: "proof.boost_notice.void"}


def remind(connection: Connection, given: Given, one: Judged) -> None:
    """Tell the shop that a day on which something was spent is judged and nothing is due, and where to see why."""
    kind = (_KINDS if one.boost_id is None else _OF_BOOSTS).get(one.verdict.status)
    if kind is None or given.compensation or not one.verdict.sums.spend:
        return
    values = {"plan": one.plan_id, "day": one.day.isoformat(), "forgone": yuan(one.verdict.forgone or 0)}
    values |= {} if one.boost_id is None else {"boost": str(one.boost_id)}
    key, at = stable_id("reminder", given.unit_id), moment(given.given_at)
    notices.tell(connection, Notice(key, at, one.plan.shop_id, kind, f"plan {one.plan_id}", values))
