"""A damaged report never gives a wrong number: the file or the line is refused, and the reason is told."""

import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.core.errors import BadInput
from qianheng.core.money import micros
from qianheng.core.words import speak
from qianheng.measures.reports import add
from tests.vendors.report_files import ANALYSIS, TWO, creative, csv_file, plain_xlsx, read, vendor_xlsx, workbook

WHOLE = vendor_xlsx([ANALYSIS, *TWO])


def with_cell(column: str, value: object) -> list[object]:
    row: list[object] = list(TWO[0])
    row[ANALYSIS.index(column)] = value
    return row


@pytest.mark.parametrize("length", range(1, len(WHOLE), 37))
def test_a_truncated_workbook_is_refused_wherever_it_was_cut(length: int) -> None:
    with pytest.raises(BadInput):
        read(WHOLE[:length])


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_flipped_byte_of_a_workbook_is_refused_or_changes_nothing(place: int, flip: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] ^= flip
    try:
        export = read(bytes(damaged))
    except BadInput:
        return
    assert add(row.figures for row in export.rows) == add(row.figures for row in read(WHOLE).rows)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("素材ID", "8.888E+13"),
        ("素材ID", "示例.mp4"),
        ("整体消耗", "1.2万"),
        ("整体消耗", "-225.00"),
        ("整体消耗", "22,5.00"),
        ("整体消耗", "#DIV/0!"),
        ("整体消耗", "325.00"),
        ("整体成交金额", "300.00"),
        ("净成交金额", "365.21"),
        ("净成交金额结算率", "0.86"),
        ("净成交金额结算率", "186.04%"),
        ("净成交金额结算率", "58.00%"),
        ("净成交订单数", "4.5"),
        ("净成交ROI", "2.18"),
    ],
)
def test_a_cell_that_cannot_be_right_is_named_with_its_row_and_the_row_is_left_out(column: str, value: str) -> None:
    tolerated = column == "整体成交金额"  # within 5 %: told, since nothing proves which of two figures is the wrong one
    export = read(csv_file([ANALYSIS, TWO[1], with_cell(column, value)]))
    if tolerated:
        assert export.warnings
        return
    assert [fault.row for fault in export.rejected][:1] == [3]
    assert add(row.figures for row in export.rows).spend == micros(125)
    assert column in [fault.column for fault in export.rejected] or len(export.rejected) >= 1
    assert all(fault.reason for fault in export.rejected)


def test_an_id_that_a_spreadsheet_rounded_is_refused() -> None:
    export = read(plain_xlsx([ANALYSIS, with_cell("素材ID", 1790001112223334455)]))
    assert [(fault.row, fault.column) for fault in export.rejected] == [(2, "素材ID")]
    assert read(plain_xlsx([ANALYSIS, with_cell("素材ID", 88880000000001)])).rows[0].entity_id == "88880000000001"


@pytest.mark.parametrize("shift", range(1, 8))
def test_shifted_cells_are_refused(shift: int) -> None:
    right = [*TWO[0][:7], *[""] * shift, *TWO[0][7:]]
    left = [*TWO[0][: 7 - shift], *TWO[0][7:]]
    for row in (right, left):
        export = read(vendor_xlsx([ANALYSIS, row]))
        assert export.rows == ()
        assert export.rejected[0].row == 2


def test_swapped_columns_are_refused_whichever_two_they_are() -> None:
    amounts = ["整体消耗", "净成交金额", "整体成交金额", "净成交ROI", "1小时内退款率"]
    for first in amounts:
        for second in amounts:
            names = list(ANALYSIS)
            i, j = names.index(first), names.index(second)
            names[i], names[j] = names[j], names[i]
            export = read(csv_file([names, *TWO]))
            assert first == second or export.rows == (), (first, second)


def test_a_comma_within_an_unquoted_name_is_refused() -> None:
    content = csv_file([ANALYSIS, TWO[1]]) + ",".join(["视频", "1001", *TWO[0][1:]]).encode()
    assert [fault.row for fault in read(content).rejected][:1] == [3]


def test_more_cells_than_the_header_are_fine_where_the_ratios_prove_the_row() -> None:
    assert read(csv_file([ANALYSIS, [*TWO[0], "", "x"]])).lines == 1
    unproved = read(csv_file([["商品ID", "整体消耗"], ["37", "10", "20"]]))
    assert (unproved.lines, len(unproved.rejected)) == (0, 1)


def test_a_cut_row_of_a_csv_is_refused() -> None:
    content = csv_file([ANALYSIS, *TWO])
    cut = content.rindex(b",", 0, content.rindex(b","))
    assert [fault.row for fault in read(content[:cut]).rejected] == [3]


def test_the_same_id_twice_in_one_period_is_refused() -> None:
    export = read(csv_file([ANALYSIS, TWO[0], TWO[1], TWO[0]]))
    assert [(fault.row, "2" in fault.reason) for fault in export.rejected] == [(4, True)]
    assert export.lines == 2


def test_a_line_without_id_and_name_could_be_a_total_and_is_refused() -> None:
    export = read(csv_file([ANALYSIS, creative("", "10.00", "20.00", "20.00", name="")]))
    assert (export.lines, len(export.rejected)) == (0, 1)


def test_a_day_outside_the_files_period_is_refused() -> None:
    export = read(csv_file([[*ANALYSIS, "日期"], [*TWO[0], "2026-06-02"]]))
    assert (export.rejected[0].column, export.lines) == ("日期", 0)


def test_a_column_twice_is_believed_only_where_it_agrees() -> None:
    header = [*ANALYSIS, "整体消耗(元)"]
    export = read(csv_file([header, [*TWO[0], "225.00"], [*TWO[1], "126.00"]]))
    assert [fault.row for fault in export.rejected] == [3]


def cell(reference: str, value: str, kind: str = "") -> str:
    return f'<c r="{reference}"{kind}>{value}</c>'


def odd_workbook(spend: str, after: str = "") -> bytes:
    names = {"A1": "商品ID", "B1": "整体消耗"}
    text = [cell(place, f"<is><t>{name}</t></is>", ' t="inlineStr"') for place, name in names.items()]
    lines = [f'<row r="{i}">{cell(f"A{i}", f"<v>{i}</v>")}{spend.replace("@", str(i))}</row>' for i in (2, 3)]
    return workbook(f'<row r="1">{"".join(text)}</row>{"".join(lines)}', after)


@pytest.mark.parametrize(
    ("spend", "after"),
    [
        ('<c r="B@"><f>SUM(C1:C9)</f><v>0</v></c>', ""),
        ('<c r="B@"><f>SUM(C1:C9)</f></c>', ""),
        ('<c r="B@" t="e"><v>#DIV/0!</v></c>', ""),
        ('<c r="B@"><v>5</v></c>', '<mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells>'),
        ('<c r="B@" t="b"><v>1</v></c>', ""),
    ],
)
def test_formulas_errors_merges_and_booleans_are_no_figures(spend: str, after: str) -> None:
    export = read(odd_workbook(spend, after))
    assert [(fault.row, fault.column) for fault in export.rejected] == [(2, "整体消耗"), (3, "整体消耗")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  \n",
        b"%PDF-1.7 hello",
        b"<html><table><tr><td>1</td></tr></table></html>",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"PK\x03\x04 no zip at all",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 no workbook",
        b"name,age\nx,1\n",
        csv_file([["素材ID", "净成交金额"], ["1", "2"]]),
        csv_file([ANALYSIS], "gbk")[:-1] + b"\xff\xff",
        csv_file([ANALYSIS, ["视频"]]).rstrip()[:-1],
        vendor_xlsx([]),
        workbook('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
    ],
    ids="empty blank pdf html png zip xls other columns gbk utf-8 rows huge".split(),  # noqa: SIM905
)
def test_what_is_no_report_is_refused_with_a_remedy(content: bytes) -> None:
    try:
        for language in ("en", "zh"):
            speak(language)
            with pytest.raises(BadInput) as caught:
                read(content)
            assert len(str(caught.value)) > 10
    finally:
        speak("en")


def test_random_noise_is_refused_and_never_crashes() -> None:
    noise = random.Random(1)
    for _ in range(200):
        with pytest.raises(BadInput):
            read(noise.randbytes(noise.randrange(1, 400)))


def test_a_period_in_a_name_that_is_no_day_is_no_period() -> None:
    assert read(WHOLE, "x_2026-13-01 00_00_00-2026-13-01 23_59_59.xlsx").period is None
    assert read(WHOLE).period == (date(2026, 6, 1),) * 2


def test_a_live_board_never_comes_back_to_an_earlier_line() -> None:
    header = ["直播间名称", "时间", "实时在线人数", "整体消耗", "整体成交金额"]
    board = [["甲", f"2026-06-01 20:{5 * i:02}:00", 9, spend, spend * 2] for i, spend in enumerate((0, 10, 10, 25, 40))]
    again = read(csv_file([header, *board, board[3]]))
    assert [fault.row for fault in again.rejected] == [7]
    assert add(row.figures for row in again.rows).spend == micros(40)
    assert read(csv_file([header, *board])).rejected == ()


def test_a_file_without_a_row_says_that_it_may_have_been_cut() -> None:
    assert len(read(csv_file([ANALYSIS])).warnings) == 1


def test_a_balance_that_is_not_its_parts_is_told() -> None:
    header = ["日期", "总存入", "总余额", "赠款余额", "非赠款余额"]
    whole = read(csv_file([header, ["2026-06-01", "0", "30.00", "10.00", "20.00"]]))
    assert whole.warnings == ()
    shifted = read(csv_file([header, ["2026-06-01", "0", "30.00", "20.00", "20.00"]]))
    assert any("40.00" in warning for warning in shifted.warnings)
