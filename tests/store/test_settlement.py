from pathlib import Path

from benchmarks.settlement import THIN, bare, make, ours


def test_a_month_settled_by_the_product_is_the_month_settled_by_hand(tmp_path: Path) -> None:
    make(tmp_path, THIN)
    settled = ours(tmp_path, THIN)
    assert settled == bare(tmp_path, THIN)
    assert 0 < sum(map(bool, settled.compensation)) < len(settled.compensation)
