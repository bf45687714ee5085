"""`qianheng doctor`: what is wrong with reports, and how to put it right."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.cli.reports import CurrencyCode, First, Last, Zone, currency_of, period_of
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.doctor import Patient
    from qianheng.vendors.doctor import Finding

ROWS_SHOWN = 5


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", help=say("doctor.command.about"))(_doctor)


def _doctor(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help=say("doctor.command.files"))],
    fix: Annotated[str, typer.Option("--fix", metavar="OUT", help=say("doctor.command.fix"))] = "",
    timezone: Zone = "",
    currency: CurrencyCode = "",
    first: First = "",
    last: Last = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.doctor import examine_files
    from qianheng.vendors.exports import Reading

    reading = Reading(datetime.now(UTC), timezone, period_of(first, last), currency_of(currency))
    patients = examine_files(files, reading, fix)
    if as_json:
        print_json({"files": [_json(patient) for patient in patients]})
    else:
        for patient in patients:
            _print(patient, bool(fix))
    for patient in patients:
        if patient.error:
            sys.stderr.write(f"qianheng: {patient.error.at(str(patient.file))}\n")
    raise typer.Exit(max(patient.exit_code for patient in patients))


def _json(patient: Patient) -> dict[str, Any]:
    examined = patient.examined
    export, heading = (examined.export, examined.heading) if examined else (None, None)
    platform, layout = heading.known_as if heading else (None, None)
    return {
        "file": str(patient.file),
        "healthy": bool(examined and examined.healthy),
        "written": examined.written if examined else None,
        "platform": platform,
        "layout": layout,
        "header_row": heading.row if heading else None,
        "period": [str(day) for day in export.period] if export and export.period else [None, None],
        "rows": export.lines if export else 0,
        "findings": [_finding_json(finding) for finding in (examined.findings if examined else ())],
        "fixed": str(patient.copy) if patient.copy else None,
        "error": str(patient.error) if patient.error else None,
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "finding": finding.key,
        "rows": list(finding.rows),
        "column": finding.column,
        "value": finding.value,
        "what": finding.what,
        "remedy": finding.remedy,
        "fixable": finding.fixable,
        "grave": finding.grave,
    }


def _print(patient: Patient, asked_to_fix: bool) -> None:
    name, examined = patient.file.name, patient.examined
    if examined is None:
        return
    if examined.heading:
        typer.echo(_recognised(name, patient))
    columns = headings("doctor", "line", "count", "column", "value", "what", "remedy")
    if examined.findings:
        print_table("" if examined.heading else name, columns, [_row(finding) for finding in examined.findings])
    if examined.healthy:
        typer.echo(say("doctor.healthy", file=name))
    if asked_to_fix:
        key = "fixed" if patient.copy else "not_fixed"
        typer.echo(say(f"doctor.{key}", file=name, out=patient.copy))


def _recognised(name: str, patient: Patient) -> str:
    assert patient.examined
    assert patient.examined.heading
    heading, export = patient.examined.heading, patient.examined.export
    period = f"{export.period[0]} – {export.period[1]}" if export and export.period else say("doctor.no_period")
    layout = say(f"vendors.layout.{heading.known_as[1]}")
    return say(
        "doctor.written_as", file=name, written=patient.examined.written, layout=layout, row=heading.row, period=period
    )


def _row(finding: Finding) -> list[object]:
    shown = ", ".join(map(str, finding.rows[:ROWS_SHOWN]))
    more = "…" if len(finding.rows) > ROWS_SHOWN else ""
    return [f"{shown}{more}" or None, len(finding.rows) or None, *_told(finding)]


def _told(finding: Finding) -> list[object]:
    return [finding.column, finding.value or None, finding.what, finding.remedy]
