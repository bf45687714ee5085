"""What is written to a vendor: only what the owner allowed, told before, read back after, never twice."""

import json
from random import Random

import pytest
from sqlalchemy import Engine

from qianheng.actions import vendor_accounts
from qianheng.core.money import micros
from qianheng.store import audit
from qianheng.store.database import connect, default_url, reading
from qianheng.vendors.qianchuan.server import Server
from qianheng.vendors.qianchuan.trouble import Trouble
from tests.actions.conftest import Say
from tests.actions.test_syncing import CONNECT, market_of, stored, time
from tests.vendors.vendor_account import ACCOUNT, APP, CODE, PRODUCT, SPENDING, Time, asking

__all__ = ["stored", "time"]
PUSH = ("sync", "push", "--plan", PRODUCT, "--now", "2026-06-20T09:30")


@pytest.fixture
def market(stored: Engine, time: Time, say: Say, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server with an account connected to it, to which writing is allowed."""
    found = market_of(time)
    answer = Trouble(found, {}, Random(1).random).answer
    monkeypatch.setattr(vendor_accounts, "network", lambda: asking(answer))
    monkeypatch.setattr("qianheng.cli.sync.clock", time)
    monkeypatch.setattr("qianheng.cli.pushing.clock", time)
    monkeypatch.setattr("time.sleep", time.wait)
    monkeypatch.setenv("SECRET", APP.secret)
    monkeypatch.setenv("CODE", CODE)
    say(*CONNECT, "--secret", "env:SECRET", "--code", "env:CODE")
    say("sync", "allow", "shop", "--budget-at-most", "400")
    return found


def logged() -> list[str]:
    with reading(connect(default_url())) as connection:
        return [str(one.detail["step"]) for one in audit.entries(connection)]


def test_without_the_switch_it_is_only_told_what_would_be_sent(market: Server, say: Say) -> None:
    told = json.loads(say(*PUSH, "--target", "2.75", "--budget", "330", "--json"))
    assert not told["written"]
    assert told["changes"] == {
        "target": {"before": "2.5", "after": "2.75"}, "budget_daily": {"before": "300.00", "after": "330.00"},
    }  # fmt: skip
    net = {"deep_external_action": "AD_CONVERT_TYPE_LIVE_PURE_PAY_ROI"}
    assert [one["body"] for one in told["bodies"]] == [
        {"advertiser_id": int(ACCOUNT), "update_roi2_infos": [{"ad_id": int(PRODUCT), "roi2_goal": 2.75, **net}]},
        {"advertiser_id": int(ACCOUNT), "update_budget_infos": [{"ad_id": int(PRODUCT), "budget": 330}]},
    ]
    assert str(market.books[ACCOUNT].plans[PRODUCT].target) == "2.50"
    assert logged() == []


def test_what_is_written_is_read_back_logged_and_can_be_undone(market: Server, say: Say) -> None:
    told = json.loads(say(*PUSH, "--target", "2.75", "--status", "paused", "--write", "--json"))
    assert told["written"]
    plan = market.books[ACCOUNT].plans[PRODUCT]
    assert (str(plan.target), plan.status) == ("2.75", "paused")
    assert logged() == ["writing", "written"]
    undone = json.loads(say(*PUSH[:-1], "2026-06-20T09:40", "--undo", "--write", "--json"))
    assert undone["changes"] == {
        "target": {"before": "2.75", "after": "2.5"}, "status": {"before": "paused", "after": "active"},
    }  # fmt: skip
    assert str(market.books[ACCOUNT].plans[PRODUCT].target) == "2.5"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--budget", "401"), "no budget above 400"),
        (("--target", "3.01"), "a step wider than 20"),
        (("--target", "2.755"), "two decimals"),
        (("--target", "2.5"), "set so already"),
        (("--status", "deleted"), "none of active, paused"),
        ((), "either values to set or --undo"),
        (("--undo",), "nothing was written"),
        (("--target", "2.6", "--plan", "9"), "has no plan 9"),
        (("--target", "2.6", "--plan", SPENDING), "has no target"),
    ],
)
def test_what_is_not_allowed_or_cannot_be_is_refused_and_not_sent(
    market: Server, say: Say, options: tuple[str, ...], told: str
) -> None:
    before = dict(market.books[ACCOUNT].plans)
    assert told in say(*PUSH, *options, "--write")
    assert market.books[ACCOUNT].plans == before
    assert logged() == []


def test_nothing_is_written_where_nothing_is_allowed(market: Server, say: Say) -> None:
    say("sync", "forbid", "shop")
    assert "nothing may be written" in say(*PUSH, "--target", "2.6", "--write")


def test_a_plan_is_written_to_so_often_a_day(market: Server, say: Say) -> None:
    for i, target in enumerate(("2.6", "2.7", "2.8")):
        say(*PUSH[:-1], f"2026-06-20T1{i}:00", "--target", target, "--write")
    assert "3 are allowed" in say(*PUSH[:-1], "2026-06-20T14:00", "--target", "2.9", "--write")
    assert "Written" in say(*PUSH[:-1], "2026-06-21T09:00", "--target", "2.9", "--write")


def test_a_write_without_an_answer_is_read_back_instead_of_sent_again(
    market: Server, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []

    def troubled(request: object) -> tuple[int, bytes]:
        status, told = market.answer(request)  # type: ignore[arg-type]
        if getattr(request, "path", "").endswith("budget/update/"):
            sent.append(request)
            return 502, b""
        return status, json.dumps(told).encode()

    monkeypatch.setattr(vendor_accounts, "network", lambda: asking(troubled))
    assert "read back as such" in say(*PUSH, "--budget", "330", "--write")
    assert len(sent) == 1
    assert market.books[ACCOUNT].plans[PRODUCT].budget_daily == micros("330")
    assert logged() == ["writing", "written"]


def test_a_write_the_vendor_did_not_do_says_so(market: Server, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(request: object) -> tuple[int, bytes]:
        if getattr(request, "path", "").endswith("roi2_goal/update/"):
            results = [{"ad_id": int(PRODUCT), "status": "FAIL", "error_message": "too soon"}]
            return 200, json.dumps({"code": 0, "message": "OK", "data": {"results": results}}).encode()
        status, told = market.answer(request)  # type: ignore[arg-type]
        return status, json.dumps(told).encode()

    monkeypatch.setattr(vendor_accounts, "network", lambda: asking(refusing))
    assert "too soon" in say(*PUSH, "--target", "2.6", "--write")
    assert logged() == ["writing", "refused"]
