"""`qianheng claim` as people and programs use it, in both languages, from filing to payment on a kept run."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.actions.conftest import Say

FIRST = "2025-10-01"
FILE = ["file", "--plan", "1", "--from", FIRST, "--reason", "x"]


@pytest.fixture
def filed(kept: Path, say: Say) -> dict[str, Any]:
    told = say("claim", "file", "--plan", "1", "--from", FIRST, "--condition", "dispute", "--reason", "why", "--json")
    found: dict[str, Any] = json.loads(told)
    return found


def answer(say: Say, *arguments: str) -> Any:
    return json.loads(say("claim", *arguments, "--json"))


def test_a_claim_is_lived_from_filing_to_payment(kept: Path, say: Say, filed: dict[str, Any], tmp_path: Path) -> None:
    claim, shot = filed["id"], tmp_path / "shot.png"
    shot.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert filed["status"] == "submitted"
    assert float(filed["asked"]) == pytest.approx(float(filed["figures"]["spend"]) / 2, abs=1e-6)
    assert [one["name"] for one in answer(say, "evidence", claim, str(shot))] == ["shot.png"]
    (waiting,) = answer(say, "queue")
    assert (waiting["id"], waiting["overdue"]) == (claim, False)
    assert {one["name"] for one in waiting["findings"]} >= {"roi", "ctr", "cvr", "invalid_share", "left"}
    assert answer(say, "take", claim)["status"] == "under_review"
    granted = answer(say, "approve", claim, "--amount", "0.50", "--reason", "half a yuan")
    assert (granted["status"], granted["granted"]) == ("partly_approved", "0.50")
    assert answer(say, "pay", "--now", "2025-12-01T09:00") == {"paid": "0.50"}
    assert answer(say, "pay", "--now", "2025-12-01T09:00") == {"paid": "0.00"}
    shown = answer(say, "show", claim)
    assert shown["status"] == "paid"
    assert [one["actor"] for one in shown["trail"]] == ["owner", "owner", "reviewer", "reviewer", "system"]
    assert [one["status"] for one in answer(say, "list", "--plan", "1")] == ["paid"]
    told = [one["kind"] for one in json.loads(say("notices", "--about", f"claim {claim}", "--json"))]
    assert told == ["claims.notice.approve", "claims.notice.pay"]


def test_people_read_tables_in_their_language(kept: Path, say: Say, filed: dict[str, Any]) -> None:
    claim = filed["id"]
    for words in (["list"], ["show", claim], ["queue"], ["evidence", claim]):
        english, chinese = say("claim", *words), say("--lang", "zh", "claim", *words)
        assert english != chinese
        assert "KeyError" not in english + chinese
    assert "审核期限" in say("--lang", "zh", "claim", "queue")
    assert "dispute" in say("claim", "show", claim)
    assert "withdrawn" in say("claim", "withdraw", claim, "--reason", "mistake")


def test_a_budget_claim_tells_the_offer_and_how_to_answer(kept: Path, say: Say) -> None:
    told = say("claim", "file", "--plan", "1", "--from", FIRST, "--condition", "budget", "--reason", "why")
    assert "--decline" in told
    claim = answer(say, "list")[0]["id"]
    assert "--accept" in say("claim", "offer", claim)
    assert answer(say, "offer", claim, "--decline")["status"] == "submitted"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["file", "--plan", "1", "--from", "yesterday", "--condition", "dispute", "--reason", "x"], "--from"),
        (["file", "--plan", "9", "--from", FIRST, "--condition", "dispute", "--reason", "x"], "no plan"),
        ([*FILE, "--condition", "rain"], "system_fault"),
        ([*FILE, "--condition", "dispute", "--amount", "a"], "--amount"),
        ([*FILE, "--condition", "dispute", "--amount", "1e6"], "left"),
        (["show", "12345"], "no refund claim"),
        (["take", "12345"], "no refund claim"),
        (["queue", "--as", "owner"], "only these may"),
        (["list", "--as", "nobody"], "member list"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_with_what_can(kept: Path, say: Say, arguments: list[str], told: str) -> None:
    assert told in say("claim", *arguments)
    assert say("claim", "list", "--json") == "[]\n"


def test_the_help_is_in_both_languages(say: Say) -> None:
    from qianheng.core.words import speak

    try:
        assert "退费申请" in say("--lang", "zh", "claim", "--help")
        assert "refund claim" in say("--lang", "en", "claim", "--help")
    finally:
        speak("en")
