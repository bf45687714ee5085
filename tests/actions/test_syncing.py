"""An account is read from a server that tells of a run: what is kept then is what the run itself says, to the fen."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine

from qianheng.actions import vendor_accounts
from qianheng.actions.desk import desk_of
from qianheng.actions.histories import Asked as Past
from qianheng.actions.histories import history_of, served_until
from qianheng.actions.judging import judge_days
from qianheng.actions.report_histories import history_of_reports
from qianheng.actions.simulation import RunFolder
from qianheng.actions.syncing import Asked, Synced, sync
from qianheng.actions.vendor_accounts import VendorAccount, account_of
from qianheng.actions.vendor_books import books_of
from qianheng.core.days import SHANGHAI
from qianheng.core.errors import Refused
from qianheng.core.money import FEN, micros, yuan
from qianheng.measures.days import Days
from qianheng.measures.history import About, Subject
from qianheng.plans.plan import PlanKind
from qianheng.store.database import connect as open_database
from qianheng.store.database import default_url, migrate, reading
from qianheng.vendors.qianchuan.api import api
from qianheng.vendors.qianchuan.client import Client, Pace, Unreachable
from qianheng.vendors.qianchuan.server import Server
from qianheng.vendors.qianchuan.trouble import Trouble
from tests.actions.conftest import Say
from tests.vendors.vendor_account import ACCOUNT, APP, CODE, DAYS, NOW, PRODUCT, Held, Time, asking, books


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    engine = open_database(default_url())
    migrate(engine)
    yield engine
    engine.dispose()


def account(name: str = "shop", advertiser: str = ACCOUNT) -> VendorAccount:
    return VendorAccount(name, "http://vendor", advertiser, APP.id, "env:SECRET")


def market_of(time: Time, *advertisers: str) -> Server:
    known = {one: books(time, one) for one in advertisers or (ACCOUNT,)}
    return Server(api(), known, APP, CODE, time, limited=False)


def client_for(market: Server, time: Time, shares: dict[str, float] | None = None, seed: int = 3) -> Client:
    chance = Random(seed).random
    pace = Pace(lambda: time().timestamp(), time.wait, chance)
    calm = Client(asking(Trouble(market, {}, chance).answer), api(), None, pace, "http://vendor")
    return Client(asking(Trouble(market, shares or {}, chance).answer), api(), Held(calm, time), pace, "http://vendor")


def synced(engine: Engine, market: Server, time: Time, asked: Asked | None = None, **shares: float) -> Synced:
    return sync(engine, account(), client_for(market, time, shares), asked or Asked(NOW))


def test_a_run_comes_back_as_it_is_to_the_fen(kept: Path, time: Time) -> None:
    with desk_of() as desk:
        there = served_until(desk)
        told = books_of(there)
        truth = history_of(there, Past(days=40))
    ((advertiser, of_account),) = told.items()
    engine = open_database(default_url())
    migrate(engine)
    client = client_for(Server(api(), told, APP, CODE, time), time)
    done = sync(engine, account(advertiser=advertiser), client, Asked(there.now))
    assert not done.left_out
    assert not [one for one in done.unlike if one.unit]
    found = history_of_reports(engine)
    for plan_id in of_account.plans:
        subject = Subject(About.PLAN, plan_id)
        lived = {day: one for day, one in truth.days[subject].items() if one.spend or one.gmv}
        assert found.days[subject].keys() == lived.keys()
        for day, one in found.days[subject].items():
            for name in ("spend", "gmv", "net_gmv"):
                assert abs(getattr(one, name) - getattr(lived[day], name)) < FEN / 2
            assert one.orders == lived[day].orders
            if found.plans[plan_id].kind is not PlanKind.LIVE:  # lists do not tell them
                assert (one.impressions, one.clicks) == (lived[day].impressions, lived[day].clicks)
        now_set, was_set = found.plans[plan_id].setting, truth.plans[plan_id].setting
        assert now_set is not None
        assert was_set is not None
        assert replace(now_set, at=was_set.at) == was_set
        assert [one.target for one in found.plans[plan_id].settings if one.target] == _targets(truth, plan_id)


def _targets(truth: object, plan_id: str) -> list[object]:
    settings = truth.plans[plan_id].settings  # type: ignore[attr-defined]
    return [one.target for one in settings]


def test_reading_twice_changes_nothing(stored: Engine, time: Time) -> None:
    market = market_of(time)
    first = synced(stored, market, time)
    assert (first.plans, first.changed) == (4, sum(first.rows.values()))
    again = synced(stored, market, time)
    assert (again.plans_changed, again.changed) == (0, 0)
    assert again.span == (DAYS[-1] - timedelta(days=api().overlap_days), DAYS[-1])


def test_looking_only_keeps_nothing(stored: Engine, time: Time) -> None:
    looked = synced(stored, market_of(time), time, Asked(NOW, dry=True))
    assert looked.changed
    assert synced(stored, market_of(time), time).changed == looked.changed


def test_a_day_that_is_told_anew_replaces_what_was_known_and_back_again(stored: Engine, time: Time) -> None:
    market = market_of(time)
    synced(stored, market, time)
    days = market.books[ACCOUNT].days[Subject(About.PLAN, PRODUCT)]
    known = days[DAYS[-1]]
    for told in (replace(known, net_gmv=micros("1"), refunded_1h=(known.gmv or 0) - micros("1")), known):
        days[DAYS[-1]] = told  # type: ignore[index]
        time.now += timedelta(minutes=1)
        assert synced(stored, market, time, Asked(time())).changed == 1
        found = history_of_reports(stored).days[Subject(About.PLAN, PRODUCT)][DAYS[-1]]
        assert found.net_gmv == told.net_gmv


def test_two_accounts_lie_side_by_side(stored: Engine, time: Time) -> None:
    market = market_of(time, ACCOUNT, "1700000000000002")
    for one in (account(), account("other", "1700000000000002")):
        sync(stored, one, client_for(market, time), Asked(NOW))
    alone = history_of_reports(stored, asked=Past("shop"))
    both = history_of_reports(stored)
    plan = Subject(About.PLAN, PRODUCT)
    assert both.days[plan][DAYS[0]].spend == 2 * (alone.days[plan][DAYS[0]].spend or 0)
    assert alone.shop.balance == micros("2030")
    assert both.shop.balance is None  # what two accounts hold is not one sum


@pytest.mark.parametrize(
    "shares", [{"429": 0.3}, {"cut": 0.2, "500": 0.1}, {"expire": 0.3}, {"double": 0.2, "total": 0.1}]
)
def test_trouble_changes_nothing_of_what_is_kept(stored: Engine, time: Time, shares: dict[str, float]) -> None:
    done = synced(stored, market_of(time), time, None, **shares)
    assert done.asked_again or "double" in shares or "expire" in shares
    assert synced(stored, market_of(time), time).changed == 0


def test_what_was_kept_before_the_vendor_went_away_stays(stored: Engine, time: Time) -> None:
    market = market_of(time)
    client = client_for(market, time)
    asked = Asked(NOW, first=DAYS[0] - timedelta(days=60))
    told: list[str] = []

    def lost(stretch: str) -> None:
        told.append(stretch)
        if len(told) == 3:
            client.http = asking(lambda _: (500, b""))

    with pytest.raises(Unreachable):
        sync(stored, account(), client, asked, lost)
    assert synced(stored, market, time).span[0] < DAYS[0]  # goes on from what was read, with the days told anew


def test_a_process_killed_in_the_middle_goes_on(stored: Engine, time: Time) -> None:
    market = market_of(time)
    stored.dispose()
    if (child := os.fork()) == 0:

        def dies(_: str) -> None:
            dies.calls += 1  # type: ignore[attr-defined]
            if dies.calls == 2:  # type: ignore[attr-defined]
                os.kill(os.getpid(), signal.SIGKILL)

        dies.calls = 0  # type: ignore[attr-defined]
        engine = open_database(default_url())
        sync(engine, account(), client_for(market, time), Asked(NOW, first=date(2026, 5, 1)), dies)
        os._exit(1)  # pragma: no cover  it was killed before
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    rest = synced(stored, market, time)
    assert rest.span[1] == DAYS[-1]
    assert history_of_reports(stored).days[Subject(About.PLAN, PRODUCT)].keys() == set(DAYS)


def test_money_in_another_unit_is_noticed_and_not_kept(stored: Engine, time: Time) -> None:
    """The vendor tells finance in thousandths of a fen; whoever reads it as yuan sees a hundred thousandfold."""
    client = client_for(market_of(time), time)
    wrong = {"finance": replace(api().endpoints["finance"], money="yuan")}
    client.api = replace(api(), endpoints=api().endpoints | wrong)
    with pytest.raises(Refused, match="told in another unit"):
        sync(stored, account(), client, Asked(NOW))
    assert synced(stored, market_of(time), time).changed  # nothing was kept


def test_totals_in_another_unit_are_told(stored: Engine, time: Time) -> None:
    client = client_for(market_of(time), time)
    other = {"totals": replace(api().endpoints["totals"], money="thousandth_fen")}
    client.api = replace(api(), endpoints=api().endpoints | other)
    done = sync(stored, account(), client, Asked(NOW))
    assert [(one.what, one.unit) for one in done.unlike] == [("totals", True)]


def test_what_the_list_says_a_plan_is_set_to_need_not_be_said(stored: Engine, time: Time) -> None:
    synced(stored, market_of(time), time)
    plan = history_of_reports(stored).plans[PRODUCT]
    assert (plan.policy, plan.setting and plan.setting.target) == (
        "qianchuan-product",
        market_of(time).books[ACCOUNT].plans[PRODUCT].target,
    )
    budgets = [one.budget_daily for one in plan.settings]
    assert micros("7") in budgets  # as the log of changes tells


@pytest.fixture
def served(stored: Engine, time: Time, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The network of the command line is a server of ours."""
    market = market_of(time)
    answer = Trouble(market, {}, Random(1).random).answer
    monkeypatch.setattr(vendor_accounts, "network", lambda: asking(answer))
    monkeypatch.setattr("qianheng.cli.sync.clock", time)
    monkeypatch.setattr("time.sleep", time.wait)
    monkeypatch.setenv("SECRET", APP.secret)
    monkeypatch.setenv("CODE", CODE)
    return market


def test_a_synced_month_is_audited_to_what_the_run_itself_owed(
    missed: RunFolder, tmp_path: Path, say: Say, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run as the vendor's API and the shop's order files tell it: figures, advice and compensation are its own."""
    with desk_of(str(missed.path)) as desk:
        told = books_of(desk)
        last = max(day for one in told.values() for by_day in one.days.values() for day in by_day)
        days = Days(desk.now.date() - timedelta(days=40), last, SHANGHAI)
        with reading(desk.database) as connection:
            judged = list(judge_days(connection, desk.lake, days, desk.now))
        later = desk.now
    owed = {(str(one.plan_id), str(one.day)): one.verdict.compensation for one in judged if one.verdict.sums.spend}
    assert sum(owed.values())
    say("export", "reports", "--run", str(missed.path), "--out", str(tmp_path / "files"))
    answer = Trouble(Server(api(), told, APP, CODE, time), {}, Random(1).random).answer
    monkeypatch.setattr(vendor_accounts, "network", lambda: asking(answer))
    monkeypatch.setattr("qianheng.cli.sync.clock", time)
    monkeypatch.setattr("time.sleep", time.wait)
    for name, value in {"SECRET": APP.secret, "CODE": CODE, "QIANHENG_HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    ((advertiser, of_account),) = told.items()
    say(*CONNECT, "--secret", "env:SECRET", "--code", "env:CODE", "--advertiser", advertiser)
    assert json.loads(say("sync", "--now", later.isoformat(), "--json"))["left_out"] == []
    spent = sum(told[one].spend or 0 for s, told in of_account.days.items() if s.about is About.PLAN for one in told)
    assert abs(micros(json.loads(say("report", "--json"))["totals"]["spend"]) - spent) < FEN / 2
    assert {one["plan_id"] for one in json.loads(say("proposals", "--reports", "--json"))} <= {*of_account.plans, None}
    policies = {str(one.plan_id): one.policy.name for one in judged}
    at = ("--now", later.isoformat(), "--json")

    def audited() -> dict[tuple[str, str], dict[str, object]]:
        """What every day was due under its plan's own policy."""
        told = [json.loads(say("guarantee", "audit", "--plan", *one, *at)) for one in _asked(policies)]
        assert {one["credited"] for one in told} == {None}  # an account's days of money tell no compensation
        return {
            (day["plan"], day["day"]): day for one in told for day in one["days"] if (day["plan"], day["day"]) in owed
        }

    files = sorted((tmp_path / "files").iterdir())
    assert any("orders" in one["missing"] for one in audited().values())  # type: ignore[operator]
    say("import", *(str(path) for path in files if path.name.startswith(("订单", "售后"))))
    whole = audited()
    assert owed.keys() == whole.keys()
    for unit, due in owed.items():
        assert micros(str(whole[unit]["least"])) <= due <= micros(str(whole[unit]["most"]))
        assert ("boost_spend" in whole[unit]["missing"]) == bool(due)  # type: ignore[operator]  # the API does not tell it
    say("import", "--account", "shop", *(str(path) for path in files if "_计划_" in path.name))
    assert {unit: (one["least"], one["most"]) for unit, one in audited().items()} == {
        unit: (yuan(due), yuan(due)) for unit, due in owed.items()
    }


def _asked(policies: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(plan, "--policy", policy) for plan, policy in policies.items()]


CONNECT = ("sync", "connect", "shop", "--at", "http://127.0.0.1:1", "--advertiser", ACCOUNT, "--app", APP.id)


def test_an_account_is_connected_and_read_by_command(served: Server, say: Say, tmp_path: Path) -> None:
    (told,) = json.loads(say(*CONNECT, "--secret", "env:SECRET", "--code", "env:CODE", "--json"))
    assert told["account"] == "shop"
    (path,) = (tmp_path / "accounts").glob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert APP.secret not in path.read_text()
    done = json.loads(say("sync", "--now", "2026-06-20T09:30", "--json"))
    assert (done["rows"]["plan"], done["left_out"]) == (4 * 19, [])
    report = json.loads(say("report", "--json"))
    assert "spend" in str(report)
    assert "商品全域" in say("--lang", "zh", "advise", "--reports")
    kept = path.read_text()
    for word in ("sync", "sync accounts", "sync connect --help"):
        shown = say(*word.split(), *(["--now", "2026-06-20T09:30"] if word == "sync" else []))
        assert json.loads(kept)["access"] not in shown
        assert json.loads(kept)["refresh"] not in shown


def test_tokens_that_ended_are_renewed_and_kept_before_they_are_used(served: Server, say: Say, time: Time) -> None:
    say(*CONNECT, "--secret", "env:SECRET", "--code", "env:CODE")
    before = account_of().access
    time.now += timedelta(hours=25)
    assert "Read shop" in say("sync", "--now", "2026-06-20T09:30")
    assert account_of().access != before


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--secret", "the-secret", "--code", "env:CODE"), "--secret: a secret is not given on the command line"),
        (("--secret", "env:SECRET"), "either a code or a token"),
        (("--secret", "env:NOWHERE", "--code", "env:CODE"), "no such variable"),
        (("--secret", "env:SECRET", "--code", "env:SECRET"), "40110"),
        (("--secret", "env:SECRET", "--code", "env:CODE", "--at", "http://example.com"), "expected https://"),
    ],
)
def test_what_cannot_connect_says_why_and_keeps_nothing(
    served: Server, say: Say, options: tuple[str, ...], told: str
) -> None:
    assert told in say(*CONNECT, *options)
    assert json.loads(say("sync", "accounts", "--json")) == []


def test_a_file_of_tokens_that_others_may_read_is_refused(served: Server, say: Say, tmp_path: Path) -> None:
    say(*CONNECT, "--secret", "env:SECRET", "--code", "env:CODE")
    (tmp_path / "accounts" / "shop.json").chmod(0o644)
    assert "chmod 600" in say("sync")
