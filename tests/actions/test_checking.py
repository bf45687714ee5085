"""The self-check of a plan's day, on a run and on a case file, for people and for programs."""

import json
from pathlib import Path

import pytest

from qianheng.actions.simulation import RunFolder
from qianheng.store.database import reading
from qianheng.store.notices import notices
from tests.actions.conftest import Say

DAY = ("--plan", "1", "--day", "2025-10-02")


def test_a_plans_day_and_its_proof_pack_are_checked_alike(kept: Path, say: Say, tmp_path: Path) -> None:
    pack = str(tmp_path / "pack.json")
    say("guarantee", "prove", *DAY, "--out", pack)
    of_day = json.loads(say("guarantee", "check", *DAY, "--facts", "--json"))
    of_pack = json.loads(say("guarantee", "check", pack, "--facts", "--json"))
    assert of_day.pop("ledger") == {"promised": "0.00", "paid": "0.00"}
    assert of_day == of_pack
    assert of_day["facts"]["orders"]["counted"] == of_day["verdict"]["orders"]
    assert len(of_day["charges"]) == sum((of_day["facts"]["charges"]["counted"], 0))


def test_a_check_tells_a_person_what_would_have_helped_in_both_languages(kept: Path, say: Say) -> None:
    told = say("guarantee", "check", *DAY)
    assert "the change at 10:40 made 20 minutes later" in told
    assert "still nothing" in told
    assert "10:40 的修改晚 20 分钟" in say("--lang", "zh", "guarantee", "check", *DAY)


def test_before_the_judgement_nothing_is_decided(kept: Path, say: Say) -> None:
    told = say("guarantee", "check", "--plan", "1", "--day", "2025-10-01", "--now", "2025-10-03T08:00")
    assert "Nothing is decided yet: it will be judged at 2025-10-09" in told


@pytest.mark.parametrize("asked", [(), ("case.json", *DAY), ("--plan", "1"), ("--day", "2025-10-02")])
def test_a_check_is_of_one_thing(kept: Path, say: Say, asked: tuple[str, ...]) -> None:
    assert "name a case file, a plan's day (--plan ID --day DAY) or a boost" in say("guarantee", "check", *asked)


def test_a_shop_is_reminded_to_look_once_a_day_is_judged(missed: RunFolder) -> None:
    database = missed.database()
    with reading(database) as connection:
        told = [one for one in notices(connection) if one.kind.startswith("proof.notice")]
    database.dispose()
    assert len(told) == len({(one.subject, one.values["day"]) for one in told})
    void = next(one for one in told if one.kind == "proof.notice.void")
    assert (void.subject, void.values["day"]) == ("plan 1", "2025-10-02")
    assert "guarantee check --plan 1 --day 2025-10-02" in void.text()
    assert {one.subject for one in told} == {"plan 1", "plan 2"}
