"""Policies are data: shipped files, an operator's own, and the page that tells them."""

from pathlib import Path

import pytest

from qianheng.core.errors import BadInput
from qianheng.core.words import LANGUAGES, Language, known, language, speak
from qianheng.guarantee.figures import LeftOut
from qianheng.guarantee.policy import SHIPPED, Policy, load_policy, policy_names, read_policy, rules_in_words
from qianheng.guarantee.verdict import Reason, Status

PAGE = Path(__file__).parents[2] / "docs" / "guarantee.md"


def own_policy(folder: Path, old: str = "", new: str = "") -> Path:
    text = (SHIPPED / "seed.toml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "own.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def table(spoken: Language) -> str:
    """The table of policies as docs/guarantee.md shows it."""
    before = language()
    speak(spoken)
    rows = [
        f"| `{name}` v{policy.version} | {'<br>'.join(rules_in_words(policy))} | {policy.source} |"
        for name in policy_names()
        for policy in [load_policy(name)]
    ]
    speak(before)
    head = {"en": "| policy | rules | source |", "zh": "| 政策 | 规则 | 来源 |"}[spoken]
    return "\n".join([head, "|---|---|---|", *rows])


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_the_page_shows_the_policies_as_they_are(spoken: Language) -> None:
    assert table(spoken) in PAGE.read_text(encoding="utf-8"), f"put this into {PAGE.name}:\n{table(spoken)}"


def test_a_file_is_named_like_its_policy() -> None:
    assert [load_policy(name).name for name in policy_names()] == list(policy_names())


def test_only_none_promises_nothing() -> None:
    assert [name for name in policy_names() if load_policy(name).rules is None] == ["none"]


def test_an_operator_writes_a_policy_without_touching_code(tmp_path: Path) -> None:
    path = own_policy(tmp_path, "at_least = 10", "at_least = 3")
    policy = load_policy("own.toml", tmp_path)
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
        load_policy("sed")
    assert "seed" in str(unknown.value)
    with pytest.raises(BadInput) as missing:
        load_policy("sed.toml", tmp_path)
    assert "sed.toml" in str(missing.value)


def test_what_an_answer_may_say_is_said_in_words() -> None:
    keys = [f"reason.{reason}" for reason in Reason] + [f"kept.{reason}" for reason in Reason]
    keys += [f"status.{status}" for status in Status] + [f"left_out.{left_out}" for left_out in LeftOut]
    unknown = [key for key in keys if not known(f"guarantee.{key}")]
    assert not unknown


def test_a_policy_tells_version_and_start() -> None:
    policy: Policy = load_policy("seed")
    assert policy.version == 1
    assert policy.effective_from.isoformat() == "2025-01-01"


if __name__ == "__main__":
    for each in LANGUAGES:
        print(table(each), end="\n\n")
