"""To take back what was measured to hurt, or was for a promotion that is over (SPEC 7.3, 7.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from qianheng.core.interval import Interval
from qianheng.measures.history import History
from qianheng.plans.plan import Value
from qianheng.strategy.decisions import Standing, Status, Step
from qianheng.strategy.followup import Outcome
from qianheng.strategy.proposal import Action, Effect, Proposal, Reason, lasting

WITHIN = timedelta(days=14)  # after it was measured; later the market is another one


def undoings(history: History, kept: Iterable[Standing]) -> Iterator[Proposal]:
    """A proposal for each change that was measured to hurt of late, while nobody changed those fields since; one that
    was proposed to be undone before is not again.
    """
    kept = list(kept)
    said = {one.proposal.reason.values.get("name") for one in kept if one.proposal.action is Action.UNDO}
    for standing in kept:
        if standing.name not in said and _hurt_of_late(history, standing) and _still_so(history, standing):
            yield _undoing(history, standing)


def after_promotions(history: History, kept: Iterable[Standing]) -> Iterator[Proposal]:
    """Back to what a plan was set to before a promotion that is over, while nobody changed it since."""
    for standing in kept:
        last = standing.proposal.reason.values.get("last")
        started = standing.proposal.action is Action.START_PROMOTION and standing.status in (
            Status.CARRIED_OUT,
            Status.MEASURED,
        )
        if started and last is not None and last < history.today.isoformat() and _still_so(history, standing):
            reason = Reason("promotion_over", {"name": standing.proposal.reason.values["name"]})
            yield _back(history, standing, Action.END_PROMOTION, reason)


def before(standing: Standing) -> dict[str, Value]:
    """What the fields that were changed had been."""
    return {name: value for name, value in standing.proposal.before.items() if name in standing.after}


def _hurt_of_late(history: History, standing: Standing) -> bool:
    measured = standing.made(Step.MEASURE)
    if standing.status is not Status.MEASURED or measured is None or measured.found is None:
        return False
    return measured.found.outcome is Outcome.HURT and history.now - measured.at <= WITHIN


def _still_so(history: History, standing: Standing) -> bool:
    plan = history.plans.get(standing.proposal.plan_id or "")
    if plan is None or plan.setting is None or not standing.proposal.changes_plan:
        return False
    return _has(plan.setting, standing.after)


def _has(setting: object, values: Mapping[str, Value]) -> bool:
    return all(getattr(setting, name, None) == value for name, value in values.items())


def _undoing(history: History, standing: Standing) -> Proposal:
    assert standing.found is not None  # as asked by the caller
    effects = (Effect(one.measure, _negated(one.measured), one.baseline) for one in standing.found.measured)
    undo = _back(history, standing, Action.UNDO, Reason("hurt", {"name": standing.name}))
    return replace(undo, effects=tuple(effects))


def _back(history: History, standing: Standing, action: Action, reason: Reason) -> Proposal:
    """To give a plan back what it had before."""
    made = Proposal(standing.proposal.plan_id, action, reason, history.now, history.now)
    return lasting(replace(made, before=standing.after, after=before(standing)), history.timezone)


def _negated(interval: Interval) -> Interval:
    return Interval(-interval.high, -interval.expected, -interval.low)
