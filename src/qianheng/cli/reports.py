"""`qianheng import` and `qianheng report`."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.output import AsJson, print_json
from qianheng.core.days import parse_day, zone
from qianheng.core.errors import BadInput
from qianheng.core.words import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from typing import TypeVar

    from sqlalchemy import Engine

    from qianheng.diagnosis.verdicts import Thresholds

    T = TypeVar("T")

FILES_WITHOUT_PROGRESS = 3
BREAKDOWNS = ("day", "plan", "product", "creative", "account", "live")


def _option(name: str, metavar: str) -> typer.models.OptionInfo:
    help_text = say(f"reports.command.{name.strip('-').replace('-', '_')}")
    option: typer.models.OptionInfo = typer.Option(name, metavar=metavar, help=help_text)
    return option


First: TypeAlias = Annotated[str, _option("--from", "DAY")]
Last: TypeAlias = Annotated[str, _option("--to", "DAY")]
Zone: TypeAlias = Annotated[str, _option("--timezone", "NAME")]
CurrencyCode: TypeAlias = Annotated[str, _option("--currency", "CODE")]


def add_to(app: typer.Typer) -> None:
    """Add the commands on reports of other platforms."""
    app.command("import", help=say("reports.command.import"))(_import)
    app.command("report", help=say("reports.command.report"))(_report)


def _import(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help=say("reports.command.files"))],
    skip_bad_rows: Annotated[bool, typer.Option("--skip-bad-rows", help=say("reports.command.skip_bad_rows"))] = False,
    timezone: Zone = "",
    currency: CurrencyCode = "",
    first: First = "",
    last: Last = "",
    account: Annotated[str, _option("--account", "NAME")] = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.reports import Importing, import_files
    from qianheng.cli import report_words

    _number("--timezone", timezone, zone)
    how = Importing(
        datetime.now(UTC), timezone, period_of(first, last), currency_of(currency), account, skip_bad_rows=skip_bad_rows
    )
    with stored() as engine:
        imported = import_files(engine, files, how, _progress(len(files)))
    if as_json:
        print_json(report_words.imported_json(imported))
    else:
        report_words.print_imported(imported)
    for file in imported.files:
        if file.error:
            sys.stderr.write(f"qianheng: {file.error}\n")
    raise typer.Exit(imported.exit_code)


def _report(
    first: First = "",
    last: Last = "",
    by: Annotated[str, _option("--by", "|".join(BREAKDOWNS))] = "",
    top: Annotated[int, _option("--top", "N")] = 5,
    target: Annotated[str, _option("--target", "ROI")] = "",
    budget: Annotated[str, _option("--budget", "YUAN")] = "",
    margin: Annotated[str, _option("--margin", "SHARE")] = "",
    rules: Annotated[str, _option("--thresholds", "FILE")] = "",
    currency: CurrencyCode = "",
    export: Annotated[str, _option("--export", "FILE")] = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.reports import Question, report
    from qianheng.cli import report_words
    from qianheng.core.money import decimal, micros

    if by and by not in BREAKDOWNS:
        raise BadInput("reports.unknown_breakdown", place="--by", value=by, known=", ".join(BREAKDOWNS))
    question = Question(
        rules=rules_of(rules),
        first=_day("--from", first),
        last=_day("--to", last),
        by=by,
        top=top,
        target=_number("--target", target, decimal),
        budget_daily=_number("--budget", budget, micros),
        margin=_number("--margin", margin, decimal),
        currency=currency_of(currency),
    )
    with stored() as engine:
        answers = report(engine, question)
    if export and answers:
        report_words.export_entries(answers, Path(export))
    if as_json:
        print_json(report_words.answers_json(answers))
    else:
        report_words.print_answers(answers)


@contextmanager
def stored() -> Iterator[Engine]:
    """What is stored at home. It cannot be read or written there: BadInput."""
    from sqlalchemy.exc import OperationalError

    from qianheng.store.database import connect, default_url, migrate

    engine = connect(default_url())
    try:
        migrate(engine)
        yield engine
    except OperationalError as error:
        raise BadInput("store.cannot_write", place=str(engine.url.database), why=error.orig) from None


def rules_of(path: str) -> Thresholds:
    """The owner's thresholds: those asked for, else the file in the home folder, else those shipped."""
    from qianheng.diagnosis.verdicts import thresholds
    from qianheng.store.database import own_file

    return thresholds(Path(path) if path else own_file("thresholds.toml"))


def period_of(first: str, last: str) -> tuple[date, date] | None:
    """The period given by --from and --to, one day if only one is; `None` without. Reversed: BadInput."""
    if not first and not last:
        return None
    days = _day("--from", first or last), _day("--to", last or first)
    if days[0] is None or days[1] is None or days[0] > days[1]:
        raise BadInput("reports.days_reversed", place="--from", first=first, last=last)
    return days[0], days[1]


def _day(name: str, text: str) -> date | None:
    return _number(name, text, parse_day)


def _number(name: str, text: str, parse: Callable[[str], T]) -> T | None:
    """The value of an option, or `None` when it was not given; unreadable: BadInput that names the option."""
    try:
        return parse(text) if text else None
    except BadInput as error:
        raise error.at(name) from None


def currency_of(code: str) -> str:
    """The code of a currency as given, in capitals; "" for none. Not three letters: BadInput."""
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise BadInput("vendors.not_a_currency", place="--currency", value=code)
    return code.upper()


def _progress(count: int) -> Callable[[str], None]:
    """Tells the file at work on standard error, where a person looks on and there are many."""
    if count <= FILES_WITHOUT_PROGRESS or not sys.stderr.isatty():
        return lambda name: None
    return lambda name: print(f"\r\033[K{name}", end="", file=sys.stderr, flush=True)  # noqa: T201
