"""A shop that holds users out: nothing is shown to them, and what they buy tells what promotion adds."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qianheng.actions.desk import desk_of
from qianheng.actions.incrementality import Incrementality, incrementality
from qianheng.actions.scoring import DayScore
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary_json import as_json
from qianheng.core.days import DAY, microseconds, midnight
from qianheng.core.errors import BadInput, NotFound
from qianheng.core.words import LANGUAGES
from qianheng.delivery.tick import Tick
from qianheng.experiments.hold_out import Told
from qianheng.facts.assignment import shares_of
from qianheng.facts.schema import Kind
from qianheng.pages.incrementality import remarks, sentence
from qianheng.pages.run import render
from qianheng.plans.allowance import NOTHING, Lease
from qianheng.plans.hold_out import USUAL
from qianheng.plans.plan import Plan
from qianheng.plans.users import UserShare
from qianheng.simulator.loading import load, shipped
from qianheng.simulator.market import Market
from qianheng.store.database import reading
from tests.actions.conftest import Say
from tests.actions.driving import driver_of

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


class _Watched(DayScore):
    """Notes what the optimum may draw from: the worth among the held-out and among the others."""

    def of(self, out: UserShare) -> "_Watched":
        self.out, self.sums = out, np.zeros(2)
        return self

    def enter(self, tick: Tick, plans: Sequence[Plan]) -> list[np.ndarray]:
        found = super().enter(tick, plans)
        held = shares_of(self.out.salt, tick.batch.user_id) < self.out.size
        self.sums += [sum(one[held].sum() for one in found), sum(one[~held].sum() for one in found)]
        return found


def test_the_optimum_is_of_those_a_plan_may_bid_for() -> None:
    scenario = load("hold-out", SHORT | {"days": "1", "shops.0.hold_out": "0.5"})
    driver, (out,) = driver_of(scenario, 1), scenario.hold_outs()
    driver.score = watched = _Watched(driver.market, driver.engine.site.seen, driver.engine.offers).of(out.users)
    start = microseconds(midnight(scenario.first_day, scenario.timezone))
    leases = {plan.id: Lease(plan.budget_daily, NOTHING) for plan in scenario.plan_records()}
    driver.run_day(start, start + DAY, [], leases)
    assert watched.sums[0] == 0 < watched.sums[1]


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
    for command in (("figures",), ("review", "weekly"), ("advise",)):
        assert "Incremental ROI" in say(*command, *where)
    alone = json.loads(say("figures", *where, "--json"))["incremental"]
    assert alone == json.loads(say("advise", *where, "--json"))["incremental"]
    assert as_json(summary := summarise(held))["incremental"][0].items() >= alone.items()
    assert 'id="added"' in render(summary)


def test_what_is_not_known_yet_is_no_figure_but_the_buyers_that_are_missing(found: Incrementality) -> None:
    open_ = replace(found.whole, told=Told.NOT_YET, more=9, missing=4)
    told = [sentence(open_), *remarks(open_)]
    assert told[0].startswith("Incremental ROI anywhere from ")
    assert "4 more buyers" in told[1]
    assert found.whole.told is not Told.NOT_YET or (found.whole.missing or 0) > 0


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


def test_a_shop_that_says_nothing_holds_out_one_user_in_a_hundred(tmp_path: Path) -> None:
    said = shipped()["tiny"].read_text("utf-8")
    (tmp_path / "silent.toml").write_text(said.replace("hold_out = 0\n", ""), "utf-8")
    (out,) = load(tmp_path / "silent.toml").hold_outs()
    assert (out.shop_id, out.share) == (1, USUAL)
    assert not load("tiny").hold_outs()


def test_each_shop_holds_out_users_of_its_own() -> None:
    users = np.arange(20_000)
    shops = [load("tiny", {"shops.0.hold_out": "0.05", "shops.0.id": str(n), "plans": "[]"}) for n in (1, 2)]
    outs = [one.hold_outs()[0].users for one in shops]
    ours, theirs = (shares_of(out.salt, users) < out.size for out in outs)
    assert abs(ours.mean() - 0.05) < 0.01
    assert (ours & theirs).mean() < 0.01
