"""`qianheng diagnose`: why did the ROI change, what loses money, what to do about it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli import findings, losses, playbooks
from qianheng.cli.losses import name_of, print_unheld, subject_json
from qianheng.cli.options import App
from qianheng.cli.output import AsJson, headings, money_text, print_json, print_table
from qianheng.cli.sources import OfPlan, ShopId, Source, history_asked
from qianheng.core.days import parse_day
from qianheng.core.errors import BadInput
from qianheng.core.interval import yuan_json
from qianheng.core.words import say

if TYPE_CHECKING:
    from datetime import date

    from qianheng.diagnosis.changes import Change
    from qianheng.diagnosis.decomposition import Effect
    from qianheng.diagnosis.troubles import Trouble

DAYS_BACK = 92  # how far back two periods may lie
PARTS_SHOWN = 8


def _option(name: str, metavar: str) -> Any:
    return typer.Option(name, metavar=metavar, help=say(f"triage.command.{name.strip('-')}"))


First: TypeAlias = Annotated[str, _option("--from", "DAY")]
Last: TypeAlias = Annotated[str, _option("--to", "DAY")]
Against: TypeAlias = Annotated[str, _option("--against", "FROM:TO")]
MeasureName: TypeAlias = Annotated[str, _option("--measure", "NAME")]
Parts: TypeAlias = Annotated[str, _option("--by", "PARTS")]


def build_app() -> typer.Typer:
    """The group of commands."""
    app = App(say("triage.command.about"))
    app.callback(invoke_without_command=True)(_diagnose)
    app.command("roi", help=say("triage.command.roi"))(_roi)
    losses.add_to(app)
    playbooks.add_to(app)
    findings.add_to(app)
    return app


def _diagnose(context: typer.Context, source: Source, shop: ShopId = "", as_json: AsJson = False) -> None:
    if context.invoked_subcommand:
        return
    from qianheng.actions.diagnosing import asked_of, troubles_of

    told = troubles_of(history_asked(source, asked_of(shop)))
    if as_json:
        unheld = [subject_json(one) for one in told.unheld]
        print_json({"troubles": [_trouble_json(one) for one in told.found], "unheld": unheld})
        return
    if told.found:
        print_table(
            "", headings("triage", "cost", "subject", "wrong", "severity", "advice"), map(_trouble_row, told.found)
        )
    print_unheld(told.unheld)
    if not told.found and not told.unheld:
        typer.echo(say("triage.trouble.none"))


def _trouble_json(one: Trouble) -> dict[str, Any]:
    words = {"text": one.text, "advice": one.advice}
    named = {"kind": one.kind, "name": one.name, "severity": one.severity.value}
    return {"subject": subject_json(one.subject), **named, **words, "costs_a_day": yuan_json(one.costs)}


def _trouble_row(one: Trouble) -> list[object]:
    costs = None if one.costs is None else money_text(int(one.costs.expected))
    return [costs, name_of(one.subject), one.text, say(f"diagnosis.severity.{one.severity}"), one.advice]


def _roi(
    source: Source,
    plan: OfPlan = "",
    first: First = "",
    last: Last = "",
    against: Against = "",
    measure: MeasureName = "",
    by: Parts = "",
    shop: ShopId = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.histories import Asked
    from qianheng.diagnosis.changes import PARTS, Comparison, compare
    from qianheng.diagnosis.decomposition import Measure

    wanted = Comparison(
        plan,
        _choice("--measure", measure, list(Measure)),
        _choice("--by", by, list(PARTS)),
        _span(first, last),
        _against(against),
    )
    history = history_asked(source, Asked(shop, DAYS_BACK))
    change = compare(history, wanted)
    print_json(_told(change)) if as_json else _print(change)


def _choice(place: str, text: str, known: list[Any]) -> Any:
    """The choice of that name, `None` without a name; none of that name: BadInput."""
    found = next((one for one in known if one.value == text), None)
    if text and found is None:
        raise BadInput("triage.unknown_choice", place=place, value=text, known=", ".join(known))
    return found


def _span(first: str, last: str) -> tuple[date, date] | None:
    if not first and not last:
        return None
    days = parse_day(first or last, "--from"), parse_day(last or first, "--to")
    if days[0] > days[1]:
        raise BadInput("reports.days_reversed", place="--from", first=first, last=last)
    return days


def _against(text: str) -> tuple[date, date] | None:
    first, colon, last = text.partition(":")
    if text and not (colon and first and last):
        raise BadInput("triage.bad_against", place="--against", value=text)
    try:
        return _span(first, last)
    except BadInput as error:
        raise BadInput(error.key, place="--against", **error.values) from None


def _told(change: Change) -> dict[str, Any]:
    from qianheng.core.money import ratio_text, yuan
    from qianheng.diagnosis.changes import headline, rounded, rounded_parts

    found = change.found

    def text(value: Any) -> str:
        return str(ratio_text(value)) if found.measure.is_ratio else yuan(round(value))

    amounts = rounded(change)
    effects = [_effect(effect, amounts[effect.factor], text) for effect in found.effects]
    parts = [
        {**subject_json(one), "effects": {factor.value: amount for factor, amount in told.items()}}
        for one, told in rounded_parts(change).items()
    ]
    periods = [
        {"from": span[0].isoformat(), "to": span[1].isoformat(), "value": text(value)}
        for span, value in ((change.before, found.before), (change.after, found.after))
    ]
    return {
        "subject": subject_json(change.subject),
        "measure": found.measure.value,
        "before": periods[0],
        "after": periods[1],
        "effects": effects,
        "by": None if change.by is None else change.by.value,
        "parts": parts,
        "headline": headline(change),
    }


def _effect(effect: Effect, amount: str, text: Any) -> dict[str, Any]:
    return {
        "factor": effect.factor.value,
        "amount": amount,
        "swing": None if effect.swing is None else text(effect.swing),
        "beyond_swing": effect.beyond_swing,
        "merged": [factor.value for factor in effect.merged],
    }


def _print(change: Change) -> None:
    from qianheng.diagnosis.changes import headline, shown, signed, waterfall

    found = change.found
    typer.echo(headline(change))
    ends = iter((found.before, found.after))
    rows = []
    for effect, bar in waterfall(change):
        if effect is None:
            rows.append((say(f"triage.measure.{found.measure}"), shown(found.measure, next(ends)), bar, ""))
        else:
            swing = "" if effect.swing is None else f"± {shown(found.measure, effect.swing)}"
            name = say(f"triage.factor.{effect.factor}")
            rows.append((name, signed(found.measure, effect.amount), bar, swing))
    spans = [f"{first} – {last}" for first, last in (change.before, change.after)]
    title = say("triage.change.title", name=name_of(change.subject), before=spans[0], after=spans[1])
    print_table(title, headings("triage", "what", "value", "way", "luck"), rows)
    _print_parts(change)
    for sentence in _sentences(change):
        typer.echo(sentence)


def _print_parts(change: Change) -> None:
    from qianheng.diagnosis.changes import signed

    found = change.found
    if change.by is None:
        return
    whole = {part: sum(told.values(), Fraction()) for part, told in found.parts.items()}
    rows = []
    for part in sorted(whole, key=lambda one: -abs(whole[one]))[:PARTS_SHOWN]:
        factor, amount = max(found.parts[part].items(), key=lambda pair: abs(pair[1]))
        because = f"{say(f'triage.factor.{factor}')} {signed(found.measure, amount)}" if amount else ""
        rows.append((name_of(part), signed(found.measure, whole[part]), because))
    title = say("triage.change.parts", by=say(f"triage.about.{change.by}"))
    print_table(title, headings("triage", "part", "effect", "because"), rows)


def _sentences(change: Change) -> list[str]:
    from qianheng.diagnosis.changes import effect_name

    effects = change.found.effects
    within = [effect_name(one) for one in effects if one.amount and one.beyond_swing is False]
    merged = [effect_name(one) for one in effects if one.merged]
    told = [say("triage.change.within", names=say("triage.list").join(within))] if within else []
    if any(one.swing is None for one in effects):
        told.append(say("triage.change.unmeasured"))
    return told + ([say("triage.change.merged", names=say("triage.list").join(merged))] if merged else [])
