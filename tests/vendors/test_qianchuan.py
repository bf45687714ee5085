"""The vendor's API: what its server tells, field by field, and what a client makes of it, whatever goes wrong."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from qianheng.core.errors import BadInput, Refused
from qianheng.core.money import micros
from qianheng.measures.reports import ReportKind
from qianheng.vendors.qianchuan.api import Json, amount, api, spelt, windows
from qianheng.vendors.qianchuan.client import Client, Unreachable, VendorRefused
from qianheng.vendors.qianchuan.reading import (
    ad_plan,
    finance_row,
    listed_row,
    report_row,
    unlike,
    wallet_row,
)
from tests.vendors.vendor_account import (
    ACCOUNT,
    DAYS,
    LIVE,
    OVERALL,
    PLANS,
    PRODUCT,
    SPENDING,
    Time,
    client_of,
    figures,
    server,
)

FIELDS = [name for name in api().metrics if name not in api().lists.untold]
SPAN = {"start_time": "2026-06-01 00:00:00", "end_time": "2026-06-19 23:59:59"}
LIST = {
    "advertiser_id": ACCOUNT,
    **SPAN,
    "marketing_goal": "VIDEO_PROM_GOODS",
    "fields": FIELDS,
    "need_compensate_info": "true",
}
(DAILY, *_) = api().topics
REPORT = {
    "advertiser_id": ACCOUNT, "data_topic": DAILY.topic, "dimensions": ["stat_time_day", "ad_id"],
    "metrics": api().metrics_of(DAILY), "filters": [], "order_by": [{"field": "stat_cost", "type": 0}], **SPAN,
}  # fmt: skip


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def client(time: Time) -> Client:
    return client_of(server(time), time)


@pytest.mark.parametrize(
    ("endpoint", "params", "path", "names"),
    [
        ("plans", LIST, "ad_list.0.ad_info", "id name adlab_scene marketing_goal smart_bid_type budget"
         " deep_external_action budget_mode roi2_goal opt_status status create_time modify_time delivery_seconds"
         " compensate_info"),
        ("plans", LIST, "ad_list.0.ad_info.compensate_info", "status compensate_status reason"),
        ("plans", LIST, "ad_list.0", "ad_info room_info stats_info"),
        ("plans", LIST, "ad_list.0.stats_info", "stat_cost total_pay_order_count_for_roi2"
         " total_prepay_and_pay_order_roi2 total_order_settle_amount_for_roi2_1h"
         " total_pay_order_gmv_include_coupon_for_roi2"),
        ("plans", LIST, "page_info", "page page_size total_number total_page"),
        ("report", REPORT, "rows.0", "dimensions metrics"),
        ("report", REPORT, "rows.0.dimensions.ad_id", "Value ValueStr"),
        ("report", REPORT, "rows.0.metrics.stat_cost", "Value ValueStr"),
        ("changes", {"advertiser_id": ACCOUNT, "object_type": "ACCOUNT", **SPAN}, "logs.0", "log_id create_time"
         " object_id object_name object_type content_title content_log operator_id operator_name opt_ip sub_logs"),
        ("guarantee", {"advertiser_id": ACCOUNT, "ad_ids": [int(PRODUCT)]}, "list.0",
         "ad_id status compensate_status reason url"),
        ("wallet", {"advertiser_id": ACCOUNT}, "", "total_balance_abs grant_balance general_total_balance"
         " grant_expiring general_balance_valid general_balance_valid_non_grant general_balance_valid_grant_default"
         " general_balance_invalid share_expiring_detail_list"),
        ("finance", {"advertiser_id": ACCOUNT, "start_date": "2026-06-01", "end_date": "2026-06-19"}, "list.0",
         "date cost cash_cost grant_cost income transfer_in transfer_out cash_balance grant_balance total_balance"
         " view_delivery_type"),
        ("totals", {"advertiser_id": ACCOUNT, "start_date": "2026-06-01", "end_date": "2026-06-19", "fields": FIELDS},
         "", "stat_cost total_pay_order_count_for_roi2 total_prepay_and_pay_order_roi2"),
    ],
)  # fmt: skip
def test_the_server_tells_every_field_under_its_official_name(
    client: Client, endpoint: str, params: Json, path: str, names: str
) -> None:
    told: Any = client.get(endpoint, params)
    for part in path.split(".") if path else ():
        told = told[int(part)] if part.isdigit() else told[part]
    assert set(names.split()) <= told.keys()


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({}, {PRODUCT}),  # without a filter plans that spend their budget are left out: the trap
        ({"filtering": {"smart_bid_type": "SMART_BID_CONSERVATIVE"}}, {SPENDING}),
        ({"marketing_goal": "LIVE_PROM_GOODS"}, {LIVE}),
        ({"adlab_scene": "OVERALL_PROJECT"}, {OVERALL}),
    ],
)
def test_the_list_tells_only_what_it_is_asked_for(client: Client, filters: Json, told: set[str]) -> None:
    assert {str(row["ad_info"]["id"]) for row in client.rows("plans", {**LIST, **filters})} == told


def test_a_plan_comes_back_as_it_is_kept(client: Client) -> None:
    spending, live = {"filtering": {"smart_bid_type": "SMART_BID_CONSERVATIVE"}}, {"marketing_goal": "LIVE_PROM_GOODS"}
    asked: list[Json] = [{}, spending, live, {"adlab_scene": "OVERALL_PROJECT"}]
    for filters, kept in zip(asked, PLANS, strict=True):
        (row,) = client.rows("plans", {**LIST, **filters})
        told = ad_plan(api(), row)
        assert {
            name: getattr(told, name) for name in ("id", "name", "kind", "goal", "bid_mode", "target", "guarantee")
        } == {name: getattr(kept, name) for name in ("id", "name", "kind", "goal", "bid_mode", "target", "guarantee")}
        assert (told.budget_daily, told.created, told.modified) == (kept.budget_daily, kept.created, kept.modified)
        assert dict(told.aside) == {"delivery_seconds": "0"}  # not used, kept aside


def test_reports_come_back_to_the_fen_by_day(client: Client) -> None:
    rows = [report_row(api(), DAILY, row, "account a") for row in client.rows("report", REPORT)]
    kept = {
        (plan, day): figures(i, number) for number, plan in enumerate((PRODUCT, SPENDING)) for i, day in enumerate(DAYS)
    }
    assert {(row.entity_id, row.first): row.figures for row in rows} == kept
    assert {row.kind for row in rows} == {ReportKind.PLAN}


def test_a_room_has_its_day_in_the_list(client: Client) -> None:
    one_day = {
        "start_time": "2026-06-04 00:00:00",
        "end_time": "2026-06-04 23:59:59",
        "marketing_goal": "LIVE_PROM_GOODS",
    }
    (row,) = client.rows("plans", {**LIST, **one_day})
    told = listed_row(api(), row, DAYS[3], "account a")
    assert told.figures == replace(figures(3, 2), impressions=None, clicks=None)  # lists do not tell them


def test_money_is_told_in_thousandths_of_a_fen_by_wallet_and_finance(client: Client) -> None:
    data = client.get("wallet", {"advertiser_id": ACCOUNT})
    assert data["general_balance_valid"] == 203000000  # 2030.00 yuan
    wallet = wallet_row(api(), data, DAYS[-1], "").figures
    assert (wallet.balance, wallet.credit_balance, wallet.cash_balance) == (
        micros("2030"),
        micros("30"),
        micros("2000"),
    )
    asked = {"advertiser_id": ACCOUNT, "start_date": "2026-06-01", "end_date": "2026-06-19"}
    days = [finance_row(api(), row, "") for row in client.rows("finance", asked)]
    assert [day.figures.spend for day in days] == [
        sum(figures(i, plan).spend or 0 for plan in range(4)) for i in range(19)
    ]


@pytest.mark.parametrize(
    ("value", "unit", "yuan"),
    [
        (174938000, "thousandth_fen", "1749.38"),
        (Decimal("174938000"), "thousandth_fen", "1749.38"),
        ("1749.38", "yuan", "1749.38"),
        (Decimal("1749.3800000000001"), "yuan", "1749.38"),
        (1, "thousandth_fen", "0.00001"),
        (12345, "fen", "123.45"),
        (-5, "yuan", "-5"),
    ],
)
def test_money_is_exact_in_every_unit(value: object, unit: str, yuan: str) -> None:
    assert amount(value, api().units[unit]) == micros(yuan)


@pytest.mark.parametrize("value", ["", "a", None, True, Decimal("NaN"), "1e40", Decimal("0.0000001")])
def test_what_is_no_money_is_refused(value: object) -> None:
    with pytest.raises(BadInput):
        amount(value, 1)


@pytest.mark.parametrize(
    ("cell", "yuan"),
    [
        ({"Value": Decimal("5.01"), "ValueStr": "501000"}, "5.01"),
        ({"Value": Decimal("5.01"), "ValueStr": "500999"}, "5.00999"),  # finer than two decimals
        ({"Value": Decimal("5.01"), "ValueStr": "5.01"}, "5.01"),
        ({"Value": 5}, "5"),
        ({"Value": Decimal("5.01"), "ValueStr": "501"}, None),  # in fen? nobody says so
        ({"Value": 500000, "ValueStr": "5"}, None),
    ],
)
def test_a_cell_is_believed_where_its_two_tellings_fit(cell: Json, yuan: str | None) -> None:
    row = {"dimensions": {"ad_id": "1", "stat_time_day": "2026-06-01 00:00:00"}, "metrics": {"stat_cost": cell}}
    if yuan is None:
        with pytest.raises(BadInput, match="stat_cost"):
            report_row(api(), DAILY, row, "")
    else:
        assert report_row(api(), DAILY, row, "").figures.spend == micros(yuan)


def test_a_ratio_that_contradicts_its_sums_shows_a_wrong_unit() -> None:
    metrics = {
        "stat_cost": 100,
        "total_pay_order_gmv_include_coupon_for_roi2": 30_000_000,
        "total_prepay_and_pay_order_roi2": 3,
    }
    row = {"dimensions": {"ad_id": "1", "stat_time_day": "2026-06-01"}, "metrics": metrics}
    with pytest.raises(BadInput, match="SITE_PROMOTION_PRODUCT_AD, 1, 2026-06-01"):
        report_row(api(), DAILY, row, "")


@pytest.mark.parametrize(
    ("told", "against", "more", "found"),
    [
        ("100", "100", False, None),
        ("10000000", "100", False, True),
        ("100", "10000000", False, True),
        ("100", "10000000", True, True),  # just a hundred thousandth
        ("100", "90000", True, None),  # other ads may cost much
        ("100", "97", True, False),
        ("100", "97", False, False),
        ("97", "100", True, None),
        ("0", "100", False, None),
    ],
)
def test_a_hundred_thousandfold_is_noticed(told: str, against: str, more: bool, found: bool | None) -> None:
    answer = unlike("x", micros(told), micros(against), Decimal("0.02"), more)
    assert (None if answer is None else answer.unit) is found


def test_both_spellings_are_read_and_the_official_one_goes_first() -> None:
    told = {"general_balance_valid_no_grant": 1, "list": [{"delivery_second": 2}], "total_num": 3, "total_number": 4}
    expected = {"general_balance_valid_non_grant": 1, "list": [{"delivery_seconds": 2}], "total_number": 4}
    assert spelt(told, api().spellings) == expected


@pytest.mark.parametrize(("days", "spans"), [(1, 19), (7, 3), (19, 1), (30, 1)])
def test_days_are_split_into_what_one_question_holds(days: int, spans: int) -> None:
    found = list(windows(DAYS[0], DAYS[-1], days))
    assert len(found) == spans
    assert (found[0][0], found[-1][1]) == (DAYS[0], DAYS[-1])
    assert sum((last - first).days + 1 for first, last in found) == 19


@pytest.mark.parametrize(
    "shares",
    [
        {"429": 0.5}, {"500": 0.4}, {"rate": 0.5}, {"cut": 0.3}, {"lost": 0.3}, {"double": 0.3}, {"total": 0.3},
        {"reorder": 0.5}, {"expire": 0.4},
        {"429": 0.1, "500": 0.1, "cut": 0.1, "double": 0.1, "total": 0.1, "reorder": 0.1, "expire": 0.1},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_goes_wrong_the_rows_are_whole_and_each_there_once(time: Time, shares: Mapping[str, float]) -> None:
    sizes = {"changes": 2, "report": 10}
    small = {name: replace(api().endpoints[name], page_size=size) for name, size in sizes.items()}
    known = replace(api(), endpoints=api().endpoints | small)
    calm, troubled = (client_of(server(time, limited=False), time, one, known) for one in ({}, shares))
    for name, params in (("changes", {"advertiser_id": ACCOUNT, "object_type": "ACCOUNT", **SPAN}), ("report", REPORT)):
        expected = calm.rows(name, params)
        assert len(expected) > 2 * sizes[name]
        assert sorted(map(str, troubled.rows(name, params))) == sorted(map(str, expected))


def test_a_token_that_ends_while_pages_are_turned_is_renewed(time: Time) -> None:
    market = server(time)
    client = client_of(market, time)
    client.get("wallet", {"advertiser_id": ACCOUNT})
    market.expire()
    assert client.rows("report", REPORT)
    assert client.access is not None
    assert client.access.renewals == 1  # type: ignore[attr-defined]


def test_too_many_questions_wait_for_the_next_minute(time: Time) -> None:
    client = client_of(server(time), time)
    for _ in range(api().endpoints["changes"].a_minute + 5):
        client.get("changes", {"advertiser_id": ACCOUNT, "object_type": "ACCOUNT", **SPAN})
    assert client.asked_again == 0  # the client keeps the pace by itself
    assert sum(time.waited) > 60


def test_a_vendor_that_stays_away_is_given_up(time: Time) -> None:
    client = client_of(server(time), time, {"500": 1})
    with pytest.raises(Unreachable, match="7"):
        client.get("wallet", {"advertiser_id": ACCOUNT})
    assert 30 < sum(time.waited) < 120


def test_a_refusal_names_its_code_and_the_request(time: Time, client: Client) -> None:
    with pytest.raises(VendorRefused, match=r"40002 No permission.*request 2026") as refused:
        client.get("wallet", {"advertiser_id": "1"})
    assert refused.value.code == 40002
    assert not time.waited


def test_a_list_that_never_holds_what_it_says_is_refused(time: Time) -> None:
    with pytest.raises(Refused, match="39 rows, its pages hold 38"):
        client_of(server(time), time, {"total": 1}).rows("report", REPORT)


def write(client: Client, name: str, **body: Any) -> dict[str, str]:
    told = client.post(name, {"advertiser_id": int(ACCOUNT), **body})
    done = {True: "SUCCESS", False: "FAILED"}
    return {str(one["ad_id"]): one.get("status") or done[one["flag"]] for one in told["results"]}


def test_a_write_is_done_in_part_and_says_so(client: Client) -> None:
    infos = [{"ad_id": int(PRODUCT), "roi2_goal": Decimal("2.75")}, {"ad_id": int(SPENDING), "roi2_goal": Decimal(2)},
             {"ad_id": 9, "roi2_goal": Decimal(2)}, {"ad_id": int(OVERALL), "roi2_goal": Decimal("2.755")}]  # fmt: skip
    done = write(client, "target", update_roi2_infos=infos)
    assert [id_ for id_, status in done.items() if status == "SUCCESS"] == [PRODUCT]
    assert ad_plan(api(), client.rows("plans", LIST)[0]).target == Decimal("2.75")
    newest = client.rows("changes", {"advertiser_id": ACCOUNT, "object_type": "ACCOUNT", "start_time": "2026-06-20",
                                     "end_time": "2026-06-20"})  # fmt: skip
    assert [row["content_log"] for row in newest] == [["ROI目标: 2.50 -> 2.75"]]


def test_more_plans_than_one_write_holds_are_refused(client: Client) -> None:
    with pytest.raises(VendorRefused, match="40001"):
        write(client, "status", ad_ids=list(range(11)), opt_status="DISABLE")


@pytest.mark.parametrize("trouble", ["lost", "500", "cut"])
def test_a_write_that_got_no_answer_is_not_sent_twice(time: Time, trouble: str) -> None:
    market = server(time)
    before = client_of(market, time).asked
    client = client_of(market, time, {trouble: 1})
    with pytest.raises(Unreachable, match="not known whether it was done"):
        write(client, "status", ad_ids=[int(PRODUCT)], opt_status="DISABLE")
    assert client.asked == 1
    assert before == 0


def test_a_write_that_came_too_soon_waits_and_is_sent(time: Time) -> None:
    client = client_of(server(time), time, {"429": 0.5})
    assert write(client, "status", ad_ids=[int(PRODUCT)], opt_status="DISABLE") == {PRODUCT: "SUCCESS"}
