"""Policies are data: shipped files, an operator's own, and the page that tells them."""

from datetime import date
from pathlib import Path

import pytest

from qianheng.core.errors import BadInput
from qianheng.core.words import LANGUAGES, Language, known, language, speak
from qianheng.guarantee.figures import LeftOut
from qianheng.guarantee.policy import read_policy
from qianheng.guarantee.policy_words import rules_in_words
from qianheng.guarantee.reasons import Reason, Status
from qianheng.guarantee.shelf import SHIPPED, shelf, shipped

DAY = date(2025, 10, 1)
DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[Language, Path] = {"en": DOCS / "guarantee.md", "zh": DOCS / "guarantee.zh.md"}


def own_policy(folder: Path, old: str = "", new: str = "") -> Path:
    text = (SHIPPED / "seed.toml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "own.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def table(spoken: Language) -> str:
    """The table of policies as the page in that language shows it."""
    before = language()
    speak(spoken)
    rows = [
        f"| `{name}` v{policy.version} | {policy.effective_from} | {'<br>'.join(rules_in_words(policy))} "
        f"| {policy.source} |"
        for name in shipped().names
        for policy in shipped().versions(name)
    ]
    speak(before)
    head = {"en": "| policy | in force from | rules | source |", "zh": "| 政策 | 生效日 | 规则 | 来源 |"}[spoken]
    return "\n".join([head, "|---|---|---|---|", *rows])


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_the_page_shows_the_policies_as_they_are(spoken: Language) -> None:
    page = PAGES[spoken]
    assert table(spoken) in page.read_text(encoding="utf-8"), f"put this into {page.name}:\n{table(spoken)}"


def test_a_file_is_named_like_its_policy() -> None:
    assert [shipped().versions(name)[0].name for name in shipped().names] == list(shipped().names)


def test_only_none_promises_nothing() -> None:
    assert [name for name in shipped().names if shipped().versions(name)[-1].rules is None] == ["none"]


def test_an_operator_writes_a_policy_without_touching_code(tmp_path: Path) -> None:
    path = own_policy(tmp_path, "at_least = 10", "at_least = 3")
    policy = shipped().in_force("own.toml", DAY, tmp_path)
    assert policy.rules is not None
    assert policy.rules.orders.fewest == 3
    assert policy == read_policy(path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("trigger_ratio = 0.8", "", "rules.trigger_ratio: missing"),
        ("trigger_ratio = 0.8", "triger_ratio = 0.8", "rules.triger_ratio: unknown key"),
        ("trigger_ratio = 0.8", "trigger_ratio = 80", "rules: trigger_ratio and pay_ratio must be above 0"),
        ("at_least = 10", "at_least = 10\nmore_than = 9", "rules.orders: give either at_least or more_than"),
        ("at_least = 10", "", "rules.orders: give either at_least or more_than"),
        ("minimum = 0.01", "minimum = 0.001", "rules: a minimum of 0.001 is too small"),
        ("credit_days = [1, 3]", "credit_days = [3, 1]", "rules: data_days must not be negative"),
        ('of = "any"', 'of = "budget"', "rules.changes[0].of: expected one of any, value, goal"),
        ('goals = ["payment", "net"]', 'goals = ["gmv"]', "rules.goals[0]: expected one of payment, net"),
        ("version = 1", "version = 1.5", "version: expected a whole number"),
        ("[rules]", "[rule]", "rule: unknown key"),
    ],
)
def test_a_faulty_policy_is_refused_by_file_and_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = own_policy(tmp_path, old, new)
    with pytest.raises(BadInput) as refusal:
        read_policy(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert told in str(refusal.value)


def test_a_policy_that_is_nowhere_is_refused_with_those_known(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as unknown:
        shipped().in_force("sed", DAY)
    assert "seed" in str(unknown.value)
    with pytest.raises(BadInput) as missing:
        shipped().in_force("sed.toml", DAY, tmp_path)
    assert "sed.toml" in str(missing.value)


def version(folder: Path, number: int, start: str, name: str = "seed", **more: str) -> Path:
    """A version of a policy in a folder: the seed's rules, with 10 + `number` orders."""
    text = (SHIPPED / "seed.toml").read_text(encoding="utf-8")
    changes = {"version = 1": f"version = {number}", "2025-01-01": start, '"seed"': f'"{name}"', **more}
    for old, new in {**changes, "at_least = 10": f"at_least = {10 + number}"}.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{name}{'' if number == 1 else f'.v{number}'}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("day", "number"),
    [
        ("2020-01-01", 1),  # before the first version known, that one stands
        ("2025-01-01", 1),
        ("2026-02-28", 1),
        ("2026-03-01", 2),
        ("2026-12-31", 2),
        ("2027-01-01", 3),
        ("2031-01-01", 3),
    ],
)
def test_a_day_is_judged_by_the_version_in_force(tmp_path: Path, day: str, number: int) -> None:
    version(tmp_path, 3, "2027-01-01")
    version(tmp_path, 2, "2026-03-01")
    assert shelf(tmp_path).in_force("seed", date.fromisoformat(day)).version == number


def test_an_operator_begins_a_family_of_his_own(tmp_path: Path) -> None:
    version(tmp_path, 1, "2026-03-01", "generous")
    kept = shelf(tmp_path)
    assert set(kept.names) - set(shipped().names) == {"generous"}
    assert kept.in_force("generous", DAY).version == 1
    assert shelf(tmp_path / "nowhere").names == shipped().names


@pytest.mark.parametrize(
    ("number", "start", "told"),
    [
        (1, "2026-03-01", "seed.toml: version 1 of seed is there already"),
        (2, "2025-01-01", "seed.v2.toml: effective from 2025-01-01, but version 1 is in force from 2025-01-01"),
        (0, "2026-03-01", "seed.v0.toml: version 0 is no version"),
    ],
)
def test_versions_that_do_not_follow_each_other_are_refused(tmp_path: Path, number: int, start: str, told: str) -> None:
    version(tmp_path, number, start)
    with pytest.raises(BadInput) as refusal:
        shelf(tmp_path).versions("seed")
    assert all(part in str(refusal.value) for part in told.split(": "))
    assert shelf(tmp_path).versions("none")  # the other families stand


def test_a_file_that_holds_another_policy_is_refused(tmp_path: Path) -> None:
    version(tmp_path, 2, "2026-03-01").rename(tmp_path / "none.v2.toml")
    with pytest.raises(BadInput) as refusal:
        shelf(tmp_path).versions("none")
    assert "none.v2.toml: this is a file of none, but the policy in it is named 'seed'" in str(refusal.value)


def test_a_policy_is_announced_before_it_takes_effect(tmp_path: Path) -> None:
    told = {"source =": "announced_on = 2026-02-20\nsource ="}
    policy = read_policy(version(tmp_path, 2, "2026-03-01", **told))
    assert policy.announced_on == date(2026, 2, 20)
    with pytest.raises(BadInput, match="announced_on 2026-02-20 is after"):
        read_policy(version(tmp_path, 3, "2026-02-19", **told))


@pytest.mark.parametrize("name", sorted(shipped().names))
@pytest.mark.parametrize("day", ["1970-01-01", "2025-10-01", "2026-08-13", "2026-08-14", "2030-01-01"])
def test_what_is_shipped_judges_a_unit_of_any_day_alike(name: str, day: str) -> None:
    assert shipped().in_force(name, date.fromisoformat(day)) == shipped().versions(name)[0]


def test_what_an_answer_may_say_is_said_in_words() -> None:
    keys = [f"reason.{reason}" for reason in Reason] + [f"kept.{reason}" for reason in Reason]
    keys += [f"status.{status}" for status in Status] + [f"left_out.{left_out}" for left_out in LeftOut]
    unknown = [key for key in keys if not known(f"guarantee.{key}")]
    assert not unknown


if __name__ == "__main__":
    for each in LANGUAGES:
        print(table(each), end="\n\n")
