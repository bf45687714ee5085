"""Reports that merchants hold are read to the last fen, whatever wrote them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.core.errors import BadInput
from qianheng.core.money import micros
from qianheng.measures.reports import add, summary
from qianheng.plans.plan import Goal
from tests.vendors.report_files import (
    ANALYSIS,
    NAME,
    NOW,
    TWO,
    Rows,
    cells,
    creative,
    csv_file,
    plain_xlsx,
    read,
    vendor_xlsx,
)

WRITERS: list[Callable[[Rows], bytes]] = [
    vendor_xlsx,
    plain_xlsx,
    csv_file,
    lambda rows: csv_file(rows, "gbk"),
    lambda rows: csv_file(rows, "gb18030"),
    lambda rows: csv_file(rows, "utf-8-sig"),
    lambda rows: csv_file(rows, "utf-16"),
    lambda rows: csv_file(rows, "utf-16-le"),
]
PLAN = cells(
    "计划名称,计划ID,日期,整体消耗(元),整体成交订单数,整体成交金额（元）,整体支付ROI,整体成交订单成本,用户实际支付金额,"
    "电商平台补贴金额,净成交ROI,净成交金额,净成交订单成本,净成交订单数,净成交金额结算率,1小时内退款率,1小时内退款金额,"
    "7日GMV结算率,7日结算金额,14日结算金额"
)
PLAN_CELLS = [
    *cells("夏装,1790001112223334,2026-06-01"),
    "1,000.00",
    "30",
    "￥2,500.00",
    *cells("2.50,33.33,2400.00,50.00,2.30,2300.00,35.71,28,92.00%,8.00%,200.00,80.00%,2000.00,1950.00"),
]


LAYOUTS = [
    (
        "product",
        "商品ID,商品名称,日期,整体展示次数,整体点击次数,整体点击率,整体消耗,整体成交金额",
        "37,衣,2026-06-01,1000,50,5.00%,10,25",
    ),
    ("video", "素材ID,素材视频名称,日期,整体消耗,整体成交金额,3秒播放率", "37,片,2026/6/1,10,25,41.93%"),
    ("older_creative", "素材ID,素材名称,整体消耗,基础消耗,追投调控消耗,整体支付ROI", "37,片,10,7,3,1.5"),
    ("account_daily", "抖音号,日期,整体消耗(元),整体成交金额(元),整体成交订单数", "店,20260601,10,25,1"),
    ("finance", "日期,总存入(元),总余额(元),赠款余额(元),非赠款余额(元)", "2026-06-01,0,-3.5,0,1"),
    ("live_board", "时间,实时在线人数,整体消耗(元),净成交金额(元)", "2026-06-01 20:05:00,88,10,20"),
]


@pytest.mark.parametrize(("layout", "header", "line"), LAYOUTS, ids=[entry[0] for entry in LAYOUTS])
def test_every_layout_is_recognised(layout: str, header: str, line: str) -> None:
    export = read(csv_file([cells(header), cells(line)]))
    assert (export.layout, export.rejected, export.lines) == (layout, (), 1)
    assert export.ignored_columns == ()
    assert export.rows[0].first == date(2026, 6, 1)
    assert export.rows[0].figures.spend in (None, micros(10))


def test_missing_is_unknown_and_never_zero() -> None:
    row = creative("1001", "0.00", "0.00", "0.00")
    for word in ("-", "--", "", "None"):
        row[ANALYSIS.index("净成交金额")] = row[ANALYSIS.index("净成交订单数")] = word
        (read_row,) = read(csv_file([ANALYSIS, row])).rows
        assert (read_row.figures.net_gmv, read_row.figures.net_orders, read_row.figures.spend) == (None, None, 0)


def test_a_ratio_leaves_out_rows_that_do_not_know_both_sides() -> None:
    unknown = creative("1002", "100.00", "100.00", "90.00")
    for column in ("净成交金额", "净成交ROI", "净成交金额结算率", "1小时内退款率"):
        unknown[ANALYSIS.index(column)] = "-"
    export = read(csv_file([ANALYSIS, creative("1001", "100.00", "200.00", "150.00"), unknown]))
    assert summary(export.rows).net_roi == Fraction(3, 2)
    assert summary(export.rows).payment_roi == Fraction(3, 2)


@pytest.mark.parametrize("label", ["全部", "总计", "合计", "合计（2条）"])
def test_the_total_row_is_compared_and_never_counted(label: str) -> None:
    total = [label, "", "", "", "", "", "", "351.00", "", "395.03", "", "", "458.25", "", "8"]
    export = read(vendor_xlsx([ANALYSIS, total, *TWO]))
    assert add(row.figures for row in export.rows).spend == micros(350)
    assert export.totals[0].differences == (("整体消耗", "351.00", "350.00"),)
    assert any("351.00" in warning for warning in export.warnings)


def test_a_creative_that_is_called_total_but_has_an_id_counts() -> None:
    export = read(vendor_xlsx([ANALYSIS, creative("1001", "10.00", "20.00", "20.00", name="全部")]))
    assert (export.lines, export.totals) == (1, ())


def test_notes_before_the_header_a_second_header_and_empty_lines_are_passed_over() -> None:
    rows = [["导出时间：2026-06-02"], [], ANALYSIS, TWO[0], [], ANALYSIS, TWO[1], [""]]
    export = read(csv_file(rows))
    assert (export.lines, export.rejected) == (2, ())
    broken = [*TWO[0][:-1], "x"]
    assert read(csv_file([*rows, broken])).rejected[0].row == 9


def test_unknown_columns_are_kept_aside_and_listed() -> None:
    export = read(csv_file([[*ANALYSIS, "新指标"], [*TWO[0], "7"]]))
    assert export.ignored_columns == ("新指标",)
    assert ("新指标", "7") in export.rows[0].aside


def test_an_exact_header_is_needed_since_one_name_begins_another() -> None:
    header = [name for name in ANALYSIS if name != "净成交金额"]
    row = [cell for name, cell in zip(ANALYSIS, TWO[0], strict=True) if name != "净成交金额"]
    assert read(csv_file([header, row])).rows[0].figures.net_gmv is None


def test_an_item_without_id_is_known_by_its_name_and_two_of_one_name_both_count() -> None:
    rows = [
        creative("", "10.00", "20.00", "20.00", name="AIGC集合"),
        creative("", "30.00", "60.00", "60.00", name="AIGC集合"),
    ]
    export = read(vendor_xlsx([ANALYSIS, *rows]))
    assert add(row.figures for row in export.rows).spend == micros(40)
    assert len({row.key for row in export.rows}) == 2


def test_the_vendors_own_refund_rate_stands_where_it_contradicts_the_amounts_and_that_is_told() -> None:
    row = creative("1001", "100.00", "200.00", "180.00")
    row[ANALYSIS.index("1小时内退款率")] = "1.49%"
    export = read(vendor_xlsx([ANALYSIS, row]))
    assert export.rows[0].figures.refunded_1h == micros("2.98")
    assert len(export.warnings) == 1


@pytest.mark.parametrize(("day", "goal"), [("2025-12-28", Goal.PAYMENT), ("2025-12-29", Goal.NET)])
def test_days_since_the_vendors_change_of_bidding_default_to_the_net_goal(day: str, goal: Goal) -> None:
    export = read(vendor_xlsx([ANALYSIS, TWO[0]]), f"x_{day} 00_00_00-{day} 23_59_59-1.xlsx")
    assert export.rows[0].goal is goal


def test_a_live_board_counts_the_last_line_of_each_session() -> None:
    header = ["直播间名称", "时间", "实时在线人数", "整体消耗", "整体成交金额"]
    lines = [["甲", f"2026-06-01 20:{5 * i:02}:00", 9, spend, spend * 2] for i, spend in enumerate((10, 25, 40, 5, 30))]
    export = read(csv_file([header, *lines]))
    assert export.lines == 5
    assert [row.figures.spend for row in export.rows] == [micros(40), micros(30)]


def test_hours_are_kept_apart_and_midnight_alone_is_no_hour() -> None:
    header = ["计划ID", "日期", "整体消耗"]
    hourly = read(csv_file([header, ["7", "2026-06-01 00:00:00", "1"], ["7", "2026-06-01 01:00:00", "2"]]), "计划.csv")
    assert [row.hour for row in hourly.rows] == [0, 1]
    daily = read(csv_file([header, ["7", "2026-06-01 00:00:00", "1"]]), "计划.csv")
    assert daily.rows[0].hour is None


def test_a_file_that_names_no_days_is_read_and_says_so() -> None:
    export = read(vendor_xlsx([ANALYSIS, *TWO]), "renamed.xlsx")
    assert (export.period, export.lines) == (None, 2)


def test_a_spreadsheets_guard_around_an_id_is_taken_off() -> None:
    row = ['="88880000000000000001"' if cell == "88880000000001" else cell for cell in TWO[0]]
    assert read(csv_file([ANALYSIS, row])).rows[0].entity_id == "88880000000000000001"


amounts = st.integers(0, 10**9).map(lambda fen: str(Decimal(fen) / 100))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(amounts, amounts, st.integers(0, 10**6)), min_size=1, max_size=12), st.sampled_from(WRITERS))
def test_what_is_written_is_read_back_with_the_same_sums(
    lines: list[tuple[str, str, int]], write: Callable[[Rows], bytes]
) -> None:
    header = ["商品ID", "商品名称", "日期", "整体消耗", "整体成交金额", "整体成交订单数"]
    rows = [[str(i + 1), "衣", "2026-06-01", *line] for i, line in enumerate(lines)]
    sums = add(row.figures for row in read(write([header, *rows]), "商品.csv").rows)
    assert sums.spend == sum(micros(spend) for spend, _, _ in lines)
    assert sums.gmv == sum(micros(gmv) for _, gmv, _ in lines)
    assert sums.orders == sum(orders for _, _, orders in lines)


def test_the_time_of_the_tests_lies_after_their_days() -> None:
    assert NOW.date() > date(2026, 6, 15)
    assert "2026-06-01" in NAME
    with pytest.raises(BadInput):
        read(b"")
