"""Money is exact: written, counted and read back without losing a millionth."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.errors import BadInput
from qianheng.core.money import FEN, micros, ratio, ratio_text, to_fen, yuan

AMOUNTS = st.integers(-(10**20), 10**20)


@given(AMOUNTS)
def test_an_amount_written_and_read_back_is_the_same(amount: int) -> None:
    assert micros(yuan(amount)) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1000.00", 1_000_000_000),
        ("-0.5", -500_000),
        ("0.000001", 1),
        (3, 3_000_000),
        ("999999999999999.999999", 999_999_999_999_999_999_999),
        ("1." + "0" * 40, 1_000_000),
    ],
)
def test_yuan_are_read_as_micro_yuan(text: str | int, amount: int) -> None:
    assert micros(text) == amount


@pytest.mark.parametrize("text", ["0.0000001", "1." + "0" * 28 + "1", "1e-400000000", "123456789012345.0000004"])
def test_more_than_six_decimals_are_refused_however_far_back_they_stand(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        micros(text)
    assert refusal.value.key == "core.too_many_decimals"


@pytest.mark.parametrize("text", ["", "NaN", "sNaN", "Infinity", "1,000", "一", "1e15", True, None])
def test_what_is_not_a_finite_number_is_refused(text: object) -> None:
    with pytest.raises(BadInput) as refusal:
        micros(text)  # type: ignore[arg-type]
    assert refusal.value.key == "core.not_a_number"


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0.00"), (1, "0.000001"), (-1, "-0.000001"), (100_000, "0.10"), (-1_234_500, "-1.2345")],
)
def test_yuan_have_at_least_two_decimals_and_no_needless_ones(amount: int, text: str) -> None:
    assert yuan(amount) == text


@pytest.mark.parametrize(
    ("amount", "fen"),
    [(5_000, 0), (5_001, 1), (15_000, 2), (25_000, 2), (-5_000, 0), (-15_000, -2), (Fraction(10_000, 3), 0)],
)
def test_fen_are_rounded_half_even(amount: int | Fraction, fen: int) -> None:
    assert to_fen(amount) == fen * FEN


@given(st.fractions(-(10**15), 10**15))
def test_rounding_to_fen_moves_by_half_a_fen_at_most_and_only_once(amount: Fraction) -> None:
    rounded = to_fen(amount)
    assert rounded % FEN == 0
    assert abs(rounded - amount) <= Fraction(FEN, 2)
    assert to_fen(rounded) == rounded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (Fraction(0), "0"),
        (Fraction(5, 2), "2.5"),
        (Fraction(1, 3), "0.333333"),
        (Fraction(-2, 3), "-0.666667"),
        (Fraction(1, 2_000_000), "0"),  # half a millionth: to even
        (Fraction(3, 2_000_000), "0.000002"),
        (Fraction(-1, 10_000_000), "0"),
        (Fraction(1200), "1200"),
    ],
)
def test_a_ratio_is_told_with_at_most_six_places(value: Fraction | None, text: str | None) -> None:
    assert ratio_text(value) == text


def test_nothing_to_divide_by_gives_no_ratio() -> None:
    assert ratio(5, 0) is None
    assert ratio(6, 4) == Fraction(3, 2)


def test_a_number_written_without_quotes_is_told_what_to_write() -> None:
    """JSON reads 1.5 as a binary fraction: what was written is known only in quotes."""
    with pytest.raises(BadInput, match="without quotes"):
        micros(1.5)  # type: ignore[arg-type]
