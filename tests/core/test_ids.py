"""Ids are a function of their origin, on every machine and for ever."""

from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.ids import derive_seed, stable_id


def test_ids_are_what_they_were_when_first_given() -> None:
    assert stable_id("unit", 1, "2025-10-01") == 1071254506781509124
    assert derive_seed(1, "offers", 2) == 217143266176777010442390545018167695875


@given(st.lists(st.text() | st.integers(), max_size=4))
def test_an_id_is_a_positive_64_bit_integer(origin: list[object]) -> None:
    assert 0 <= stable_id(*origin) < 2**63
    assert stable_id(*origin) == stable_id(*origin)


def test_other_origins_have_other_ids() -> None:
    origins = [(kind, number) for kind in ("charge", "order") for number in range(5000)]
    assert len({stable_id(*origin) for origin in origins}) == len(origins)
    assert stable_id("a", "b") != stable_id("ab")
