"""The report of a run says what the summary says, in both languages, and needs nothing but itself."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import pytest

from qianheng.actions.liability import Held
from qianheng.actions.summary import PlanRun, RunSummary
from qianheng.core.days import microseconds, midnight
from qianheng.core.words import Language, say, speak
from qianheng.pages.charts import embedded, plan_charts
from qianheng.pages.parts import Html, count, element, money, percent, roi
from qianheng.pages.run import render
from qianheng.store.forecasts import Forecast
from tests.pages.small_runs import compensated, named, silent, small_run

VOID = {"meta"}


class Outline(HTMLParser):
    """What a page is made of; an element closed out of turn is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    @property
    def text(self) -> str:
        return "\n".join(text for tag, text in self.texts if tag not in ("script", "style"))

    def of_class(self, name: str) -> list[dict[str, str | None]]:
        return [given for _, given in self.elements if name in (given.get("class") or "").split()]


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> Iterator[Language]:
    speak(request.param)
    yield request.param
    speak("en")


@pytest.fixture
def summary() -> RunSummary:
    return small_run()


def options(page: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)]


def test_the_page_tells_the_figures_of_the_summary(summary: RunSummary, language: Language) -> None:
    page = Outline(render(summary))
    figures = [count(summary.opportunities), percent(summary.hindsight_ratio), money(summary.funds.cash)]
    runs: list[RunSummary | PlanRun] = [summary, *summary.plans]
    for run in runs:
        sums = run.sums
        figures += [money(sums.spend), money(sums.gmv), count(sums.orders), percent(sums.refund_rate_1h)]
        figures += [roi(sums.payment_roi), roi(sums.net_roi), roi(sums.settled_roi(closed=True)), roi(run.target)]
    for line in summary.statement:
        figures.append(money(line.balance))
    assert [figure for figure in figures if figure not in page.text] == []


def test_the_page_speaks_the_language_chosen(summary: RunSummary, language: Language) -> None:
    page = Outline(render(summary))
    tag, given = page.elements[0]
    assert (tag, given["lang"]) == ("html", {"en": "en", "zh": "zh-CN"}[language])
    assert say("pages.figure.settled_roi") in page.text
    assert say("pages.meaning.hindsight") in page.text


def test_names_cannot_become_part_of_the_page(summary: RunSummary) -> None:
    name = "<script>alert(1)</script>\"'&"
    page = render(named(summary, name))
    assert "<script>alert" not in page
    assert name in Outline(page).text


def test_json_in_the_page_cannot_end_its_script() -> None:
    text = embedded({"a": "</script><!--&"})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"a": "</script><!--&"}


def test_only_html_stays_as_it_is() -> None:
    assert element("p", "a < b", Html("<br>"), None, class_="x", title='"') == (
        '<p class="x" title="&quot;">a &lt; b<br></p>'
    )


def test_nothing_is_fetched(summary: RunSummary) -> None:
    page = render(summary)
    outline = Outline(page)
    assert not [given for _, given in outline.elements if given.keys() & {"src", "srcset", "action", "data"}]
    assert all((given.get("href") or "#").startswith(("#", "data:text/csv")) for _, given in outline.elements)
    assert not re.search(r"url\(|@import", re.findall(r"<style>(.*?)</style>", page, re.S)[0])
    assert any("default-src 'none'" in (given.get("content") or "") for _, given in outline.elements)


def test_every_link_leads_to_a_part_of_the_page(summary: RunSummary) -> None:
    outline = Outline(render(summary))
    ids = [given["id"] for _, given in outline.elements if "id" in given]
    assert len(ids) == len(set(ids))
    links = {given["href"] or "" for _, given in outline.elements if "href" in given and "download" not in given}
    assert {link[1:] for link in links} <= set(ids)
    assert {given["aria-controls"] for given in outline.of_class("day")} <= set(ids)


def test_every_chart_has_its_options_and_every_series_its_data(summary: RunSummary, language: Language) -> None:
    page = render(summary)
    found = options(page)
    assert len(found) == len(Outline(page).of_class("canvas")) == 1 + 8 * len(summary.plans)
    assert all(series["data"] and series["name"] for option in found for series in option["series"])


def test_every_colour_named_by_a_chart_is_one_of_the_page(summary: RunSummary) -> None:
    page = render(summary)
    style = re.findall(r"<style>(.*?)</style>", page, re.S)[0]
    named_colours = set(re.findall(r'"color":"@(\w+)"', page))
    assert named_colours <= set(re.findall(r"--(\w+):", style))


def test_every_formatter_named_by_a_chart_is_known_to_the_page(summary: RunSummary) -> None:
    page = render(summary)
    known = re.search(r"const formatters = \{(.*?)\n  \};", page, re.S)
    assert known is not None
    assert set(re.findall(r'ormatter":"@(\w+)"', page)) <= set(re.findall(r"^    (\w+):", known.group(1), re.M))


def test_calendars_have_one_cell_a_day(summary: RunSummary, language: Language) -> None:
    outline = Outline(render(summary))
    days = [run.days for run in summary.plans]
    assert len(outline.of_class("day")) == len(outline.of_class("details")) == sum(map(len, days))
    chosen = [given for given in outline.of_class("day") if given["aria-pressed"] == "true"]
    assert len(chosen) == len(summary.plans)


def test_a_run_over_two_months_has_a_calendar_for_each(summary: RunSummary) -> None:
    first = summary.plans[0]
    earlier = [replace(day, day=day.day - timedelta(days=i + 1)) for i, day in enumerate(first.days)]
    run = replace(first, days=[*earlier, *first.days])
    assert len(Outline(render(replace(summary, plans=[run]))).of_class("calendar")) == 2


def test_every_condition_of_a_day_is_told_with_value_and_limit(summary: RunSummary, language: Language) -> None:
    text = Outline(render(summary)).text
    for run in summary.plans:
        for day in run.days:
            for check in day.judged.verdict.checks:
                assert say(f"guarantee.check.{check.name}") in text
    assert say("pages.goal.net") in text
    assert "≥\N{NO-BREAK SPACE}10" in text


def test_compensation_is_told_with_the_day_it_was_paid_on(summary: RunSummary, language: Language) -> None:
    text = Outline(render(compensated(summary))).text
    assert say("pages.guarantee.paid", amount="¥12.34", day="2025-10-14") in text
    assert say("guarantee.status.compensated") in text
    assert "+¥12.34" in text


def test_a_change_stands_in_the_log_and_in_the_steps_of_the_target(summary: RunSummary) -> None:
    run = next(run for run in summary.plans if run.log)
    days = plan_charts(run)[0].option
    assert days is not None
    assert [target for _, target in days["series"][-2]["data"][:2]] == [2.4, 2.6]
    assert days["series"][-2]["data"][1][0] == pytest.approx(1 + 10 / 24, abs=1e-4)
    assert days["series"][-1]["data"] == [2.4, 2.6]
    assert "2025-10-02 10:00" in Outline(render(summary)).text


def test_where_there_is_nothing_a_sentence_says_so(summary: RunSummary, language: Language) -> None:
    page = render(silent(summary))
    text = Outline(page).text
    names = ("days", "maturity", "hours", "hour_of_day", "multiplier", "landscape", "refunds")
    assert options(page) == []
    for key in (*(f"chart.{name}.empty" for name in names), "log.empty", "statement.empty", "guarantee.none_paid"):
        assert say(f"pages.{key}") in text
    assert say("pages.no_plans") in Outline(render(replace(summary, plans=[]))).text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "¥0.00"),
        (1_234_567_890_000, "¥1,234,567.89"),
        (-5_000, "¥0.00"),
        (-1_500_000, "−¥1.50"),
        (999_999_999, "¥1,000.00"),
        (None, "–"),
    ],
)
def test_money_is_written_as_people_write_it(amount: int | None, text: str) -> None:
    assert money(amount) == text


def test_a_plans_days_can_be_taken_away_as_a_table(summary: RunSummary) -> None:
    links = [given for _, given in Outline(render(summary)).elements if "download" in given]
    assert [link["download"] for link in links] == [f"guarantee-{run.plan.id}.csv" for run in summary.plans]
    for link, run in zip(links, summary.plans, strict=True):
        rows = list(csv.reader(unquote((link["href"] or "").partition(",")[2]).splitlines()))
        assert len(rows) == 1 + len(run.days)
        assert [row[0] for row in rows[1:]] == [day.day.isoformat() for day in run.days]
        assert {len(row) for row in rows} == {10}


def test_what_may_be_owed_is_drawn_and_tabled_and_its_absence_is_told(summary: RunSummary) -> None:
    assert say("pages.chart.liability.empty") in render(summary)
    at = midnight(date(2025, 10, 2))
    told = Forecast(1, microseconds(at), 0, None, 12_000_000, 5_000_000, 20_000_000)
    held = [Held(told, at, 11_000_000, final=True), Held(told, at, 30_000_000, final=True)]
    page = render(replace(summary, liability=held))
    assert say("pages.chart.liability.empty") not in page
    assert say("liability.coverage", inside=1, final=2) in page
    assert page.count("¥12.00") >= 2
    assert 'download="liability.csv"' in page
