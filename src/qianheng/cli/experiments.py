"""`qianheng experiment`: tests of a shop's plans, from the design to the verdict (SPEC 12)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli import evaluations
from qianheng.cli.options import App, Seat, minute
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.cli.papers import Forms, put_out
from qianheng.core.errors import BadInput, raise_together
from qianheng.core.money import decimal
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.experiments import Done
    from qianheng.experiments.designs import Experiment, Standing, Template
    from qianheng.experiments.looking import Foreseen

Name: TypeAlias = Annotated[str, typer.Argument(metavar="TEST", help=say("designs.command.name"))]
PlanId: TypeAlias = Annotated[int, typer.Option("--plan", help=say("designs.command.of_plan"))]
Sets: TypeAlias = Annotated[
    list[str], typer.Option("--set", metavar="ARM.FIELD=VALUE", help=say("designs.command.set"))
]
Effect: TypeAlias = Annotated[str, typer.Option("--effect", metavar="SHARE", help=say("designs.command.effect"))]
LookWays: TypeAlias = Annotated[str, typer.Option("--looks", metavar="always|until", help=say("designs.command.looks"))]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help=say("designs.command.dry_run"))]
Confirm: TypeAlias = Annotated[bool, typer.Option("--confirm", help=say("designs.command.confirm"))]
Reason: TypeAlias = Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("planning.command.reason"))]
Output: TypeAlias = Annotated[str, typer.Option("--output", metavar="FILE", help=say("designs.command.output"))]
ArmB: TypeAlias = Annotated[str, typer.Option("--b", metavar="ARM", help=say("designs.command.b"))]

PERCENT = 100


def build_app() -> typer.Typer:
    """The commands on tests."""
    app = App(say("designs.command.about"), no_args_is_help=True)
    commands: dict[str, Any] = {
        "templates": _templates,
        "plan": _plan,
        "start": _start,
        "list": _list,
        "show": _show,
        "stop": _stop,
    }
    for name, command in (commands | {"adopt": _adopt, "export": _export}).items():
        app.command(name, help=say(f"designs.command.{name}"))(command)
    app.add_typer(evaluations.build_app(), name="evaluate")
    return app


def _templates(as_json: AsJson = False) -> None:
    from qianheng.actions.experiments import known_templates

    found = known_templates()
    if as_json:
        print_json([_template_json(name, one) for name, one in found.items()])
        return
    rows = [(name, str(one.title), str(one.about)) for name, one in found.items()]
    print_table("", headings("designs", "template", "title", "about"), rows)


def _template_json(name: str, one: Template) -> dict[str, Any]:
    about = {"name": name, "title": str(one.title), "about": str(one.about), "days": sum(p.days for p in one.phases)}
    return about | {"arms": len(one.arms), "unit": one.unit, "primary": one.primary, "effect": str(one.effect)}


def _plan(
    seat: Seat,
    template: Annotated[str, typer.Argument(help=say("designs.command.template"))],
    plan: PlanId,
    settings: Sets = [],  # noqa: B006  as typer wants it; never changed
    effect: Effect = "",
    looks: LookWays = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.experiment_results import event_of, foreseen_of
    from qianheng.actions.experiments import WantedTest, designed, keep

    share = read_share(effect) if effect else None
    wanted = WantedTest(template, plan, read_settings(settings), share, looks)
    with seat.desk() as desk:
        made = designed(desk, wanted)
        told, days = foreseen_of(desk, made)
        standing = None if dry_run else keep(desk, made, event_of(told))
    feasible = told is not None and told.days_needed is not None and told.days_needed <= made.days
    if as_json:
        print_json(_foreseen_json(made, told, days) | {"test": standing and standing.name, "feasible": feasible})
    else:
        _print_foreseen(made, told, days)
        if standing is not None:
            typer.echo(say("designs.planned", name=standing.name))
    if not feasible:
        raise typer.Exit(1)


def read_settings(texts: list[str]) -> dict[str, dict[str, str]]:
    """ "B.target=2.5" as settings by arm. Not of that form: BadInput, all at once."""
    found: dict[str, dict[str, str]] = {}
    faults = []
    for text in texts:
        where, equals, value = text.partition("=")
        arm, dot, name = where.partition(".")
        if not (equals and dot and arm and name):
            faults.append(BadInput("designs.bad_setting", place="--set", value=text))
        found.setdefault(arm.upper(), {})[name] = value
    raise_together(faults)
    return found


def read_share(text: str) -> Decimal:
    """ "10%" or "0.1" as a share above 0, at most `EFFECT_MOST`. Anything else: BadInput."""
    from qianheng.experiments.designs import EFFECT_MOST

    try:
        share = decimal(text.removesuffix("%")) / (PERCENT if text.endswith("%") else 1)
    except BadInput:
        share = Decimal(0)
    if not 0 < share <= EFFECT_MOST:
        raise BadInput("designs.bad_effect", place="--effect", value=text, most=f"{EFFECT_MOST:.0%}")
    return share


def _foreseen_json(made: Experiment, told: Foreseen | None, days: int) -> dict[str, Any]:
    known = None if told is None else {"days": told.days_needed, "users": told.users, "smallest_effect": told.smallest}
    return {"template": made.template, "plan": made.plan_id, "days": made.days, "known_days": days, "needed": known}


def _print_foreseen(made: Experiment, told: Foreseen | None, days: int) -> None:
    from qianheng.experiments.designs import EFFECT_MOST

    about = {"template": made.template, "plan": made.plan_id, "days": made.days}
    typer.echo(say("designs.design", measure=made.named(made.primary), **about))
    if told is None or told.days_needed is None:
        typer.echo(say("designs.no_baseline", days=days))
        return
    effect = f"{made.effect:.0%}"
    needs = "needs_of_days" if told.users is None else "needs"
    typer.echo(say(f"designs.{needs}", effect=effect, days=told.days_needed, users=told.users, known=days))
    if told.smallest is None:
        typer.echo(say("designs.shows_nothing", days=made.days, most=f"{EFFECT_MOST:.0%}", needed=told.days_needed))
    else:
        key = "feasible" if told.days_needed <= made.days else "infeasible"
        typer.echo(say(f"designs.{key}", days=made.days, smallest=f"{told.smallest:.0%}", needed=told.days_needed))


def _list(seat: Seat, as_json: AsJson = False) -> None:
    from qianheng.actions.experiments import experiments_of

    with seat.desk() as desk:
        found = experiments_of(desk)
    if as_json:
        print_json([_standing_json(one) for one in found])
        return
    if not found:
        typer.echo(say("designs.none_yet"))
        return
    columns = headings("designs", "name", "template", "plan", "status", "planned", "started")
    rows = [
        (
            one.name,
            one.experiment.template,
            one.experiment.plan_id,
            say(f"designs.status.{one.status}"),
            minute(one.experiment.planned_at, desk.now),
            None if one.started is None else minute(one.started, desk.now),
        )
        for one in found
    ]
    print_table("", columns, rows)


def _standing_json(standing: Standing) -> dict[str, Any]:
    experiment = standing.experiment
    told = {"name": standing.name, "template": experiment.template, "plan": experiment.plan_id}
    told |= {"status": str(standing.status), "plans": standing.plans, "days": experiment.days}
    events = [{"happened": str(one.happened), "at": one.at.isoformat(), "by": one.actor} for one in standing.events]
    return told | {"planned_at": experiment.planned_at.isoformat(), "events": events}


def _start(seat: Seat, name: Name, confirm: Confirm = False, as_json: AsJson = False) -> None:
    from qianheng.actions.experiments import start

    with seat.desk() as desk:
        _print_done(start(desk, name, confirmed=confirm), as_json, str(desk.now.tzinfo))


def _stop(seat: Seat, name: Name, reason: Reason = "", confirm: Confirm = False, as_json: AsJson = False) -> None:
    from qianheng.actions.experiments import stop

    with seat.desk() as desk:
        _print_done(stop(desk, name, reason, confirmed=confirm), as_json, str(desk.now.tzinfo))


def _adopt(
    seat: Seat,
    name: Name,
    arm: Annotated[str, typer.Argument(metavar="ARM", help=say("designs.command.arm"))],
    confirm: Confirm = False,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.experiments import adopt

    with seat.desk() as desk:
        _print_done(adopt(desk, name, arm, confirmed=confirm), as_json, str(desk.now.tzinfo))


def _print_done(done: Done, as_json: bool, timezone: str) -> None:
    from qianheng.actions.planning import effect_text

    standing, effects = done.standing, [effect_text(one, timezone) for one in done.weighed]
    if as_json:
        print_json(_standing_json(standing) | {"guarantee": [str(one.effect) for one in done.weighed]})
        return
    plans = ", ".join(f"{name} = {id_}" for name, id_ in standing.plans.items()) or "–"
    typer.echo(say(f"designs.done.{standing.status}", name=standing.name, plans=plans))
    for effect in effects:
        typer.echo(effect)


def _show(seat: Seat, forms: Forms, name: Name) -> None:
    from qianheng.actions.experiment_results import told_of
    from qianheng.actions.experiments import note_look
    from qianheng.pages.experiments import experiment_document

    with seat.desk() as desk:
        document = experiment_document(told_of(desk, note_look(desk, name)))
    put_out(document, forms)


def _export(seat: Seat, name: Name, output: Output, b: ArmB = "B", as_json: AsJson = False) -> None:
    from qianheng.actions.experiment_results import record_of
    from qianheng.actions.record_sheet import workbook
    from qianheng.cli.papers import write_file

    if not output.lower().endswith(".xlsx"):
        raise BadInput("reviews.record.xlsx_only", place="--output", value=output)
    with seat.desk() as desk:
        told = record_of(desk, name, b)
    sources = [f"qianheng experiment show {name}"]
    write_file(output, workbook(told, sources))
    if as_json:
        print_json({"file": output, "days": told.span.days})
    else:
        typer.echo(say("reviews.command.written", path=output))
