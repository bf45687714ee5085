"""Experiments come back from SQL as they were planned, with all that happened to them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from qianheng.core.errors import NotFound, Refused
from qianheng.experiments.designs import Happened
from qianheng.store import experiments, plans
from tests.experiments.test_designs import NOW, PLAN, event, planned


def test_a_test_comes_back_as_it_was_planned(engine: Engine) -> None:
    made = planned("budget-test")
    started = event(Happened.STARTED, NOW + timedelta(days=1), plans={"A": 1, "B": 1001}, before={})
    with engine.begin() as connection:
        plans.create(connection, PLAN)
        for _ in range(2):
            experiments.keep(connection, made)
            for one in (event(Happened.PLANNED), started):
                experiments.enter(connection, one)
        (found,) = experiments.every(connection, 1)
        assert found.experiment == made
        assert [one.happened for one in found.events] == [Happened.PLANNED, Happened.STARTED]
        assert experiments.load(connection, found.name) == found
        assert experiments.origins(connection) == {1001: 1}
        assert experiments.every(connection, 2) == []


def test_an_id_with_another_content_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        plans.create(connection, PLAN)
        experiments.keep(connection, planned("ab-test"))
        with pytest.raises(Refused):
            experiments.keep(connection, replace(planned("ab-test"), salt=1))


def test_a_name_nothing_goes_by_is_not_found(engine: Engine) -> None:
    with engine.begin() as connection:
        for name in ("e9", "x", ""):
            with pytest.raises(NotFound):
                experiments.load(connection, name)
