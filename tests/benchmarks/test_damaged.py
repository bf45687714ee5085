"""A damaged report never gives a wrong number that a ratio, a part or a total of it speaks against."""

import random

from benchmarks.damage import DAMAGES, good_sheets, written
from benchmarks.damaged import judged, reading_of, study
from qianheng.vendors.exports import read_export
from qianheng.vendors.layouts import platforms


def test_every_layout_has_a_good_report_that_is_read_whole() -> None:
    sheets = list(good_sheets(random.Random(7)))
    assert [sheet.layout for sheet in sheets] == [layout for told in platforms().values() for layout in told.layouts]
    for sheet in sheets:
        export = read_export("r.csv", written(sheet), reading_of(sheet))
        assert (export.layout, export.rejected, export.ignored_columns) == (sheet.layout.name, (), ())
        assert all(not total.differences for total in export.totals)


def test_nothing_that_could_have_been_seen_is_missed() -> None:
    found = study(seeds=1)
    assert set(found) == set(DAMAGES)
    assert sum(counts["missed"] for counts in found.values()) == 0
    assert sum(sum(counts.values()) for counts in found.values()) > 400


def test_the_judge_sees_a_wrong_number() -> None:
    """Of rows whose ratios are taken away nothing is left to see a typed-over amount by."""
    sheet = next(good_sheets(random.Random(1)))
    bare = sheet.with_rows(
        [[cell for place, cell in enumerate(row) if place < 3] for row in sheet.rows if "全部" not in row]
    )
    rows = [list(row) for row in bare.rows]
    rows[2][2] = "1.00"
    assert judged(bare, written(bare.with_rows(rows))) == "unseeable"
