"""Answers and settings that no manual promises: nothing is made up of them, nothing is lost, and no secret is shown."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from qianheng.core.errors import BadInput
from qianheng.vendors.qianchuan import tokens
from qianheng.vendors.qianchuan.api import Json, api
from qianheng.vendors.qianchuan.client import Client, Pace
from qianheng.vendors.qianchuan.reading import ad_plan, report_row
from tests.vendors.vendor_account import NOW, asking

LIST = {"advertiser_id": "1"}
SIZE = api().endpoints["changes"].page_size
(DAILY, *_) = api().topics


def telling(answer: Any) -> Client:
    """A client of a vendor that answers so, whatever it is asked; a function of the page, or the data itself."""

    def told(request: Any) -> tuple[int, bytes]:
        data = answer(int(request.params.get("page", 1))) if callable(answer) else answer
        return 200, json.dumps({"code": 0, "message": "OK", "request_id": "r", "data": data}).encode()

    return Client(asking(told), api(), None, Pace(lambda: 0.0, lambda _: None, lambda: 0.5), "http://vendor")


def test_a_list_that_does_not_say_how_long_it_is_is_read_to_its_end() -> None:
    rows = [{"log_id": str(number)} for number in range(SIZE * 2 + 3)]
    client = telling(lambda page: {"logs": rows[(page - 1) * SIZE : page * SIZE], "page_info": {"page": page}})
    assert client.rows("changes", LIST) == rows


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"logs": {"0": {}}}, "logs"),
        ({"logs": ["1", "2"]}, "logs"),
        ({"logs": [{"log_id": "1"}], "page_info": {"total_number": "many"}}, "page_info.total_number"),
    ],
)
def test_a_list_that_is_none_is_told_by_its_field(data: Json, field: str) -> None:
    with pytest.raises(BadInput, match=f"changes: {field}"):
        telling(data).rows("changes", LIST)


def test_a_plan_without_an_id_is_told_and_not_kept() -> None:
    with pytest.raises(BadInput, match=r"ad_list: ad_info\.id"):
        ad_plan(api(), {"ad_info": {"name": "plan"}})


@pytest.mark.parametrize("untold", [{"access_token": None}, {"refresh_token": ""}, {"expires_in": 10**30}])
def test_an_answer_without_tokens_is_none(untold: Json) -> None:
    whole = {"access_token": "a", "expires_in": 9, "refresh_token": "r", "refresh_token_expires_in": 9}
    assert tokens.refresh(telling(whole), tokens.App("1", "s"), "t", NOW).access == "a"
    with pytest.raises(BadInput, match="no tokens"):
        tokens.refresh(telling(whole | untold), tokens.App("1", "s"), "t", NOW)


def test_a_secret_is_not_shown() -> None:
    assert "hidden" not in repr(tokens.App("1", "hidden"))


@pytest.mark.parametrize(
    ("unit", "value", "text"), [("yuan", 12.34, "1234000"), ("yuan", 12.34, "12.34"), ("fen", 1234, "123400000")]
)
def test_a_cell_is_told_in_the_unit_of_its_report_however_it_is_written(unit: str, value: float, text: str) -> None:
    of = replace(api(), endpoints={**api().endpoints, "report": replace(api().endpoints["report"], money=unit)})
    row = {
        "dimensions": {"stat_time_day": {"ValueStr": "2026-06-01"}, "ad_id": {"ValueStr": "7"}},
        "metrics": {DAILY.spend: {"Value": value, "ValueStr": text}},
    }
    read = json.loads(json.dumps(row), parse_float=str)
    assert report_row(of, DAILY, read, "").figures.spend == 12_340_000


@pytest.mark.parametrize(("name", "limit"), [("report", "span_days"), ("guarantee", "at_once"), ("wallet", "a_minute")])
def test_an_endpoint_asked_for_nothing_at_a_time_is_refused(name: str, limit: str) -> None:
    nothing: dict[str, Any] = {limit: 0}
    with pytest.raises(BadInput, match=rf"endpoints\.{name}\.{limit}"):
        replace(api(), endpoints={**api().endpoints, name: replace(api().endpoints[name], **nothing)})


def test_an_endpoint_that_is_lacking_is_told() -> None:
    with pytest.raises(BadInput, match=r"endpoints\.wallet"):
        replace(api(), endpoints={name: one for name, one in api().endpoints.items() if name != "wallet"})


def test_a_write_that_never_reached_the_vendor_is_sent_again() -> None:
    asked = []

    def slow(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) == 1:
            raise httpx.ConnectTimeout("slow")
        return httpx.Response(200, content=b'{"code": 0, "data": {"results": []}}')

    client = telling({})
    client.http = httpx.Client(transport=httpx.MockTransport(slow))
    assert client.post("budget", {}) == {"results": []}
    assert len(asked) == 2
