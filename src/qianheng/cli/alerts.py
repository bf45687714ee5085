"""`qianheng alerts`: the inbox, what to do with an alert, the rules, and the look that catches up."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli import channels
from qianheng.cli.channels import alert_desk
from qianheng.cli.options import App, minute
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.cli.sources import Source, history_asked
from qianheng.core.days import moment
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.diagnosis.alerts import AlertEvent, Silence
    from qianheng.diagnosis.rules import Rule
    from qianheng.store.alerts import Numbered

ALL_DAYS = 3660

Id: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help=say("alerts.command.id"))]
All: TypeAlias = Annotated[bool, typer.Option("--all", help=say("alerts.command.all"))]
Note: TypeAlias = Annotated[str, typer.Option("--note", metavar="TEXT", help=say("alerts.command.note"))]
RuleName: TypeAlias = Annotated[str, typer.Option("--rule", metavar="RULE", help=say("alerts.command.rule"))]
PlanId: TypeAlias = Annotated[str, typer.Option("--plan", metavar="PLAN", help=say("alerts.command.plan"))]
For: TypeAlias = Annotated[str, typer.Option("--for", metavar="TIME", help=say("alerts.command.for"))]
Why: TypeAlias = Annotated[str, typer.Option("--why", metavar="TEXT", help=say("alerts.command.why"))]
Validate: TypeAlias = Annotated[
    Path | None, typer.Option("--validate", metavar="FILE", help=say("alerts.command.validate"))
]


def build_app() -> typer.Typer:
    """The commands on alerts."""
    app = App(say("alerts.command.about"), invoke_without_command=True)
    app.callback()(_default)
    app.command("inbox", help=say("alerts.command.inbox"))(_inbox)
    app.command("show", help=say("alerts.command.show"))(_show)
    app.command("handle", help=say("alerts.command.handle"))(_handle)
    app.command("silence", help=say("alerts.command.silence"))(_silence)
    app.command("silences", help=say("alerts.command.silences"))(_silences)
    app.command("rules", help=say("alerts.command.rules"))(_rules)
    app.command("check", help=say("alerts.command.check"))(_check)
    channels.add_to(app)
    return app


def _default(context: typer.Context, source: Source, everything: All = False, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        _inbox(source, everything, as_json)


def _inbox(source: Source, everything: All = False, as_json: AsJson = False) -> None:
    from qianheng.actions.alert_text import limit, subject, title, value
    from qianheng.actions.alerts import inbox, rules_in_force

    with alert_desk(source) as desk:
        found = inbox(desk, everything)
        rules = rules_in_force().written
    if as_json:
        print_json([_json(one, desk.now) for one in found.alerts])
        return
    columns = headings("alerts", "id", "severity", "state", "at", "title", "about", "value", "limit")
    rows = [
        (
            f"a{one.number}",
            say(f"diagnosis.severity.{one.alert.severity}"),
            say(f"alerts.state.{one.alert.state}"),
            minute(moment(one.alert.fired_at), desk.now),
            title(one.alert.key.rule, rules),
            subject(one.alert.key),
            value(one.alert.key.rule, one.alert.detail, rules),
            limit(one.alert.key.rule, one.alert.detail, rules),
        )
        for one in found.alerts
    ]
    if rows:
        print_table("", columns, rows)
    else:
        typer.echo(say("alerts.none"))
    if not everything and found.of > len(rows):
        typer.echo(say("alerts.others", count=found.of - len(rows)))


def _show(source: Source, name: Id, as_json: AsJson = False) -> None:
    from qianheng.actions.alerts import show

    with alert_desk(source) as desk:
        found, events = show(desk, name)
    if as_json:
        happened = [_event_json(event, desk.now) for event in events]
        print_json({**_json(found, desk.now), "events": happened})
    else:
        _print_alert(found, events, desk.now)


def _handle(source: Source, name: Id, note: Note = "", as_json: AsJson = False) -> None:
    from qianheng.actions.alerts import handle_alert

    with alert_desk(source) as desk:
        found = handle_alert(desk, name, note)
    if as_json:
        print_json(_json(found, desk.now))
    else:
        typer.echo(say("alerts.handled", id=f"a{found.number}", who=found.alert.handled_by))


def _silence(
    source: Source, lasting: For, why: Why, rule: RuleName = "", plan: PlanId = "", as_json: AsJson = False
) -> None:
    from qianheng.actions.alerts import Quiet, silence

    with alert_desk(source) as desk:
        made = silence(desk, Quiet(rule, plan, lasting, why))
    _print_silences([made], desk.now, as_json)


def _silences(source: Source, as_json: AsJson = False) -> None:
    from qianheng.actions.alerts import silences

    with alert_desk(source) as desk:
        found = silences(desk)
    _print_silences(found, desk.now, as_json)


def _rules(validate: Validate = None, as_json: AsJson = False) -> None:
    from qianheng.actions.alert_text import title
    from qianheng.actions.alerts import rules_in_force

    written = rules_in_force(validate).written
    if as_json:
        print_json({name: _rule_json(rule) for name, rule in written.items()})
        return
    columns = headings("alerts", "rule", "title", "about", "measure", "limit", "window", "lasting", "severity", "on")
    rows = [
        (
            name,
            title(name, written),
            rule.about,
            rule.measure,
            f"{rule.comparison} {rule.limit}",
            rule.window,
            rule.lasting,
            say(f"diagnosis.severity.{rule.severity}"),
            "✓" if rule.enabled else "✗",
        )
        for name, rule in written.items()
    ]
    print_table("", columns, rows)


def _check(source: Source, as_json: AsJson = False) -> None:
    from qianheng.actions.alert_text import subject, title
    from qianheng.actions.alerts import check, rules_in_force
    from qianheng.actions.histories import Asked
    from qianheng.actions.report_alerts import check_reports

    with alert_desk(source) as desk:
        found = check_reports(desk, history_asked(source, Asked(days=ALL_DAYS))) if source.reports else check(desk)
        rules = rules_in_force().written
    if as_json:
        print_json([_event_json(event, desk.now) for event in found])
        return
    columns = headings("alerts", "at", "happened", "severity", "title", "about")
    rows = [
        (
            minute(moment(event.at), desk.now),
            say(f"alerts.happened.{event.happened}"),
            say(f"diagnosis.severity.{event.severity}"),
            title(event.key.rule, rules),
            subject(event.key),
        )
        for event in found
    ]
    print_table("", columns, rows)


def _print_alert(found: Numbered, events: list[AlertEvent], here: datetime) -> None:
    from qianheng.actions.alert_text import advice, figures, subject, title, value
    from qianheng.actions.alerts import rules_in_force

    rules, alert = rules_in_force().written, found.alert
    severity = say(f"diagnosis.severity.{alert.severity}")
    typer.echo(f"a{found.number} · {severity} · {title(alert.key.rule, rules)}")
    typer.echo(subject(alert.key))
    typer.echo(figures(alert.key.rule, alert.detail, rules))
    if told := advice(alert.key.rule, rules):
        typer.echo(told)
    written = rules.get(alert.key.rule)
    if written and written.playbook:
        typer.echo(say("alerts.playbook", name=written.playbook))
    rows = [
        (
            minute(moment(one.at), here),
            say(f"alerts.happened.{one.happened}"),
            one.detail.get("who"),
            one.detail.get("note") or value(one.key.rule, one.detail, rules),
        )
        for one in events
    ]
    print_table("", headings("alerts", "at", "happened", "who", "note"), rows)


def _print_silences(found: list[Silence], here: datetime, as_json: bool) -> None:
    if as_json:
        print_json([_silence_json(one, here) for one in found])
        return
    columns = headings("alerts", "rule", "plan", "since", "until", "who", "why")
    print_table("", columns, [_silence_row(one, here) for one in found])


def _silence_row(one: Silence, here: datetime) -> list[str | None]:
    times = [minute(moment(at), here) for at in (one.since, one.until)]
    return [one.rule or None, one.plan_id or None, *times, one.who, one.why]


def _json(one: Numbered, here: datetime) -> dict[str, Any]:
    alert = one.alert
    times = {"fired_at": alert.fired_at, "escalated_at": alert.escalated_at, "handled_at": alert.handled_at}
    times |= {"resolved_at": alert.resolved_at}
    return {
        "id": f"a{one.number}",
        **_key_json(alert.key),
        "severity": str(alert.severity),
        "state": str(alert.state),
        **{name: None if at is None else _time(at, here) for name, at in times.items()},
        "handled_by": alert.handled_by or None,
        "note": alert.note or None,
        "silenced": alert.quiet,
        "detail": dict(alert.detail),
    }


def _key_json(key: Any) -> dict[str, Any]:
    subject = key.subject
    told = {
        "about": str(subject.about),
        "id": subject.id,
        "name": subject.name or None,
        "within": subject.within or None,
    }
    return {"rule": key.rule, "shop_id": key.shop_id, "subject": told}


def _event_json(event: AlertEvent, here: datetime) -> dict[str, Any]:
    told = {"id": str(event.id), "alert_id": str(event.alert_id), "happened": str(event.happened)}
    told |= {"at": _time(event.at, here), "severity": str(event.severity)}
    return {**told, **_key_json(event.key), "silenced": event.quiet, "detail": dict(event.detail)}


def _silence_json(one: Silence, here: datetime) -> dict[str, Any]:
    told = {"id": str(one.id), "rule": one.rule or None, "plan_id": one.plan_id or None, "who": one.who, "why": one.why}
    return told | {"since": _time(one.since, here), "until": _time(one.until, here)}


def _rule_json(rule: Rule) -> dict[str, Any]:
    from qianheng.diagnosis.rules import RULE_FIELDS

    return {name: getattr(rule, name) for name in RULE_FIELDS}


def _time(at: int, here: datetime) -> str:
    return moment(at).astimezone(here.tzinfo).isoformat()
