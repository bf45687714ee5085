"""Alerts of a run: raised within a minute of the facts, alike by the driver and at the desk; the inbox and people."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from qianheng.actions.alerts import check, handle_alert, inbox
from qianheng.actions.desk import desk_of
from qianheng.actions.simulation import RunFolder, run_simulation
from qianheng.core.errors import NotFound, Refused
from qianheng.store import alerts as kept
from qianheng.store.database import reading
from tests.actions.conftest import Say
from tests.actions.runs_for_tests import request, told

# Rules so touchy that even two small days raise many alerts, of all kinds of subjects.
TOUCHY = """
interval = 0.05
[rules.drought]
measure = "spend_without_orders"
about = "product"
comparison = ">="
limit = "0.1"
window = "1h"
severity = "act"
escalate_after = "30m"
[rules.refunded]
measure = "refund_rate_1h"
about = "shop"
comparison = ">"
limit = "0.01"
window = "today"
severity = "urgent"
repeat = "3h"
[rules.clicks]
measure = "clicks_without_orders"
about = "plan"
comparison = ">="
limit = "0.05"
window = "3h"
severity = "act"
keep_firing_for = "0m"
[rules.guarantee_in_danger]
limit = "1"
[rules.off_air_spend]
limit = "0"
lasting = "0m"
"""


def lived(home: Path, **how: Any) -> RunFolder:
    return run_simulation(replace(request(home / "runs"), **how))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "alerts.toml").write_text(TOUCHY, encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def watched(home: Path) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QIANHENG_HOME", str(home))
        return lived(home, watch=True)


@pytest.fixture
def at_home(watched: RunFolder, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the watched run that a test may write to."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    shutil.copy(home / "alerts.toml", tmp_path)
    return Path(shutil.copytree(watched.path, tmp_path / "runs" / watched.path.name))


def events_of(run: str = "") -> list[tuple[Any, ...]]:
    with desk_of(run) as desk, reading(desk.database) as connection:
        return sorted(
            (one.at, one.key.rule, one.key.subject.id, one.happened, one.id) for one in kept.events(connection)
        )


def test_touchy_rules_raise_alerts_of_every_subject(at_home: Path) -> None:
    with desk_of() as desk:
        about = {one.alert.key.subject.about.value for one in inbox(desk, everything=True).alerts}
    assert about == {"shop", "plan", "product"}


def test_the_desk_finds_the_same_alerts_in_the_kept_facts(at_home: Path, tmp_path: Path) -> None:
    raised = events_of()
    with desk_of() as desk, desk.database.begin() as connection:
        connection.execute(kept.ALERT_EVENT.delete())
        connection.execute(kept.ALERT_WATCH.delete())
    clock = desk.now
    for time in ("2025-10-01T11:17", "2025-10-01T23:59", "2025-10-02T16:48", clock.isoformat()):
        with desk_of(now=time) as desk:
            check(desk)
    assert events_of() == raised
    assert len(raised) > 20
    with desk_of() as desk:
        assert check(desk) == []


def test_a_run_stopped_and_gone_on_with_raises_the_same(at_home: Path, home: Path, tmp_path: Path) -> None:
    raised = events_of()
    elsewhere = tmp_path / "again"
    lived(elsewhere, watch=True, until=date(2025, 10, 2))
    run = lived(elsewhere)  # nobody watches the second day
    with desk_of(str(run.path)) as desk:
        check(desk)
    assert events_of(str(run.path)) == raised


def test_watching_changes_no_byte_of_a_run(watched: RunFolder, run: RunFolder) -> None:
    assert told(run) == told(watched)


def test_an_alert_is_handled_once_by_those_who_may(at_home: Path) -> None:
    with desk_of() as desk:
        name = f"a{inbox(desk).alerts[0].number}"
        found = handle_alert(desk, name, "price put right")
        assert (found.alert.state, found.alert.handled_by, found.alert.note) == ("handled", "owner", "price put right")
        with pytest.raises(Refused):
            handle_alert(desk, name, "again")
        assert all(f"a{one.number}" != name for one in inbox(desk).alerts)
        with pytest.raises(NotFound):
            handle_alert(desk, "a999999", "")
    with desk_of(actor="reviewer") as desk, pytest.raises(Refused):
        handle_alert(desk, name, "")


def test_nothing_is_seen_before_it_happened(at_home: Path) -> None:
    with desk_of(now="2025-10-01T00:00") as desk:
        assert inbox(desk, everything=True).alerts == ()


def test_the_inbox_as_a_person_and_a_program_meet_it(at_home: Path, say: Say) -> None:
    first = json.loads(say("alerts", "--json"))[0]
    assert first["state"] == "firing"
    assert first["severity"] == "urgent"
    shown = json.loads(say("alerts", "show", first["id"], "--json"))
    assert shown["events"][0]["happened"] == "fired"
    assert first["id"] in say("alerts", "show", first["id"])
    assert "owner" in say("alerts", "handle", first["id"], "--note", "seen")
    assert json.loads(say("alerts", "show", first["id"], "--json"))["note"] == "seen"
    assert "handle_alert" in say("audit", "--json")


def test_the_daily_review_tells_an_alert_of_its_day_that_is_handled_or_over(at_home: Path, say: Say) -> None:
    day = json.loads(say("review", "daily", "--json"))["facts"]["days"]
    handled = next(one["id"] for one in json.loads(say("alerts", "--json")) if one["fired_at"] >= day)
    say("alerts", "handle", handled)
    sections = json.loads(say("review", "daily", "--json"))["sections"]
    told = {one["alert"]: one["status"] for one in sections["alerts"]["tables"]["alerts"]}
    assert told[handled] == "handled"
    assert set(told.values()) == {"open", "handled", "over"}
    for one in json.loads(say("alerts", "--all", "--json")):
        assert (one["id"] in told) == (one["state"] == "firing" or one["fired_at"] >= day)


def test_a_silence_is_told_with_who_and_why(at_home: Path, say: Say) -> None:
    assert "no_such" in say("alerts", "silence", "--rule", "no_such", "--for", "2h", "--why", "x")
    assert "2 hours" in say("alerts", "silence", "--rule", "clicks", "--for", "2 hours", "--why", "x")
    assert "--rule" in say("alerts", "silence", "--for", "2h", "--why", "x")
    made = json.loads(say("alerts", "silence", "--plan", "1", "--for", "2h", "--why", "stocktaking", "--json"))[0]
    assert (made["plan_id"], made["who"], made["why"]) == ("1", "owner", "stocktaking")
    assert "stocktaking" in say("alerts", "silences")


def test_rules_are_listed_and_a_file_is_checked_before_it_is_put_in_place(
    at_home: Path, tmp_path: Path, say: Say
) -> None:
    assert json.loads(say("alerts", "rules", "--json"))["drought"]["escalate_after"] == "30m"
    wrong = tmp_path / "new.toml"
    wrong.write_text("[rules.low_balance]\nlimits = '5'", encoding="utf-8")
    assert "limits" in say("alerts", "rules", "--validate", str(wrong))
