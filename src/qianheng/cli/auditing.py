"""`qianheng export reports` and `qianheng guarantee audit`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import App, Seat
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from datetime import datetime

    from qianheng.actions.auditing import Audit, AuditedDay
    from qianheng.core.money import Micros

COLUMNS = ("plan", "name", "day", "policy", "target_from", "rests_on", "least", "most", "status", "reason", "missing")
SHOWN = ("name", "day", "least", "most", "status", "why")  # on a screen; the rest is said once below
BASIS = ("policy", "target_from", "rests_on")


def _option(name: str, metavar: str, key: str) -> Any:
    return typer.Option(name, metavar=metavar, help=say(f"audit.command.{key}"))


First: TypeAlias = Annotated[str, _option("--from", "DAY", "first")]
Last: TypeAlias = Annotated[str, _option("--to", "DAY", "last")]
OfTime: TypeAlias = Annotated[str, _option("--now", "TIME", "now")]
ToFile: TypeAlias = Annotated[str, _option("--export", "FILE", "export_file")]
Every: TypeAlias = Annotated[bool, typer.Option("--all", help=say("audit.command.all"))]


def build_export_app() -> typer.Typer:
    """The commands that write a run as other platforms' files."""
    app = App(say("audit.command.export"), no_args_is_help=True)
    app.callback()(lambda: None)
    app.command("reports", help=say("audit.command.reports"))(_export_reports)
    return app


def add_to(app: typer.Typer) -> None:
    """Add the audit to the commands of the guarantee."""
    app.command("audit", help=say("audit.command.audit"))(_audit)


def _export_reports(
    seat: Seat,
    out: Annotated[str, _option("--out", "FOLDER", "out")],
    as_shown: Annotated[bool, typer.Option("--as-shown", help=say("audit.command.as_shown"))] = False,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.report_exports import export_reports

    with seat.desk() as desk:
        files = export_reports(desk, Path(out), as_shown)
    if as_json:
        print_json({"files": [{"file": str(one.path), "lines": one.lines} for one in files]})
    else:
        print_table("", headings("audit", "file", "lines"), [(one.path, one.lines) for one in files])


def _audit(
    first: First = "",
    last: Last = "",
    plan: Annotated[str, _option("--plan", "ID", "plan")] = "",
    policy: Annotated[str, _option("--policy", "NAME", "policy")] = "",
    now: OfTime = "",
    export: ToFile = "",
    claims: Annotated[bool, typer.Option("--claims", help=say("audit.command.claims"))] = False,
    every: Every = False,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.auditing import Asked, audit_reports
    from qianheng.actions.spreadsheet import write_table
    from qianheng.cli.reports import stored
    from qianheng.core.days import parse_day

    days = [parse_day(text, name) if text else None for name, text in (("--from", first), ("--to", last))]
    asked = Asked(time_of(now), days[0], days[1], plan, policy)
    with stored() as engine:
        found = audit_reports(engine, asked)
    told = [_day_json(found, one) for one in found.days]
    if export:
        rows = [[_flat(day[name]) for name in COLUMNS] for day in told]
        write_table(Path(export), headings("audit", *COLUMNS), rows)
    if as_json:
        print_json({"days": told, **_total_json(found), "claim": _claim(found)})
    else:
        _print(found, told, every)
        if claims:
            typer.echo(_claim(found))


def time_of(text: str) -> datetime:
    """The time given with `--now`, in the zone of China if it says none; now without. Unreadable: BadInput."""
    from datetime import UTC, datetime

    from qianheng.core.days import SHANGHAI, parse_time
    from qianheng.core.errors import BadInput

    try:
        return parse_time(text, SHANGHAI) if text else datetime.now(UTC)
    except BadInput as error:
        raise error.at("--now") from None


def _yuan(amount: Micros | None) -> str | None:
    from qianheng.core.money import yuan

    return None if amount is None else yuan(amount)


def _day_json(whole: Audit, one: AuditedDay) -> dict[str, Any]:
    from qianheng.guarantee.verdict import answer

    found = one.audited
    verdict = answer(found.verdict, found.unit.timezone) if found.verdict else None
    return {
        "plan": found.unit.plan_id,
        "name": one.name,
        "day": found.unit.day.isoformat(),
        "policy": one.policy.name,
        "target_from": one.target_from,
        "rests_on": found.rests_on,
        "least": _yuan(found.least),
        "most": _yuan(found.most),
        "status": whole.status_of(one),
        "reason": verdict["reason"] if verdict else None,
        "missing": list(found.missing),
        "assumed": list(found.assumed),
        "verdict": verdict,
    }


def _total_json(found: Audit) -> dict[str, Any]:
    credited = (
        None if found.credited is None else [{"day": str(day), "amount": _yuan(sum_)} for day, sum_ in found.credited]
    )
    ends = found.difference
    return {
        "due": [_yuan(end) for end in found.due],
        "credited": credited,
        "apart": [{"unit": one.unit, "days": one.days, "spend": _yuan(one.spend)} for one in found.apart],
        "difference": None if ends is None else [_yuan(end) for end in ends],
    }


def _flat(value: Any) -> str | None:
    return ", ".join(value) if isinstance(value, list) else value


def _print(found: Audit, told: list[dict[str, Any]], every: bool) -> None:
    shown = [day for day in told if every or not _quiet(day)]
    if shown:
        plans = {(day["plan"], day["name"]) for day in shown}
        of_name = Counter(name for _, name in plans)
        print_table("", headings("audit", *SHOWN), [_row(day, of_name[day["name"]] > 1) for day in shown])
        _print_basis(shown)
    if quiet := len(told) - len(shown):
        typer.echo(say("audit.told.quiet", days=quiet, all=len(told)))
    if unknown := sum(day["least"] is None for day in told):
        typer.echo(say("audit.told.unknown", days=unknown))
    for one in found.apart:
        typer.echo(say(f"audit.apart.{one.unit}", days=one.days, spend=_yuan(one.spend)))
    ends, credited = found.difference, found.credited
    paid = say("audit.told.no_statement") if credited is None else _yuan(sum(amount for _, amount in credited))
    difference = None if ends is None else _between(ends)
    typer.echo(say("audit.told.due", due=_between(found.due), credited=paid, difference=difference or "–"))
    if credited is not None and not found.whole:
        typer.echo(say("audit.told.part"))
    if assumed := sorted({name for day in told for name in day["assumed"]}):
        typer.echo(say("audit.told.assumed", what=", ".join(say(f"audit.missing.{name}") for name in assumed)))


def _quiet(day: dict[str, Any]) -> bool:
    """Whether a day needs no look: it was judged, nothing was due, and nothing is missing."""
    return day["status"] == "ended" and not day["missing"] and day["most"] == "0.00"


def _between(ends: tuple[Micros, Micros]) -> str | None:
    if ends[0] == ends[1]:
        return _yuan(ends[0])
    return say("audit.told.between", least=_yuan(ends[0]), most=_yuan(ends[1]))


def _row(day: dict[str, Any], by_id: bool) -> list[object]:
    """A day for a person. by_id: another plan has the same name."""
    status = day["status"]
    why = [say(f"guarantee.reason.{day['reason']}")] if day["reason"] else []
    why += [say("audit.told.missing", what=say(f"audit.missing.{name}")) for name in day["missing"]]
    of = f"{day['name']} ({day['plan']})" if by_id else day["name"]
    said = status and say("audit.told.is_due" if status == "due" else f"guarantee.status.{status}")
    return [of, day["day"], day["least"], day["most"], said, "; ".join(why) or None]


def _print_basis(shown: list[dict[str, Any]]) -> None:
    """By which policy the days are judged, whose word their targets are and what their figures rest on, said once."""
    for basis, days in Counter(tuple(day[name] for name in BASIS) for day in shown).items():
        policy, *coded = basis
        target_from, rests_on = (say(f"audit.source.{code}") if code else "–" for code in coded)
        typer.echo(say("audit.told.basis", days=days, policy=policy, target_from=target_from, rests_on=rests_on))


def _claim(found: Audit) -> str:
    """The text of a claim for every day that something is certainly due for, unless all of it was credited."""
    if found.difference and found.due[0] and found.difference[0] <= 0:
        return say("audit.claim.credited", due=_yuan(found.due[0]))
    lines = [_claim_line(found, one) for one in found.days if one.audited.least]
    return "\n".join([say("audit.claim.title"), *lines]) if lines else say("audit.claim.nothing")


def _claim_line(found: Audit, one: AuditedDay) -> str:
    day = _day_json(found, one)
    verdict = day["verdict"]
    return say(
        "audit.claim.line",
        plan=day["plan"],
        name=one.name,
        day=day["day"],
        policy=one.policy.name,
        due=day["least"],
        spend=verdict["spend"],
        gmv=verdict["gmv"],
        orders=verdict["orders"],
        roi=verdict["actual_roi"],
        target=verdict["weighted_target"],
    )
