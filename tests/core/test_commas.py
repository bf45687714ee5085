"""A table as CSV is read back as it was, and no cell of it is run or rounded by a spreadsheet."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.commas import csv_text, inert


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2)))
def test_a_table_is_read_back_as_it_was(rows: list[list[str]]) -> None:
    assert list(csv.reader(StringIO(csv_text(rows), newline=""), strict=True)) == rows


@pytest.mark.parametrize("cell", ["=1+1", "@sum", "+cmd|' /C'!A0", "-2+3", "\t=1", "-", "7300012345678901234"])
def test_what_a_spreadsheet_would_run_or_round_is_marked_as_text(cell: str) -> None:
    assert inert(cell) == f"\t{cell}"


@pytest.mark.parametrize("cell", ["-12.50", "+3.2%", "-1,234.50", "12.50", "abc", "", "12345678901", 7, -1.5, None])
def test_anything_else_stays_as_it_is(cell: object) -> None:
    assert inert(cell) == cell
