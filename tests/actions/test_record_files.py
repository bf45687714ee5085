"""Record files come in through `qianheng import` like reports: whole or not at all, twice changes nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from qianheng.measures.shop_orders import ShopOrder
from qianheng.plans.entries import LogEntry
from qianheng.store import records
from qianheng.store.database import connect, default_url, reading
from tests.vendors.report_files import csv_file

Say = Callable[..., str]
HEADER = ["主订单编号", "子订单编号", "商品ID", "订单应付金额", "支付完成时间"]
LOG = [
    ["操作时间", "操作人", "对象ID", "操作内容", "操作前", "操作后"],
    ["2026-09-22 10:00:00", "小王", "1790", "支付ROI目标", "2.00", "2.20"],
]


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path / "home"))


def written(folder: Path, name: str, rows: list[list[str]]) -> str:
    path = folder / name
    path.write_bytes(csv_file(rows, "gbk"))
    return str(path)


def stored_orders() -> list[ShopOrder]:
    with reading(connect(default_url())) as connection:
        return records.load(connection, ShopOrder)


def test_orders_are_stored_once_and_a_later_export_replaces_them(tmp_path: Path, say: Say) -> None:
    one = written(tmp_path, "a.csv", [HEADER, ["7", "71", "36", "20.00", "2026-09-22 10:00:00"]])
    (file,) = json.loads(say("import", one, "--json"))["files"]
    assert (file["kind"], file["rows"], file["stored"]) == ("orders", 1, True)
    (again,) = json.loads(say("import", one, "--json"))["files"]
    assert (again["stored"], again["known"]) == (False, True)
    assert [order.paid for order in stored_orders()] == [20_000_000]
    say("import", written(tmp_path, "b.csv", [HEADER, ["7", "71", "36", "15.00", "2026-09-22 10:00:00"]]))
    assert [order.paid for order in stored_orders()] == [15_000_000]


def test_a_file_with_a_bad_line_is_stored_only_when_asked(tmp_path: Path, say: Say) -> None:
    rows = [HEADER, ["7", "71", "36", "20.00", "2026-09-22 10:00:00"], ["8", "81", "36", "x", "2026-09-22 10:00:00"]]
    path = written(tmp_path, "a.csv", rows)
    (file,) = json.loads(say("import", path, "--json"))["files"]
    assert [fault["row"] for fault in file["rejected"]] == [3]
    assert not file["stored"]
    assert stored_orders() == []
    say("import", path, "--skip-bad-rows")
    assert [order.item_id for order in stored_orders()] == ["71"]


def test_the_log_of_changes_is_kept_as_entries_and_told_in_both_languages(tmp_path: Path, say: Say) -> None:
    told = say("--lang", "zh", "import", written(tmp_path, "操作日志.csv", LOG))
    assert "操作日志" in told
    with reading(connect(default_url())) as connection:
        (entry,) = records.load(connection, LogEntry)
        assert records.told_days(connection, "change_log")
    assert (entry.plan_id, entry.field, entry.after) == ("1790", "target", "2.20")
