"""A plan joins others that serve as a copy of one of them: an arm of an experiment begins where its plan stands."""

from __future__ import annotations

from dataclasses import replace

from qianheng.delivery.engine import Engine
from qianheng.plans.plan import Plan


def join(engine: Engine, plan: Plan, like: int) -> int:
    """Serve a plan with all that is known of the landscape, the money apart, by the plan of the id `like`; its row.

    It joins as that plan's twin and changes into itself, so that what was learnt under one target is read under its
    own. Between days, or before the first step of one.
    """
    model = engine.plans[engine.row(like)]
    row = engine.add(replace(model, id=plan.id, name=plan.name))
    source = engine.row(like)
    for held in (engine.on_air_until, engine.told_of_air):
        held[row] = held[source]
    known = engine.bidder.snapshot()
    for held in known.values():
        held[row] = held[source]
    engine.bidder.restore(known)
    engine.change(plan, 0)
    return row
