"""A shop's past goes on exactly, and what was decided in it meets what goes wrong later."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import ill_shops
from benchmarks.ill_shops import DORMANT, TRAINING, Early, Past, scenario_of
from qianheng.simulator.faults import PlannedFault

DAYS = 8
SHOP = replace(TRAINING[1], requests=1500, organic=60)


@pytest.mark.slow
def test_a_past_goes_on_as_if_it_had_never_stopped_and_orders_to_come_meet_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ill_shops, "CALM", DAYS)
    well = replace(scenario_of(SHOP, DAYS + 2), faults=(DORMANT,))
    early, whole = Early(well, 1), Past(well, 1)
    whole.live(DAYS)
    state, again = whole.state(), early.go_on(well).state()
    assert state.keys() == again.keys()
    assert all(np.array_equal(state[name], again[name]) for name in state)
    empty = PlannedFault("stock_out", DAYS + 1, "00:00", products=(11,))
    ill = early.go_on(replace(well, faults=(DORMANT, empty))).state()
    sold = [one["market/orders"] for one in (state, ill)]
    start = whole.life.start(DAYS + 1)
    to_come = [((orders[:, 3] == 11) & (orders[:, 2] >= start)).sum() for orders in sold]
    assert to_come[0] > 0 == to_come[1]
    assert len(sold[0]) - len(sold[1]) == to_come[0], "of the others all are still to come"
