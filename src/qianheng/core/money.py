"""Money is an integer number of micro-yuan (10⁻⁶ 元): added and compared, and rounded once, to fen, at payment."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from math import isfinite
from typing import TypeAlias

from qianheng.core.errors import BadInput

Micros: TypeAlias = int

YUAN: Micros = 1_000_000
FEN: Micros = 10_000
_MICROS: list[Micros] = [10 ** (6 - decimals) for decimals in range(7)]  # of the last digit, by decimals written
_EXACT = Context(prec=28, traps=[Inexact])


def micros(text: str | int) -> Micros:
    """The exact amount written as yuan in decimal ("1000.00", "-0.5"). Over six decimals or not a number: BadInput."""
    if isinstance(text, str):
        whole, point, part = text.partition(".")
        digits = whole + part
        plain = digits.isdigit() and digits.isascii() and 0 < len(whole) <= 15 and (part or not point)
        if plain and len(part) <= 6:  # as nearly all are: read in a fifth of the time that a decimal takes
            return int(digits) * _MICROS[len(part)]
    try:
        scaled = _EXACT.multiply(decimal(text), Decimal(YUAN))
    except Inexact:
        scaled = Decimal("NaN")  # more digits than fifteen before the point and six after it
    if scaled != scaled.to_integral_value():
        raise BadInput("core.too_many_decimals", value=text)
    return int(scaled)


def decimal(text: str | int) -> Decimal:
    """A finite decimal number as written. Not a number, or none that is finite: BadInput."""
    if isinstance(text, float) and isfinite(text):  # from JSON; the annotation does not keep it out
        raise BadInput("core.written_without_quotes", value=text)
    try:
        if isinstance(text, bool) or not isinstance(text, str | int):
            raise InvalidOperation
        number = Decimal(text)
    except InvalidOperation:
        raise BadInput("core.not_a_number", value=text) from None
    if not number.is_finite() or number.adjusted() >= 15:
        raise BadInput("core.not_a_number", value=text)
    return number


def yuan(amount: Micros) -> str:
    """The amount as a decimal string in yuan with at least two decimals, exactly: 1_000_000_000 → "1000.00"."""
    whole, part = divmod(abs(amount), YUAN)
    fen, rest = divmod(part, FEN)
    finer = f"{rest:04d}".rstrip("0") if rest else ""
    return f"{'-' if amount < 0 else ''}{whole}.{fen:02d}{finer}"


def yuan_text(amount: Fraction | int) -> str:
    """The amount (in micro-yuan) for a person: in yuan, rounded to fen, its thousands told apart: "1,234.50"."""
    fen = to_fen(amount) // FEN
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def yuan_number(amount: Fraction | float) -> float:
    """The amount (in micro-yuan) for a chart: in yuan, to fen; no number to calculate with."""
    return round(float(amount / YUAN), 2)


def to_fen(amount: Fraction | int) -> Micros:
    """The exact amount (in micro-yuan) rounded to whole fen, half even; the one rounding, at payment (SPEC 5.2)."""
    return _half_even(amount.numerator, amount.denominator * FEN) * FEN


def ratio(numerator: int | Fraction, denominator: int | Fraction) -> Fraction | None:
    """The ratio of two sums, taken last; `None` when there is nothing to divide by."""
    if not denominator:
        return None
    return Fraction(numerator.numerator * denominator.denominator, numerator.denominator * denominator.numerator)


def ratio_text(value: Fraction | None, places: int = 6) -> str | None:
    """The ratio as a decimal string of at most `places` decimals, half even, no trailing zeros; `None` stays `None`."""
    return None if value is None else quotient_text(value.numerator, value.denominator, places)


def quotient_text(numerator: int, denominator: int, places: int = 6) -> str:
    """`ratio_text` of a numerator and a denominator (above zero) that need not be in lowest terms."""
    scaled = _half_even(numerator * 10**places, denominator)
    whole, part = divmod(abs(scaled), 10**places)
    decimals = f"{part:0{places}d}".rstrip("0") if part else ""
    return ("-" if scaled < 0 else "") + str(whole) + ("." + decimals if decimals else "")


def _half_even(numerator: int, denominator: int) -> int:
    """numerator / denominator (above zero) rounded to a whole number, half even, without making fractions of it."""
    whole, rest = divmod(numerator, denominator)
    up = 2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1)
    return whole + up
