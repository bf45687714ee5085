"""A run that leaves some choices to chance: they are logged with it, and other policies are judged by them."""

import json
from pathlib import Path

import numpy as np
import pytest

from qianheng.actions.desk import desk_of
from qianheng.actions.evaluations import evaluate_bids, evaluate_creatives
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.core.errors import BadInput
from qianheng.core.words import LANGUAGES
from qianheng.delivery.journal import replayed
from qianheng.experiments.off_policy import Estimator
from qianheng.simulator.loading import load
from qianheng.store.database import reading
from tests.actions.conftest import Say

CREATIVES = "[{ id = 1101, name = 'a', appeal = 2.0 }, { id = 1102, name = 'b', appeal = 0.5 }]"
SHORT = {
    "days": "1",
    "opportunities_per_day": "7000",
    "buyers.population": "5000",
    "shops.0.hold_out": "0",
    "shops.0.products.0.creatives": CREATIVES,
    "exploration.creatives": "0.5",
    "exploration.bids": "0.6",
}


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_simulation(RunRequest("hold-out", overrides=SHORT, folder=tmp_path_factory.mktemp("runs")))


def test_every_decision_left_to_chance_can_be_made_again(explored: RunFolder) -> None:
    database = explored.database()
    with reading(database) as connection:
        kept = explored.lake().query(connection, "SELECT * FROM decisions")
    database.dispose()
    assert (kept["bid_spread"].to_numpy() > 0).sum() > 1000
    assert replayed(kept).agrees.all()


def test_the_better_creative_is_found_by_the_logged_chances(explored: RunFolder) -> None:
    with desk_of(str(explored.path)) as desk:
        better, worse = (evaluate_creatives(desk, policy).rewards["clicks"] for policy in ("1101", "1102"))
        evenly = evaluate_creatives(desk, "uniform").rewards["clicks"]
    best, even, worst = (one.means[Estimator.SELF_NORMALISED] for one in (better, evenly, worse))
    assert best.low > worst.high
    assert worst.expected < even.expected < best.expected


def test_bidding_higher_spends_more_and_lower_less(explored: RunFolder) -> None:
    with desk_of(str(explored.path)) as desk:
        higher, lower = (evaluate_bids(desk, policy) for policy in ("+10%", "-10%"))
    for found, sign in ((higher, 1), (lower, -1)):
        assert found.rewards["spend"].best is Estimator.DOUBLY_ROBUST
        assert sign * found.rewards["spend"].gains[Estimator.DOUBLY_ROBUST].expected > 0


def test_what_was_never_tried_is_not_told(explored: RunFolder, say: Say) -> None:
    told = say("experiment", "evaluate", "bids", "--policy", "+400%", "--run", str(explored.path))
    assert "cannot be known" in told
    as_json = say("experiment", "evaluate", "bids", "--policy", "+400%", "--run", str(explored.path), "--json")
    found = json.loads(as_json)
    assert "too_few" in found["doubts"]
    assert found["per_thousand"]["gmv"]["estimates"] == {}


def test_the_commands_tell_it_in_both_languages(explored: RunFolder, say: Say) -> None:
    for language in LANGUAGES:
        for command in ("creatives", "bids"):
            told = say("--lang", language, "experiment", "evaluate", command, "--run", str(explored.path))
            assert ("自归一化" if language == "zh" else "self-normalised") in told


def test_where_nothing_was_left_to_chance_that_is_said(run: RunFolder, say: Say) -> None:
    for command in ("creatives", "bids"):
        assert "[exploration]" in say("experiment", "evaluate", command, "--run", str(run.path))


def test_something_else_than_a_policy_is_refused(run: RunFolder) -> None:
    with desk_of(str(run.path)) as desk:
        for policy in ("10", "+x%", "+1000%", "-95%"):
            with pytest.raises(BadInput):
                evaluate_bids(desk, policy)
        with pytest.raises(BadInput):
            evaluate_creatives(desk, "best")


def test_a_run_without_exploration_keeps_its_name_and_its_decisions(run: RunFolder) -> None:
    plain, exploring = load("tiny"), load("tiny", {"exploration.bids": "0.1"})
    assert repr(plain) == repr(exploring)
    assert not plain.extras
    assert exploring.extras
    database = run.database()
    with reading(database) as connection:
        kept = run.lake().query(connection, "SELECT * FROM decisions")
    database.dispose()
    assert np.unique(kept["bid_factor"].to_numpy()).tolist() == [1.0]
    assert np.unique(kept["creative_chance"].to_numpy()).tolist() == [1.0]


def test_lived_again_it_draws_the_same(tmp_path: Path) -> None:
    overrides = {**SHORT, "opportunities_per_day": "800"}
    once, again = (run_simulation(RunRequest("hold-out", overrides=overrides, folder=tmp_path / n)) for n in "ab")
    names = [sorted(path.name for path in one.path.rglob("*.parquet")) for one in (once, again)]
    assert names[0] == names[1]
