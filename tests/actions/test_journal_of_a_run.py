"""The journal of whole simulated days lies beside the facts, is complete, and every decision agrees with itself."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from qianheng.actions.simulation import RunFolder, run_simulation
from qianheng.delivery.journal import crossed, replayed, sampled
from qianheng.store.database import reading
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


def test_a_run_keeps_all_wins_and_of_the_losses_its_sample(run: RunFolder) -> None:
    kept = asked(run, "SELECT * FROM decisions")
    shown = asked(run, "SELECT id FROM impressions")
    won = kept.filter(pc.field("fate") == "won")
    assert won.num_rows == shown.num_rows
    lost = kept.filter(pc.field("slot") == 0)
    assert sampled(opportunities(lost), run.scenario.journal).all()
    assert 0 < lost.num_rows < 0.3 * 2 * 3000
