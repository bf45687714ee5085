"""Imported reports in SQL: appended whole, the latest telling wins, the earlier one stays known."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from qianheng.measures.reports import Figures, ReportKind, ReportRow
from qianheng.store.database import reading
from qianheng.store.reports import ReportFile, StoredRow, load, save

DAY = date(2026, 6, 1)
ROW = ReportRow(
    ReportKind.PLAN, "1790001112223334", "夏装", DAY, DAY, figures=Figures(spend=10**13), aside=(("标签", "主推"),)
)


def file(number: int) -> ReportFile:
    return ReportFile(number, f"{number}.csv", "plan", "Asia/Shanghai", number)


def test_a_row_comes_back_as_it_was_and_a_file_is_stored_once(engine: Engine) -> None:
    with engine.begin() as connection:
        assert save(connection, file(1), [ROW])
        assert not save(connection, file(1), [ROW])
    with reading(engine) as connection:
        assert load(connection) == [StoredRow(ROW, None, file(1).layout)]
        assert load(connection, first=date(2026, 6, 2)) == []


def test_a_later_telling_replaces_and_remembers(engine: Engine) -> None:
    later = replace(ROW, figures=Figures(spend=11, gmv=5))
    with engine.begin() as connection:
        save(connection, file(1), [ROW])
        save(connection, file(2), [later])
        save(connection, file(3), [later])
    with reading(engine) as connection:
        assert load(connection) == [StoredRow(later, ROW, file(2).layout)]


def test_rows_without_a_day_never_replace_each_other(engine: Engine) -> None:
    undated = replace(ROW, first=None, last=None)
    with engine.begin() as connection:
        save(connection, file(1), [undated])
        save(connection, file(2), [undated])
    with reading(engine) as connection:
        assert len(load(connection)) == 2


def test_a_file_that_fails_half_way_leaves_nothing(engine: Engine) -> None:
    broken = replace(ROW, hour="noon")  # type: ignore[arg-type]  # a database that checks refuses it
    unnamed = replace(ROW, name=None)  # type: ignore[arg-type]
    with pytest.raises(SQLAlchemyError), engine.begin() as connection:
        save(connection, file(1), [ROW, broken, unnamed])
    with reading(engine) as connection:
        assert load(connection) == []
