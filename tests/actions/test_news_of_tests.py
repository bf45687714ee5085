"""What a shop is told of its test without looking: each thing once, in both languages."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from qianheng.actions.experiment_results import Told
from qianheng.actions.trials import in_all_languages, news_of
from qianheng.core.words import LANGUAGES
from qianheng.experiments.designs import Event, Happened, Standing
from qianheng.experiments.looking import Looked
from qianheng.experiments.results import Rail, Verdict
from tests.experiments.test_designs import planned
from tests.experiments.test_looking import looked

START = datetime(2025, 10, 2, tzinfo=ZoneInfo("Asia/Shanghai"))


def told(found: Looked | None, *happened: Happened) -> Told:
    """A test on its tenth day, and what a look at it shows."""
    plans = {"plans": {"A": 1, "B": 1001}, "before": {}}
    steps = (Happened.PLANNED, Happened.STARTED, *happened)
    events = tuple(Event(n, 1, one, START + timedelta(n), "owner", plans) for n, one in enumerate(steps))
    measured = (date(2025, 10, 5), date(2025, 10, 12))
    return Told(Standing(1, planned("ab-test"), events), START + timedelta(10), measured, None, found)


def said(one: Told) -> list[str]:
    """The kinds of news, each of which can be told in every language."""
    news = [*news_of(one)]
    assert all({*value} == {*LANGUAGES} for _, _, words in news for value in in_all_languages(words).values())
    return [kind for kind, *_ in news]


@pytest.mark.parametrize(("factor", "leak", "news"), [(1.5, 0, ["decided"]), (1.03, 0, []), (1.5, 1, ["leaked"])])
def test_a_look_that_says_something_is_news(factor: float, leak: int, news: list[str]) -> None:
    assert said(told(looked(factor, leak))) == news


def test_a_broken_guard_rail_is_news_instead_of_a_verdict() -> None:
    found = looked(1.5)
    (b,) = found.comparisons
    broken = replace(b, rails={"refund_rate_1h": Rail.BROKEN}, verdict=Verdict.BROKEN)
    assert said(told(replace(found, comparisons=(broken,)))) == ["rail"]


def test_users_not_divided_as_drawn_are_news() -> None:
    found = looked(1.03)
    assert said(told(replace(found, shares=replace(found.shares, believed=False)))) == ["shares"]


def test_a_test_whose_days_are_over_says_so() -> None:
    assert said(told(looked(1.03), Happened.ENDED)) == ["over"]
    assert said(told(None)) == []
