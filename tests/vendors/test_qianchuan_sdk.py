"""Every field that our server sends is one that the official SDK knows, and of the type it has there."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from qianheng.vendors.qianchuan.answers import READS
from qianheng.vendors.qianchuan.api import api
from qianheng.vendors.qianchuan.orders import WRITES
from qianheng.vendors.qianchuan.question import Request
from qianheng.vendors.qianchuan.server import Server
from tests.vendors.vendor_account import ACCOUNT, APP, CODE, DAYS, PRODUCT, Time, server

KNOWN = tomllib.loads(Path(__file__).with_name("qianchuan_sdk.toml").read_text(encoding="utf-8"))
TYPES: Mapping[str, type | tuple[type, ...]] = {"text": str, "number": (int, float), "truth": bool}
WHOSE, PAGE = {"advertiser_id": ACCOUNT}, {"page": 1, "page_size": 20}
SPAN = {"start_time": f"{DAYS[0]} 00:00:00", "end_time": f"{DAYS[-1]} 23:59:59"}
DATES = {"start_date": str(DAYS[0]), "end_date": str(DAYS[-1])}
LISTED = [name for name in api().metrics if name not in api().lists.untold]
TOTALS = [name for name in LISTED if name in KNOWN["totals"]]
ID, NOBODY = int(PRODUCT), 9
REPORT = {"data_topic": "SITE_PROMOTION_PRODUCT_PRODUCT", "dimensions": ["product_id", "stat_time_day"],
          "metrics": list(api().metrics), "filters": [], "order_by": []}  # fmt: skip
ASKED: Mapping[str, list[Mapping[str, Any]]] = {
    "plans": [
        {**SPAN, **PAGE, "marketing_goal": goal, "fields": LISTED, "need_compensate_info": "true"}
        for goal in api().lists.goals
    ],
    "report": [{**SPAN, **PAGE, **REPORT}],
    "totals": [{**DATES, "fields": TOTALS, "marketing_goal": "ALL"}],
    "changes": [{**SPAN, **PAGE, "object_type": "ACCOUNT"}],
    "guarantee": [{"ad_ids": [ID, NOBODY]}],
    "wallet": [{}],
    "finance": [{**DATES, **PAGE}],
    "budget": [{"update_budget_infos": [{"ad_id": one, "budget": 310} for one in (ID, NOBODY)]}],
    "target": [{"update_roi2_infos": [{"ad_id": one, "roi2_goal": 2.6} for one in (ID, NOBODY)]}],
    "status": [{"ad_ids": [ID, NOBODY], "opt_status": "DISABLE"}],
}


def unlike(told: Any, known: Any, place: str) -> Iterator[str]:
    """Where an answer differs from what is known of it."""
    if isinstance(known, Mapping):
        for one in told if isinstance(told, list) else [told]:
            for name, value in one.items():
                if name not in known:
                    yield f"{place}.{name} is not there"
                else:
                    yield from unlike(value, known[name], f"{place}.{name}")
    elif isinstance(known, list):
        listed = known[0].startswith("[")
        whole = isinstance(told, list) and all(is_a(known[0].strip("[]"), one) for one in told)
        if not (whole if listed else told in known):
            yield f"{place} is {told!r}, not {known}"
    elif not is_a(known, told):
        yield f"{place} is {told!r}, not {known}"


def is_a(kind: str, value: Any) -> bool:
    if kind == "maps":
        return isinstance(value, dict) and all(isinstance(one, dict) for one in value.values())
    if kind == "whole":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[kind])


def data_of(market: Server, name: str, params: Mapping[str, Any], token: str) -> Any:
    import json

    endpoint = api().endpoints[name]
    written = {key: value if isinstance(value, str) else json.dumps(value) for key, value in params.items()}
    sent = dict(params) if endpoint.method == "POST" else written
    status, told = market.answer(
        Request(endpoint.method, endpoint.path, {} if endpoint.method == "POST" else sent, sent, token)
    )
    assert (status, told["code"]) == (200, 0), told
    return told["data"]


@pytest.fixture
def market() -> Server:
    return server(Time(), limited=False)


@pytest.fixture
def signed(market: Server) -> Any:
    return data_of(market, "sign_in", {"app_id": APP.id, "secret": APP.secret, "auth_code": CODE}, "")


def test_all_that_is_served_is_looked_at() -> None:
    assert ASKED.keys() == (READS | WRITES).keys()
    assert ASKED.keys() | {"sign_in", "refresh"} == KNOWN.keys()


@pytest.mark.parametrize("name", ASKED)
def test_what_is_sent_is_what_the_sdk_knows(market: Server, signed: Any, name: str) -> None:
    for params in ASKED[name]:
        told = data_of(market, name, {**WHOSE, **params}, signed["access_token"])
        assert told
        assert list(unlike(told, KNOWN[name], name)) == []


def test_tokens_are_what_the_sdk_knows(market: Server, signed: Any) -> None:
    assert list(unlike(signed, KNOWN["sign_in"], "sign_in")) == []
    asked = {"app_id": APP.id, "secret": APP.secret, "refresh_token": signed["refresh_token"]}
    assert list(unlike(data_of(market, "refresh", asked, ""), KNOWN["refresh"], "refresh")) == []
