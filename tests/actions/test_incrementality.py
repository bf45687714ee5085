"""A shop that holds users out: nothing is shown to them, and what they buy tells what promotion adds."""

import json
from pathlib import Path

import numpy as np
import pytest

from qianheng.actions.desk import desk_of
from qianheng.actions.incrementality import Incrementality, incrementality
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary_json import as_json
from qianheng.core.days import DAY
from qianheng.core.errors import BadInput, NotFound
from qianheng.core.words import LANGUAGES
from qianheng.facts.assignment import shares_of
from qianheng.facts.schema import Kind
from qianheng.pages.run import render
from qianheng.simulator.loading import load
from qianheng.simulator.market import Market
from qianheng.store.database import reading
from tests.actions.conftest import Say

SHORT = {"days": "3", "opportunities_per_day": "3000", "buyers.population": "5000"}


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_simulation(RunRequest("hold-out", overrides=SHORT, folder=tmp_path_factory.mktemp("runs")))


@pytest.fixture(scope="module")
def found(held: RunFolder) -> Incrementality:
    with desk_of(str(held.path)) as desk:
        return incrementality(desk)


def test_nothing_is_promoted_to_who_is_held_out(held: RunFolder, found: Incrementality) -> None:
    database = held.database()
    with reading(database) as connection:
        seen, told = (
            held.lake().query(connection, f"SELECT DISTINCT user_id FROM {kind} {which}")["user_id"].to_numpy()
            for kind, which in (("impressions", "WHERE plan_id >= 0"), ("orders", ""))
        )
    database.dispose()
    out = found.hold_out.users
    assert (shares_of(out.salt, seen) >= out.size).all()
    assert (shares_of(out.salt, told) < out.size).any()


def test_products_add_up_to_the_whole(found: Incrementality) -> None:
    assert len(found.products) == 2
    for measure in ("orders", "gmv", "net_gmv"):
        parts = [one.added[measure].expected for one in found.products]
        assert sum(parts) == found.whole.added[measure].expected
        assert sum(one.everything[measure] for one in found.products) == found.whole.everything[measure]
    assert sum(one.spend for one in found.products) == found.whole.spend


def test_the_last_evening_knows_everything(found: Incrementality) -> None:
    assert [number for number, _ in enumerate(found.by_day)] == [0, 1, 2]
    assert found.by_day[-1][1] == found.whole
    assert found.by_day[0][1].spend < found.whole.spend


def test_what_promotion_adds_lies_where_the_hold_out_says(found: Incrementality) -> None:
    """The same market lived without a single ad: what is sold there is what promotion did not add."""
    scenario = load("hold-out", SHORT)
    market, start = Market(scenario, scenario.seed), found.days.since
    orders = [market.facts(start + day * DAY, start + (day + 1) * DAY)[Kind.ORDER] for day in range(12)]
    without = sum(int(one["amount"].to_numpy()[one["at"].to_numpy() < found.days.until].sum()) for one in orders)
    held_out = (found.whole.everything["gmv"] - int(found.whole.added["gmv"].expected)) // 9
    truth = found.whole.everything["gmv"] + held_out - without
    assert 0 < truth < found.whole.reported["gmv"]
    assert truth in found.whole.added["gmv"]


def test_the_command_tells_it_in_words_as_json_and_as_a_page(held: RunFolder, tmp_path: Path, say: Say) -> None:
    for language in LANGUAGES:
        told = say("--lang", language, "incrementality", "--run", str(held.path))
        assert ("增量 ROI" if language == "zh" else "Incremental ROI") in told
    told = json.loads(say("incrementality", "--run", str(held.path), "--json"))
    figures = told["sections"]["verdict"]["figures"]
    assert float(figures["incremental_roi"]["low"]) < float(figures["incremental_roi"]["value"])
    page = tmp_path / "page.html"
    say("incrementality", "--run", str(held.path), "--html", str(page))
    assert "<svg" in page.read_text("utf-8") or "echarts" in page.read_text("utf-8")


def test_it_stands_beside_what_is_reported(held: RunFolder, say: Say) -> None:
    where = ("--run", str(held.path))
    for command in (("figures",), ("review", "weekly")):
        assert "Incremental ROI" in say(*command, *where)
    alone = json.loads(say("figures", *where, "--json"))["incremental"]
    assert alone == json.loads(say("advise", *where, "--json"))["incremental"]
    assert as_json(summary := summarise(held))["incremental"][0].items() >= alone.items()
    assert 'id="added"' in render(summary)


def test_where_nobody_is_held_out_nothing_is_added_to_what_is_told(run: RunFolder, say: Say) -> None:
    summary = summarise(run)
    assert "incremental" not in as_json(summary)
    assert 'id="added"' not in render(summary)
    assert "incremental" not in json.loads(say("figures", "--run", str(run.path), "--json"))


def test_a_shop_that_holds_nobody_out_is_told_how_to(run: RunFolder, say: Say) -> None:
    with desk_of(str(run.path)) as desk, pytest.raises(NotFound):
        incrementality(desk)
    assert "hold_out = 0.01" in say("incrementality", "--run", str(run.path))


def test_a_share_that_cannot_be_held_out_is_refused_and_names_its_shop() -> None:
    for share in ("0.6", "-0.1", "0.00001"):
        with pytest.raises(BadInput, match=r"shop 1.*hold_out"):
            load("tiny", {"shops.0.hold_out": share})


def test_a_run_without_a_hold_out_keeps_its_name() -> None:
    plain, held_out = load("tiny"), load("tiny", {"shops.0.hold_out": "0.05"})
    assert repr(plain) == repr(held_out)
    assert not plain.extras
    assert held_out.extras


def test_each_shop_holds_out_users_of_its_own() -> None:
    users = np.arange(20_000)
    shops = [load("tiny", {"shops.0.hold_out": "0.05", "shops.0.id": str(n), "plans": "[]"}) for n in (1, 2)]
    outs = [one.hold_outs()[0].users for one in shops]
    ours, theirs = (shares_of(out.salt, users) < out.size for out in outs)
    assert abs(ours.mean() - 0.05) < 0.01
    assert (ours & theirs).mean() < 0.01
