"""Proposals in words: what is asked for and why, what is expected, what happened, what it was measured to have done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from qianheng.cli.evidence import figure_text
from qianheng.cli.options import minute
from qianheng.cli.output import headings, money_text, print_json, print_table
from qianheng.core.words import known, say

if TYPE_CHECKING:
    from fractions import Fraction

    from qianheng.core.interval import Interval
    from qianheng.strategy.decisions import Move, Standing
    from qianheng.strategy.followup import Measured
    from qianheng.strategy.learning import Line
    from qianheng.strategy.proposal import Effect, Proposal


def print_proposal(found: Standing, as_json: bool) -> None:
    """A proposal with everything known of it."""
    from qianheng.actions.proposal_json import standing_json

    if as_json:
        print_json(standing_json(found))
        return
    proposal = found.proposal
    action, status = say(f"proposals.action.{proposal.action}"), say(f"proposals.status.{found.status}")
    typer.echo(f"{found.name} · {action} · {status}")
    if found.after:
        typer.echo(change_text(found))
    typer.echo(proposal.reason.text())
    for key in (f"findings.advice.{proposal.reason.rule}", f"proposals.steps.{proposal.action}"):
        if known(key):
            typer.echo(say(key))
    _print_grounds(proposal)
    moves = [
        (minute(move.at, proposal.made_at), move.actor, say(f"proposals.step.{move.step}"), _why(move))
        for move in found.moves
    ]
    if moves:
        print_table(say("proposals.happened"), headings("proposals", "at", "who", "step", "reason"), moves)
    if found.found is not None:
        typer.echo(outcome_text(found))
    if found.status == "accepted":
        typer.echo(say("proposals.do_it_there", id=found.name))


def _print_grounds(proposal: Proposal) -> None:
    """What a proposal is expected to do, and the figures it rests on."""
    if proposal.effects:
        columns = headings("proposals", "measure", "nothing", "change_by", "between")
        print_table(say("proposals.expected"), columns, [_effect_row(one) for one in proposal.effects])
    if proposal.evidence:
        columns = headings("proposals", "figure", "value", "against", "source")
        rows = [
            (_named(one.name), figure_text(one.value, one.unit), figure_text(one.against, one.unit), one.source or None)
            for one in proposal.evidence
        ]
        print_table(say("proposals.rests_on"), columns, rows)


def outcome_text(found: Standing) -> str:
    """What a proposal was measured to have done, held against what was expected of it."""
    told = found.found
    if told is None:
        return say("proposals.too_early")
    measured = say("proposals.semicolon").join(map(_measured, told.measured))
    return (
        f"{say(f'proposals.outcome.{told.outcome}')}: {measured}" if measured else say("proposals.outcome.cannot_tell")
    )


def proposal_row(found: Standing) -> list[object]:
    """A line of a list of proposals."""
    proposal = found.proposal
    action, status = say(f"proposals.action.{proposal.action}"), say(f"proposals.status.{found.status}")
    change = change_text(found) or None
    return [found.name, proposal.plan_id, action, change, _profit(proposal), status, proposal.reason.text()]


def followed_row(found: Standing) -> list[object]:
    """A line of a list of what was carried out."""
    from qianheng.strategy.decisions import Step

    done = found.made(Step.CARRY_OUT)
    since = None if done is None else minute(done.at, found.proposal.made_at)
    status = say(f"proposals.status.{found.status}")
    return [found.name, found.proposal.plan_id, change_text(found) or None, since, status, outcome_text(found)]


def record_row(line: Line, by_rule: bool) -> list[object]:
    """A line of the record."""
    key = f"proposals.{'rule' if by_rule else 'action'}.{line.name}"
    profit = None if line.profit is None else _signed(line.profit)
    held = f"{line.held} / {line.expected}" if line.expected else None
    ratio = f"{line.ratio.mean:.2f} ± {line.ratio.spread:.2f}"
    return [say(key) if known(key) else line.name, line.followed, line.helped, line.hurt, held, profit, ratio]


def record_json(line: Line) -> dict[str, Any]:
    """A line of the record as plain values."""
    from qianheng.core.money import yuan

    told = {name: getattr(line, name) for name in ("name", "followed", "helped", "hurt", "expected", "held")}
    ratio = {"mean": f"{line.ratio.mean:.4f}", "spread": f"{line.ratio.spread:.4f}", "seen": line.ratio.seen}
    return told | {"profit": None if line.profit is None else yuan(line.profit), "ratio": ratio}


def change_text(found: Standing) -> str:
    """What changes from what to what, in words; "" for a task."""
    from qianheng.actions.planning import from_to

    return from_to(found.proposal.before, found.after)


def _measured(one: Measured) -> str:
    half = (one.measured.high - one.measured.low) / 2
    told = {"name": say(f"proposals.measure.{one.measure}"), "measured": _part(one, one.measured.expected)}
    told |= {"half": _part(one, half).lstrip("+")}
    if one.expected is None:
        return say("proposals.measured_only", **told)
    return say("proposals.measured", expected=_part(one, one.expected.expected), **told)


def _part(one: Measured, amount: float | Fraction) -> str:
    """An amount as a share of what there would have been, or in yuan a day where that was nothing."""
    share = one.share(round(amount))
    return f"{_signed(round(amount))}" if share is None else f"{float(share):+.1%}"


def _why(move: Move) -> str | None:
    if move.step == "hold":
        return say("proposals.semicolon").join(say(f"proposals.obstacle.{one}") for one in move.reason.split(", "))
    return move.reason or None


def _profit(proposal: Proposal) -> str | None:
    from qianheng.strategy.proposal import Measure

    effect = proposal.effect(Measure.PROFIT)
    return None if effect is None else f"{_signed(effect.change.expected)} ({_between(effect.change)})"


def _effect_row(effect: Effect) -> list[object]:
    baseline = None if effect.baseline is None else money_text(effect.baseline)
    name = say(f"proposals.measure.{effect.measure}")
    return [name, baseline, _signed(effect.change.expected), _between(effect.change)]


def _between(interval: Interval) -> str:
    return f"{_signed(interval.low)} … {_signed(interval.high)}"


def _signed(amount: Fraction | int) -> str:
    return ("+" if amount > 0 else "") + money_text(round(amount))


def _named(name: str) -> str:
    key = f"evidence.{name}"
    return say(key) if known(key) else say(f"proposals.evidence.{name}")
