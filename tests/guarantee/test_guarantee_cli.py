"""`qianheng guarantee` as a person and a program meet it."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qianheng.cli import main
from qianheng.core.words import speak
from qianheng.guarantee.reasons import Reason

DAY = "2025-10-01T"


def case(orders: int = 11, **more: Any) -> dict[str, Any]:
    amounts = (["272.70"] + ["272.73"] * (orders - 1))[:orders]
    return {
        "policy": "seed",
        "unit": {"plan_id": "p1", "kind": "product", "bid_mode": "target_roi", "day": "2025-10-01"},
        "targets": [{"at": "2025-09-28T10:00:00+08:00", "goal": "payment", "value": "7.5"}],
        "charges": [{"id": "c1", "at": DAY + "09:00:00+08:00", "amount": "1000.00", "boost": None}],
        "orders": [
            {
                "id": f"o{i}",
                "at": DAY + "09:30:00+08:00",
                "amount": amount,
                "boost": None,
                "flagged": False,
                "refunds": [],
            }
            for i, amount in enumerate(amounts)
        ],
        "events": [{"at": DAY + "12:00:00+08:00", "type": "pause"}],
        "now": "2025-10-09T00:00:00+08:00",
        **more,
    }


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command line in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QIANHENG_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")

    def go(*arguments: str) -> tuple[int, str, str]:
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


def write(name: str, *cases: Any) -> str:
    Path(name).write_text("\n".join(json.dumps(each) for each in cases) + "\n", encoding="utf-8")
    return name


def test_the_answer_of_the_contract_from_a_real_process(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case()), encoding="utf-8")
    command = [sys.executable, "-m", "qianheng.cli.main", "guarantee", "evaluate", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    checks = told.pop("checks")
    assert told == {
        "status": "confirming",
        "reason": None,
        "final": True,
        "orders": 11,
        "spend": "1000.00",
        "gmv": "3000.00",
        "weighted_target": "7.5",
        "actual_roi": "3",
        "expected_spend": "400.00",
        "compensation": "600.00",
        "judged_at": "2025-10-09T00:00:00+08:00",
    }
    assert {"name": "orders", "passed": True, "value": "11", "limit": ">= 10"} in checks


def test_now_and_policy_may_be_given_on_the_command_line(run: Any) -> None:
    write("case.json", case())
    code, out, _ = run("evaluate", "case.json", "--json", "--now", DAY + "23:00:00+08:00", "--policy", "tiktok-gmv-max")
    assert code == 0
    assert (json.loads(out)["status"], json.loads(out)["reason"]) == ("void", "paused_that_day")


def test_an_own_policy_stands_beside_the_case_or_is_given_by_path(run: Any) -> None:
    seed = Path(main.__file__).parents[1] / "guarantee" / "policies" / "seed.toml"
    Path("shop").mkdir()
    Path("shop/own.toml").write_text(seed.read_text("utf-8").replace("at_least = 10", "at_least = 12"), "utf-8")
    write("shop/case.json", case(policy="own.toml"))
    write("case.json", case())
    for arguments in (["shop/case.json"], ["case.json", "--policy", "shop/own.toml"]):
        code, out, _ = run("evaluate", *arguments, "--json")
        assert (code, json.loads(out)["reason"]) == (0, "too_few_orders")


def test_many_cases_are_answered_one_a_line_in_order(run: Any) -> None:
    write("cases.jsonl", *(case(orders) for orders in (11, 2, 10)))
    code, out, _ = run("evaluate", "cases.jsonl", "--json")
    assert code == 0
    assert [json.loads(line)["orders"] for line in out.splitlines()] == [11, 2, 10]
    code, out, _ = run("evaluate", "cases.jsonl")
    assert code == 0
    assert out.count("p1") == 3


def test_a_faulty_line_leaves_standard_output_empty(run: Any) -> None:
    write("cases.jsonl", *[case()] * 56, case(now="soon"), case(), {**case(), "orders": [{}]})
    for arguments in (["evaluate"], ["evaluate", "--json"], ["explain"], ["explain", "--json"]):
        code, out, err = run(*arguments, "cases.jsonl")
        assert (code, out) == (2, "")
        assert "cases.jsonl:57: " in err
        assert "now: 'soon' is not a time" in err
        assert "cases.jsonl:59: " in err
        assert "orders[0].amount: missing" in err


def test_thousands_of_faulty_lines_are_counted_not_listed(run: Any) -> None:
    write("cases.jsonl", *[{}] * 100)
    code, _, err = run("evaluate", "cases.jsonl")
    assert code == 2
    assert "80 more lines have faults" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["evaluate", "nowhere.json"], "nowhere.json: cannot be read"),
        (["evaluate", "nowhere.jsonl"], "nowhere.jsonl: cannot be read"),
        (["evaluate", "case.json", "--now", "today"], "--now: 'today' is not a time"),
        (["evaluate", "case.json", "--now", "2025-10-09T00:00:00"], "--now: '2025-10-09T00:00:00' has no offset"),
        (["evaluate", "case.json", "--policy", "sed"], "--policy: 'sed' is not a policy"),
        (["evaluate", "case.json", "--policy", "sed.toml"], "--policy: sed.toml: cannot be read"),
        (["evaluate", "unknown.json"], "unknown.json: "),
        (["evaluate", "own.json"], "own.json: policy: own.toml: cannot be read"),
        (["explain", "broken.json"], "broken.json: not valid JSON"),
    ],
)
def test_wrong_use_is_told_and_exits_2(run: Any, arguments: list[str], told: str) -> None:
    write("case.json", case())
    write("unknown.json", case(policy="sed"))
    write("own.json", case(policy="own.toml"))
    Path("broken.json").write_text("{", encoding="utf-8")
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert told in err


def test_a_case_comes_from_standard_input(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(case()).encode())))
    code, out, _ = run("evaluate", "-", "--json")
    assert (code, json.loads(out)["compensation"]) == (0, "600.00")


def test_a_person_reads_figures_checks_and_the_reason(run: Any) -> None:
    write("case.json", case(orders=9))
    code, out, _ = run("evaluate", "case.json")
    assert code == 0
    for words in (
        "plan p1 on 2025-10-01 under seed",
        "✗   Orders that count",
        ">= 10",
        "Nothing is due: too few orders.",
    ):
        assert words in out
    assert "无赔付：订单数不足。" in run("--lang", "zh", "evaluate", "case.json")[1]


def test_an_explanation_names_what_was_left_out_and_why(run: Any) -> None:
    told = case()
    told["targets"].append({"at": DAY + "08:00:00+08:00", "goal": "net", "value": "7"})
    refunds = [("r1", "09:50", "1.00"), ("r2", "11:00", "2.00"), ("r1", "09:55", "3.00")]
    told["orders"][0]["refunds"] = [
        {"id": name, "at": f"{DAY}{clock}:00+08:00", "amount": amount} for name, clock, amount in refunds
    ]
    told["orders"] += [told["orders"][0], {**told["orders"][1], "id": "b", "boost": "plan"}]
    told["charges"].append({"id": "c2", "at": "2025-10-02T00:00:00+08:00", "amount": "5.00"})
    write("case.json", told)
    out = run("explain", "case.json", "--json")[1]
    explanation = json.loads(out)
    assert explanation["orders"][0]["gmv"] == "271.70"
    assert [refund["left_out"] for refund in explanation["orders"][0]["refunds"]] == [
        None,
        "after_an_hour",
        "duplicate",
    ]
    assert [order["left_out"] for order in explanation["orders"][-2:]] == ["duplicate", "boosted"]
    assert [charge["left_out"] for charge in explanation["charges"]] == [None, "other_day"]
    assert [change["of_goal"] for change in explanation["changes"]] == [True]
    assert explanation["verdict"]["compensation"] == "571.57"
    tree = run("explain", "case.json")[1]
    for words in (
        "an id seen before",
        "driven by a boost",
        "later than an hour after the order",
        "571.57 yuan are due",
    ):
        assert words in tree


def week(days: int = 3, amount: str = "100.00") -> dict[str, Any]:
    """What makes a case one of a week that is compensated, with as many effective days."""
    monday = "2026-06-01T00:00:00+08:00"
    spent = [{"id": f"c{day}", "at": f"2026-06-0{day}T09:00:00+08:00", "amount": amount} for day in range(1, days + 1)]
    return {
        "policy": "qianchuan-max-delivery",
        "unit": {"type": "week", "plan_id": "p", "day": "2026-06-01"},
        "raw_targets": [{"at": monday, "goal": "payment", "value": "2"}],
        "budgets": [{"at": monday, "amount": "300.00", "suggested": ["300.00"]}],
        "charges": spent,
        "orders": 0,
        "events": [],
        "now": "2026-06-08T00:00:00+08:00",
    }


KEPT: dict[str, tuple[dict[str, Any], str]] = {
    "no_policy": ({"policy": "none"}, "Choose a policy"),
    "no_target": ({"targets": []}, "Set a target"),
    "goal_not_covered": ({"targets": [["28T10:00", "settled", "7"]]}, "payment, net"),
    "changes_too_close": (
        {"targets": [["28T10:00", "net", "7"], ["30T23:40", "net", "8"], ["31T00:10", "net", "9"]]},
        "00:40",
    ),
    "too_many_changes": (
        {"targets": [["28T10:00", "net", "1"], *([f"31T0{h}:00", "net", f"{h}"] for h in (2, 4, 6))]},
        "3.",
    ),
    "changed_that_day": (
        {"policy": "tiktok-gmv-max", "targets": [["28T10:00", "net", "1"], ["31T01:00", "net", "2"]]},
        "No change of the target that day; there were 1",
    ),
    "paused_that_day": ({"policy": "tiktok-gmv-max"}, "Neither pause nor restart"),
    "deleted": (
        {"policy": "tiktok-gmv-max", "events": [{"at": DAY + "12:00:00+08:00", "type": "delete"}]},
        "another day",
    ),
    "nothing_spent": ({"charges": []}, "without spend"),
    "too_few_orders": ({"orders": 0}, "10 more orders"),
    "commission_too_high": (
        {"policy": "qianchuan-product", "unit": {"plan_id": "p", "day": "2025-10-01", "commission_rate": "0.2"}},
        "below 5 (",
    ),
    "below_minimum": (
        {
            "policy": "tiktok-gmv-max",
            "events": [],
            "orders": 21,
            "charges": [{"id": "c", "at": DAY + "09:00:00+08:00", "amount": "848.49"}],
        },
        "less than 0.01",
    ),
    "roi_met": ({"targets": [["28T10:00", "payment", "3"]]}, "below 2.4"),
    "unit_not_covered": ({"unit": {"type": "boost", "boost_id": "b", "plan_id": "p", "day": "2025-10-01"}}, "plan_day"),
    "fraud": (
        {"policy": "shopee-gmv-max", "events": [{"at": "2025-09-18T12:00:00+08:00", "type": "fraud"}]},
        "from 2025-10-02",
    ),
    "too_many_targeting_changes": (
        {
            "policy": "qianchuan-creative-boost",
            "unit": {"type": "boost", "boost_id": "b", "plan_id": "p", "day": "2025-10-01"},
            "events": [{"at": f"{DAY}0{hour}:00:00+08:00", "type": "targeting_change"} for hour in (1, 2, 3)],
        },
        "At most 2 changes of targeting a day; there were 3",
    ),
    "account_too_large": (
        {**week(), "account_spend": [{"day": "2026-05-30", "amount": "5000.01"}]},
        "never spent more than 5000 yuan in the days that count; it spent 5000.01",
    ),
    "too_few_effective_days": ({**week(days=2)}, "At least 3 effective days; there were 2"),
    "spent_too_little": ({**week(amount="26.66")}, "At least 80 yuan spent on effective days; it was 79.98"),
}


@pytest.mark.parametrize("reason", KEPT)
def test_what_would_have_kept_it_is_told_for_each_reason(run: Any, reason: str) -> None:
    changes, words = KEPT[reason]
    targets = changes.get("targets", [])
    if targets:
        told = [{"at": f"2025-09-{at}:00+08:00", "goal": goal, "value": value} for at, goal, value in targets]
        changes = {**changes, "targets": [{**t, "at": t["at"].replace("09-31", "10-01")} for t in told]}
    if "raw_targets" in changes:
        changes = {**changes, "targets": changes["raw_targets"]}
        del changes["raw_targets"]
    write("case.json", case(**changes))
    explanation = json.loads(run("explain", "case.json", "--json")[1])
    assert explanation["verdict"]["reason"] == reason
    assert words in explanation["would_have_kept"]
    assert set(KEPT) == set(Reason)


def test_policies_are_listed_in_both_languages(run: Any) -> None:
    assert "ROI < 80 % of the weighted target" in run("policies")[1]
    assert "ROI < 加权目标的 80 %" in run("--lang", "zh", "policies")[1]
    names = [policy["name"] for policy in json.loads(run("policies", "--json")[1])]
    qianchuan = {"product", "live", "creative-boost", "max-delivery", "max-delivery-five-days"}
    others = {"seed", "tiktok-gmv-max", "shopee-gmv-max", "none"}
    assert others | {f"qianchuan-{name}" for name in qianchuan} == set(names)


def test_a_new_version_of_a_shipped_policy_judges_days_from_its_own_on(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(Path("home").absolute()))
    seed = (Path(main.__file__).parents[1] / "guarantee" / "policies" / "seed.toml").read_text("utf-8")
    for old, new in {
        "version = 1": "version = 2",
        "2025-01-01": "2025-10-02",
        "at_least = 10": "at_least = 12",
    }.items():
        seed = seed.replace(old, new)
    Path("home/policies").mkdir(parents=True)
    Path("home/policies/seed.v2.toml").write_text(seed, "utf-8")
    moved = json.loads(json.dumps(case()).replace("2025-10-0", "2025-10-1"))
    write("cases.jsonl", case(), moved)
    told = [json.loads(line) for line in run("evaluate", "cases.jsonl", "--json")[1].splitlines()]
    assert [(one["orders"], one["reason"]) for one in told] == [(11, None), (11, "too_few_orders")]
    shown = [
        (one["version"], one["effective_from"])
        for one in json.loads(run("policies", "--json")[1])
        if one["name"] == "seed"
    ]
    assert shown == [(1, "2025-01-01"), (2, "2025-10-02")]
