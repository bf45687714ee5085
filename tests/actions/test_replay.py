"""Replaying recorded auctions: the command, the benchmark and the errors."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from benchmarks import bidding
from qianheng.actions.replay import replay, summary
from qianheng.bidding.references import BIDDERS
from qianheng.core.errors import BadInput


def write_day(path: Path, seed: int, **changed: object) -> None:
    random = np.random.default_rng(seed)
    tick = np.sort(random.integers(0, 48, 8000))
    level = np.exp(random.normal(0.0, 0.3, 6))[tick // 8]
    price = np.sort(random.lognormal(-1.0, 0.5, (8000, 3)), axis=1)[:, ::-1]
    value = 0.003 * level * random.lognormal(0.0, 0.7, 8000)
    columns = {"tick": tick, "value": value, "value_sigma": 0.1 * value}
    columns |= {f"price_{k}": price[:, k - 1] for k in (1, 2, 3)}
    parquet.write_table(pa.table(columns | changed), path)


def write_log(path: Path, bad_line: int | None = None) -> Path:
    random = np.random.default_rng(1)
    rows = [f"0\t{price:.0f}\t{value:.6f}\t0" for price, value in random.lognormal((4, -8), (0.8, 0.6), (6000, 2))]
    if bad_line is not None:
        rows[bad_line - 1] = "0\tmany\t0.001"
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    return path


def write_cut_log(path: Path) -> Path:
    path.write_bytes(b"\x1f\x8b\x08\x00cut")
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    folder = root / "auctionnet"
    folder.mkdir()
    (folder / "campaigns.json").write_text(json.dumps({"00": {"budget": 150.0, "target_cpa": 100.0}}))
    for seed in range(2):
        write_day(folder / f"day{seed}_advertiser00.parquet", seed)
    (root / "ipinyou").mkdir()
    write_log(root / "ipinyou" / "log.tsv.gz")
    return root


def test_the_benchmark_scores_the_production_bidder_beside_its_peers(data: Path) -> None:
    out = data / "bidding.json"
    bidding.main(["--data", str(data), "--json", str(out), "--thin"])
    results = json.loads(out.read_text())
    assert set(results) == {"auctionnet", "ipinyou"}
    table = results["auctionnet"]["summary"]
    assert set(table) == set(BIDDERS)
    assert table["qianheng"]["capped"] >= max(row["capped"] for name, row in table.items() if name != "qianheng")
    assert table["qianheng"]["worst_over"] <= 1.02


def test_nobody_beats_the_optimum_within_the_target(data: Path) -> None:
    for score in replay([data / "auctionnet"], steps=96):
        assert score.over > 1 or score.value <= 1.02
        assert score.spend <= 1


def test_the_command_prints_what_the_action_finds(data: Path) -> None:
    log = data / "ipinyou" / "log.tsv.gz"
    command = [sys.executable, "-m", "qianheng.cli.main", "replay", str(log), "--bidder", "min-pacing", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    expected = json.loads(json.dumps(summary(replay([log], ["min-pacing"]))))
    assert json.loads(run.stdout)["summary"] == expected


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder / "missing", "missing"),
        (lambda folder: folder, "campaigns.json"),
        (lambda folder: write_log(folder / "log.gz", bad_line=57), "log.gz:57"),
        (lambda folder: write_cut_log(folder / "cut.gz"), "cut.gz"),
    ],
)
def test_what_cannot_be_replayed_is_told_with_its_place(
    tmp_path: Path, make: Callable[[Path], Path], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        replay([make(tmp_path)], ["fixed"])


def test_a_day_out_of_order_and_an_unknown_bidder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "campaigns.json").write_text(json.dumps({"00": {"budget": 1, "target_cpa": 1}}))
    write_day(tmp_path / "day0_advertiser00.parquet", 1, tick=np.arange(8000)[::-1] % 48)
    with pytest.raises(BadInput, match="day0_advertiser00"):
        replay([tmp_path], ["fixed"])
    with pytest.raises(BadInput, match="oracle"):
        replay([tmp_path], ["oracle"])
