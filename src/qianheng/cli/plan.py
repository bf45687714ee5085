"""`qianheng plan`: the plans of a shop at the desk, and their changes under the eye of the guarantee."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import App, Seat, minute
from qianheng.cli.output import AsJson, headings, money_text, print_json, print_table
from qianheng.cli.whatif import print_outlooks
from qianheng.core.errors import BadInput, Refused, raise_together
from qianheng.core.words import say

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction

    from qianheng.actions.plan_standing import PlanStanding
    from qianheng.actions.planning import Considered, Wanted
    from qianheng.actions.whatif import Foreseen
    from qianheng.measures.sums import Sums
    from qianheng.plans.plan import PlanChange, Value

PlanId: TypeAlias = Annotated[int, typer.Argument(metavar="PLAN", help=say("planning.command.plan"))]
Fields: TypeAlias = Annotated[list[str], typer.Argument(metavar="FIELD=VALUE...", help=say("planning.command.fields"))]
Reason: TypeAlias = Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("planning.command.reason"))]
Version: TypeAlias = Annotated[int | None, typer.Option("--version", help=say("planning.command.version"))]
Surface: TypeAlias = Annotated[str, typer.Option("--surface", metavar="NAME", help=say("planning.command.surface"))]
Confirm: TypeAlias = Annotated[bool, typer.Option("--confirm", help=say("planning.command.confirm"))]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help=say("planning.command.dry_run"))]

LISTED = ("id", "shop_id", "name", "kind", "status", "goal", "target", "budget_daily")
RATIOS = ("ctr", "cvr", "roi")


def build_app() -> typer.Typer:
    """The commands on plans."""
    app = App(say("planning.command.about"), no_args_is_help=True)
    app.command("list", help=say("planning.command.list"))(_list)
    app.command("show", help=say("planning.command.show"))(_show)
    app.command("log", help=say("planning.command.log"))(_log)
    app.command("change", help=say("planning.command.change"))(_change)
    for name, status in (("pause", "paused"), ("resume", "active"), ("delete", "deleted")):
        app.command(name, help=say(f"planning.command.{name}"))(_to(status))
    return app


def _list(seat: Seat, as_json: AsJson = False) -> None:
    from qianheng.actions.planning import list_plans

    with seat.desk() as desk:
        found = list_plans(desk)
    if as_json:
        print_json([_plan_json(stored.plan, stored.version) for stored in found])
        return
    columns = [*(say(f"planning.field.{name}") for name in LISTED), say("planning.field.version")]
    print_table("", columns, [[*_cells(stored.plan), stored.version] for stored in found])


def _show(seat: Seat, plan: PlanId, as_json: AsJson = False) -> None:
    from qianheng.actions.planning import show_plan

    with seat.desk() as desk:
        standing = show_plan(desk, plan)
    if as_json:
        print_json(_standing_json(standing))
        return
    stored = standing.stored
    print_table("", ["", ""], [*_fields_of(stored.plan), [say("planning.field.version"), stored.version]])
    _print_standing(standing)


def _log(seat: Seat, plan: PlanId, as_json: AsJson = False) -> None:
    from qianheng.actions.planning import change_text, log_of_plan

    with seat.desk() as desk:
        found = log_of_plan(desk, plan)
    if as_json:
        print_json([_change_json(made, str(desk.now.tzinfo)) for made in found])
        return
    columns = headings("planning", "version", "at", "actor", "changes", "reason")
    rows = [
        (made.version, minute(made.at, desk.now), made.actor, change_text(made), made.reason or None) for made in found
    ]
    print_table("", columns, rows)


def _change(
    seat: Seat,
    plan: PlanId,
    changes: Fields,
    reason: Reason = "",
    version: Version = None,
    surface: Surface = "cli",
    confirm: Confirm = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.planning import Wanted

    wanted = Wanted(plan, read_fields(changes), reason, version, surface, confirm)
    _carry_out(wanted, seat, dry_run, as_json)


def _to(status: str) -> Any:
    """The command that gives a plan a status."""

    def command(
        seat: Seat,
        plan: PlanId,
        reason: Reason = "",
        version: Version = None,
        surface: Surface = "cli",
        confirm: Confirm = False,
        dry_run: DryRun = False,
        as_json: AsJson = False,
    ) -> None:
        from qianheng.actions.planning import Wanted

        wanted = Wanted(plan, {"status": status}, reason, version, surface, confirm)
        _carry_out(wanted, seat, dry_run, as_json)

    return command


def read_fields(texts: list[str]) -> dict[str, Value]:
    """The fields and values in "target=3.2 budget_daily=500"; all that cannot be read is told at once."""
    from qianheng.plans.writing import written

    values, faults = dict[str, Any](), list[BadInput]()
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            if not equals or name in values:
                raise BadInput("planning.bad_field", value=text)
            values[name] = written(name, value)
        except BadInput as error:
            faults.append(error)
    raise_together(faults)
    return values


def _carry_out(wanted: Wanted, seat: Seat, dry_run: bool, as_json: bool) -> None:
    """Look first, ask where something is lost, then make the change and show the plan as it is then."""
    from qianheng.actions.planning import change_plan, consider
    from qianheng.actions.whatif import foreseen

    with seat.desk() as desk:
        considered = consider(desk, wanted)
        expected = foreseen(desk, considered.standing.stored.plan, dict(considered.made.after))
        if not as_json:
            _print_considered(considered, expected)
        try:
            if not dry_run and considered.made.after:
                considered = change_plan(desk, _confirmed(wanted, considered, as_json))
        except Refused:
            if as_json:
                print_json(
                    _considered_json(considered, expected)
                )  # a program too is told what the change would have done
            raise
    if as_json:
        print_json(_considered_json(considered, expected))
    elif considered.saved is not None:
        plan, stored = considered.saved.plan, considered.saved
        status = say(f"pages.plan_status.{plan.status}")
        typer.echo(say("planning.saved", plan=plan.name, version=stored.version, status=status))


def _confirmed(wanted: Wanted, considered: Considered, as_json: bool) -> Wanted:
    """What is wanted, confirmed if a person at a terminal says so, and for the very version that was shown."""
    seen = replace(wanted, version=considered.standing.stored.version)
    if wanted.confirmed or not considered.asks or as_json or not sys.stdin.isatty():
        return seen
    return replace(seen, confirmed=typer.confirm(say("planning.sure")))


def _print_considered(considered: Considered, expected: Foreseen | None) -> None:
    from qianheng.actions.planning import change_text, effect_text

    plan = considered.standing.stored.plan
    if not considered.made.after:
        typer.echo(say("planning.no_change", plan=plan.name))
        return
    typer.echo(say("planning.wanted", plan=plan.name, changes=change_text(considered.made)))
    typer.echo(effect_text(considered.weighed, plan.timezone))
    if considered.limit is not None:
        typer.echo(considered.limit.text(plan.name))
    smaller = considered.weighed.smaller
    if smaller is not None:
        typer.echo(say("planning.smaller", changes=change_text(smaller)))
    elif considered.weighed.costs and "status" in dict(considered.made.after):
        typer.echo(say("planning.instead_of_pausing"))
    if "status" in dict(considered.made.after):
        _print_standing(considered.standing)
    if expected is not None:
        print_outlooks(say("planning.expected"), {"now": expected.now, "asked": expected.then})


def _print_standing(standing: PlanStanding) -> None:
    """The plan's figures of today and seven days, and its guarantee of today."""
    columns = ["", *headings("planning", "spend", "gmv", "orders", *RATIOS)]
    rows = [(say(f"planning.{name}"), *_figures(standing, sums)) for name, sums in _spans(standing)]
    print_table("", columns, rows)
    verdict = standing.verdict
    told = {"status": say(f"guarantee.status.{verdict.status}"), "amount": money_text(verdict.compensation)}
    typer.echo(say("planning.guarantee", **told))


def _spans(standing: PlanStanding) -> tuple[tuple[str, Sums], ...]:
    return ("today", standing.today), ("week", standing.week)


def _figures(standing: PlanStanding, sums: Sums) -> list[str | None]:
    money = [money_text(sums.spend), money_text(sums.gmv), f"{sums.orders:,}"]
    return [*money, _percent(sums.ctr), _percent(sums.cvr), _two_places(standing.roi(sums))]


def _percent(share: Fraction | None) -> str | None:
    return None if share is None else f"{float(share):.2%}"


def _two_places(ratio: Fraction | None) -> str | None:
    return None if ratio is None else f"{float(ratio):.2f}"


def _cells(plan: Any) -> list[str | None]:
    from qianheng.actions.planning import in_words

    return [in_words(name, getattr(plan, name)) for name in LISTED]


def _fields_of(plan: Any) -> Iterable[list[str | None]]:
    from qianheng.actions.planning import in_words

    names = (field.name for field in fields(plan))
    return [[say(f"planning.field.{name}"), in_words(name, getattr(plan, name))] for name in names]


def _shown(name: str, value: Value) -> str | None:
    from qianheng.plans.writing import shown

    return shown(name, value) or None


def _plan_json(plan: Any, version: int) -> dict[str, Any]:
    shown = {field.name: _shown(field.name, getattr(plan, field.name)) for field in fields(plan)}
    ids = {name: getattr(plan, name) for name in ("id", "shop_id", "ad_account_id", "room_id")}
    lists = {name: list(getattr(plan, name)) for name in ("product_ids", "room_ids", "schedule", "creative_ids")}
    places = {"placements": [place.name.lower() for place in plan.placements]}
    return shown | ids | lists | places | {"roi_float": plan.roi_float, "version": version}


def _standing_json(standing: PlanStanding) -> dict[str, Any]:
    from qianheng.guarantee.verdict import answer

    stored = standing.stored
    figures = {name: _sums_json(standing, sums) for name, sums in _spans(standing)}
    return {
        "plan": _plan_json(stored.plan, stored.version),
        **figures,
        "guarantee": answer(standing.verdict, stored.plan.timezone),
    }


def _sums_json(standing: PlanStanding, sums: Sums) -> dict[str, Any]:
    from qianheng.core.money import ratio_text, yuan

    ratios = {"ctr": sums.ctr, "cvr": sums.cvr, "roi": standing.roi(sums)}
    money = {"spend": yuan(sums.spend), "gmv": yuan(sums.gmv), "orders": sums.orders}
    return money | {name: ratio_text(ratio) for name, ratio in ratios.items()}


def _change_json(made: PlanChange, timezone: str) -> dict[str, Any]:
    from qianheng.core.days import zone

    before, after = ({name: _shown(name, value) for name, value in pairs} for pairs in (made.before, made.after))
    told = {"version": made.version, "at": made.at.astimezone(zone(timezone)).isoformat(), "actor": made.actor}
    return told | {"reason": made.reason, "before": before, "after": after}


def _considered_json(considered: Considered, expected: Foreseen | None) -> dict[str, Any]:
    from qianheng.actions.whatif import outlook_json
    from qianheng.core.days import moment
    from qianheng.core.money import yuan

    weighed, zone_name = considered.weighed, considered.standing.stored.plan.timezone
    smaller, safe_at = weighed.smaller, weighed.safe_at
    effect = {
        "effect": weighed.effect,
        "reason": weighed.reason,
        "at_stake": yuan(weighed.at_stake),
        "commission_too_high": considered.limit is not None and considered.limit.too_high,
        "safe_at": None if safe_at is None else moment(safe_at, zone_name).isoformat(),
        "smaller": None if smaller is None else _change_json(smaller, zone_name)["after"],
        "status_before": weighed.before.status,
        "status_after": weighed.after.status,
    }
    saved = considered.saved
    return {
        "change": _change_json(considered.made, zone_name) if considered.made.after else None,
        "effect": effect,
        "expected": expected and {"now": outlook_json(expected.now), "then": outlook_json(expected.then)},
        "standing": _standing_json(considered.standing),
        "saved": None if saved is None else _plan_json(saved.plan, saved.version),
    }
