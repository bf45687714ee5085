"""A run explains itself: an opportunity, a day, an hour; and says where it knows nothing."""

import contextlib
import json
import math
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from qianheng.actions.explain import Kept, opened, opportunity, plan_day, plan_hour
from qianheng.actions.gap import Cause
from qianheng.actions.simulation import RunFolder
from qianheng.actions.summarise import summarise
from qianheng.bidding.moves import Mover
from qianheng.cli import main
from qianheng.core.days import parse_day
from qianheng.core.errors import BadInput, NotFound
from qianheng.core.words import Language, known, speak
from qianheng.delivery.journal import crossed
from qianheng.facts.schema import Fate

DAY = parse_day("2025-10-02")


@pytest.fixture
def kept(run: RunFolder) -> Iterator[Kept]:
    with opened(str(run.path)) as held:
        yield held


def sampled_loss(kept: Kept) -> int:
    """An opportunity that a plan was outbid for, of which every decision is kept."""
    lost = kept.decisions("fate = 'outbid' AND plan_id = 1 ORDER BY decisions.id LIMIT 1")
    return int(crossed(lost["id"].to_numpy(), lost["plan_id"].to_numpy())[0])


def test_the_day_tells_what_the_summary_tells(kept: Kept, run: RunFolder) -> None:
    for plan in summarise(run).plans:
        told = plan_day(kept, plan.plan.id, DAY)
        day = next(day for day in plan.days if day.day == DAY)
        assert told["hindsight_ratio"] == f"{day.reached / day.best:.6f}"
        ends = {row["fate"]: row for row in told["fates"]}
        assert ends["won"]["count"] == day.sums.impressions
        assert ends["won"]["missed"] is None


def test_losses_are_scaled_from_the_sample_to_all_opportunities(kept: Kept) -> None:
    told = plan_day(kept, 1, DAY)
    chances = sum(row["count"] for row in told["fates"])
    assert chances == pytest.approx(told["opportunities"], rel=0.3)
    missed = [float(one["worth"]) - float(one["prices"][-1]) for one in told["top_losses"]]
    assert missed == sorted(missed, reverse=True)
    assert all(one > 0 for one in missed)


def test_an_opportunity_tells_every_candidate_and_agrees_with_itself(kept: Kept) -> None:
    told = opportunity(kept, sampled_loss(kept))
    assert told["candidates_kept"] == "all"
    assert [one["plan_id"] for one in told["candidates"]] == sorted(kept.plans)
    assert all(one["replayed"] for one in told["candidates"])


def test_an_opportunity_that_only_was_won_tells_its_winner(kept: Kept) -> None:
    won = kept.decisions("fate = 'won'")
    ids = crossed(won["id"].to_numpy(), won["plan_id"].to_numpy())
    told = [opportunity(kept, int(one)) for one in ids[:20]]
    assert all("won" in {one["fate"] for one in answer["candidates"]} for answer in told)
    assert "winners" in {answer["candidates_kept"] for answer in told}


def test_an_unknown_opportunity_is_told_the_rate_and_the_nearest(kept: Kept) -> None:
    with pytest.raises(NotFound) as refusal:
        opportunity(kept, 12345)
    assert f"{kept.rate:.1%}" in str(refusal.value)
    nearest = int(str(refusal.value.values["nearest"]))
    assert opportunity(kept, nearest)["opportunity_id"] == str(nearest)


def test_the_hour_tells_the_multiplier_in_force(kept: Kept) -> None:
    told = plan_hour(kept, 1, "2025-10-02T14:20")
    assert told["at"] == "2025-10-02T14:00:00+08:00"
    assert float(told["multiplier"]) > 0
    assert told["before"]["at"] == "2025-10-02T13:00:00+08:00"
    whole = math.log(float(told["multiplier"]) / float(told["before"]["multiplier"]))
    assert sum(float(part["log"]) for part in told["moved"]) == pytest.approx(whole, abs=1e-3)


def test_the_gap_of_a_day_adds_up_to_what_is_missing(kept: Kept) -> None:
    told = plan_day(kept, 1, DAY)
    missing = float(told["best"]) - float(told["reached"])
    assert sum(float(part["worth"]) for part in told["gap"]) == pytest.approx(missing, abs=1e-4)


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda kept: plan_day(kept, 99, DAY), NotFound),
        (lambda kept: plan_day(kept, 1, parse_day("2030-01-01")), NotFound),
        (lambda kept: plan_hour(kept, 1, "noon"), BadInput),
        (lambda kept: plan_hour(kept, 2, "2025-10-01T00:30"), NotFound),
    ],
)
def test_what_the_run_does_not_know_is_refused_by_name(kept: Kept, ask: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as refusal:
        ask(kept)
    assert str(refusal.value)


def test_every_fate_cause_and_mover_has_its_words() -> None:
    groups = {"explain.fate": Fate, "explain.cause": Cause, "pages.cause": Cause, "explain.mover": Mover}
    keys = [f"{group}.{one}" for group, names in {**groups, "pages.mover": Mover}.items() for one in names]
    assert [key for key in keys if not known(key)] == []


def test_an_unknown_run_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    with pytest.raises(NotFound), opened("nowhere"):
        pass


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_commands_answer_people_and_programs(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(run.path.parent.parent))

    def said(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["qianheng", "--lang", language, "explain", *arguments])
        with contextlib.suppress(SystemExit):  # typer leaves with 0
            main.main()
        return capsys.readouterr().out

    day = ("day", "--run", str(run.path), "--plan", "1", "--day", DAY.isoformat())
    ends = {row["fate"]: row for row in json.loads(said(*day, "--json"))["fates"]}
    assert f"{ends['won']['count']:,}" in said(*day)
    with opened(str(run.path)) as kept:
        id_ = str(sampled_loss(kept))
    asked = ("opportunity", id_, "--run", str(run.path))
    assert json.loads(said(*asked, "--json"))["opportunity_id"] == id_
    assert {"en": "outbid", "zh": "被更高出价超过"}[language] in said(*asked)
    hour = ("hour", "--run", str(run.path), "--plan", "1", "--at", "2025-10-02T14:00")
    multiplier = json.loads(said(*hour, "--json"))["multiplier"]
    assert f"{float(multiplier):.4f}" in said(*hour)
    speak("en")
