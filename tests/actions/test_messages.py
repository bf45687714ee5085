"""Alerts are told where people are: signed, at least once, in order, not too often, no secret in sight."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from qianheng.actions.alerts import record
from qianheng.actions.desk import Desk, desk_of
from qianheng.actions.messages import deliver, outbox, set_channel, try_channel
from qianheng.core.days import MINUTE, microseconds
from qianheng.core.errors import BadInput
from qianheng.diagnosis.alerts import AlertEvent, Happened, Key, event_id
from qianheng.diagnosis.evidence import Severity
from qianheng.measures.history import About, Subject
from qianheng.store.messages import ATTEMPTS, Channel
from tests.actions.conftest import Say
from tests.actions.receivers import SECRET, Receiver, mail_server, receiver

KEY = Key("low_balance", "1", Subject(About.SHOP, "1"))
DETAIL = {"value": "1.2", "limit": "< 3", "balance": "120.00", "ends_at": "2025-10-03T15:20:00+08:00"}


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def desk(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("SHOP_SECRET", SECRET)
    with desk_of() as found:
        yield found


def channel(server: Receiver, kind: str = "webhook", **other: Any) -> Channel:
    return Channel("", kind, kind, server.url(kind), "env:SHOP_SECRET", **other)


def happens(desk: Desk, count: int = 1, happened: Happened = Happened.FIRED, severity: Severity = Severity.ACT) -> None:
    """So many alerts are raised (or something else happens to them), a minute apart, from now on."""
    with desk.database.begin() as connection:
        for number in range(count):
            at = microseconds(desk.now) + number * MINUTE
            events = [
                AlertEvent(
                    event_id(number + 1, Happened.FIRED, 0), number + 1, Happened.FIRED, at, KEY, severity, DETAIL
                )
            ]
            if happened is not Happened.FIRED:
                id_ = event_id(number + 1, happened, at)
                events.append(AlertEvent(id_, number + 1, happened, at, KEY, severity, DETAIL))
            record(connection, events)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("kind", ["webhook", "feishu", "dingtalk", "wecom"])
def test_each_kind_is_accepted_by_a_receiver_that_checks(desk: Desk, server: Receiver, kind: str) -> None:
    set_channel(desk, channel(server, kind, language="zh"))
    happens(desk)
    assert [one.outcome for one in deliver(desk, now())] == ["sent"]
    told = json.dumps(server.accepted, ensure_ascii=False)
    assert "余额不足" in told
    assert "15:20" in told
    assert deliver(desk, now()) == []
    assert server.requests == 1


def test_a_wrong_secret_is_refused_and_given_up(desk: Desk, server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SECRET", "another")
    set_channel(desk, channel(server))
    happens(desk)
    assert [(one.outcome, one.answer[:3]) for one in deliver(desk, now())] == [("dead", "401")]
    assert [one.outcome for one in outbox(desk)] == ["dead"]


@pytest.mark.parametrize("trouble", [500, 429, "hang up"])
def test_trouble_is_waited_out_longer_and_longer_in_order(desk: Desk, server: Receiver, trouble: int | str) -> None:
    set_channel(desk, channel(server))
    happens(desk, 2)
    server.answers = [trouble, trouble]
    start = now()
    assert [one.outcome for one in deliver(desk, start)] == ["failed"]
    assert deliver(desk, start + timedelta(seconds=29)) == []
    assert [one.outcome for one in deliver(desk, start + timedelta(seconds=30))] == ["failed"]
    assert deliver(desk, start + timedelta(seconds=80)) == []
    assert [one.outcome for one in deliver(desk, start + timedelta(seconds=90))] == ["sent", "sent"]
    assert [told["data"]["alert"] for told in server.accepted] == ["a1", "a2"]


def test_nobody_there_is_tried_so_often_and_then_shown_as_given_up(desk: Desk, server: Receiver) -> None:
    set_channel(desk, channel(server))
    happens(desk)
    server.answers = [503] * ATTEMPTS
    at = now()
    for _ in range(ATTEMPTS):
        deliver(desk, at)
        at += timedelta(hours=2)
    (left,) = outbox(desk)
    assert (left.outcome, left.attempts) == ("dead", ATTEMPTS)
    assert deliver(desk, at) == []


def test_who_dies_before_writing_it_down_sends_it_again_under_the_same_id(desk: Desk, server: Receiver) -> None:
    from qianheng.store.messages import DELIVERY

    set_channel(desk, channel(server))
    happens(desk)
    deliver(desk, now())
    with desk.database.begin() as connection:
        connection.execute(DELIVERY.delete())
    deliver(desk, now())
    assert len(server.ids) == 2
    assert len({*server.ids}) == 1


def test_a_robot_is_told_many_things_at_once_and_not_too_often(desk: Desk, server: Receiver) -> None:
    set_channel(desk, channel(server, "dingtalk"))
    happens(desk, 205)
    start = now()
    sent = deliver(desk, start)
    assert [one.messages for one in sent] == [10] * 20  # twenty a minute
    assert [one.messages for one in deliver(desk, start + timedelta(seconds=61))] == [5]
    text = json.dumps(server.accepted)
    assert all(f"a{number} " in text for number in range(1, 206))


def test_a_channel_hears_what_it_was_set_for(desk: Desk, server: Receiver) -> None:
    set_channel(desk, channel(server, "webhook", severity="urgent"))
    set_channel(desk, channel(server, "feishu", escalated=True))
    happens(desk)  # an act
    assert outbox(desk) == []
    happens(desk, happened=Happened.ESCALATED)
    assert [one.channel for one in outbox(desk)] == ["feishu"]
    happens(desk, happened=Happened.HANDLED)
    assert len(outbox(desk)) == 1


def test_what_happened_before_a_channel_was_set_is_not_told_there(desk: Desk, server: Receiver) -> None:
    happens(desk)
    with desk_of(now=(desk.now + timedelta(hours=1)).isoformat()) as later:
        set_channel(later, channel(server))
    with desk.database.begin() as connection:
        record(connection, [])
    happens(desk, happened=Happened.RESOLVED)
    assert outbox(desk) == []


def test_mail_goes_by_smtp(desk: Desk) -> None:
    with mail_server() as (port, accepted):
        to = f"smtp://127.0.0.1:{port}?from=alerts@shop.example&to=buyer@shop.example"
        set_channel(desk, Channel("", "post", "mail", to, language="en"))
        happens(desk, 3)
        assert [(one.messages, one.outcome) for one in deliver(desk, now())] == [(3, "sent")]
        set_channel(desk, Channel("", "post", "mail", to.replace("buyer@", "nobody@")))
        assert try_channel(desk, "post", now()).outcome == "dead"
    assert len(accepted) == 1
    assert "The balance is low" in accepted[0]


def test_a_file_with_a_secret_must_be_closed_to_others(desk: Desk, server: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET, encoding="utf-8")
    file.chmod(0o644)
    set_channel(desk, Channel("", "hook", "webhook", server.url("webhook"), f"file:{file}"))
    refused = try_channel(desk, "hook", now())
    assert refused.outcome == "failed"
    assert "600" in refused.answer
    file.chmod(0o600)
    assert try_channel(desk, "hook", now()).outcome == "sent"


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (Channel("", "x", "pager", "https://a.example"), "--kind"),
        (Channel("", "x", "webhook", "ftp://a.example"), "--to"),
        (Channel("", "x", "mail", "smtp://a.example"), "--to"),
        (Channel("", "x", "mail", "smtp://me:word@a.example?from=a&to=b"), "--to"),
        (Channel("", "x", "webhook", "https://a.example", "bare"), "--secret"),
        (Channel("", "x", "webhook", "https://a.example", "", "loud"), "--at-least"),
        (Channel("", " ", "webhook", "https://a.example"), "NAME"),
    ],
)
def test_what_a_channel_cannot_be_is_refused(desk: Desk, wrong: Channel, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        set_channel(desk, wrong)
    assert refused.value.place == place


def test_no_secret_is_ever_shown(kept: Path, server: Receiver, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SECRET", SECRET)
    monkeypatch.setenv("SHOP_URL", server.url("dingtalk"))
    plain = ("--kind", "webhook", "--to", server.url("webhook"), "--secret", "env:SHOP_SECRET")
    told = say("alerts", "channels", "add", "hook", *plain)
    told += say(
        "alerts", "channels", "add", "ding", "--kind", "dingtalk", "--to", "env:SHOP_URL", "--secret", "env:SHOP_SECRET"
    )
    told += say("alerts", "channels", "test", "hook") + say("alerts", "channels", "test", "ding", "--json")
    server.shutdown()
    server.server_close()
    told += say("alerts", "channels", "test", "hook")
    told += say("alerts", "channels", "list") + say("alerts", "channels", "list", "--json") + say("audit", "--json")
    told += say("alerts", "deliver") + say("alerts", "channels", "remove", "hook")
    assert len(server.accepted) == 2
    assert SECRET not in told
    assert "key=hidden" not in told
    assert "sign=" not in told
    assert "hook" not in say("alerts", "channels", "list")
