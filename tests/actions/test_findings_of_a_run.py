"""`qianheng diagnose findings`: from the command line through a run or imported reports to what is wrong."""

import json
import re
import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qianheng.actions.alerts import inbox
from qianheng.actions.desk import desk_of
from qianheng.actions.findings import rules_kept, to_look_at
from qianheng.actions.histories import history_of
from qianheng.actions.simulation import RunRequest, run_simulation
from qianheng.diagnosis.findings import findings
from qianheng.measures.history import About
from qianheng.store import alerts
from qianheng.store.database import reading
from tests.actions.conftest import Say

SICK = {
    "days": "15",
    "ad_account.top_up": "30000",
    "opportunities_per_day": "5000",
    "buyers.population": "5000",
    "step_minutes": "60",
    "journal": "0",
    "shops.0.products.0.conversion": "5",
    "shops.0.products.1.conversion": "5",
    "plans.0.changes": "[]",
    "rivals.0.count": "3",
    "rooms.0.sessions": '[{ on = "13:59", off = "21:59" }]',  # told before the hour, which is a step here
    "faults": '[{ kind = "wrong_price", day = 10, time = "06:00", size = 0.3, products = [11] }]',
}


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop that charges a wrong price from its tenth day on; the run is stopped after the eleventh."""
    home = tmp_path_factory.mktemp("sick")
    run_simulation(RunRequest("tiny", overrides=SICK, folder=home / "runs", until=date(2025, 10, 12), watch=True))
    return home


@pytest.fixture
def at_home(sick: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QIANHENG_HOME", str(sick))
    return sick


def test_a_wrong_price_of_a_run_is_found_by_the_command_line(at_home: Path, say: Say) -> None:
    told = json.loads(say("diagnose", "findings", "--json"))
    assert told["watched"]
    finding = told["findings"][0]
    assert (finding["anomaly"], finding["subject"]["id"]) == ("wrong_price", "11")
    assert finding["since"].startswith("2025-10-10")
    value = next(one for one in finding["evidence"] if one["name"] == "order_value")
    assert float(value["value"]) < 0.5 * float(value["against"])
    assert json.loads(say("diagnose", "findings", "--json", "--now", "2025-10-10T05:00"))["findings"] == []
    assert finding in json.loads(say("diagnose", "findings", "--json", "--plan", "1"))["findings"]


def test_a_finding_becomes_an_alert_alike_in_a_watched_run_and_at_the_desk(at_home: Path, say: Say) -> None:
    raised = json.loads(say("alerts", "--all", "--json"))
    (alert,) = [one for one in raised if one["rule"] == "found_wrong_price"]
    assert (alert["subject"]["id"], alert["detail"]["plans"]) == ("11", ["1", "2"])
    assert alert["detail"]["since"].startswith("2025-10-10")
    assert alert["fired_at"].startswith("2025-10-10")
    assert_told_within_the_hour(say, alert)
    late = [one["rule"] for one in raised if one["fired_at"] > alert["fired_at"]]
    assert not {"wrong_price", "conversion_fell", "net_roi_to_target_urgent"} & {*late}  # it explains them
    shown = say("alerts", "show", alert["id"])
    assert "Found: a wrong price" in shown
    assert "qianheng diagnose playbook price_shock" in shown
    assert "查明：价格有误" in say("--lang", "zh", "alerts", "show", alert["id"])
    with desk_of() as desk, desk.database.begin() as connection:
        before = [one.id for one in alerts.events(connection)]
        connection.execute(alerts.ALERT_EVENT.delete())
        connection.execute(alerts.ALERT_WATCH.delete())
    say("alerts", "check")
    with desk_of() as desk, reading(desk.database) as connection:
        assert sorted(one.id for one in alerts.events(connection)) == sorted(before)


def asked(say: Say, *words: str) -> Any:
    return json.loads(say(*words, "--json"))


def assert_told_within_the_hour(say: Say, alert: dict[str, Any]) -> None:
    """`diagnose findings` sees what an alert tells of a minute before it was told, and did not an hour before."""
    at = datetime.fromisoformat(alert["fired_at"]) - timedelta(minutes=1)
    wanted = alert["rule"].removeprefix("found_"), alert["subject"]["id"]
    for time, there in ((at, True), (at - timedelta(hours=1), False)):
        found = asked(say, "diagnose", "findings", "--now", time.isoformat())["findings"]
        assert (wanted in [(one["anomaly"], one["subject"]["id"]) for one in found]) is there


@pytest.mark.slow
def test_a_wrong_price_and_an_empty_stock_are_told_within_the_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    say("simulate", "faults", "--watch", "--until", "2025-10-26")
    raised = {one["rule"]: one for one in asked(say, "alerts", "--all")}
    for rule in ("found_wrong_price", "found_stock_out"):
        assert_told_within_the_hour(say, raised[rule])
        told = datetime.fromisoformat(raised[rule]["fired_at"])
        with desk_of(now=told.isoformat()) as desk:
            assert rule in [one.alert.key.rule for one in inbox(desk).alerts]
        evening = (told.date() + timedelta(days=1)).isoformat() + "T00:00"
        review = asked(say, "review", "daily", "--now", evening)["sections"]
        assert raised[rule]["id"] in {one["alert"] for one in review["alerts"]["tables"]["alerts"]}


@pytest.mark.slow
def test_a_morning_from_the_alert_to_the_review(
    sick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    (run,) = (Path(shutil.copytree(one, tmp_path / "runs" / one.name)) for one in (sick / "runs").iterdir())
    alert = asked(say, "alerts")[0]
    (finding,) = asked(say, "diagnose", "findings", "--now", alert["fired_at"])["findings"]
    assert (alert["rule"], alert["detail"]["since"]) == (f"found_{finding['anomaly']}", finding["since"])
    (name,) = re.findall(r"qianheng diagnose playbook (\w+)", say("alerts", "show", alert["id"]))
    assert "correct price or coupon" in say("diagnose", "playbook", name, "--plan", "1")

    changes = [one for one in asked(say, "proposals") if one["work"] == "plan_change" and one["plan_id"] == "1"]
    proposal = changes[0]
    say("proposals", "accept", proposal["id"])
    (change,) = asked(say, "plan", "log", "1")
    assert change["reason"].startswith(f"{proposal['id']}: ")

    run_simulation(RunRequest("tiny", overrides=SICK, folder=run.parent, until=date(2025, 10, 16)))
    assert proposal["id"] in {one["id"] for one in asked(say, "proposals", "follow-up")}
    review = asked(say, "review", "weekly")["sections"]
    assert "wrong price" in review["decision"]["decisions"][0]["title"]
    assert alert["id"] in {one["alert"] for one in review["alerts"]["tables"]["alerts"]}
    assert proposal["id"] in {one["proposal"] for one in review["proposals"]["tables"]["proposals"]}
    first, second = asked(say, "figures", "--by", "plan", "--from", "2025-10-09", "--to", "2025-10-15")["lines"]
    counted = first["sums"]["promoted_gmv"], second["sums"]["gmv"]  # plan 1 counts attributed orders, plan 2 all
    assert sum(map(Decimal, counted)) == Decimal(review["sums"]["figures"]["gmv"])


def test_findings_are_told_to_people_in_both_languages(at_home: Path, say: Say) -> None:
    assert "a wrong price" in say("diagnose", "findings")
    told = say("--lang", "zh", "diagnose", "findings")
    assert "价格有误" in told
    assert "核对实际售价" in told


def test_a_short_run_says_that_it_is_too_short(kept: Path, say: Say) -> None:
    assert "before 8 days are known" in say("diagnose", "findings")
    assert json.loads(say("diagnose", "findings", "--json"))["watched"] is False


def test_the_owners_rules_are_used_and_wrong_ones_told(at_home: Path, say: Say) -> None:
    own = at_home / "findings.toml"
    own.write_text("[watch]\nbase_days = 14\n", encoding="utf-8")
    try:
        told = say("diagnose", "findings")
    finally:
        own.unlink()
    assert "findings.toml" in told
    assert "learning" in told


def test_no_plan_of_that_id_is_told_with_those_there_are(at_home: Path, say: Say) -> None:
    assert "1, 2" in say("diagnose", "findings", "--plan", "7")


def test_nothing_of_the_future_is_known_and_orders_nobody_promoted_are(at_home: Path) -> None:
    rules = rules_kept()
    with desk_of(now="2025-10-09T12:00") as desk:
        history = history_of(desk, to_look_at(rules))
    assert findings(history, rules) == ()
    assert max(at for told in history.hours.values() for at in told) <= history.now
    (shop,) = history.of(About.SHOP)
    free = [figures.unpromoted_orders for figures in history.days[shop].values()]
    assert None not in free
    assert sum(number or 0 for number in free) > 0
