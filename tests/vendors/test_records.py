"""Orders, after-sales and logs of changes are read as they happened, whatever wrote the file."""

from datetime import date

import pytest

from qianheng.core.days import HOUR, microseconds, parse_time
from qianheng.core.errors import BadInput
from qianheng.measures.shop_orders import ShopOrder, ShopRefund
from qianheng.plans.entries import LogEntry, LogField
from qianheng.plans.plan import Goal
from qianheng.vendors.change_log import VendorLog, entries_of
from qianheng.vendors.records import RecordFile, RecordKind, not_understood, read_records, record_heading
from qianheng.vendors.sheets import read_sheets
from tests.vendors.report_files import csv_file, plain_xlsx, vendor_xlsx

ZONE = "Asia/Shanghai"
ORDER_HEADER = [
    *("主订单编号", "子订单编号", "选购商品", "商品ID", "订单应付金额", "订单提交时间", "支付完成时间", "订单状态"),
    *("售后状态", "平台实际承担优惠金额", "商家实际承担优惠金额", "流量体裁", "收件人"),
]
ORDERS = [
    ORDER_HEADER,
    [
        *("\t6917926768823643751", "\t6917926768823643751", "\t连衣裙", "3600", "1,028.90", "2026-09-22 00:54:10"),
        *("2026-09-22 00:55:00", "已完成", "退款成功", "21.00", "25.00", "直播", "##密文"),
    ],
    [
        *("'6917926768823643752", '="6917926768823643752"', "上衣", "3601", "20.00", "2026/09/22 10:00:00"),
        *("2026-09-22 10:00:01", "已发货", "-", "0.00", "0.00", "商品卡", "##密文"),
    ],
    [
        *("6917926768823643753", "6917926768823643753", "上衣", "3601", "20.00", "2026-09-22 10:00:00"),
        *("-", "已关闭", "-", "0.00", "0.00", "商品卡", "##密文"),
    ],
]


def at(text: str) -> int:
    return microseconds(parse_time(text, ZONE))


def read(content: bytes, name: str = "订单.csv") -> RecordFile:
    heading = record_heading(read_sheets(content))
    assert heading is not None
    return read_records(heading, name, ZONE)


@pytest.mark.parametrize(
    "content",
    [csv_file(ORDERS), csv_file(ORDERS, "gbk"), csv_file(ORDERS, "utf-8-sig"), vendor_xlsx(ORDERS)],
)
def test_orders_are_read_with_every_digit_of_their_ids(content: bytes) -> None:
    told = read(content)
    assert told.kind is RecordKind.ORDERS
    assert told.rejected == ()
    assert told.ignored_columns == ("收件人",)
    assert told.period == (date(2026, 9, 22), date(2026, 9, 22))
    first, second = told.records
    assert first == ShopOrder(
        item_id="6917926768823643751",
        order_id="6917926768823643751",
        product_id="3600",
        at=at("2026-09-22T00:55:00"),
        paid=1_028_900_000,
        platform_discount=21_000_000,
        shop_discount=25_000_000,
        in_room=True,
        placed_at=at("2026-09-22T00:54:10"),
        status="已完成",
    )
    assert isinstance(second, ShopOrder)
    assert second.item_id == "6917926768823643752"
    assert second.in_room is False


def test_an_order_that_was_never_paid_is_left_out_and_told() -> None:
    told = read(csv_file(ORDERS))
    assert told.lines == 3
    assert len(told.records) == 2
    assert any("1" in warning for warning in told.warnings)


def test_only_after_sales_that_gave_money_back_are_refunds() -> None:
    header = ["售后单号", "订单号", "商品单号", "商品ID", "退商品金额（元）", "退支付优惠（元）", "售后状态"]
    rows = [
        [*header, "售后申请时间", "商家退款时间", "用户到账时间"],
        [
            "R1",
            "M1",
            "S1",
            "36",
            "90.00",
            "10.00",
            "同意退款，退款成功",
            "2026-09-22 10:00:00",
            "2026-09-22 10:30:00",
            "",
        ],
        ["R2", "M2", "S2", "36", "90.00", "", "售后关闭", "2026-09-22 10:00:00", "-", "-"],
        ["R3", "M3", "S3", "36", "5.00", "-", "退款成功", "2026-09-22 10:00:00", "-", "2026-09-22 11:00:00"],
    ]
    told = read(csv_file(rows), "售后.csv")
    assert told.kind is RecordKind.REFUNDS
    assert told.records == (
        ShopRefund("R1", "S1", at("2026-09-22T10:30:00"), 90_000_000, 10_000_000),
        ShopRefund("R3", "S3", at("2026-09-22T11:00:00"), 5_000_000, None),
    )
    assert told.records[0].gmv == 100_000_000


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (["6917926768823643751", "8.888E+13", "20.00", "2026-09-22 10:00:00"], "子订单编号"),
        (["6917926768823643751", "6917926768823643751", "二十", "2026-09-22 10:00:00"], "订单应付金额"),
        (["6917926768823643751", "6917926768823643751", "20.00", "2026-09-22"], "支付完成时间"),
        (["6917926768823643751", "6917926768823643751", "", "2026-09-22 10:00:00"], "订单应付金额"),
    ],
)
def test_a_line_that_cannot_be_believed_is_rejected_by_its_column(row: list[str], column: str) -> None:
    told = read(csv_file([["主订单编号", "子订单编号", "订单应付金额", "支付完成时间"], row]))
    assert told.records == ()
    assert [(fault.row, fault.column) for fault in told.rejected] == [(2, column)]


LOG = VendorLog("L1", 7 * HOUR, "1790", "运营小王", "修改计划")
TEXTS = [
    ("支付ROI目标：2.00 → 2.20", LogField.TARGET, "2.00", "2.20", Goal.PAYMENT),
    ("净成交ROI目标：由2.00修改为2.2", LogField.TARGET, "2.00", "2.2", Goal.NET),
    ("日预算: 300.00元 -> 5,000.00元", LogField.BUDGET, "300.00", "5000.00", None),
    ("预算：不限 → 500", LogField.BUDGET, None, "500", None),
    ("优化目标：整体支付ROI → 净成交ROI", LogField.GOAL, "payment", "net", None),
    ("出价方式：控成本投放 → 放量投放", LogField.BID_MODE, "target_roi", "max_delivery", None),
    ("计划状态：启用 → 暂停", LogField.STATUS, "active", "paused", None),
    ("删除计划", LogField.STATUS, None, "deleted", None),
    ("投放时段：全天 → 08:00-23:00", LogField.OTHER, None, None, None),
    ("支付ROI目标：二 → 三", LogField.OTHER, None, None, None),
]


@pytest.mark.parametrize(("text", "field", "before", "after", "goal"), TEXTS)
def test_a_text_of_the_log_says_what_changed(
    text: str, field: LogField, before: str | None, after: str | None, goal: Goal | None
) -> None:
    (entry,) = entries_of(VendorLog(LOG.log_id, LOG.at, LOG.plan_id, LOG.operator, LOG.title, (text,)))
    assert (entry.field, entry.before, entry.after, entry.goal) == (field, before, after, goal)
    assert entry.text == text
    assert entry.plan_id == "1790"
    assert entry.at == 7 * HOUR


def test_one_record_may_tell_several_fields_each_known_again() -> None:
    texts = ("支付ROI目标：2.00 → 2.20；日预算：300 → 500",)
    once = entries_of(VendorLog("L1", 0, "1790", "", "修改计划", texts))
    again = entries_of(VendorLog("L1", 0, "1790", "", "修改计划", texts))
    assert [entry.field for entry in once] == [LogField.TARGET, LogField.BUDGET]
    assert once == again
    assert len({entry.key for entry in once}) == 2


def test_a_log_with_columns_for_before_and_after_is_read_the_same_twice() -> None:
    rows = [
        ["操作时间", "操作人", "操作对象", "对象ID", "操作内容", "操作前", "操作后"],
        ["2026-09-22 10:00:00", "运营小王", "夏装", "1790001112223334", "支付ROI目标", "2.00", "2.20"],
        ["2026-09-22 11:00:00", "运营小王", "夏装", "1790001112223334", "暂停计划", "", ""],
        ["2026-09-22 12:00:00", "运营小王", "夏装", "1790001112223334", "地域定向", "全国", "浙江"],
    ]
    told, again = read(csv_file(rows), "操作日志.csv"), read(plain_xlsx(rows), "操作日志.xlsx")
    assert told.records == again.records
    first, second, third = told.records
    assert isinstance(first, LogEntry)
    assert isinstance(second, LogEntry)
    assert isinstance(third, LogEntry)
    assert (first.field, first.before, first.after, first.goal) == (LogField.TARGET, "2.00", "2.20", Goal.PAYMENT)
    assert (second.field, second.after) == (LogField.STATUS, "paused")
    assert not_understood(told.records) == ["地域定向: 全国 → 浙江"]


def test_a_report_is_no_record_file() -> None:
    assert record_heading(read_sheets(csv_file([["计划ID", "整体消耗"], ["1", "2.00"]]))) is None
    with pytest.raises(BadInput):
        read_sheets(b"")
