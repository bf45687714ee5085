"""How imported reports and the answers from them are told: as JSON (CONTRACTS 3) and as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import typer

from qianheng.actions.reports import Answer, Entry, Imported, ImportedFile, LeftOut, Restated
from qianheng.actions.spreadsheet import write_table
from qianheng.cli.output import headings, print_table
from qianheng.core.money import ratio_text, yuan
from qianheng.core.words import say
from qianheng.diagnosis.verdicts import Verdict
from qianheng.measures.metrics import metric, metric_name
from qianheng.measures.reports import CNY, MONEY, RATIOS, Span, Summary, summed

RATIOS_OF_ENTRIES = ("payment_roi", "net_roi", "refund_rate_1h")
SUMS = ("spend", "orders", "gmv", "net_orders", "net_gmv", "refunded_1h")
REJECTED_SHOWN = 20
REMARKS_SHOWN = 8
NAME_SHOWN = 16


def imported_json(imported: Imported) -> dict[str, Any]:
    """The answer of `qianheng import --json`."""
    return {
        "files": [_file_json(file) for file in imported.files],
        "totals": _only(imported.totals),
        "totals_by_currency": [{"currency": code, **summary_json(told)} for code, told in imported.totals.items()],
        "warnings": [*_left_out(imported.left_out), *_twice(imported.twice)],
    }


def _only(totals: Mapping[str, Summary]) -> dict[str, Any]:
    """The totals of the only currency; of several there is no sum, and nothing is told."""
    code, told = next(iter(totals.items())) if len(totals) == 1 else (None, summed([]))
    return {"currency": code, **summary_json(told)}


def _file_json(file: ImportedFile) -> dict[str, Any]:
    export = file.export
    return {
        "file": file.file,
        "kind": export.kind.value if export else None,
        "platform": export.platform if export else None,
        "layout": export.layout if export else None,
        "period": _days(export.period if export else None),
        "timezone": (export.timezone or None) if export else None,
        "currencies": sorted({row.currency for row in export.rows}) if export else [],
        "rows": export.lines if export else 0,
        "rejected": [
            {"row": fault.row, "column": fault.column, "value": fault.value, "reason": fault.reason}
            for fault in (export.rejected if export else ())
        ],
        "ignored_columns": list(export.ignored_columns) if export else [],
        "stored": file.stored,
        "known": file.known,
        "error": str(file.error) if file.error else None,
        "warnings": list(export.warnings) if export else [],
        "total_rows": [
            {"row": total.row, "differences": [_difference(*told) for told in total.differences]}
            for total in (export.totals if export else ())
        ],
    }


def _difference(column: str, stated: str, summed: str) -> dict[str, str]:
    return {"column": column, "total": stated, "sum": summed}


def summary_json(sums: Summary) -> dict[str, Any]:
    """Every figure that is asked for, unknown ones as null, and the others that are known; then the ratios."""
    told: dict[str, Any] = {}
    for entry in fields(sums.figures):
        value = getattr(sums.figures, entry.name)
        if value is not None or entry.name in SUMS:
            told[entry.name] = yuan(value) if value is not None and entry.name in MONEY else value
    return told | {name: ratio_text(getattr(sums, name)) for name in RATIOS}


def print_imported(imported: Imported) -> None:
    """What became of each file, what is wrong with it, and the sums."""
    columns = headings("reports", "file", "report", "period", "rows", "rejected", "state")
    print_table("", columns, [_file_row(file) for file in imported.files])
    for file in imported.files:
        for line in _faults(file):
            typer.echo(line)
    remarks = [line for file in imported.files for line in _remarks(file)]
    for line in remarks[:REMARKS_SHOWN]:
        typer.echo(line)
    if (more := len(remarks) - REMARKS_SHOWN) > 0:
        typer.echo(say("reports.more_remarks", count=more))
    for warning in [*_left_out(imported.left_out), *_twice(imported.twice)]:
        typer.echo(warning)
    for currency, told in imported.totals.items():
        _print_summary(f"{say('reports.totals')}{_in(currency)}", told)


def _file_row(file: ImportedFile) -> list[object]:
    name, export = Path(file.file).name, file.export
    if export is None:
        return [name, None, None, None, None, say("reports.state.unreadable")]
    state = "stored" if file.stored else "known" if file.known else "rejected"
    period = _period_text(export.period)
    layout = say(f"vendors.layout.{export.layout}")
    return [name, layout, period, export.lines, len(export.rejected), say(f"reports.state.{state}")]


def _faults(file: ImportedFile) -> Iterable[str]:
    if file.export is None:
        return
    name = Path(file.file).name
    for fault in file.export.rejected[:REJECTED_SHOWN]:
        place = say("reports.place", file=name, row=fault.row)
        yield f"{place}{', ' + fault.column if fault.column else ''}: {fault.reason}"
    if (more := len(file.export.rejected) - REJECTED_SHOWN) > 0:
        yield f"{name}: {say('reports.more_rejected', count=more)}"
    if file.export.rejected and not (file.stored or file.known):
        yield f"{name}: {say('reports.how_to_skip')}"


def _remarks(file: ImportedFile) -> Iterable[str]:
    if file.export is None:
        return
    name = Path(file.file).name
    yield from (f"{name}: {warning}" for warning in file.export.warnings)
    if file.export.ignored_columns:
        yield f"{name}: {say('reports.ignored', columns=', '.join(file.export.ignored_columns))}"
    if file.export.period is None:
        yield f"{name}: {say('reports.no_period')}"


def _in(currency: str) -> str:
    """What stands behind a title whose money is not in yuan."""
    return "" if currency == CNY else say("reports.in_currency", currency=currency)


def answers_json(answers: Sequence[Answer]) -> dict[str, Any]:
    """The answer of `qianheng report --json`, of each currency by itself; with nothing stored, how to begin."""
    if not answers:
        return {"period": [None, None], "message": say("reports.nothing_stored"), "entries": []}
    if len(answers) > 1:
        return {"by_currency": [_answer_json(answer) for answer in answers]}
    return _answer_json(answers[0])


def _answer_json(answer: Answer) -> dict[str, Any]:
    return {
        "currency": answer.currency,
        "period": _days(answer.period),
        "days": answer.days,
        "files": answer.files,
        "totals": summary_json(answer.total),
        "by": answer.by,
        "entries": [_entry_json(entry) for entry in answer.entries],
        "ranked": answer.ranked_kind.value if answer.ranked_kind else None,
        "best": [_entry_json(entry) for entry in answer.best],
        "worst": [_entry_json(entry) for entry in answer.worst],
        "verdicts": [_verdict_json(verdict) for verdict in answer.verdicts],
        "missing": [{"question": key, "needs": say(f"reports.missing.{key}")} for key in answer.missing],
        "restated": [_restated_json(change) for change in answer.restated],
        "warnings": [*_left_out(answer.left_out), *_undated(answer), *_twice(answer.twice)],
    }


def _restated_json(change: Restated) -> dict[str, Any]:
    before, after = summary_json(change.before), summary_json(change.after)
    return {"period": _days(change.period), "before": before, "after": after}


def _entry_json(entry: Entry) -> dict[str, Any]:
    told = {"id": entry.id or None, "name": entry.name, "spend_share": ratio_text(entry.spend_share)}
    return told | summary_json(entry.summary) | {"verdicts": [_verdict_json(verdict) for verdict in entry.verdicts]}


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "measure": verdict.measure,
        "value": ratio_text(verdict.value),
        "limit": verdict.limit or None,
        "verdict": verdict.verdict,
        "severity": verdict.severity,
        "text": say(f"diagnosis.verdict.{verdict.verdict}"),
    }


def print_answers(answers: Sequence[Answer]) -> None:
    """Of each currency: sums, verdicts with their remedy, the breakdown, best and worst, and what could not be answered
    and why."""
    if not answers:
        typer.echo(say("reports.nothing_stored"))
    for answer in answers:
        _print_answer(answer)


def _print_answer(answer: Answer) -> None:
    title = say("reports.title", period=_period_text(answer.period), days=answer.days)
    _print_summary(f"{title}{_in(answer.currency)}", answer.total)
    _print_verdicts(answer.verdicts)
    _print_entries(say("reports.by", what=say(f"reports.breakdown.{answer.by}")), answer.entries)
    if answer.ranked_kind:
        what = say(f"reports.breakdown.{answer.ranked_kind.value}")
        _print_entries(say("reports.best", what=what), answer.best)
        _print_entries(say("reports.worst", what=what), answer.worst)
    for change in answer.restated:
        before, after = (_money(sums.figures.net_gmv) for sums in (change.before, change.after))
        typer.echo(say("reports.restated", period=_period_text(change.period), before=before, after=after))
    for line in [*_left_out(answer.left_out), *_undated(answer), *_twice(answer.twice)]:
        typer.echo(line)
    typer.echo(say("reports.not_answered"))
    for key in answer.missing:
        typer.echo(f"  - {say(f'reports.missing.{key}')}")


def export_entries(answers: Sequence[Answer], path: Path) -> None:
    """Write the breakdown as XLSX or CSV, one entry a line, money in the currency it names."""
    columns = ["id", say(f"reports.breakdown.{answers[0].by}"), *(metric_name(name) for name in SUMS)]
    columns += [metric_name(name) for name in RATIOS]
    columns.append(say("reports.column.currency"))
    lines = [(entry, answer.currency) for answer in answers for entry in answer.entries]
    write_table(path, columns, [[entry.id, entry.name, *_numbers(entry.summary), code] for entry, code in lines])


def _numbers(sums: Summary) -> Iterable[Decimal | int | None]:
    for name in SUMS:
        value = getattr(sums.figures, name)
        yield Decimal(yuan(value)) if value is not None and name in MONEY else value
    for name in RATIOS:
        told = ratio_text(getattr(sums, name))
        yield Decimal(told) if told is not None else None


def _print_summary(title: str, sums: Summary) -> None:
    names = [metric_name(name) for name in SUMS] + [metric_name(name) for name in RATIOS]
    told = zip(names, _cells(sums), strict=True)
    print_table(title, [say("reports.column.figure"), say("reports.column.sum")], told)


def _print_entries(title: str, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    columns = [say("reports.column.name"), metric_name("spend"), say("reports.column.spend_share")]
    columns += [metric_name(name) for name in RATIOS_OF_ENTRIES]
    print_table(title, [*columns, say("reports.column.verdict")], [_entry_row(entry) for entry in entries])


def _entry_row(entry: Entry) -> list[object]:
    ratios = [_ratio(name, getattr(entry.summary, name)) for name in RATIOS_OF_ENTRIES]
    told = [say(f"diagnosis.severity.{verdict.severity}") for verdict in entry.verdicts if verdict.severity != "normal"]
    spend, share = _money(entry.summary.figures.spend), _percent(entry.spend_share)
    return [_short(entry.name or entry.id), spend, share, *ratios, ", ".join(dict.fromkeys(told)) or None]


def _short(name: str) -> str:
    """A name that leaves room for its figures; long ones differ at their end."""
    return name if len(name) <= NAME_SHOWN else f"{name[:4]}…{name[5 - NAME_SHOWN :]}"


def _print_verdicts(judged: Sequence[Verdict]) -> None:
    for verdict in judged:
        severity, measure = say(f"diagnosis.severity.{verdict.severity}"), say(f"diagnosis.measure.{verdict.measure}")
        value = _percent(verdict.value)
        typer.echo(f"[{severity}] {measure} {value}: {say(f'diagnosis.verdict.{verdict.verdict}')}")


def _cells(sums: Summary) -> list[object]:
    figures = [getattr(sums.figures, name) for name in SUMS]
    told = [_money(value) if name in MONEY else value for name, value in zip(SUMS, figures, strict=True)]
    return [*told, *(_ratio(name, getattr(sums, name)) for name in RATIOS)]


def _ratio(name: str, value: Fraction | None) -> str | None:
    return _percent(value) if metric(name).unit == "rate" else ratio_text(value, 2)


def _percent(value: Fraction | None) -> str | None:
    return None if value is None else f"{ratio_text(value * 100, 1)}%"


def _money(value: int | None) -> str | None:
    return None if value is None else yuan(round(value, -4))


def _days(period: Span | None) -> list[str | None]:
    return [str(day) for day in period] if period else [None, None]


def _period_text(period: Span | None) -> str | None:
    if period is None:
        return None
    return str(period[0]) if period[0] == period[1] else f"{period[0]} – {period[1]}"


def _left_out(left_out: LeftOut) -> list[str]:
    return [
        say("reports.left_out", kind=say(f"reports.breakdown.{kind.value}"), period=_period_text(period))
        for kind, period in _joined(left_out)
    ]


def _twice(lines: int) -> list[str]:
    return [say("reports.told_twice", lines=lines)] if lines else []


def _joined(left_out: LeftOut) -> LeftOut:
    """Days that follow each other, of one kind of report, as one period."""
    joined: list[Any] = []
    for kind, period in left_out:
        if joined and joined[-1][0] is kind and joined[-1][1][1] + timedelta(days=1) == period[0]:
            joined[-1] = (kind, (joined[-1][1][0], period[1]))
        else:
            joined.append((kind, period))
    return joined


def _undated(answer: Answer) -> list[str]:
    return [say("reports.undated", rows=answer.undated)] if answer.undated else []
