"""Proposals as plain values: money as decimal strings in yuan, ratios as decimal strings, times with their offset."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from qianheng.core.interval import yuan_json
from qianheng.core.money import ratio_text, yuan
from qianheng.core.plain import Json
from qianheng.diagnosis.evidence import Evidence
from qianheng.plans.plan import Value
from qianheng.plans.writing import shown
from qianheng.strategy.decisions import Move, Standing
from qianheng.strategy.followup import FollowUp


def standing_json(found: Standing) -> Json:
    """A proposal, where it stands, and everything that was done with it."""
    proposal = found.proposal
    return {
        "id": found.name,
        "shop_id": found.shop_id,
        "plan_id": proposal.plan_id,
        "action": proposal.action,
        "work": proposal.kind.work,
        "status": found.status,
        "before": _values(proposal.before),
        "after": _values(proposal.after),
        "taken": _values(found.after) if found.moves else None,
        "rule": proposal.reason.rule,
        "reason": proposal.reason.text(),
        "effects": [
            {
                "measure": one.measure,
                "change": yuan_json(one.change),
                "baseline": None if one.baseline is None else yuan(one.baseline),
                "per": one.per,
            }
            for one in proposal.effects
        ],
        "evidence": [_evidence(one) for one in proposal.evidence],
        "made_at": proposal.made_at.isoformat(),
        "good_until": proposal.good_until.isoformat(),
        "due": None if found.due is None else found.due.isoformat(),
        "moves": [_move(one) for one in found.moves],
        "measured": None if found.found is None else follow_up_json(found.found),
    }


def follow_up_json(found: FollowUp) -> Json:
    """What a change was measured to have done."""
    measured = [
        {
            "measure": one.measure,
            "expected": None if one.expected is None else yuan_json(one.expected),
            "measured": yuan_json(one.measured),
            "baseline": yuan(one.baseline),
            "share": ratio_text(one.share(one.measured.expected)),
            "held": one.held,
            "days": one.pairs,
        }
        for one in found.measured
    ]
    days = {"first": found.first.isoformat(), "last": found.last.isoformat()}
    return {"outcome": found.outcome, **days, "beside_others": found.beside_others, "measures": measured}


def _values(values: Mapping[str, Value]) -> Json:
    return {name: shown(name, value) or None for name, value in values.items()}


def _evidence(one: Evidence) -> Json:
    told = {name: _figure(getattr(one, name), one.unit) for name in ("value", "against")}
    return {"name": one.name, **told, "unit": one.unit, "source": one.source or None}


def _figure(value: Fraction | int | str | None, unit: str) -> str | int | None:
    if value is None or isinstance(value, str):
        return value
    if unit == "yuan":
        return yuan(round(value))
    return ratio_text(Fraction(value)) if unit in ("ratio", "share") else round(value)


def _move(move: Move) -> Json:
    told = {"step": move.step, "at": move.at.isoformat(), "actor": move.actor, "role": move.role}
    return told | {"reason": move.reason or None, "version": move.version}
