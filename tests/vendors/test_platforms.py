"""Reports of TikTok and Shopee, and the other reports of 千川: whole, in their own money, on their own days."""

from datetime import date
from fractions import Fraction

import pytest

from qianheng.core.errors import BadInput
from qianheng.core.money import micros
from qianheng.measures.reports import ReportKind, add
from qianheng.plans.plan import Goal
from qianheng.vendors.exports import Export, Reading, read_export
from qianheng.vendors.layouts import column_key, platforms
from tests.vendors.report_files import NOW, Rows, cells, csv_file, vendor_xlsx

CAMPAIGN = cells("Campaign ID,Campaign name,Cost,Net Cost,Cost per order,Orders (SKU),Gross revenue,ROI,Currency")
CREATIVE = cells(
    "Campaign name,Campaign ID,Product ID,Creative type,Video title,Video ID,TikTok account,Time posted,Status,"
    "Authorization type,Cost,SKU orders,Cost per order,Gross revenue,ROI,Product ad impressions,Product ad clicks,"
    "Product ad click rate,Ad conversion rate,2-second ad video view rate,Currency"
)
SHOPEE = cells(
    "Sequence,Ad Name,Status,Ads Type,Product ID,Creative,Bidding Method,Placement,Start Date,End Date,Impression,"
    "Clicks,CTR,Conversions,Direct Conversions,Cost per Conversion,Items Sold,GMV,Direct GMV,Expense,ROAS,ACOS"
)
VIETNAMESE = cells(
    "Thứ tự,Tên Dịch vụ Hiển thị,Trạng thái,Loại Dịch vụ Hiển thị,Mã sản phẩm,Nội dung Dịch vụ Hiển thị,"
    "Phương thức đấu thầu,Vị trí,Ngày bắt đầu,Ngày kết thúc,Số lượt xem,Số lượt click,Tỷ Lệ Click,Lượt chuyển đổi,"
    "Lượt chuyển đổi trực tiếp,Chi phí cho mỗi lượt chuyển đổi,Sản phẩm đã bán,Doanh số,Doanh số trực tiếp,Chi phí,"
    "ROAS,ACOS"
)
TWO_ADS = [
    cells(
        "1,A,Ongoing,Product Ad,41,-,GMV Max,All,28/08/2026 00:00:00,Unlimited,100,10,10%,2,1,10,2,200,100,20,10,10%"
    ),
    cells("2,B,Ongoing,Product Ad,41,-,GMV Max,All,28/08/2026 00:00:00,Unlimited,50,5,10%,1,0,10,1,60,0,10,6,16.67%"),
]


def read(rows: Rows, name: str = "report.csv", currency: str = "", timezone: str = "") -> Export:
    return read_export(name, csv_file(rows), Reading(NOW, timezone, currency=currency))


def shopee(title: str, header: list[str], period: str = "01/09/2026 - 07/09/2026") -> Rows:
    notes = [[title], ["Shop Name", "Mall"], ["Shop ID", "100"], ["Date Period", period], []]
    return [*notes, header, *TWO_ADS]


def test_a_tiktok_campaign_is_read_in_its_own_currency_and_bids_to_gross_revenue() -> None:
    line = cells("1835244926321682,Summer,100.00,90.00,20.00,5,350.00,3.50,USD")
    export = read([CAMPAIGN, line], "Product campaign data 20260601 - 20260607.xlsx")
    row = export.rows[0]
    assert (export.platform, export.layout, export.rejected) == ("tiktok", "tiktok_campaign", ())
    assert (row.entity_id, row.currency, row.goal, row.figures.spend) == (line[0], "USD", Goal.PAYMENT, micros(100))
    assert (row.first, row.last) == (date(2026, 6, 1), date(2026, 6, 7))
    assert ("Net Cost", "90.00") in row.aside
    assert export.timezone == "America/Los_Angeles"
    assert any("America/Los_Angeles" in warning for warning in export.warnings)


def test_a_stated_zone_is_not_assumed() -> None:
    line = cells("1835244926321682,Summer,100.00,90.00,20.00,5,350.00,3.50,USD")
    export = read([CAMPAIGN, line], timezone="America/New_York")
    assert (export.timezone, export.warnings) == ("America/New_York", ())


def test_a_product_card_without_a_video_is_known_by_its_type() -> None:
    about = "Summer,1835244926321682,1731294979214184689"
    rest = "shop,2026-06-01,Delivering,Video code,10.00,1,10.00,30.00,3.00,100,5,0.05,0.2,0.5,MYR"
    rows = [cells(f"{about},Video,hook,7500000000000000001,{rest}"), cells(f"{about},Product card,-,N/A,{rest}")]
    export = read([CREATIVE, *rows])
    assert [(row.entity_id, row.name) for row in export.rows] == [("7500000000000000001", "hook"), ("", "Product card")]
    assert "plan 1835244926321682" in export.rows[0].within
    assert export.rows[0].currency == "MYR"


def test_a_livestream_counts_all_shops_and_its_sessions_stand_apart() -> None:
    header = cells(
        "LIVE name,Launched time,Campaign ID,Cost,SKU orders,SKU orders (Current shop),Gross revenue,ROI,Currency"
    )
    rows = [
        cells("Night,2026-06-01 20:00:00,9,50.00,9,4,150.00,3.00,MXN"),
        cells("Night,2026-06-02 20:00:00,9,40.00,8,8,100.00,2.50,MXN"),
    ]
    export = read([header, *rows])
    assert [row.figures.orders for row in export.rows] == [9, 8]
    assert [row.first for row in export.rows] == [date(2026, 6, 1), date(2026, 6, 2)]


def test_an_overview_by_the_hour_in_chinese_has_a_total_without_a_time() -> None:
    header = cells("时间,成本,SKU 订单数（当前店铺）,平均下单成本,总收入,ROI,币种")
    hours = [cells(f"2026-06-01 {hour:02}:00:00,10.00,1,10.00,20.00,2.00,BRL") for hour in (0, 1)]
    export = read([header, cells("-,20.00,2,10.00,40.00,2.00,BRL"), *hours])
    assert (export.kind, [row.hour for row in export.rows]) == (ReportKind.ACCOUNT, [0, 1])
    assert export.totals[0].differences == ()
    assert add(row.figures for row in export.rows).spend == micros(20)


@pytest.mark.parametrize(
    ("title", "header", "currency", "zone"),
    [
        ("All CPC Ads Report - Shopee Malaysia", SHOPEE, "MYR", "Asia/Kuala_Lumpur"),
        ("All CPC Ads Report - Shopee Vietnam", SHOPEE, "VND", "Asia/Ho_Chi_Minh"),
        ("Báo cáo Dịch vụ Hiển thị trả theo CPC - Shopee Việt Nam", VIETNAMESE, "VND", "Asia/Ho_Chi_Minh"),
    ],
)
def test_shopee_tells_money_zone_and_period_before_the_header(
    title: str, header: list[str], currency: str, zone: str
) -> None:
    export = read(shopee(title, header))
    assert (export.layout, export.rejected, export.ignored_columns) == ("shopee_ads", (), ())
    assert export.period == (date(2026, 9, 1), date(2026, 9, 7))
    assert ({row.currency for row in export.rows}, export.timezone) == ({currency}, zone)
    sums = add(row.figures for row in export.rows)
    assert (sums.spend, sums.gmv, sums.orders) == (micros(30), micros(260), 3)


def test_money_of_no_known_currency_is_refused_until_somebody_names_it() -> None:
    with pytest.raises(BadInput, match="currency"):
        read([SHOPEE, *TWO_ADS])
    assert {row.currency for row in read([SHOPEE, *TWO_ADS], currency="SGD").rows} == {"SGD"}


def test_a_row_in_another_currency_than_stated_is_refused() -> None:
    line = cells("1835244926321682,Summer,100.00,90.00,20.00,5,350.00,3.50,USD")
    export = read([CAMPAIGN, line], currency="EUR")
    assert [fault.column for fault in export.rejected] == ["Currency"]


def test_the_products_of_an_ad_group_are_parts_of_it_and_counted_under_it() -> None:
    header = cells("Sequence,Ad / Product Name,Status,Ads Type,Product ID,Bidding Method,Conversions,GMV,Expense,ROAS")
    lines = [
        cells("1,Group,Ongoing,Product Ad,-,GMV Max Custom ROAS,3,300,30,10"),
        cells("2,One,-,Product Ad,41,-,2,200,20,10"),
        cells("3,Two,-,Product Ad,42,-,1,100,10,10"),
    ]
    notes = [["Ad Group - Shopee Indonesia"], ["Date Period", "2026/09/11 - 2026/09/11"], []]
    export = read([*notes, header, *lines])
    assert [(row.kind, row.entity_id, row.within) for row in export.rows] == [
        (ReportKind.PLAN, "", ""),
        (ReportKind.PRODUCT, "41", "plan Group"),
        (ReportKind.PRODUCT, "42", "plan Group"),
    ]


@pytest.mark.parametrize("written", ["1.234", "12.345", "1.234.567", "1.234,56", "12,5"])
def test_a_point_between_thousands_is_never_taken_for_decimals(written: str) -> None:
    export = read_export("x.csv", csv_file([["商品ID", "整体消耗"], ["37", written]]), Reading(NOW))
    assert (export.lines, [fault.column for fault in export.rejected]) == (0, ["整体消耗"])


def test_the_list_of_credits_tells_what_compensation_came_in() -> None:
    header = cells("交易时间,交易类型,收支金额(元),备注")
    lines = [
        cells("2026-06-09 10:00:00,补偿赠款,600.00,成本保障"),
        cells("2026-06-09 10:00:00,充值,5000.00,-"),
        cells("2026-06-10 09:00:00,转出,-300.00,-"),
        cells("2026-06-10 09:30:00,消耗,-800.00,-"),
    ]
    export = read([header, *lines])
    sums = add(row.figures for row in export.rows)
    assert (export.kind, export.rejected) == (ReportKind.FINANCE, ())
    assert (sums.compensation, sums.deposited, sums.transferred_out) == (micros(600), micros(5000), micros(300))
    assert sums.spend is None
    assert ("收支金额", "-800.00") in export.rows[3].aside


def test_sessions_of_the_compass_have_no_spend_since_two_columns_claim_it() -> None:
    header = cells(
        "主播昵称,主播抖音号,直播开始时间,直播结束时间,直播间成交金额,直播间用户支付金额,直播间成交订单数,"
        "投放消耗(店铺绑定),投放消耗(店铺被投),净成交金额,净成交订单数,1小时退款率,直播间退款金额"
    )
    lines = [
        cells(f"甲,shop,2026/06/0{day} 20:00:00,2026/06/0{day} 23:00:00,100,95,4,10,12,90,3,10.00%,20")
        for day in (1, 2)
    ]
    export = read([header, *lines])
    assert (export.layout, export.rejected, export.ignored_columns) == ("live_session", (), ())
    row = export.rows[0]
    assert (row.figures.gmv, row.figures.net_gmv, row.figures.spend) == (micros(100), micros(90), None)
    assert (row.first, row.hour) == (date(2026, 6, 1), 20)


def test_a_plan_list_tells_its_target_goal_and_budget() -> None:
    header = cells("计划ID,日期,整体消耗,整体成交金额,支付ROI目标,日预算(元)")
    row = read([header, cells("7,2026-06-01,100.00,300.00,2.50,5000.00")]).rows[0]
    assert (row.goal, row.target, row.budget) == (Goal.PAYMENT, Fraction(5, 2), micros(5000))


def test_a_header_is_known_in_any_width_and_case() -> None:
    header = ["ｃａｍｐａｉｇｎ　ｉｄ", "cost", "GROSS REVENUE", "Currency"]
    assert read([header, ["9", "1.00", "2.00", "USD"]]).layout == "tiktok_campaign"
    export = read_export("x.xlsx", vendor_xlsx([["商品ＩＤ", "整体消耗（元）"], ["37", "1.00"]]), Reading(NOW))
    assert export.rows[0].figures.spend == micros(1)


def test_no_platform_writes_one_header_for_two_columns() -> None:
    for platform in platforms().values():
        written = [column_key(name) for own, column in platform.columns.items() for name in (own, *column.also)]
        assert len(written) == len(set(written)), platform.name
        for layout in platform.layouts:
            assert set(layout.needs) <= platform.columns.keys()
