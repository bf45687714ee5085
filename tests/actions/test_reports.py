"""Import and report as a merchant meets them: exact sums, nothing half stored, the same file twice changes nothing."""

import csv
import io
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner, Result

from qianheng.cli.app import build_app
from qianheng.core.errors import QianhengError
from qianheng.store import reports as stored_reports
from qianheng.store.database import connect, default_url, reading
from tests.vendors.report_files import ANALYSIS, TWO, creative, csv_file, vendor_xlsx

PLAN = ["计划ID", "计划名称", "日期", "整体消耗", "整体成交金额", "净成交金额", "整体成交订单数"]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(build_app(), [str(argument) for argument in arguments])


def answer(*arguments: object, code: int = 0) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == code, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def analysis(folder: Path, day: str, *rows: list[str], mark: str = "demo") -> Path:
    path = folder / f"全域数据_素材分析_视频_{day} 00_00_00-{day} 23_59_59-{mark}.xlsx"
    path.write_bytes(vendor_xlsx([ANALYSIS, *rows]))
    return path


def plans(folder: Path, *rows: list[object], name: str = "计划.csv") -> Path:
    path = folder / name
    path.write_bytes(csv_file([PLAN, *rows], "gbk"))
    return path


def stored() -> list[stored_reports.StoredRow]:
    with reading(connect(default_url())) as connection:
        return stored_reports.load(connection)


def test_an_import_answers_as_the_contract_says(tmp_path: Path) -> None:
    path = analysis(tmp_path, "2026-06-01", *TWO)
    told = answer("import", path)
    (file,) = told["files"]
    assert file["file"] == str(path)
    assert (file["kind"], file["period"], file["rows"]) == ("creative", ["2026-06-01", "2026-06-01"], 2)
    assert (file["rejected"], file["ignored_columns"], file["stored"]) == ([], [], True)
    expected = {"spend": "350.00", "gmv": "458.25", "net_gmv": "395.03", "net_orders": 8}
    expected |= {"payment_roi": "1.309286", "net_roi": "1.128657", "refund_rate_1h": "0.13796"}
    assert {key: told["totals"][key] for key in expected} == expected


def test_the_same_file_twice_changes_nothing_and_counts_once(tmp_path: Path) -> None:
    path = analysis(tmp_path, "2026-06-01", *TWO)
    first = answer("import", path)
    again = answer("import", path, path)
    assert again["totals"] == first["totals"]
    assert [(file["stored"], file["known"]) for file in again["files"]] == [(False, True)] * 2
    assert len(stored()) == 2


def test_a_restated_day_replaces_its_figures_and_the_earlier_ones_stay_known(tmp_path: Path) -> None:
    old = analysis(tmp_path, "2026-06-01", creative("1001", "100.00", "300.00", "290.00"), mark="a")
    new = analysis(tmp_path, "2026-06-01", creative("1001", "100.00", "300.00", "240.00"), mark="b")
    answer("import", old)
    answer("import", new)
    answer("import", old)
    told = answer("report")
    assert told["totals"]["net_gmv"] == "240.00"
    assert [change["before"]["net_gmv"] for change in told["restated"]] == ["290.00"]


def test_a_file_with_a_bad_row_is_not_stored_unless_asked_while_the_others_are(tmp_path: Path) -> None:
    good = analysis(tmp_path, "2026-06-01", *TWO)
    bad = analysis(tmp_path, "2026-06-02", TWO[0], [*TWO[1][:7], "12x", *TWO[1][8:]])
    told = answer("import", good, bad, code=1)
    assert [file["stored"] for file in told["files"]] == [True, False]
    (fault,) = told["files"][1]["rejected"]
    assert (fault["row"], fault["column"], fault["value"]) == (3, "整体消耗", "12x")
    assert told["totals"]["spend"] == "350.00"
    told = answer("import", bad, "--skip-bad-rows")
    assert (told["files"][0]["stored"], told["files"][0]["rows"], told["totals"]["spend"]) == (True, 1, "225.00")
    assert answer("report")["totals"]["spend"] == "575.00"


def test_an_unreadable_file_is_told_and_stops_no_other(tmp_path: Path) -> None:
    good = analysis(tmp_path, "2026-06-01", *TWO)
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(good.read_bytes()[:700])
    result = call("import", broken, tmp_path / "absent.csv", good, "--json")
    assert result.exit_code == 2
    assert result.stderr.count("qianheng: ") == 2
    assert "broken.xlsx" in result.stderr
    told = json.loads(result.stdout)
    assert [file["stored"] for file in told["files"]] == [False, False, True]
    assert told["totals"]["spend"] == "350.00"


def test_folders_and_patterns_are_taken(tmp_path: Path) -> None:
    analysis(tmp_path, "2026-06-01", *TWO)
    analysis(tmp_path, "2026-06-02", *TWO)
    (tmp_path / "notes.md").write_text("no report")
    assert len(answer("import", tmp_path)["files"]) == 2
    assert len(answer("import", tmp_path / "*2026-06-02*.xlsx")["files"]) == 1
    (tmp_path / "empty").mkdir()
    assert isinstance(call("import", tmp_path / "empty").exception, QianhengError)


def test_plans_and_creatives_of_one_day_are_one_spend(tmp_path: Path) -> None:
    analysis(tmp_path, "2026-06-01", *TWO)
    analysis(tmp_path, "2026-06-02", *TWO)
    plans(tmp_path, ["7", "夏装", "2026-06-01", "400.00", "500.00", "450.00", "9"])
    told = answer("import", tmp_path)
    assert told["totals"]["spend"] == "750.00"
    assert len(told["warnings"]) == 1
    assert answer("report")["totals"]["spend"] == "750.00"
    assert sum(Decimal(entry["spend"]) for entry in answer("report", "--by", "creative")["entries"]) == 700


def test_a_week_gives_way_to_days_only_where_they_fill_it(tmp_path: Path) -> None:
    week = tmp_path / "素材分析_2026-06-01 00_00_00-2026-06-02 23_59_59-w.xlsx"
    week.write_bytes(vendor_xlsx([ANALYSIS, creative("1001", "30.00", "60.00", "60.00")]))
    answer("import", week, analysis(tmp_path, "2026-06-01", creative("1001", "10.00", "20.00", "20.00")))
    assert answer("report")["totals"]["spend"] == "30.00"
    answer("import", analysis(tmp_path, "2026-06-02", creative("1001", "21.00", "42.00", "42.00")))
    assert answer("report")["totals"]["spend"] == "31.00"


def test_a_file_without_days_counts_in_its_import_and_waits_for_them(tmp_path: Path) -> None:
    path = tmp_path / "renamed.xlsx"
    path.write_bytes(vendor_xlsx([ANALYSIS, *TWO]))
    told = answer("import", path)
    assert (told["files"][0]["period"], told["totals"]["spend"]) == ([None, None], "350.00")
    assert answer("report")["period"] == [None, None]
    answer("import", path, "--from", "2026-06-01", "--to", "2026-06-01")
    assert answer("report")["totals"]["spend"] == "350.00"


def test_two_ad_accounts_do_not_replace_each_other(tmp_path: Path) -> None:
    first = analysis(tmp_path, "2026-06-01", creative("", "10.00", "20.00", "20.00", name="AIGC集合"), mark="a")
    second = analysis(tmp_path, "2026-06-01", creative("", "30.00", "60.00", "60.00", name="AIGC集合"), mark="b")
    answer("import", first, "--account", "甲")
    answer("import", second, "--account", "乙")
    assert answer("report")["totals"]["spend"] == "40.00"


@pytest.mark.parametrize("id_", ["1001", ""])
@pytest.mark.parametrize("first", ["", "甲"])
def test_what_is_told_of_an_account_and_of_none_counts_once_and_is_said(tmp_path: Path, first: str, id_: str) -> None:
    path = analysis(tmp_path, "2026-06-01", creative(id_, "10.00", "20.00", "20.00", name="AIGC集合"))
    named: dict[str, tuple[str, ...]] = {"": (), "甲": ("--account", "甲")}
    assert answer("import", path, *named.pop(first))["warnings"] == []
    (warning,) = answer("import", path, *named.popitem()[1])["warnings"]
    told = answer("report")
    assert told["totals"]["spend"] == "10.00"
    assert warning in told["warnings"]
    assert warning.startswith("1 lines")
    answer("import", path, "--account", "乙")
    assert answer("report")["totals"]["spend"] == "20.00"


def test_a_report_judges_days_against_what_the_owner_wants(tmp_path: Path) -> None:
    plans(
        tmp_path,
        ["7", "夏装", "2026-06-01", "1000.00", "2500.00", "2000.00", "30"],
        ["7", "夏装", "2026-06-02", "500.00", "900.00", "600.00", "9"],
    )
    answer("import", tmp_path)
    told = answer("report", "--target", "2.0", "--budget", "1000", "--margin", "0.4")
    judged = {verdict["measure"]: verdict["verdict"] for verdict in told["verdicts"]}
    assert told["totals"]["net_roi"] == "1.733333"
    assert judged == {
        "net_roi_to_target": "watch_roi",
        "refund_rate_1h": "refunds_raised",
        "spend_to_budget": "spend_low",
        "net_roi_to_breakeven": "below_breakeven",
    }
    by_day = {entry["name"]: [verdict["verdict"] for verdict in entry["verdicts"]] for entry in told["entries"]}
    assert "check_everything" in by_day["2026-06-02"]
    assert "roi_normal" in by_day["2026-06-01"]
    assert "propose_pause" in by_day["2026-06-02"]


def test_days_before_the_change_of_bidding_are_held_to_payment_roi(tmp_path: Path) -> None:
    plans(tmp_path, ["7", "夏装", "2025-11-01", "1000.00", "2000.00", "1000.00", "30"])
    answer("import", tmp_path)
    judged = {verdict["measure"]: verdict["verdict"] for verdict in answer("report", "--target", "2")["verdicts"]}
    assert judged["payment_roi_to_target"] == "roi_normal"
    assert "net_roi_to_target" not in judged


def test_a_creative_that_spent_next_to_nothing_is_neither_best_nor_worst(tmp_path: Path) -> None:
    rows = [creative(str(1000 + i), "500.00", f"{500 + 100 * i}.00", f"{450 + 100 * i}.00") for i in range(4)]
    analysis(tmp_path, "2026-06-01", *rows, creative("9999", "3.00", "300.00", "300.00"))
    answer("import", tmp_path)
    told = answer("report", "--by", "creative", "--top", "1")
    assert [entry["id"] for entry in told["best"]] == ["1003"]
    assert [entry["id"] for entry in told["worst"]] == ["1000"]
    assert len(told["entries"]) == 5


def test_what_cannot_be_answered_names_what_it_needs(tmp_path: Path) -> None:
    answer("import", analysis(tmp_path, "2026-06-01", *TWO))
    missing = {entry["question"] for entry in answer("report")["missing"]}
    assert missing == {"settled_roi", "guarantee", "plan", "product", "target", "budget", "margin"}


def test_only_the_days_asked_for_are_told(tmp_path: Path) -> None:
    for day in ("2026-06-01", "2026-06-02", "2026-06-03"):
        analysis(tmp_path, day, *TWO)
    answer("import", tmp_path)
    told = answer("report", "--from", "2026-06-02", "--to", "2026-06-02")
    assert (told["days"], told["totals"]["spend"]) == (1, "350.00")


def test_an_empty_store_says_how_to_begin() -> None:
    assert "qianheng import" in call("report").output
    assert answer("report")["entries"] == []


def test_a_breakdown_is_written_as_a_spreadsheet_reads_it(tmp_path: Path) -> None:
    answer(
        "import",
        analysis(tmp_path, "2026-06-01", creative("88880000000000001", "10.00", "30.00", "20.00", name="=1+1")),
    )
    for name in ("out.csv", "out.xlsx"):
        answer("report", "--by", "creative", "--export", tmp_path / name)
    written = (tmp_path / "out.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf")
    row = list(csv.reader(io.StringIO(written.decode("utf-8-sig"))))[1]
    assert (row[0], row[1], row[2], row[9]) == ("\t88880000000000001", "\t=1+1", "10.00", "2")
    sheet = CalamineWorkbook.from_path(tmp_path / "out.xlsx").get_sheet_by_index(0).to_python()
    assert sheet[1][:3] == ["88880000000000001", "=1+1", 10.0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--margin", "1.2"),
        ("--target", "0"),
        ("--target", "two"),
        ("--budget", "-1"),
        ("--by", "shoe"),
        ("--from", "2026-06-31"),
        ("--from", "2026-06-02", "--to", "2026-06-01"),
        ("--top", "0"),
        ("--thresholds", "absent.toml"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(arguments: tuple[str, ...]) -> None:
    error = call("report", *arguments).exception
    assert isinstance(error, QianhengError)
    assert arguments[0] in str(error) or "absent.toml" in str(error)


def test_a_failure_while_storing_leaves_nothing_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = analysis(tmp_path, "2026-06-01", *TWO)
    answer("import", analysis(tmp_path, "2026-06-05", *TWO))
    monkeypatch.setattr(stored_reports, "stable_id", lambda *parts: 2**70)  # no database holds it: the insert fails
    assert call("import", path).exit_code == 1
    monkeypatch.undo()
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path / "home"))
    assert {row.row.first.day for row in stored() if row.row.first} == {5}
    assert answer("import", path)["files"][0]["stored"]


def test_people_are_told_in_their_language(tmp_path: Path) -> None:
    bad = analysis(tmp_path, "2026-06-02", TWO[0], [*TWO[1][:7], "12x", *TWO[1][8:]])
    environment = {**os.environ, "QIANHENG_LANG": "zh", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "qianheng.cli.main", "import", str(bad)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 1, done.stderr
    assert "第 3 行, 整体消耗" in done.stdout
    assert "--skip-bad-rows" in done.stdout
    assert subprocess.run([*command, "--skip-bad-rows"], env=environment, stdout=subprocess.DEVNULL).returncode == 0
    assert "net ROI" in call("report").output


def test_reports_in_two_currencies_are_never_added(tmp_path: Path) -> None:
    for code in ("USD", "MYR"):
        text = f"Campaign ID,Campaign name,Cost,Gross revenue,Currency\n9,Summer,100.00,350.00,{code}\n"
        (tmp_path / f"{code}.csv").write_text(text)
    told = answer("import", tmp_path / "*.csv", "--from", "2026-06-01")
    assert (told["totals"]["currency"], told["totals"]["spend"]) == (None, None)
    by_currency = [(one["currency"], one["spend"]) for one in told["totals_by_currency"]]
    assert by_currency == [("MYR", "100.00"), ("USD", "100.00")]
    both = answer("report")["by_currency"]
    assert [(one["currency"], one["totals"]["payment_roi"]) for one in both] == [("MYR", "3.5"), ("USD", "3.5")]
    one = answer("report", "--currency", "usd", "--export", tmp_path / "usd.csv")
    assert (one["currency"], one["totals"]["spend"]) == ("USD", "100.00")
    assert "USD" in (tmp_path / "usd.csv").read_text(encoding="utf-8-sig")
    assert "MYR" in call("report").output
    assert call("report", "--currency", "dollar").exit_code != 0


def test_advice_does_not_hold_dollars_to_rules_in_yuan(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Campaign ID,Cost,Gross revenue,Currency\n9,100.00,350.00,USD\n")
    answer("import", tmp_path / "x.csv", "--from", "2026-06-01")
    result = call("advise", "--reports")
    assert isinstance(result.exception, QianhengError)
    assert "USD" in str(result.exception)
