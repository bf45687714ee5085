"""Proposals at the desk: decided by those who may, carried out under the edit guard, taken back, and stopped."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from qianheng.actions import automation
from qianheng.actions.automation import allowed, run_automation, set_limits, stop
from qianheng.actions.desk import Desk, desk_of
from qianheng.actions.planning import Wanted, change_plan
from qianheng.actions.proposals import accept, list_proposals, reject, roll_back, schedule, show_proposal
from qianheng.actions.proposing import Grounds, advise, grounds_of_run
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.actions.whatif import Wish, whatif_of_run
from qianheng.core.errors import BadInput, NotFound, Refused
from qianheng.core.money import YUAN
from qianheng.store import audit, plans
from qianheng.store.database import reading
from qianheng.strategy.automation import Limits
from qianheng.strategy.decisions import Standing, Status, Step
from qianheng.strategy.proposal import Measure
from tests.actions.desks_for_tests import Say, copied, saying
from tests.actions.test_automated_run import AUTOMATED, automated

MORNING = date(2025, 10, 5)
ZONE = ZoneInfo("Asia/Shanghai")
BY_HAND = {"automation.enabled": "false", "automation.only_if_sure": "true"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run on the morning of its fifth day, nothing automatic in it."""
    return automated(tmp_path_factory.mktemp("by-hand"), MORNING, **BY_HAND)


@pytest.fixture
def desk(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    copied(run, tmp_path)
    with desk_of() as desk:
        yield desk


def proposed(desk: Desk) -> Standing:
    """The first change of a plan that is proposed this morning."""
    found = [one for one in advise(desk, grounds_of_run(desk)) if one.proposal.changes_plan]
    assert found
    return found[0]


def value(desk: Desk, standing: Standing) -> dict[str, object]:
    with reading(desk.database) as connection:
        plan = plans.load(connection, int(standing.proposal.plan_id or 0)).plan
    return {name: getattr(plan, name) for name in standing.proposal.after}


def test_made_once_a_day_they_are_the_same_again(desk: Desk) -> None:
    grounds = grounds_of_run(desk)
    first = advise(desk, grounds)
    assert first
    assert advise(desk, grounds) == first
    assert [one.name for one in first] == [f"p{number}" for number in range(1, len(first) + 1)]


def test_a_proposal_expects_what_a_what_if_of_the_same_change_tells(desk: Desk) -> None:
    """Nothing was followed up yet, so that nothing scales what is expected."""
    grounds, one = grounds_of_run(desk), proposed(desk).proposal
    after = {"target": None, "budget": None} | {name.removesuffix("_daily"): value for name, value in one.after.items()}
    answer = whatif_of_run(desk, grounds.history, Wish(str(one.plan_id), **after))  # type: ignore[arg-type]
    for measure in (Measure.GMV, Measure.SPEND, Measure.PROFIT):
        effect = one.effect(measure)
        now, then = getattr(answer.now, measure), getattr(answer.asked, measure)
        assert effect
        assert effect.baseline == now.expected
        assert float(effect.change.expected) == pytest.approx(float(then.expected - now.expected), rel=0.02, abs=YUAN)


def test_accepting_changes_the_plan_and_rolling_back_gives_the_values_back(desk: Desk) -> None:
    one = proposed(desk)
    done = accept(desk, one.name, reason="yes")
    assert done.status is Status.CARRIED_OUT
    assert value(desk, one) == dict(one.proposal.after)
    back = roll_back(desk, one.name, confirmed=True)
    assert back.status is Status.ROLLED_BACK
    assert value(desk, one) == dict(one.proposal.before)
    with reading(desk.database) as connection:
        about = [entry.subject for entry in audit.entries(connection)]
    assert about.count(f"proposal {one.name}") == 2


def test_what_was_edited_is_what_is_done(desk: Desk) -> None:
    one = proposed(desk)
    (name,) = one.proposal.after
    other = Decimal("5.90") if name == "target" else 111 * YUAN
    done = accept(desk, one.name, {name: other})
    assert (done.after, done.edited, value(desk, one)) == ({name: other}, True, {name: other})
    with pytest.raises(Refused):
        accept(desk, one.name)


def test_an_edit_of_anything_else_changes_nothing(desk: Desk) -> None:
    one = proposed(desk)
    with pytest.raises(BadInput):
        accept(desk, one.name, {"name": "other"})
    assert show_proposal(desk, one.name).status is Status.OPEN
    assert value(desk, one) == dict(one.proposal.before)


def test_a_rejected_one_stays_rejected(desk: Desk) -> None:
    one = proposed(desk)
    assert reject(desk, one.name, "not now").made(Step.REJECT).reason == "not now"  # type: ignore[union-attr]
    with pytest.raises(Refused):
        accept(desk, one.name)
    assert one.name not in [other.name for other in advise(desk, grounds_of_run(desk))]


def test_a_plan_that_somebody_changed_since_is_not_overwritten(desk: Desk) -> None:
    one = proposed(desk)
    accept(desk, one.name)
    (name,) = one.proposal.after
    by_hand = Decimal("5.55") if name == "target" else 123 * YUAN
    change_plan(desk, Wanted(int(one.proposal.plan_id or 0), {name: by_hand}, confirmed=True))
    with pytest.raises(Refused) as refused:
        roll_back(desk, one.name, confirmed=True)
    assert one.name in str(refused.value)
    assert value(desk, one) == {name: by_hand}


def test_neither_the_platform_nor_a_viewer_decides(desk: Desk, tmp_path: Path) -> None:
    one = proposed(desk)
    with desk_of("", "reviewer") as theirs, pytest.raises(Refused):
        accept(theirs, one.name)
    with pytest.raises(NotFound):
        show_proposal(desk, "p999")
    assert show_proposal(desk, one.name).status is Status.OPEN


def test_one_scheduled_is_carried_out_when_the_run_lives_that_day(desk: Desk, run: RunFolder) -> None:
    one = proposed(desk)
    due = datetime(2025, 10, 5, 14, tzinfo=ZONE)
    assert schedule(desk, one.name, due).status is Status.SCHEDULED
    with pytest.raises(BadInput):
        schedule(desk, one.name, datetime(2025, 10, 1, tzinfo=ZONE))
    overrides = {**AUTOMATED, **BY_HAND}
    folder = desk.lake.folder.parent.parent
    run_simulation(RunRequest("tiny", overrides=overrides, folder=folder, until=date(2025, 10, 6)))
    done = show_proposal(desk, one.name)
    assert done.status is Status.CARRIED_OUT
    assert done.made(Step.CARRY_OUT).at == due  # type: ignore[union-attr]
    assert value(desk, one) == dict(one.proposal.after)


def test_nothing_is_automatic_until_the_owner_says_so(desk: Desk) -> None:
    proposed(desk)
    assert run_automation(desk, grounds_of_run(desk)) == []
    assert not [one for one in list_proposals(desk, "1") if one.moves]


def test_automation_does_what_it_may_and_a_stop_blocks_it(desk: Desk) -> None:
    one = proposed(desk)
    set_limits(desk, "1", Limits(enabled=True, only_if_sure=False))
    stop(desk, "1", "holiday")
    assert run_automation(desk, grounds_of_run(desk)) == []
    held = show_proposal(desk, one.name).made(Step.HOLD)
    assert held is not None
    assert held.reason == "stopped"
    automation.resume(desk, "1")
    assert one.name in [done.name for done in run_automation(desk, grounds_of_run(desk))]
    assert value(desk, one) == dict(one.proposal.after)


def test_what_automation_did_today_counts_against_its_limits(desk: Desk) -> None:
    proposed(desk)
    set_limits(desk, "1", Limits(enabled=True, only_if_sure=False, changes_a_day=1))
    made = [one.name for one in run_automation(desk, grounds_of_run(desk))]
    assert len(made) == 1
    held = [one.made(Step.HOLD) for one in list_proposals(desk, "1") if one.status is Status.OPEN]
    assert any(move is not None and "enough_today" in move.reason for move in held)


def test_the_platform_stops_every_shop_and_a_shop_cannot_take_that_back(desk: Desk) -> None:
    proposed(desk)
    set_limits(desk, "1", Limits(enabled=True, only_if_sure=False))
    with pytest.raises(Refused):
        stop(desk, None)
    with desk_of("", "reviewer") as theirs:
        stop(theirs, None, "fault")
    automation.resume(desk, "1")
    assert allowed(desk, "1").stopped is not None
    assert run_automation(desk, grounds_of_run(desk)) == []


def test_only_an_owner_says_what_may_be_done(desk: Desk) -> None:
    with desk_of("", "reviewer") as theirs, pytest.raises(Refused):
        set_limits(theirs, "1", Limits(enabled=True))
    assert not allowed(desk, "1").limits.enabled


RACER = """
import sys
from qianheng.actions.automation import run_automation
from qianheng.actions.desk import desk_of
from qianheng.actions.proposing import grounds_of_run
with desk_of() as desk:
    grounds = grounds_of_run(desk)
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(run_automation(desk, grounds)), flush=True)
"""


def test_after_stop_has_returned_no_process_changes_a_plan(desk: Desk) -> None:
    """Another process has looked and is about to act when the owner says stop."""
    proposed(desk)
    set_limits(desk, "1", Limits(enabled=True, only_if_sure=False))
    racer = subprocess.Popen([sys.executable, "-c", RACER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert racer.stdout is not None
    assert racer.stdout.readline() == "ready\n"
    stop(desk, "1")
    told, _ = racer.communicate("go\n", timeout=60)
    assert told == "0\n"
    with reading(desk.database) as connection:
        assert not [made for plan_id in (1, 2) for made in plans.log(connection, plan_id)]


def test_two_processes_that_act_at_once_make_each_change_once(desk: Desk) -> None:
    one = proposed(desk)
    set_limits(desk, "1", Limits(enabled=True, only_if_sure=False))
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdout is not None
        racer.stdout.readline()
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = sorted(int(racer.communicate(timeout=60)[0]) for racer in racers)
    assert told[0] == 0
    assert told[1] >= 1
    with reading(desk.database) as connection:
        assert len(plans.log(connection, int(one.proposal.plan_id or 0))) == 1


@pytest.fixture
def say(desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    return saying(monkeypatch, capsys)


def test_the_command_line_reaches_all_of_it(say: Say) -> None:
    _, told, _ = say("proposals", "--json")
    first = next(one for one in json.loads(told) if one["work"] == "plan_change")
    assert first["status"] == "open"
    assert {effect["measure"] for effect in first["effects"]} >= {"profit", "gmv", "spend"}
    code, told, _ = say("proposals", "accept", first["id"], "--why", "go")
    assert (code, "carried out" in told) == (0, True)
    assert json.loads(say("proposals", "show", first["id"], "--json")[1])["status"] == "carried_out"
    assert "too early" in say("proposals", "follow-up")[1]
    assert json.loads(say("proposals", "record", "--json")[1]) == []
    assert json.loads(say("proposals", "roll-back", first["id"], "--confirm", "--json")[1])["status"] == "rolled_back"
    code, _, told = say("proposals", "reject", first["id"])
    assert (code, first["id"] in told) == (1, True)


def test_automation_is_set_shown_stopped_and_run_by_command(say: Say) -> None:
    limits = json.loads(say("automation", "set", "enabled=true", "hours=8-22", "target_floor=1.8", "--json")[1])[
        "limits"
    ]
    assert (limits["enabled"], limits["target_floor"], limits["hours"][:4]) == ("true", "1.8", "8,9,")
    assert json.loads(say("automation", "show", "--json")[1])["limits"] == limits
    assert json.loads(say("automation", "stop", "--why", "x", "--json")[1])["stopped"]["reason"] == "x"
    assert json.loads(say("automation", "run", "--json")[1]) == []
    assert json.loads(say("automation", "resume", "--json")[1]) == {"stopped": None}
    code, _, told = say("automation", "set", "changes_a_day=x", "foo=1")
    assert (code, "changes_a_day" in told, "foo=1" in told) == (2, True, True)
    assert say("automation", "stop", "--all")[0] == 1


def test_grounds_without_anything_known_call_for_nothing(desk: Desk) -> None:
    history = grounds_of_run(desk).history
    assert not [one for one in advise(desk, Grounds(history)) if one.proposal.effects]
