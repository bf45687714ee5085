"""Import the reports a merchant holds and answer from them: what did it cost, what did it bring, what is to be done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from sqlalchemy import Engine

from qianheng.actions.record_files import FileRead, import_records
from qianheng.core.days import microseconds
from qianheng.core.errors import BadInput, QianhengError
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros, ratio
from qianheng.diagnosis.ranking import Contender, best_and_worst
from qianheng.diagnosis.verdicts import Thresholds, Verdict, verdicts
from qianheng.measures.reports import (
    CNY,
    ReportKind,
    ReportRow,
    Span,
    Summary,
    counted_once,
    days_of,
    of_account,
    preferred_undated,
    summary,
)
from qianheng.plans.plan import Goal
from qianheng.store import reports as stored_reports
from qianheng.store.database import reading
from qianheng.store.reports import ReportFile, StoredRow
from qianheng.vendors.exports import Export, Reading, read_report
from qianheng.vendors.sheets import read_sheets

SUFFIXES = (".xlsx", ".xls", ".csv", ".tsv", ".txt")
BYTES_AT_MOST = 256 * 2**20
LeftOut = list[tuple[ReportKind, Span]]


@dataclass(frozen=True, slots=True)
class Importing:
    """How to import. `period` stands in for that of the file, `timezone` and `currency` for what a platform does not
    tell; `account` sets the rows of one ad account apart."""

    now: datetime
    timezone: str = ""
    period: Span | None = None
    currency: str = ""
    account: str = ""
    skip_bad_rows: bool = False


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What became of one file: read or not (`error`), stored now, or known before (`known`)."""

    file: str
    export: Export | None = None
    error: QianhengError | None = None
    stored: bool = False
    known: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of all files, and by currency the sums of those accepted, each day's spend counted once. `twice`: how
    many lines of theirs are known of an account already, or name the account of what was known without."""

    files: tuple[ImportedFile, ...]
    totals: dict[str, Summary]
    left_out: LeftOut
    twice: int = 0

    @property
    def exit_code(self) -> int:
        """2 when a file could not be read, 1 when one was not stored for its bad rows, else 0."""
        if any(file.error for file in self.files):
            return 2
        return int(any(not (file.stored or file.known) for file in self.files))


def import_files(
    engine: Engine, paths: Sequence[str], how: Importing, told: Callable[[str], None] = lambda name: None
) -> Imported:
    """Import reports: files, folders or patterns. Each file is stored whole or not at all; a faulty one stops no other.

    `told` hears the name of each file when its turn comes. A file is known by its content: twice changes nothing.
    """
    results = []
    accepted: dict[object, ReportRow] = {}
    for path in expand(paths):
        told(path.name)
        result, rows = _import_file(engine, path, how)
        results.append(result)
        accepted.update({(row.key, None if row.first else path): row for row in rows})
    totals: dict[str, Summary] = {}
    left_out: LeftOut = []
    for currency, known in by_currency(accepted.values()).items():
        kept, beside = counted_once(known)
        totals[currency] = summary(kept or preferred_undated(known))
        left_out += beside
    return Imported(tuple(results), totals, left_out, _twice(engine, accepted.values()))


def _twice(engine: Engine, rows: Collection[ReportRow]) -> int:
    days = [day for row in rows if row.first and row.last for day in (row.first, row.last)]
    if not days:
        return 0
    with reading(engine) as connection:
        stored = stored_reports.load(connection, min(days), max(days))
    told = {row.told for row in rows}
    return sum(one.twice and one.row.told in told for one in stored)


def by_currency(rows: Iterable[ReportRow]) -> dict[str, list[ReportRow]]:
    """Rows whose money may be added, by what it is in; yuan first. Without any, nothing in yuan."""
    found: dict[str, list[ReportRow]] = {}
    for row in rows:
        found.setdefault(row.currency, []).append(row)
    return {currency: found[currency] for currency in sorted(found, key=lambda code: (code != CNY, code))} or {CNY: []}


def expand(paths: Sequence[str]) -> list[Path]:
    """The files that paths, folders and patterns name. None: BadInput."""
    found: list[Path] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found += sorted(entry for entry in path.rglob("*") if _is_report(entry))
        elif not path.exists() and any(sign in path.name for sign in "*?["):
            found += sorted(entry for entry in path.parent.glob(path.name) if entry.is_file()) or [path]
        else:
            found.append(path)
    if not found:
        raise BadInput("reports.nothing_to_import", place=", ".join(paths), suffixes=", ".join(SUFFIXES))
    return found


def _is_report(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "~$"))


def _import_file(engine: Engine, path: Path, how: Importing) -> tuple[ImportedFile, tuple[ReportRow, ...]]:
    reading = Reading(how.now, how.timezone, how.period, how.currency)
    try:
        content = content_of(path)
        sheets, digest = read_sheets(content), hashlib.sha256(content).hexdigest()
        file = FileRead(path.name, digest, sheets)
        if (told := import_records(engine, file, reading, how.skip_bad_rows)) is not None:
            return ImportedFile(str(path), told.export, stored=told.stored, known=told.known), ()
        export = read_report(path.name, sheets, reading)
    except QianhengError as error:
        return ImportedFile(str(path), error=error.at(str(path))), ()
    if export.rejected and not how.skip_bad_rows:
        return ImportedFile(str(path), export), ()
    within = of_account(how.account)
    rows = tuple(replace(row, within=f"{within} {row.within}".strip()) for row in export.rows)
    stated = (how.currency,) if how.currency else ()
    file_id = stable_id("report", digest, how.account, export.timezone, export.period, *stated)
    kept = ReportFile(file_id, path.name, export.layout, export.timezone, microseconds(how.now))
    with engine.begin() as connection:
        new = stored_reports.save(connection, kept, rows)
    return ImportedFile(str(path), export, stored=new, known=not new), rows


def content_of(path: Path) -> bytes:
    """The bytes of a report. Unreadable or too large: BadInput."""
    try:
        if path.stat().st_size > BYTES_AT_MOST:
            raise BadInput("vendors.too_large")
        return path.read_bytes()
    except OSError as error:
        raise BadInput("core.unreadable_file", why=error.strerror or error) from None


@dataclass(frozen=True, slots=True)
class Question:
    """What to report. Days inclusive; `by` is day or a kind; what the owner wants: ROI target, daily budget, margin.
    `currency`: only what is in it (default: all, each by itself)."""

    rules: Thresholds
    first: date | None = None
    last: date | None = None
    by: str = ""
    top: int = 5
    target: Decimal | None = None
    budget_daily: Micros | None = None
    margin: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a breakdown: a period, plan, product or creative; `spend_share` is of the breakdown's spend."""

    id: str
    name: str
    summary: Summary
    spend_share: Fraction | None
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Restated:
    """A day whose figures a later report changed: before and after."""

    period: Span
    before: Summary
    after: Summary


@dataclass(frozen=True, slots=True)
class Answer:
    """What the stored reports say in one currency. `missing` are keys of what cannot be answered; `undated` counts rows
    left out, `twice` those that reports without an account tell again."""

    currency: str
    period: Span
    days: int
    files: int
    total: Summary
    by: str
    entries: tuple[Entry, ...]
    ranked_kind: ReportKind | None
    best: tuple[Entry, ...]
    worst: tuple[Entry, ...]
    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...]
    left_out: LeftOut
    undated: int
    twice: int
    restated: tuple[Restated, ...]


def report(engine: Engine, question: Question) -> list[Answer]:
    """Answer from what is stored, once for each currency; nothing when nothing lies in those days. Ratios are of sums,
    each day counted once.

    A margin outside 0–1, or a target or budget not above zero: BadInput.
    """
    _check(question)
    with reading(engine) as connection:
        stored = stored_reports.load(connection, question.first, question.last)
        files = stored_reports.files(connection)
    known = by_currency(entry.row for entry in stored)
    asked = [question.currency] if question.currency else known
    of = {currency: [entry for entry in stored if entry.row.currency == currency] for currency in asked}
    answers = (_answer(currency, told, files, question) for currency, told in of.items())
    return [answer for answer in answers if answer]


def _answer(currency: str, stored: Sequence[StoredRow], files: int, question: Question) -> Answer | None:
    rows = [entry.row for entry in stored]
    kept, left_out = counted_once(rows)
    if not kept:
        return None
    by = question.by or "day"
    kinds = [kind for kind in (ReportKind.CREATIVE, ReportKind.PRODUCT, ReportKind.PLAN) if _of_kind(rows, kind)]
    ranked_kind = ReportKind(by) if by != "day" else next(iter(kinds), None)
    ranked = _by_entity(_of_kind(rows, ranked_kind), question) if ranked_kind else ()
    days = {day for row in kept if row.first and row.last for day in days_of((row.first, row.last))}
    best, worst = _best_and_worst(ranked, question)
    return Answer(
        currency=currency,
        period=(min(days), max(days)),
        days=len(days),
        files=files,
        total=summary(kept),
        by=by,
        entries=_by_period(kept, question) if by == "day" else ranked,
        ranked_kind=ranked_kind,
        best=best,
        worst=worst,
        verdicts=_judge(kept, question, len(days)),
        missing=tuple(_missing(kept, kinds, question)),
        left_out=left_out,
        undated=sum(row.first is None for row in rows),
        twice=sum(entry.twice for entry in stored),
        restated=_restated(stored, kept),
    )


def _check(question: Question) -> None:
    if question.margin is not None and not 0 < question.margin <= 1:
        raise BadInput("reports.margin_out_of_range", place="--margin", value=question.margin)
    if question.target is not None and question.target <= 0:
        raise BadInput("reports.not_above_zero", place="--target", value=question.target)
    if question.budget_daily is not None and question.budget_daily <= 0:
        raise BadInput("reports.not_above_zero", place="--budget", value=question.budget_daily)
    if question.top < 1:
        raise BadInput("reports.not_above_zero", place="--top", value=question.top)
    if question.first and question.last and question.first > question.last:
        raise BadInput("reports.days_reversed", place="--from", first=question.first, last=question.last)


def _of_kind(rows: Iterable[ReportRow], kind: ReportKind) -> list[ReportRow]:
    return counted_once(row for row in rows if row.kind is kind)[0]


def _by_period(rows: Iterable[ReportRow], question: Question) -> tuple[Entry, ...]:
    groups: dict[str, list[ReportRow]] = {}
    for row in rows:
        label = str(row.first) if row.first == row.last else f"{row.first} – {row.last}"
        groups.setdefault(label, []).append(row)
    entries = _entries({(label, ""): groups[label] for label in sorted(groups)}, question, days=True)
    return tuple(replace(entry, id="", name=entry.id) for entry in entries)


def _by_entity(rows: Iterable[ReportRow], question: Question) -> tuple[Entry, ...]:
    """Entities by spend, the most first; the name is the latest told, without an id it stands for one."""
    groups: dict[tuple[str, str], list[ReportRow]] = {}
    for row in rows:
        key = (row.entity_id, "") if row.entity_id else (f"name:{row.name}", row.within)
        groups.setdefault(key, []).append(row)
    named = {(members[-1].entity_id, f"{members[-1].name}{_mark(key[1])}"): members for key, members in groups.items()}
    return tuple(sorted(_entries(named, question), key=lambda entry: -(entry.summary.figures.spend or 0)))


def _mark(within: str) -> str:
    return f" ({within})" if within else ""


def _entries(
    groups: dict[tuple[str, str], list[ReportRow]], question: Question, days: bool = False
) -> tuple[Entry, ...]:
    whole = summary(row for rows in groups.values() for row in rows).figures.spend
    entries = []
    for (id_, name), rows in groups.items():
        sums = summary(rows)
        share = ratio(sums.figures.spend, whole) if sums.figures.spend is not None and whole else None
        length = len(days_of((rows[0].first, rows[0].last))) if days and rows[0].first and rows[0].last else 0
        entries.append(Entry(id_, name, sums, share, _judge(rows, question, length)))
    return tuple(entries)


def _judge(rows: Sequence[ReportRow], question: Question, days: int) -> tuple[Verdict, ...]:
    """The verdicts on some rows; the budget speaks only of whole days, and each goal's days are held to its ROI."""
    sums = summary(rows)
    by_goal = {goal: summary(row for row in rows if row.goal is goal) for goal in (Goal.NET, Goal.PAYMENT)}
    target = Fraction(question.target) if question.target is not None else None
    margin = Fraction(question.margin) if question.margin is not None else None
    budget = question.budget_daily * days if question.budget_daily is not None else None
    spend, net_roi = sums.figures.spend, sums.net_roi
    figures = {
        "net_roi_to_target": _over(by_goal[Goal.NET].net_roi, target),
        "payment_roi_to_target": _over(by_goal[Goal.PAYMENT].payment_roi, target),
        "refund_rate_1h": sums.refund_rate_1h,
        "spend_to_budget": ratio(spend, budget) if spend is not None and budget else None,
        "net_roi_to_breakeven": net_roi * margin if net_roi is not None and margin is not None else None,
    }
    return verdicts(figures, question.rules)


def _over(roi: Fraction | None, target: Fraction | None) -> Fraction | None:
    return None if roi is None or target is None else roi / target


def _best_and_worst(entries: Sequence[Entry], question: Question) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """By net ROI, else payment ROI, among those that spent enough to tell; nobody stands on both lists."""
    contenders = [
        Contender(entry, entry.summary.figures.spend, entry.spend_share, entry.summary.roi) for entry in entries
    ]
    return best_and_worst(contenders, question.rules.ranking, question.top)


def _missing(rows: Sequence[ReportRow], kinds: Sequence[ReportKind], question: Question) -> Iterable[str]:
    sums = summary(rows)
    if sums.net_roi is None:
        yield "net_roi"
    if sums.refund_rate_1h is None:
        yield "refund_rate_1h"
    if sums.settled_roi is None:
        yield "settled_roi"
    yield "guarantee"
    yield from (kind.value for kind in (ReportKind.PLAN, ReportKind.PRODUCT, ReportKind.CREATIVE) if kind not in kinds)
    options = (("target", question.target), ("budget", question.budget_daily), ("margin", question.margin))
    yield from (name for name, value in options if value is None)


def _restated(stored: Sequence[StoredRow], kept: Sequence[ReportRow]) -> tuple[Restated, ...]:
    counted = {row.key for row in kept}
    periods: dict[Span, list[StoredRow]] = {}
    for entry in stored:
        if entry.row.key in counted and entry.row.first and entry.row.last:
            periods.setdefault((entry.row.first, entry.row.last), []).append(entry)
    changed = {span: rows for span, rows in periods.items() if any(entry.before for entry in rows)}
    return tuple(
        Restated(span, summary(entry.before or entry.row for entry in rows), summary(entry.row for entry in rows))
        for span, rows in changed.items()
    )
