"""Recorded days: the thin adapter bids with the production bidder, and the benchmark's own code scores it."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from qianheng.bidding.replay import make

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "bidding.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bidding_benchmark", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def recorded_day(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    tick = np.sort(random.integers(0, 48, 8000))
    level = np.exp(random.normal(0.0, 0.3, 6))[tick // 8]
    price = np.sort(random.lognormal(-1.0, 0.5, (8000, 3)), axis=1)[:, ::-1]
    value = 0.003 * level * random.lognormal(0.0, 0.7, 8000)
    return {"tick": tick, "value": value, "value_sigma": 0.1 * value, "price": price}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    folder = root / "auctionnet"
    folder.mkdir()
    (folder / "campaigns.json").write_text(json.dumps({"00": {"budget": 150.0, "target_cpa": 100.0}}))
    for seed in range(2):
        day = recorded_day(seed)
        columns = {name: day[name] for name in ("tick", "value", "value_sigma")}
        columns |= {f"price_{k}": day["price"][:, k - 1] for k in (1, 2, 3)}
        parquet.write_table(pa.table(columns), folder / f"day{seed}_advertiser00.parquet")
    return root


def test_the_benchmark_scores_the_production_bidder_beside_its_peers(
    benchmark: ModuleType, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = data / "bidding.json"
    benchmark.main(["--data", str(data), "--json", str(out), "--thin"])
    table = json.loads(out.read_text())["auctionnet"]["summary"]
    assert set(table) == set(benchmark.BIDDERS)
    assert table["qianheng"]["capped"] >= max(row["capped"] for name, row in table.items() if name != "qianheng")
    assert table["qianheng"]["worst over"] <= 1.02
    assert "qianheng" in capsys.readouterr().out


def test_no_multiplier_beats_the_hindsight_optimum(benchmark: ModuleType) -> None:
    cell = benchmark.Cell("", recorded_day(3), [], 150.0, 100.0, 96)
    best = benchmark.hindsight(cell)
    for multiplier in (0.5, 0.8, 1.0, 1.2):
        fixed = benchmark.Fixed(150.0, 100.0, 96, [])
        fixed.multiplier = multiplier
        value, spend = benchmark.replay(cell, fixed, seed=1)
        assert spend > 100.0 * value or value <= 1.05 * best


def test_history_is_the_only_thing_that_differs_between_an_old_and_a_new_plan() -> None:
    day = recorded_day(4)
    new, old = (make(budget=150.0, target_cpa=100.0, steps=96, history=past) for past in ([], [recorded_day(5)]))
    first = [float(bidder.bid(0, day["value"][:50], day["value_sigma"][:50]).sum()) for bidder in (new, old)]
    assert first[0] > 0
    assert first[1] > 0
    assert first[0] != first[1]
