"""The journal of whole simulated days lies beside the facts, is complete, and every decision agrees with itself."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from qianheng.actions.simulation import RunFolder, run_simulation
from qianheng.core.days import microseconds, midnight
from qianheng.delivery.journal import crossed, replayed, sampled
from qianheng.facts.schema import Kind
from qianheng.plans.allowance import NOTHING, Lease
from qianheng.store.database import reading
from tests.actions.driving import driver_of, scenario_of
from tests.actions.runs_for_tests import request


def asked(run: RunFolder, query: str) -> pa.Table:
    database = run.database()
    with reading(database) as connection:
        answer = run.lake().query(connection, query)
    database.dispose()
    return answer


def opportunities(kept: pa.Table) -> npt.NDArray[np.int64]:
    return crossed(kept["id"].to_numpy(), kept["plan_id"].to_numpy())


def test_every_decision_of_whole_days_is_made_again_from_its_record(tmp_path: Path) -> None:
    run = run_simulation(request(tmp_path, journal="1.0"))
    kept = asked(run, "SELECT * FROM decisions")
    again = replayed(kept)
    assert again.agrees.all(), kept.filter(pa.array(~again.agrees)).to_pylist()[:2]
    assert {"won", "outbid", "off_air"} <= {*kept["fate"].to_pylist()}
    plans = len(run.scenario.plans)
    assert len(np.unique(opportunities(kept))) * plans == kept.num_rows


BOOST = {"plans.0.boosts": '[{ day = 1, time = "09:00", hours = 6, budget = 100 }]', "plans.0.budget_daily": "100"}


@pytest.mark.parametrize(("name", "more"), [("pools", {}), ("super", {}), ("tiny", BOOST)])
def test_in_every_sort_of_market_decisions_agree_with_their_records(name: str, more: dict[str, str]) -> None:
    small = {"days": "1", "opportunities_per_day": "1500", "buyers.population": "1500"}
    scenario = scenario_of(name, small | more)
    driver = driver_of(replace(scenario, journal=1.0), 1)
    start, end = (microseconds(midnight(scenario.first_day + timedelta(days=more))) for more in (0, 1))
    leases = {plan.id: Lease(plan.budget_daily, NOTHING) for plan in driver.engine.plans}
    boosts = [boost for plan in scenario.plans for boost in scenario.boosts_of(plan)]
    driver.engine.run_boosts(boosts)
    leases |= {boost.id: Lease(boost.budget, NOTHING) for boost in boosts}
    kept = driver.run_day(start, end, [], leases).facts[Kind.DECISION]
    again = replayed(kept)
    assert again.agrees.all(), kept.filter(pa.array(~again.agrees)).to_pylist()[:2]
    assert kept.num_rows > 1000


def test_a_run_keeps_all_wins_and_of_the_losses_its_sample(run: RunFolder) -> None:
    kept = asked(run, "SELECT * FROM decisions")
    shown = asked(run, "SELECT id FROM impressions")
    won = kept.filter(pc.field("fate") == "won")
    assert won.num_rows == shown.num_rows
    lost = kept.filter(pc.field("slot") == 0)
    assert sampled(opportunities(lost), run.scenario.journal).all()
    assert 0 < lost.num_rows < 0.3 * 2 * 3000
