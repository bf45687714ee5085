"""Policies on a kept run: a version put in force is told to the shops it touches, and days are compared under all."""

import json
import shutil
from pathlib import Path

import pytest

from qianheng.actions.comparing import kept_evidence
from qianheng.actions.desk import desk_of
from qianheng.actions.judging import judge_days
from qianheng.actions.policies import policies
from qianheng.actions.simulation import RunFolder
from qianheng.core.words import speaking
from qianheng.guarantee.compare import compare
from qianheng.guarantee.shelf import SHIPPED
from qianheng.measures.days import Days
from qianheng.store.audit import entries
from qianheng.store.database import reading
from qianheng.store.notices import notices
from tests.actions.conftest import Say


@pytest.fixture
def kept(missed: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run that a test may write to; the only one in the home folder."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    return Path(shutil.copytree(missed.path, tmp_path / "runs" / missed.path.name))


def version(folder: Path, start: str) -> str:
    text = (SHIPPED / "seed.toml").read_text(encoding="utf-8").replace("version = 1", "version = 2")
    path = folder / "new.toml"
    path.write_text(text.replace("2025-01-01", start).replace("at_least = 10", "at_least = 12"), encoding="utf-8")
    return str(path)


def test_a_version_put_in_force_is_told_to_the_shops_it_touches_once(kept: Path, say: Say, tmp_path: Path) -> None:
    file = version(tmp_path, "2030-01-01")
    assert "Shops told now: 1." in say("guarantee", "install", file)
    assert "Shops told now: 0." in say("guarantee", "install", file)
    assert "Shops told now: 0." in say("guarantee", "announce", "seed@2", "--now", "2029-01-01T00:00:00+08:00")
    with desk_of() as desk, reading(desk.database) as connection:
        (notice,) = notices(connection, desk.actor.shop_id, "policy seed")
        (entry,) = entries(connection, subject="policy seed")
    assert notice.text() == "Policy seed, version 2, is in force from 2030-01-01: orders >= 10 → orders >= 12"
    with speaking("zh"):
        assert notice.text() == "保障政策 seed 版本 2 自 2030-01-01 起生效：订单数 >= 10 → 订单数 >= 12"
    assert (entry.actor, entry.detail) == ("system", {"version": 2, "shops": 1})


def test_a_policy_that_no_plan_is_under_is_told_to_nobody(kept: Path, say: Say) -> None:
    assert json.loads(say("guarantee", "announce", "tiktok-gmv-max", "--json"))["told"] == []


def test_only_the_platform_puts_policies_in_force(kept: Path, say: Say, tmp_path: Path) -> None:
    with desk_of() as desk:
        owner = desk.actor.name
    for command in (["install", version(tmp_path, "2030-01-01")], ["announce", "seed"]):
        assert "owner" in say("guarantee", *command, "--as", owner)
    assert not (tmp_path / "policies").exists()


def test_days_that_have_begun_keep_the_version_they_were_promised(kept: Path, say: Say, tmp_path: Path) -> None:
    with desk_of() as desk:
        today = desk.now.date().isoformat()
    assert f"it is {today} there already" in say("guarantee", "install", version(tmp_path, today))
    assert not (tmp_path / "policies").exists()


def test_what_a_run_pays_under_its_own_policies_is_what_was_judged(kept: Path) -> None:
    with desk_of() as desk:
        kept_policies = policies()
        compared = list(compare(kept_evidence(desk), kept_policies, kept_policies.names))
        days = sorted({one.unit.day for one in compared})
        with reading(desk.database) as connection:
            judged = list(judge_days(connection, desk.lake, Days(days[0], days[-1]), desk.now))
    policy_of = {(str(one.plan_id), one.day): one.plan.policy for one in judged}
    found = {key: one.verdicts[policy_of[key]] for one in compared for key in [(one.unit.plan_id, one.unit.day)]}
    assert any(verdict.compensation for verdict in found.values())
    assert found.items() <= {(str(one.plan_id), one.day): one.verdict for one in judged}.items()


def test_a_run_is_compared_under_every_policy_for_plan_days(kept: Path, say: Say) -> None:
    told = {one["policy"]: one for one in json.loads(say("guarantee", "compare", "--json"))["policies"]}
    assert told.keys() == {"none", "qianchuan-live", "qianchuan-product", "seed", "shopee-gmv-max", "tiktok-gmv-max"}
    assert float(told["seed"]["total"]) > 0 == float(told["none"]["total"])
    assert "seed" in say("guarantee", "compare", "--units", "--policy", "seed")
