"""A document says the same on a page, on paper and as JSON, exactly, in both languages."""

import json
import re
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.money import YUAN, micros
from qianheng.core.words import Language, speak
from qianheng.pages.document import (
    Amount,
    Badge,
    Chart,
    Column,
    Decision,
    Document,
    Figure,
    KeyFigures,
    Paragraph,
    Section,
    Series,
    Sources,
    Table,
    Unit,
    amount,
    document_json,
    number_text,
    plain,
    ratio_cell,
    text_of,
)
from qianheng.pages.drawing import colour_names, palette, step_texts, steps, ticks
from qianheng.pages.pdf import pdf_pages
from qianheng.pages.shell import STATIC
from qianheng.pages.web import web_page

ECHARTS = STATIC / "echarts.min.js"
MADE = datetime(2025, 10, 8, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
NAME = '<b>针织开衫</b> & "x"'


def waterfall(*values: Fraction) -> Chart:
    series = Series("net_roi", "net ROI", values, Unit.ROI)
    return Chart("why", "Why", tuple(map(str, range(len(values)))), (series,), waterfall=True)


def document(rows: int = 60) -> Document:
    table = Table(
        "plans",
        "Plans",
        (Column("plan", "Plan", True), Column("spend", "Spend"), Column("verdict", "Verdict", True)),
        tuple((NAME, amount(number * YUAN + 1), Badge("watch", "watch")) for number in range(rows)),
    )
    lines = (
        Series("spend", "spend", (5 * YUAN, None, 0), Unit.MONEY),
        Series("net_roi", "net ROI", (Fraction(2), None, Fraction(-1, 2)), Unit.ROI, True, True),
    )
    figures = KeyFigures("key", (Figure("roi", "ROI", Amount(Fraction(12, 5), Unit.ROI, Fraction(2), Fraction(3))),))
    blocks = (
        Decision("Raise the target", "because", "act", "qianheng plan change 1"),
        Paragraph("told"),
        figures,
        Chart("days", "Days", ("1", "2", "3"), lines),
        Chart("none", "None", ("1",), (Series("spend", "spend", (None,), Unit.MONEY),), empty="nothing spent"),
        waterfall(Fraction(24, 10), Fraction(-2, 10), Fraction(-15, 100), Fraction(205, 100)),
        table,
        Table("empty", "Empty", table.columns, (), empty="no alerts"),
        Sources(("qianheng figures",)),
    )
    return Document("daily", "Daily review", "Daily · 2025-10-07", MADE, (Section("all", "All", blocks),))


def test_the_page_holds_every_figure_and_no_markup_of_names() -> None:
    page = web_page(document())
    assert "¥59.00" in page
    assert "2.40 (2.00 to 3.00)" in page
    assert "<b>针织" not in page
    assert "no alerts" in page
    assert "nothing spent" in page
    options = [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)]
    assert [series["data"] for series in options[0]["series"]] == [[5.0, None, 0.0], [2.0, None, -0.5]]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_paper_is_the_same_bytes_each_time_small_and_breaks_long_tables_over_pages(language: Language) -> None:
    speak(language)
    try:
        first = pdf_pages(document())
        assert first == pdf_pages(document())
    finally:
        speak("en")
    assert first.startswith(b"%PDF")
    assert len(first) < 1_000_000
    pages = int(re.findall(rb"/Count (\d+)", first)[0])
    assert 2 <= pages <= 4
    assert len(pdf_pages(document(600))) < 1_000_000


def test_json_keeps_figures_exact_by_the_names_of_their_columns() -> None:
    told = document_json(document(2))["sections"]["all"]
    assert told["tables"]["plans"][1] == {"plan": NAME, "spend": "1.000001", "verdict": "watch"}
    assert told["figures"]["roi"] == {"value": "2.4", "low": "2", "high": "3"}
    assert told["decisions"][0]["command"] == "qianheng plan change 1"
    assert told["sources"] == ["qianheng figures"]
    assert told["charts"]["days"]["series"]["spend"] == ["5.00", None, "0.00"]


@pytest.mark.parametrize(
    ("value", "unit", "signed", "expected"),
    [
        (None, Unit.MONEY, False, "–"),
        (1234_500_000, Unit.MONEY, False, "¥1,234.50"),
        (-1, Unit.MONEY, True, "¥0.00"),
        (-1234_500_000, Unit.MONEY, True, "−¥1,234.50"),
        (Fraction(41, 1000), Unit.SHARE, True, "+4.1%"),
        (Fraction(-41, 1000), Unit.SHARE, False, "−4.1%"),
        (Fraction(5, 2), Unit.ROI, False, "2.50"),
        (1234, Unit.COUNT, False, "1,234"),
        (Fraction(5, 2), Unit.COUNT, True, "+2.5"),
    ],
)
def test_numbers_read_as_people_write_them(
    value: Fraction | int | None, unit: Unit, signed: bool, expected: str
) -> None:
    assert number_text(value, unit, signed) == expected


@given(st.integers(-(10**15), 10**15))
def test_money_in_json_is_exact(value: int) -> None:
    told = plain(amount(value))
    assert isinstance(told, str)
    assert micros(told) == value


def test_what_is_not_known_is_a_dash_to_people_and_null_to_programs() -> None:
    for cell in (None, ratio_cell(None), amount(None)):
        assert (text_of(cell), plain(cell)) == ("–", None)


@given(
    st.lists(st.fractions(-5, 5, max_denominator=100), min_size=1, max_size=6), st.fractions(1, 9, max_denominator=100)
)
def test_a_waterfall_leads_from_its_first_level_to_its_last(changes: list[Fraction], start: Fraction) -> None:
    chart = waterfall(start, *changes, start + sum(changes))
    ground, each = steps(chart)
    assert each[0] == (ground, start)
    assert each[-1] == (ground, start + sum(changes))
    assert each[-2][1] == start + sum(changes)
    assert all(before[1] == after[0] for before, after in pairwise(each[:-1]))
    assert all(ground <= end for ends in each for end in ends)
    assert len(step_texts(chart)) == len(each)


def test_ranges_are_points_with_a_line_through_each_that_is_known() -> None:
    ends = {"gmv": (Fraction(1, 5), None), "low": (Fraction(-1, 10), None), "high": (Fraction(1, 2), None)}
    series = tuple(Series(name, name, values, Unit.SHARE) for name, values in ends.items())
    told = Section("arm_b", "B", (Chart("differences", "Differences", ("a", "b"), series, ranges=True),))
    made = Document("experiment", "Test", "e1", MADE, (told,))
    (options,) = re.findall(r'application/json">(.*?)</script>', web_page(made))
    drawn = json.loads(options)["series"]
    known = set(re.findall(r'"series\.(\w+)"', ECHARTS.read_text("utf-8"))) | {"bar"}
    assert {one["type"] for one in drawn} <= known  # those that the page's own copy of the library can draw
    zero, through = drawn[0]["markLine"]["data"]
    assert zero == {"yAxis": 0}
    assert [end["coord"] for end in through] == [[0, -0.1], [0, 0.5]]
    assert pdf_pages(made).startswith(b"%PDF")


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_hold_what_they_measure_and_are_few(low: float, width: float) -> None:
    marks = ticks(low, low + width)
    assert marks[0] <= low + 1e-6
    assert marks[-1] >= low + width - 1e-6 * max(1.0, abs(low + width))
    assert len(marks) <= 8


def test_series_have_different_colours_of_the_house() -> None:
    names = ("spend", "unheard", "other", "spend_of_b")
    found = colour_names([Series(name, name, (1,), Unit.COUNT) for name in names])
    assert found[0] == "spend"
    assert len(set(found)) == len(found)
    assert set(found) <= palette().keys()


def test_a_title_that_only_repeats_its_section_is_told_once() -> None:
    tables = tuple(Table(name, name, (Column("a", "A"),), (), empty="none") for name in ("Plans", "Rooms"))
    document = Document("daily", "Daily", "Daily", MADE, (Section("plans", "Plans", tables),))
    assert [getattr(one, "title", None) for one in document.sections[0].shown] == ["", "Rooms"]
    page = web_page(document)
    assert page.count("<h3>Rooms</h3>") == 1
    assert "<h3>Plans</h3>" not in page


def test_money_known_within_limits_is_told_no_finer_than_it_is_known() -> None:
    wide = Amount(micros("286.18"), Unit.MONEY, micros("-82.86"), micros("1300.4"))
    small = Amount(micros("0.42"), Unit.MONEY, micros("0.1"), micros("0.95"))
    assert [number in text_of(wide) for number in ("¥286 ", "−¥83", "¥1,300")] == [True] * 3
    assert "¥0.42" in text_of(small)
    assert plain(wide) == {"value": "286.18", "low": "-82.86", "high": "1300.40"}
