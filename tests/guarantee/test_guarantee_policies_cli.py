"""`qianheng guarantee validate`, `diff`, `install` and `compare` as a person and a program meet them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from qianheng.cli import main
from qianheng.core.words import speak
from qianheng.guarantee.shelf import SHIPPED
from tests.guarantee.test_guarantee_cli import case, week, write

SEED = (SHIPPED / "seed.toml").read_text(encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command line in an empty folder that is also its home: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QIANHENG_LANG", "en")
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))

    def go(*arguments: str) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["qianheng", "guarantee", *arguments])
        try:
            main.main()
            code: Any = 0
        except SystemExit as leaving:
            code = leaving.code or 0
        finally:
            speak("en")
        return code, *capsys.readouterr()

    return go


def policy(path: str, *changes: tuple[str, str]) -> str:
    text = SEED
    for old, new in (("version = 1", "version = 2"), ("2025-01-01", "2027-01-01"), *changes):
        assert old in text
        text = text.replace(old, new)
    Path(path).write_text(text, encoding="utf-8")
    return path


def test_all_faults_of_all_files_are_told_at_once(run: Any) -> None:
    policy("a.toml", ("= 0.8", "= 8"), ("= 0.01", "= 0.001"), ("[1, 3]", "[3, 1]"))
    policy("b.toml", ("trigger_ratio", "triger_ratio"), ('of = "any"', 'of = "any"\n[[rules.changes]]\nof = "all"'))
    code, out, err = run("validate", "a.toml", "b.toml", "nowhere.toml")
    assert (code, out) == (2, "")
    for told in (
        "a.toml",
        "trigger_ratio and pay_ratio must be above 0",
        "a minimum of 0.001 is too small",
        "credit_days must be",
        "b.toml",
        "rules.triger_ratio: unknown key",
        "rules.trigger_ratio: missing",
        "rules.changes[1].of: expected one of any, value, goal, targeting",
        "nowhere.toml: cannot be read",
    ):
        assert told in err


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"[rules]": '[rules]\nunit = "week"'}, "a week, [rules.week], are given exactly if unit is week"),
        ({'"net"]': '"net", "conversion"]'}, "bid_trigger_ratio is given exactly if conversion is among the goals"),
        ({"pay_ratio = 1": "pay_ratio = 1\nbid_trigger_ratio = 0.9"}, "bid_trigger_ratio of 0.9 is too small"),
        ({"[rules]": "[rules]\nrapid_boost_pays = 2"}, "rapid_boost_pays must be above 0"),
        ({"[rules]": "[rules]\nfraud_days = -1"}, "nor fraud_days"),
    ],
)
def test_rules_that_do_not_fit_together_are_refused(run: Any, changes: dict[str, str], told: str) -> None:
    code, _, err = run("validate", policy("a.toml", *changes.items()))
    assert code == 2
    assert told in err


def test_a_file_that_can_be_used_but_not_installed_is_told_apart(run: Any) -> None:
    shipped = str(SHIPPED / "seed.toml")
    found = json.loads(run("validate", shipped, policy("a.toml", ("2027", "2024")), "--json")[1])
    assert [one["cannot_install"] for one in found] == [
        None,
        "effective from 2024-01-01, but version 1 is in force from 2025-01-01; "
        "a later version takes effect on a later day",
    ]
    assert "but not be installed" in run("validate", "a.toml")[1]


def test_versions_and_policies_are_told_apart_rule_by_rule(run: Any) -> None:
    policy("a.toml", ("at_least = 10", "at_least = 12"), ("most_a_day = 2\n", ""))
    found = json.loads(run("diff", "seed", "a.toml", "--json")[1])
    assert found["differences"] == [
        {"rule": "orders", "a": "orders >= 10", "b": "orders >= 12"},
        {"rule": "changes.any.most_a_day", "a": "at most 2 changes a day", "b": None},
    ]
    assert "每天最多修改 2 次" in run("--lang", "zh", "diff", "seed@1", "a.toml")[1]
    assert "They say the same." in run("diff", "seed", "seed@1")[1]
    code, _, err = run("diff", "seed", "seed@7")
    assert code == 2
    assert "seed has no version '7'; it has 1" in err


def test_an_installed_version_is_at_hand_and_a_second_time_changes_nothing(run: Any) -> None:
    file = policy("a.toml", ("at_least = 10", "at_least = 12"))
    for _ in range(2):
        code, out, _ = run("install", file, "--json")
        assert (code, json.loads(out)["told"]) == (0, [])
    assert [path.name for path in Path("policies").iterdir()] == ["seed.v2.toml"]
    found = json.loads(run("policies", "--json")[1])
    assert [one["effective_from"] for one in found if one["name"] == "seed"] == ["2025-01-01", "2027-01-01"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([('name = "seed"', 'name = "../seed"')], "'../seed' makes no file name"),
        ([("version = 2", "version = 1")], "version 1 of seed is there already"),
        ([("2027-01-01", "2025-01-01")], "but version 1 is in force from 2025-01-01"),
        ([("= 0.8", "= 8")], "trigger_ratio and pay_ratio"),
    ],
)
def test_what_cannot_follow_is_not_installed(run: Any, changes: list[tuple[str, str]], told: str) -> None:
    code, out, err = run("install", policy("a.toml", *changes))
    assert (code, out) == (2, "")
    assert told in err
    assert not Path("policies").exists()


def test_the_same_units_are_compared_under_each_policy(run: Any) -> None:
    write("cases.jsonl", case(), case(orders=9), case(events=[]))
    found = json.loads(run("compare", "cases.jsonl", "--units", "--json")[1])
    told = {one["policy"]: one for one in found["policies"]}
    assert told["seed"] == {
        "policy": "seed",
        "units": 3,
        "covered": 3,
        "compensated": 2,
        "open": 0,
        "total": "1200.00",
        "provisional": "0.00",
        "forgone": "0.00",
        "not_covered": {},
        "void": {},
        "ended": {"too_few_orders": 1},
    }
    assert told["tiktok-gmv-max"]["void"] == {"paused_that_day": 2}
    assert told["shopee-gmv-max"]["void"] == {"paused_that_day": 2}
    assert told["shopee-gmv-max"]["total"] == "555.56"
    assert told["none"]["not_covered"] == {"no_policy": 3}
    assert not [name for name in told if "boost" in name or "max-delivery" in name]
    assert [unit["answers"]["seed"]["compensation"] for unit in found["units"]] == ["600.00", "0.00", "600.00"]


def test_other_units_are_compared_under_the_policies_for_them(run: Any) -> None:
    one_week = week(days=3)
    write("week.json", case(**one_week, targets=one_week["raw_targets"]) | {"raw_targets": None})
    told = json.loads(Path("week.json").read_text("utf-8"))
    del told["raw_targets"]
    write("week.json", told)
    found = json.loads(run("compare", "week.json", "--json")[1])["policies"]
    assert {one["policy"]: one["total"] for one in found} == {
        "none": "0.00",
        "qianchuan-max-delivery": "300.00",
        "qianchuan-max-delivery-five-days": "0.00",
    }
    assert "300.00" in run("compare", "week.json")[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["compare", "nowhere.json"], "nowhere.json: cannot be read"),
        (["compare", "case.json", "--policy", "sed"], "--policy: 'sed' is not a policy"),
        (["compare"], "no run is kept yet"),
        (["install", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["announce", "sed"], "'sed' is not a policy"),
    ],
)
def test_wrong_use_of_policies_is_told_and_exits_2(run: Any, arguments: list[str], told: str) -> None:
    write("case.json", case())
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert told in err
