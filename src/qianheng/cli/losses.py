"""`qianheng diagnose loss`: who loses money, well or badly, what to do, and what stopping and waiting cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import typer

from qianheng.cli.output import AsJson, money_text, print_json
from qianheng.cli.sources import OfPlan, ShopId, Source, desk_asked, history_asked
from qianheng.core.errors import NotFound
from qianheng.core.interval import ENDS, yuan_json
from qianheng.core.words import known, say

if TYPE_CHECKING:
    from qianheng.core.interval import Interval
    from qianheng.diagnosis.asking import Told
    from qianheng.diagnosis.ground import Reading
    from qianheng.diagnosis.triage import Condition, Loss, Stake, Triage
    from qianheng.measures.history import History, Subject

Stakes = Mapping[str, "Stake"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("loss", help=say("triage.command.loss"))(_loss)


def _loss(source: Source, plan: OfPlan = "", shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions.diagnosing import asked_of, known_beside, rules_of_triage
    from qianheng.diagnosis.triage import triage

    rules = rules_of_triage()
    history = history_asked(source, asked_of(shop))
    found = triage(history, rules, known_beside(history), [plan_asked(history, plan)] if plan else ())
    stakes = stakes_asked(source)
    if as_json:
        print_json(triage_json(found, stakes))
    else:
        print_triage(found, stakes, rules.windows.days)


def plan_asked(history: History, plan_id: str) -> Subject:
    """The plan of that id. None of it: NotFound."""
    if plan_id not in history.plans:
        raise NotFound("histories.no_plan", place="--plan", value=plan_id, known=", ".join(history.plans))
    return history.plan_subject(plan_id)


def stakes_asked(source: Source) -> Stakes | None:
    """The compensation at stake by plan; `None` where only reports are known."""
    from qianheng.actions.stakes import stakes_of

    if source.reports:
        return None
    with desk_asked(source) as desk:
        return stakes_of(desk)


def triage_json(found: Triage, stakes: Stakes | None) -> dict[str, Any]:
    """All losses as plain values: money in yuan, ratios as decimal strings."""
    losses = [{**loss_json(one), "stake": _stake_json(_stake_of(one, stakes))} for one in found.losses]
    return {"losses": losses, "unheld": [subject_json(one) for one in found.unheld], "missing": list(found.missing)}


def subject_json(subject: Subject) -> dict[str, str]:
    """A subject as plain values."""
    return {"about": subject.about.value, "id": subject.id, "name": subject.name, "within": subject.within}


def loss_json(loss: Loss) -> dict[str, Any]:
    """A loss as plain values, without what is at stake."""
    from qianheng.core.money import ratio_text, yuan

    return {
        "subject": subject_json(loss.subject),
        "kind": loss.kind.value,
        "stance": loss.stance.value,
        "against": loss.against,
        "basis": loss.basis.value,
        "lost": yuan(loss.lost),
        "tomorrow": yuan_json(loss.tomorrow),
        "orders_tomorrow": ratio_text(loss.orders_tomorrow),
        "conditions": [_condition_json(one) for one in loss.conditions],
        "levers": list(loss.levers),
        "actions": list(loss.actions),
    }


def _condition_json(condition: Condition) -> dict[str, Any]:
    return {
        "name": condition.rule.name,
        "speaks_for": condition.rule.speaks_for,
        "answer": condition.answer.value,
        "days_to_know": condition.days_to_know,
        "figures": [told_json(one) for one in condition.told],
    }


def told_json(told: Told) -> dict[str, Any]:
    """A question put to a figure, as plain values."""
    from qianheng.core.money import YUAN, ratio_text

    reading = told.reading
    scale = YUAN if reading.unit == "yuan" else 1
    ends = (reading.between.low, reading.between.high) if reading.between else (None, None)
    value, low, high = (None if one is None else ratio_text(Fraction(one) / scale) for one in (reading.value, *ends))
    return {
        "figure": reading.name,
        "unit": reading.unit,
        "value": value,
        "low": low,
        "high": high,
        "limit": told.asked.limit_text,
        "answer": told.answer.value,
        "rests_on": reading.rests_on,
        "missing": reading.missing or None,
    }


def _stake_of(loss: Loss, stakes: Stakes | None) -> Stake | None:
    return None if stakes is None or loss.subject.about != "plan" else stakes.get(loss.subject.id)


def _stake_json(stake: Stake | None) -> dict[str, Any] | None:
    if stake is None:
        return None
    told = {"forfeited": yuan_json(stake.forfeited), "orders_short": stake.orders_short}
    return {**told, "open": yuan_json(stake.open)}


def print_triage(found: Triage, stakes: Stakes | None, days: int) -> None:
    """Every loss in a few lines, the greatest first."""
    if not found.losses and not found.unheld:
        typer.echo(say("triage.loss.none", days=days))
    for loss in found.losses:
        for line in loss_lines(loss, _stake_of(loss, stakes), days):
            typer.echo(line)
        typer.echo("")
    if found.losses and stakes is None:
        typer.echo(say("triage.loss.no_guarantee"))
    print_unheld(found.unheld)


def print_unheld(unheld: Sequence[Subject]) -> None:
    """Which subjects are held against nothing, and what would change that."""
    if unheld:
        typer.echo(say("triage.loss.unheld", names=listed(name_of(one) for one in unheld)))


def loss_lines(loss: Loss, stake: Stake | None, days: int) -> Iterable[str]:
    """A loss for a person: what it is and why, what to do, what stopping and waiting cost, what is not known."""
    told = {"name": name_of(loss.subject), "lost": money_text(loss.lost), "days": days}
    against, kind = say(f"triage.against.{loss.against}"), say(f"triage.kind.{loss.kind}")
    yield say("triage.loss.title", **told, against=against, kind=kind)
    for one in loss.conditions:
        if one.answer == "yes":
            key = "because" if one in loss.reasons and one.rule.decides else "beside"
            figures = listed(told_text(told) for told in one.told)
            yield "  " + say(f"triage.loss.{key}", name=condition_name(one), figures=figures)
    yield "  " + say("triage.loss.advice", stance=say(f"triage.stance.{loss.stance}"))
    if loss.levers:
        levers = listed(say(f"triage.lever.{lever}") for lever in loss.levers)
        yield "  " + say("triage.loss.levers", levers=levers)
    yield from (f"  {line}" for line in _costs(loss, stake))


def _costs(loss: Loss, stake: Stake | None) -> Iterable[str]:
    if stake is not None:
        yield _forfeits(stake)
        if stake.open is not None and stake.open.high:
            yield say("triage.loss.open", **_ends(stake.open))
    waiting = say("triage.loss.waiting_unknown") if loss.tomorrow is None else _waiting(loss.tomorrow)
    orders = (
        ""
        if not loss.orders_tomorrow
        else f" {say('triage.loss.teaches', orders=f'{float(loss.orders_tomorrow):.1f}')}"
    )
    yield waiting + orders
    for one in loss.open_questions:
        yield say("triage.loss.known_in", name=condition_name(one), days=one.days_to_know)
    missing = dict.fromkeys(name for one in loss.conditions for name in one.missing)
    if missing:
        yield say("triage.loss.missing", names=listed(map(missing_text, missing)))


def _forfeits(stake: Stake) -> str:
    lost = stake.forfeited
    if lost is None or not lost.high:
        return say("triage.loss.forfeits_nothing")
    key = "forfeits_short" if stake.orders_short else "forfeits"
    return say(f"triage.loss.{key}", orders=stake.orders_short, **_ends(lost))


def _waiting(tomorrow: Interval) -> str:
    return say("triage.loss.waiting", **_ends(tomorrow))


def _ends(interval: Interval) -> dict[str, str]:
    return {name: money_text(int(getattr(interval, name))) for name in ENDS}


def told_text(told: Told) -> str:
    """A figure with its limit, for a person."""
    name = say(f"evidence.{told.reading.name}")
    return say("triage.loss.figure", name=name, value=reading_text(told.reading), limit=told.asked.limit_text)


def reading_text(reading: Reading) -> str:
    """The value of a reading, and where it truly lies."""
    if reading.value is None:
        return missing_text(reading.missing) if reading.missing else "–"
    text = _value_text(reading, reading.value)
    if reading.between is None:
        return text
    ends = (_value_text(reading, Fraction(end)) for end in (reading.between.low, reading.between.high))
    return say("triage.loss.between", value=text, **dict(zip(("low", "high"), ends, strict=True)))


def _value_text(reading: Reading, value: Fraction) -> str:
    if reading.unit == "yuan":
        return money_text(round(value))
    if reading.unit == "share":
        return f"{float(value):.1%}"
    return f"{float(value):.2f}" if reading.unit == "ratio" else f"{float(value):.4g}"


def missing_text(name: str) -> str:
    """An input that is not known, in words."""
    keys = (f"triage.missing.{name}", f"histories.missing.{name}")
    return next((say(key) for key in keys if known(key)), name)


def condition_name(condition: Condition) -> str:
    """What a condition says; an owner's own by its name."""
    key = f"triage.condition.{condition.rule.name}"
    return say(key) if known(key) else condition.rule.name


def listed(names: Iterable[str]) -> str:
    """Names one after another."""
    return say("triage.list").join(names)


def name_of(subject: Subject) -> str:
    """What a person calls a subject, with the plan it is a part of."""
    if subject.id == "rest":
        return say("triage.rest")
    name = subject.name or f"{say(f'triage.about.{subject.about}')} {subject.id}".strip()
    return f"{name} ({say('triage.about.plan')} {subject.within})" if subject.within else name
