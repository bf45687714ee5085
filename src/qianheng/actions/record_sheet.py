"""The record of a test as a workbook: results, days and notes, with formulas beside values where a person checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell

from qianheng.actions.side_by_side import PlanDayRecord, Result, SideBySide
from qianheng.core.money import YUAN, ratio_text, yuan
from qianheng.core.words import say
from qianheng.diagnosis.paired import Side
from qianheng.measures.reports import MONEY, Figures

FORMATS = {"money": "#,##0.00", "ratio": "0.00", "share": "0.0%", "count": "#,##0", "day": "yyyy-mm-dd"}
SHARES = ("refund_rate_1h", "long_tail_share")
RATIOS = {"payment_roi": ("gmv", "spend"), "net_roi": ("net_gmv", "spend"), "refund_rate_1h": ("refunded_1h", "gmv")}
SUMS = ("spend", "orders", "gmv", "net_gmv", "refunded_1h", "settled_gmv_7d")
OF_A_DAY = ("target", "budget", *SUMS, *RATIOS)
SIDES: tuple[Side, Side] = ("a", "b")
FIRST_ROW = 3  # of the days, under three rows of headings


def workbook(told: SideBySide, sources: Sequence[str] = ()) -> bytes:
    """The workbook of a test: the same bytes for the same test. sources: the command lines that open its figures."""
    sink = BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        book.set_properties({"title": say("reviews.record.title"), "created": told.history.now.replace(tzinfo=None)})
        sheets = [book.add_worksheet(say(f"reviews.record.sheet.{name}")) for name in ("results", "days", "notes")]
        style = _Style(book)
        days = _Days(told, sheets[1], style)
        days.write()
        _Results(told, sheets[0], style, days).write()
        _notes(sheets[2], style, sources)
    return sink.getvalue()


class _Style:
    """The formats of a book: how numbers look, headings, totals, winners."""

    def __init__(self, book: Any) -> None:
        self.of = {name: book.add_format({"num_format": number}) for name, number in FORMATS.items()}
        self.total = {
            name: book.add_format({"num_format": number, "bold": True, "top": 1}) for name, number in FORMATS.items()
        }
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.side = book.add_format({"bold": True, "align": "center", "bg_color": "#E8EEF9"})
        self.bold = book.add_format({"bold": True})
        self.winner = book.add_format({"bold": True, "font_color": "#16794A"})
        self.hint = book.add_format({"font_color": "#64707F", "text_wrap": True, "valign": "top"})


def kind_of(name: str) -> str:
    """What a measure's numbers are: money, things, a share or a ratio."""
    if name in SHARES:
        return "share"
    if name in (*MONEY, "budget"):
        return "money"
    return "count" if name in ("orders", "products_sold") else "ratio"


def exact(name: str, value: Fraction | int | None) -> Decimal | None:
    """A number as a cell holds it: money in yuan."""
    if value is None:
        return None
    if kind_of(name) == "money":
        whole = isinstance(value, int) or value.denominator == 1
        return Decimal(yuan(int(value))) if whole else Decimal(ratio_text(Fraction(value) / YUAN) or 0)
    return Decimal(ratio_text(Fraction(value)) or 0)


@dataclass(frozen=True, slots=True)
class _Days:
    """The sheet of days: each plan's columns side by side, their sums by formula, beside what they must be."""

    told: SideBySide
    sheet: Any
    style: _Style

    @property
    def last_row(self) -> int:
        """The row of the last day."""
        return FIRST_ROW + self.told.span.days - 1

    def column(self, side: Side, name: str) -> int:
        """Where a plan's figure stands."""
        return 1 + SIDES.index(side) * len(OF_A_DAY) + OF_A_DAY.index(name)

    def write(self) -> None:
        """Headings that stay in view, a line a day, the sums and the check of the sums."""
        sheet, style = self.sheet, self.style
        sheet.write_string(0, 0, say("reviews.record.days_title"), style.title)
        sheet.write_string(2, 0, say("reviews.column.day"), style.heading)
        for side in SIDES:
            first, last = self.column(side, OF_A_DAY[0]), self.column(side, OF_A_DAY[-1])
            sheet.merge_range(1, first, 1, last, f"{side.upper()} · {self.told.plans[side].subject.name}", style.side)
            for name in OF_A_DAY:
                sheet.write_string(2, self.column(side, name), say(f"reviews.record.column.{name}"), style.heading)
        for row, day in enumerate(self.told.span.each(), FIRST_ROW):
            sheet.write_datetime(row, 0, _naive(day), style.of["day"])
            for side in SIDES:
                if day in self.told.days[side]:
                    self._day(row, side, self.told.days[side][day])
        self._totals()
        sheet.freeze_panes(FIRST_ROW, 1)
        sheet.set_column(0, 0, 13)
        sheet.set_column(1, 2 * len(OF_A_DAY), 11)

    def _day(self, row: int, side: Side, told: PlanDayRecord) -> None:
        setting = told.setting
        target = Fraction(setting.target) if setting and setting.target is not None else None
        values = {"target": target, "budget": setting.budget_daily if setting else None}
        for name in ("target", "budget", *SUMS):
            value = values[name] if name in values else getattr(told.figures, name)
            self._number(row, side, name, value, self.style.of)
        self._ratios(row, side, told.figures, self.style.of)

    def _number(self, row: int, side: Side, name: str, value: Fraction | int | None, look: dict[str, Any]) -> None:
        if (number := exact(name, value)) is not None:
            self.sheet.write_number(row, self.column(side, name), number, look[kind_of(name)])

    def _ratios(self, row: int, side: Side, told: Figures, look: dict[str, Any]) -> None:
        """Ratios are formulas over the sums of their row, with the value they have."""
        for name, (above, below) in RATIOS.items():
            over, under = getattr(told, above), getattr(told, below)
            if over is None or not under:
                continue
            top, bottom = (xl_rowcol_to_cell(row, self.column(side, one)) for one in (above, below))
            value = exact(name, Fraction(over, under))
            self.sheet.write_formula(row, self.column(side, name), f"={top}/{bottom}", look[kind_of(name)], value)

    def _totals(self) -> None:
        """The sums by formula, the sums as the system has them, and whether they are equal."""
        sheet, style = self.sheet, self.style
        rows = [self.last_row + 1 + i for i in range(3)]
        for row, name in zip(rows, ("sum", "told", "equal"), strict=True):
            sheet.write_string(row, 0, say(f"reviews.record.{name}"), style.bold)
        for side in SIDES:
            total = self.told.total(side)
            for name in SUMS:
                if (value := exact(name, getattr(total, name))) is not None:
                    self._total(rows, self.column(side, name), (kind_of(name), value))
            self._ratios(rows[0], side, total, style.total)

    def _total(self, rows: Sequence[int], column: int, told: tuple[str, Decimal]) -> None:
        kind, value = told
        span = f"{xl_rowcol_to_cell(FIRST_ROW, column)}:{xl_rowcol_to_cell(self.last_row, column)}"
        self.sheet.write_formula(rows[0], column, f"=SUM({span})", self.style.total[kind], value)
        self.sheet.write_number(rows[1], column, value, self.style.of[kind])
        above, below = (xl_rowcol_to_cell(row, column) for row in rows[:2])
        self.sheet.write_formula(rows[2], column, f'=IF(ROUND({above}-{below},6)=0,"✓","≠")', None, "✓")

    def formula(self, side: Side, name: str, length: int) -> str | None:
        """A measure of the first days, from this sheet; `None` for one that cannot be had from it."""
        if name in SUMS:
            return f"SUM({self._range(side, name, length)})"
        above, below = {**RATIOS, "settled_roi": ("settled_gmv_7d", "spend")}.get(name, (None, None))
        if above is None or below is None:
            return None
        return f"SUM({self._range(side, above, length)})/SUM({self._range(side, below, length)})"

    def _range(self, side: Side, name: str, length: int) -> str:
        column = self.column(side, name)
        cells = xl_range_abs(FIRST_ROW, column, FIRST_ROW + length - 1, column)
        return f"'{self.sheet.get_name()}'!{cells}"


@dataclass(frozen=True, slots=True)
class _Results:
    """The first sheet: what the plans were set to, and the results after 7, 14 and all days with their winners."""

    told: SideBySide
    sheet: Any
    style: _Style
    days: _Days

    def write(self) -> None:
        """The whole sheet."""
        sheet, span = self.sheet, self.told.span
        sheet.write_string(0, 0, say("reviews.record.title"), self.style.title)
        now = f"{self.told.history.now:%Y-%m-%d %H:%M}"
        about = say("reviews.record.about", first=span.first, last=span.last, days=span.days, now=now)
        sheet.write_string(1, 0, about, self.style.hint)
        row = self._settings(3)
        for length, results in self.told.results.items():
            row = self._block(row + 1, length, results)
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 8, 15)
        sheet.freeze_panes(3, 1)

    def _settings(self, row: int) -> int:
        """What each plan is and was set to on the first and the last day; the row after it."""
        self._line(
            row, ["", *(f"{side.upper()} · {self.told.plans[side].subject.name}" for side in SIDES)], self.style.heading
        )
        for name in ("kind", "goal", "target", "target_last", "budget", "budget_last"):
            row += 1
            self.sheet.write_string(row, 0, say(f"reviews.record.column.{name}"))
            for column, side in enumerate(SIDES, 1):
                day = (max if name.endswith("_last") else min)(self.told.days[side])
                self._setting(row, column, side, (name.removesuffix("_last"), day))
        return row + 1

    def _setting(self, row: int, column: int, side: Side, asked: tuple[str, date]) -> None:
        name, day = asked
        setting = self.told.days[side][day].setting
        if name == "kind":
            self.sheet.write_string(row, column, say(f"pages.kind.{self.told.plans[side].kind}"))
        elif setting and name == "goal":
            self.sheet.write_string(row, column, say(f"pages.goal.{setting.goal}"))
        elif setting and name == "target" and setting.target is not None:
            self.sheet.write_number(row, column, setting.target, self.style.of["ratio"])
        elif setting and name == "budget" and setting.budget_daily is not None:
            self.sheet.write_number(row, column, exact("budget", setting.budget_daily), self.style.of["money"])

    def _block(self, row: int, length: int, results: Iterable[Result]) -> int:
        """The results of so many days; the row after them."""
        self.sheet.write_string(row, 0, say("reviews.record.after", days=length), self.style.bold)
        names = ("measure", "a", "b", "difference", "low", "high", "winner", "a_again", "b_again")
        self._line(row + 1, [say(f"reviews.record.head.{name}") for name in names], self.style.heading)
        row += 2
        for result in results:
            self._result(row, length, result)
            row += 1
        return row

    def _result(self, row: int, length: int, result: Result) -> None:
        name, told = result.measure.name, result.told
        self.sheet.write_string(row, 0, say(f"reviews.record.column.{name}"))
        look = self.style.of[kind_of(name)]
        for column, value in enumerate((told.a, told.b, told.difference, told.low, told.high), 1):
            if (number := exact(name, value)) is not None:
                self.sheet.write_number(row, column, number, look)
        self.sheet.write_string(row, 6, winner_text(result), self.style.winner if result.winner else self.style.hint)
        for column, side, value in ((7, SIDES[0], told.a), (8, SIDES[1], told.b)):
            formula = self.days.formula(side, name, length)
            if formula and value is not None:
                self.sheet.write_formula(row, column, f"={formula}", look, exact(name, value))

    def _line(self, row: int, texts: Sequence[str], look: Any) -> None:
        for column, text in enumerate(texts):
            self.sheet.write_string(row, column, text, look)


def winner_text(result: Result) -> str:
    """Who wins a measure, or why nobody does."""
    if result.winner:
        return result.winner.upper()
    if result.measure.more_is_better is None:
        return say("reviews.record.neutral")
    if not result.measure.tested:
        return say("reviews.record.untested")
    return say("reviews.record.chance" if result.told.low is not None else "reviews.record.unknown")


def _notes(sheet: Any, style: _Style, sources: Sequence[str]) -> None:
    """How to read it, and where the figures come from."""
    sheet.write_string(0, 0, say("reviews.record.sheet.notes"), style.title)
    lines = [say(f"reviews.record.note.{name}") for name in ("interval", "winner", "settled", "tail", "formula")]
    for row, line in enumerate([*lines, *sources], 2):
        sheet.write_string(row, 0, line, style.hint)
    sheet.set_column(0, 0, 110)


def _naive(day: date) -> Any:
    from datetime import datetime

    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  a spreadsheet's days have no zone
