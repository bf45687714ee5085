"""The record of a test: exact sums of both plans, winners only beyond chance, and a workbook that checks itself."""

import json
import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from python_calamine import CalamineWorkbook

from tests.vendors.report_files import csv_file

Say = Callable[..., str]
PLAN = ["计划ID", "计划名称", "日期", "整体消耗", "整体成交金额", "净成交金额", "整体成交订单数"]
CELLS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say) -> Path:
    """Sixteen days: B sells a fifth more than A for the same money, each day a little differently."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    rows: list[list[object]] = []
    for day in range(1, 17):
        gmv = 2500 + 130 * (day * 7 % 5)
        rows.append(["11", "甲", f"2025-09-{day:02d}", "1000.01", gmv, gmv - 100, 20])
        rows.append(["12", "乙", f"2025-09-{day:02d}", "1000.01", gmv * 1.2 + day % 3, gmv * 1.2 - 100, 24])
    (tmp_path / "计划.csv").write_bytes(csv_file([PLAN, *rows], "gbk"))
    say("import", str(tmp_path / "计划.csv"))
    return tmp_path


def record(say: Say, *more: str) -> Any:
    return json.loads(say("review", "test-record", "--a", "11", "--b", "12", "--reports", "--json", *more))


def results(told: Any, days: int) -> dict[str, Any]:
    return {row["measure"]: row for row in told["sections"][f"day_{days}"]["tables"]["results"]}


def test_results_stand_after_7_14_and_all_days_with_exact_sums(imported: Path, say: Say) -> None:
    told = record(say)
    assert [name for name in told["sections"] if name.startswith("day_")] == ["day_7", "day_14", "day_16"]
    assert results(told, 7)["spend"]["a"] == "7000.07"
    assert results(told, 16)["spend"]["a"] == "16000.16"
    assert results(told, 14)["net ROI"]["winner"] == "B"
    assert results(told, 14)["spend"]["winner"] == "no better or worse"
    assert results(told, 14)["settled ROI 7 d"]["winner"] == "not known"


def test_the_days_asked_for_are_those_recorded(imported: Path, say: Say) -> None:
    told = record(say, "--from", "2025-09-03", "--to", "2025-09-05")
    assert [row["day"] for row in told["sections"]["days"]["tables"]["by_day"]] == [
        "2025-09-03",
        "2025-09-04",
        "2025-09-05",
    ]
    assert results(told, 3)["GMV"]["winner"] == "not known"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_formula_of_the_workbook_gives_the_value_beside_it(imported: Path, say: Say, language: str) -> None:
    path = imported / "record.xlsx"
    say("--lang", language, "review", "test-record", "--a", "11", "--b", "12", "--reports", "--output", str(path))
    book = CalamineWorkbook.from_path(path)
    sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    names = list(book.sheet_names)
    checked = 0
    with zipfile.ZipFile(path) as archive:
        for number, name in enumerate(names, 1):
            root = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
            for cell in root.iter(f"{CELLS}c"):
                formula, value = cell.find(f"{CELLS}f"), cell.find(f"{CELLS}v")
                if formula is not None and formula.text and "IF(" not in formula.text:
                    assert value is not None
                    assert float(value.text or 0) == pytest.approx(computed(formula.text, sheets, name), abs=1e-5)
                    checked += 1
    assert checked > 80
    days = sheets[names[1]]
    assert [row[0] for row in days[-3:]] == {
        "en": ["sum (formula)", "as recorded", "equal?"],
        "zh": ["合计（公式）", "系统合计", "是否一致"],
    }[language]
    assert {cell for cell in days[-1][1:] if cell} == {"✓"}


def computed(formula: str, sheets: dict[str, list[list[Any]]], here: str) -> float:
    """What a spreadsheet would make of SUM(…), a quotient of two of them, or one of two cells."""
    parts = [_part(part, sheets, here) for part in formula.split("/")]
    return parts[0] / parts[1] if len(parts) == 2 else parts[0]


def _part(text: str, sheets: dict[str, list[list[Any]]], here: str) -> float:
    found = re.fullmatch(r"(?:SUM\()?(?:'([^']+)'!)?\$?([A-Z]+)\$?(\d+)(?::\$?[A-Z]+\$?(\d+))?\)?", text)
    assert found, text
    sheet, column, first, last = found.groups()
    number = 0
    for letter in column:
        number = 26 * number + ord(letter) - 64
    rows = sheets[sheet or here][int(first) - 1 : int(last or first)]
    return float(sum(Decimal(str(row[number - 1] or 0)) for row in rows))


def test_the_same_test_makes_the_same_workbook(imported: Path, say: Say) -> None:
    for name in ("one.xlsx", "two.xlsx"):
        say("review", "test-record", "--a", "11", "--b", "12", "--reports", "--output", str(imported / name))
    one, two = (zipfile.ZipFile(imported / name) for name in ("one.xlsx", "two.xlsx"))
    assert [one.read(part) for part in one.namelist()] == [two.read(part) for part in two.namelist()]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--a", "11", "--b", "11"), "compared with itself"),
        (("--a", "11", "--b", "99"), "known: 11, 12"),
        (("--a", "11", "--b", "12", "--from", "2025-08-01"), "2025-09-01 to 2025-09-16"),
        (("--a", "11", "--b", "12", "--from", "2025-09-09", "--to", "2025-09-08"), "2025-09-09"),
        (("--a", "11", "--b", "12", "--output", "record.csv"), ".xlsx"),
    ],
)
def test_a_bad_argument_is_told_with_what_was_expected(
    imported: Path, say: Say, arguments: tuple[str, ...], expected: str
) -> None:
    assert expected in say("review", "test-record", "--reports", *arguments)


def test_of_a_run_targets_products_and_settled_figures_are_recorded_too(kept: Path, say: Say, tmp_path: Path) -> None:
    path = tmp_path / "record.xlsx"
    said = json.loads(say("review", "test-record", "--a", "1", "--b", "2", "--output", str(path), "--json"))
    told = results(said, 2)
    assert told["products sold"]["a"] > 0
    assert told["settled ROI 7 d"]["a"] is not None
    figures = json.loads(say("figures", "--by", "plan", "--json"))["lines"]
    assert told["spend"]["a"] == next(line["sums"]["spend"] for line in figures if line["plan"] == said["facts"]["a"])
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert any(row[0] == "target" and isinstance(row[1], float) for row in rows)
