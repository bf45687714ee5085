"""One cell of a report: what stands in it, exactly, or why it cannot be believed. Never a guess, never 0 for none."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from qianheng.core.errors import BadInput
from qianheng.core.money import Micros, decimal, micros
from qianheng.vendors.layouts import missing_marks

Cell: TypeAlias = object
When: TypeAlias = "tuple[date, date, int | None]"

_NUMBER = re.compile(r"[-+]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
_GROUPED_BY_POINTS = re.compile(r"[-+]?[1-9]\d{0,2}(\.\d{3})+")  # 1.234: a thousand, or one and a bit
_CURRENCY = re.compile(r"[A-Z]{3}")
_DAMAGED = re.compile(r"\d+(\.\d+)?[eE]\+?\d+")
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_DAY = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))"  # 2026-06-01, 2026年6月1日, 20260601
    r"(?:[ T]+(\d{1,2}):\d{2}(?::\d{2}(?:\.\d+)?)?)?"
)
_BETWEEN = re.compile(r"\s*(?:~|至|到|—|\s-\s)\s*")
_HOUR = re.compile(r"(\d{1,2})(?:[:：]00(?:[:：]00)?|时|点)?(?:\s*[-~至]\s*\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?")
_EXCEL_EPOCH = date(1899, 12, 30)
_EXCEL_DIGITS = 10**15  # a spreadsheet keeps fifteen digits of a number and makes zeros of the rest


def text(cell: Cell) -> str:
    """What a person sees in the cell; "" for a missing one."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e21 else f"{cell:.15g}"
    written = str(cell).strip(" \t\r\n\u00a0\u200b\ufeff")
    if written.startswith('="') and written.endswith('"'):  # how some exports keep a spreadsheet from rounding an id
        written = written[2:-1]
    return "" if written in missing_marks() else written


def number(cell: Cell) -> Decimal | None:
    """A decimal number, thousands separators allowed; `None` when missing. Anything else: BadInput."""
    written = unicodedata.normalize("NFKC", text(cell)).removeprefix("¥").removesuffix("元").strip()
    if not written:
        return None
    if isinstance(cell, bool) or not _NUMBER.fullmatch(written):
        raise BadInput("vendors.not_a_figure", value=text(cell))
    return decimal(written.replace(",", ""))


def _amount(cell: Cell) -> Decimal | None:
    """A number whose point cannot be taken for one between thousands: vendors write two decimals, or none."""
    if isinstance(cell, str) and _GROUPED_BY_POINTS.fullmatch(text(cell)):
        raise BadInput("vendors.locale_number", value=text(cell))
    return number(cell)


def balance(cell: Cell) -> Micros | None:
    """Money that may be below zero, in millionths of its currency's unit."""
    value = _amount(cell)
    return None if value is None else micros(str(value))


def money(cell: Cell) -> Micros | None:
    """Money in millionths of its currency's unit. Below zero: BadInput."""
    value = balance(cell)
    if value is not None and value < 0:
        raise BadInput("vendors.below_zero", value=text(cell))
    return value


def count(cell: Cell) -> int | None:
    """A whole number. With a fraction or below zero: BadInput."""
    value = _amount(cell)
    if value is None:
        return None
    if value < 0:
        raise BadInput("vendors.below_zero", value=text(cell))
    if value != int(value):
        raise BadInput("vendors.not_whole", value=text(cell))
    return int(value)


def ratio(cell: Cell) -> Fraction | None:
    """A ratio such as "1.37". Below zero: BadInput."""
    value = number(cell)
    if value is not None and value < 0:
        raise BadInput("vendors.below_zero", value=text(cell))
    return None if value is None else Fraction(value)


def rate(cell: Cell) -> Fraction | None:
    """A rate such as "41.93%". Without its sign it could be either of two numbers: BadInput, as outside 0–100 %."""
    value = percent(cell)
    if value is not None and value > 1:
        raise BadInput("vendors.rate_out_of_range", value=text(cell))
    return value


def percent(cell: Cell) -> Fraction | None:
    """A rate that may be above 100 %. Without its sign, or below zero: BadInput."""
    written = unicodedata.normalize("NFKC", text(cell))
    value = number(written.removesuffix("%"))
    if value is None or (value == 0 and not written.endswith("%")):
        return None if value is None else Fraction(0)
    if not written.endswith("%"):
        raise BadInput("vendors.rate_without_sign", value=written)
    if value < 0:
        raise BadInput("vendors.rate_out_of_range", value=written)
    return Fraction(value) / 100


def identity(cell: Cell) -> str:
    """An id, every digit of it; "" when missing. Rounded by a spreadsheet (8.888E+13) or no id at all: BadInput."""
    written = text(cell).removeprefix("'")  # as some programs keep a spreadsheet from rounding it
    if not written:
        return ""
    rounded = isinstance(cell, float) and abs(cell) >= _EXCEL_DIGITS
    if written.endswith(".0") and written[:-2].isdigit():
        written, rounded = written[:-2], len(written) > 17
    if rounded or _DAMAGED.fullmatch(written):
        raise BadInput("vendors.damaged_id", value=written)
    if not _ID.fullmatch(written):
        raise BadInput("vendors.not_an_id", value=written)
    return written


def currency(cell: Cell) -> str:
    """The code of a currency, such as USD; "" when missing. Anything else: BadInput."""
    written = text(cell).upper()
    if written and not _CURRENCY.fullmatch(written):
        raise BadInput("vendors.not_a_currency", value=written)
    return written


def when(cell: Cell) -> When | None:
    """The first and last day a line is about and its hour if it names one. Unreadable: BadInput."""
    if isinstance(cell, datetime):
        return cell.date(), cell.date(), cell.hour
    if isinstance(cell, date):
        return cell, cell, None
    if isinstance(cell, float) and 36526 <= cell < 73050:  # a day between 2000 and 2099 as a spreadsheet counts them
        day = _EXCEL_EPOCH + timedelta(days=int(cell))
        return day, day, None if cell.is_integer() else round(cell % 1 * 24) % 24
    if not (written := text(cell)):
        return None
    ends = [_day(part, written) for part in _BETWEEN.split(written)]
    if len(ends) > 2 or ends[-1][0] < ends[0][0]:
        raise BadInput("vendors.not_a_day", value=written)
    return ends[0][0], ends[-1][0], ends[0][1] if len(ends) == 1 else None


def hour(cell: Cell) -> int | None:
    """The hour of an hourly line, 0 to 23, as "13", "13:00" or "13:00-13:59". Unreadable: BadInput."""
    if not (written := text(cell)):
        return None
    match = _HOUR.fullmatch(written)
    if not match or int(match[1]) > 23:
        raise BadInput("vendors.not_an_hour", value=written)
    return int(match[1])


def _day(part: str, whole: str) -> tuple[date, int | None]:
    match = _DAY.fullmatch(part.strip())
    try:
        if not match:
            raise ValueError
        year, month, day, short_month, short_day, of_day = match.groups()
        return date(int(year), int(month or short_month), int(day or short_day)), int(of_day) if of_day else None
    except ValueError:
        raise BadInput("vendors.not_a_day", value=whole) from None
