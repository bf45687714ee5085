"""The doctor names what is wrong with a report and repairs only what needs no guess."""

import ast
from pathlib import Path

import pytest

from qianheng import vendors
from qianheng.core.money import micros
from qianheng.core.words import known
from qianheng.measures.reports import add
from qianheng.vendors.doctor import Examined, examine
from qianheng.vendors.exports import Reading
from tests.vendors.report_files import ANALYSIS, NAME, NOW, TWO, creative, csv_file, plain_xlsx, read, vendor_xlsx


def look(content: bytes, name: str = NAME) -> Examined:
    return examine(name, content, Reading(NOW))


def keys(examined: Examined) -> list[str]:
    return [finding.key for finding in examined.findings]


def spend(content: bytes) -> int | None:
    return add(row.figures for row in read(content).rows).spend


def test_a_whole_report_is_healthy_and_there_is_nothing_to_repair() -> None:
    examined = look(vendor_xlsx([ANALYSIS, *TWO]))
    assert (examined.healthy, examined.findings, examined.fixed) == (True, (), None)


def test_a_comma_in_a_name_is_put_together_again_where_the_ratios_prove_it() -> None:
    split = ["视", "频", *TWO[1][1:]]
    examined = look(csv_file([ANALYSIS, TWO[0], split]))
    assert [(finding.key, finding.rows, finding.fixable) for finding in examined.findings] == [("split", (3,), True)]
    assert examined.fixed is not None
    assert spend(examined.fixed) == micros(350)
    assert read(examined.fixed).rows[1].name == "视,频"


def test_a_split_row_that_nothing_proves_is_left_as_it_is() -> None:
    examined = look(csv_file([["商品ID", "商品名称", "整体消耗"], ["37", "a", "b", "20"]]), "商品.csv")
    assert not examined.healthy
    assert examined.fixed is None


def test_a_line_that_stands_there_twice_is_dropped_and_one_that_differs_is_not() -> None:
    same = look(csv_file([ANALYSIS, *TWO, TWO[0]]))
    assert keys(same) == ["repeated"]
    assert same.fixed is not None
    assert spend(same.fixed) == micros(350)
    other = look(csv_file([ANALYSIS, *TWO, creative(TWO[0][1], "10.00", "20.00", "20.00")]))
    assert (keys(other), other.fixed) == (["repeated"], None)


@pytest.mark.parametrize("wrong", ["latin-1", "cp437"])
def test_text_opened_in_a_wrong_encoding_is_given_back_letter_by_letter(wrong: str) -> None:
    whole = csv_file([ANALYSIS, *TWO])
    examined = look(whole.decode(wrong).encode())
    assert keys(examined) == ["mojibake"]
    assert examined.fixed is not None
    assert spend(examined.fixed) == micros(350)


def test_faults_of_one_kind_in_one_column_are_told_once_with_all_their_rows() -> None:
    rows = [creative(str(i), "10.00", "20.00", "20.00") for i in (1, 2, 3)]
    for row in rows:
        row[ANALYSIS.index("整体消耗")] = "1.2万"
    examined = look(csv_file([ANALYSIS, *rows]))
    finding = examined.findings[0]
    assert (finding.key, finding.rows, finding.column, finding.value) == (
        "not_a_figure",
        (2, 3, 4),
        "整体消耗",
        "1.2万",
    )
    assert finding.remedy


def test_a_renamed_column_is_recognised_by_its_likeness() -> None:
    header = ["素材ID", "素材名称", "整体消耗额"]
    assert "renamed" in keys(look(csv_file([header, ["1", "a", "3"]])))
    extra = look(csv_file([[*ANALYSIS, "整体成交订单"], [*TWO[0], "3"]]))
    assert (keys(extra), extra.healthy) == (["column_like"], True)


def test_guards_of_ids_are_taken_off_in_the_copy() -> None:
    rows = [["'" + cell if cell == TWO[0][1] else cell for cell in TWO[0]], TWO[1]]
    examined = look(csv_file([ANALYSIS, *rows]))
    assert examined.healthy
    assert examined.fixed is not None
    assert b"'8888" not in examined.fixed
    assert read(examined.fixed).rows == read(csv_file([ANALYSIS, *TWO])).rows


def test_cells_that_must_not_be_believed_are_never_written_into_a_copy() -> None:
    rows = [ANALYSIS, *TWO, TWO[0], ["=1+1", *TWO[1][1:]]]
    examined = look(plain_xlsx(rows))
    assert "repeated" in keys(examined)
    assert examined.fixed is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"%PDF-1.7", b"a,b\n1,2\n", vendor_xlsx([ANALYSIS])[:300]])
def test_what_is_no_report_is_told_with_a_remedy(content: bytes) -> None:
    examined = look(content)
    assert not examined.healthy
    assert all(finding.remedy for finding in examined.findings)


def test_every_reason_to_refuse_has_a_remedy() -> None:
    folder = Path(vendors.__file__).parent
    said = [
        node.value.rpartition(".")[2]
        for path in folder.glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("BadInput", "Rejected")
        for node in ast.walk(call)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("vendors.")
        if not node.value.endswith(".")
        if path.stem != "messengers"
    ]
    assert len(said) > 20
    assert [key for key in said if not known(f"doctor.remedy.{key}")] == []
