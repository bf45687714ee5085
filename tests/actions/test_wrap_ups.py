"""The wrap-up of a live session: one across a dropped connection, with exact sums, told as soon as it is over."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Say = Callable[..., str]


def live(say: Say, *more: str) -> Any:
    return json.loads(say("review", "live", "--json", *more))


def test_a_dropped_connection_is_one_session_that_says_so(kept: Path, say: Say) -> None:
    told = live(say)
    assert told["facts"]["on_air"] == "14:00 – 22:00"
    assert told["facts"]["hours"] == "7.9"
    assert any("1 ×, 6 minutes" in one["title"] for one in told["sections"]["next"]["decisions"])


def test_its_sums_are_those_of_the_live_plan_of_that_day(kept: Path, say: Say) -> None:
    days = ("--from", "2025-10-02", "--to", "2025-10-02")
    figures = json.loads(say("figures", "--plan", "2", *days, "--json"))["total"]["sums"]
    day = live(say)
    told = day["sections"]["sums"]["figures"]
    assert (told["spend"], told["gmv"], told["orders"]) == (figures["spend"], figures["gmv"], figures["orders"])
    assert told["orders"] > 0
    products = day["sections"]["products"]["tables"]["products"]
    assert sum(row["orders"] for row in products) == figures["orders"]
    channels = day["sections"]["channels"]["tables"]["channels"]
    assert sum(float(row["gmv"]) for row in channels) == pytest.approx(float(figures["gmv"]))


def test_it_is_there_as_soon_as_the_grace_is_over_and_refunds_ripen_afterwards(kept: Path, say: Say) -> None:
    before, after = (live(say, "--now", f"2025-10-02T22:{minute}") for minute in ("09", "10"))
    assert (before["title"][-10:], after["title"][-10:]) == ("2025-10-01", "2025-10-02")
    young = after["sections"]["refunds"]["tables"]["refunds"]
    old = live(say, "--now", "2025-10-09T22:10")["sections"]["refunds"]["tables"]["refunds"]
    assert [row["refunded"] is None for row in young] == [True] * 5
    assert [row["refunded"] is None for row in old] == [False, False, False, False, True]


def test_earlier_sessions_are_held_against_and_can_be_seen(kept: Path, say: Say) -> None:
    assert "first session" in live(say, "--back", "1")["sections"]["sums"]["told"][0]
    assert "1 session" in live(say)["sections"]["sums"]["told"][0]


@pytest.mark.parametrize("arguments", [("--back", "2"), ("--room", "9"), ("--now", "2025-10-01T12:00")])
def test_no_session_is_told_with_what_there_is(kept: Path, say: Say, arguments: tuple[str, str]) -> None:
    assert "rooms with plans: 1" in say("review", "live", *arguments)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_is_a_page_and_paper_in_both_languages(kept: Path, say: Say, tmp_path: Path, language: str) -> None:
    page, paper = tmp_path / "live.html", tmp_path / "live.pdf"
    say("--lang", language, "review", "live", "--html", str(page), "--pdf", str(paper))
    assert page.read_text(encoding="utf-8").count("<section") == 6
    assert paper.read_bytes().startswith(b"%PDF")


def test_the_shop_is_told_of_each_session_once(kept: Path, say: Say) -> None:
    told = [one for one in json.loads(say("notices", "--json")) if one["kind"] == "reviews.notice.live_over"]
    assert [one["at"][:16] for one in told] == ["2025-10-01T22:10", "2025-10-02T22:10"]
    assert all("qianheng review live --room 1" in one["text"] for one in told)
