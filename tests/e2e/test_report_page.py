"""The report of a run in a real browser: it draws, fits the screen, answers a tap, prints."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from qianheng.core.words import speak
from qianheng.pages.run import render
from tests.pages.small_runs import compensated, small_run

pytestmark = pytest.mark.slow

OVERFLOW = "() => document.documentElement.scrollWidth - window.innerWidth"
MARKS = "panels => panels.map(panel => panel.querySelectorAll('svg path, svg text').length)"
# What one sees of a chart must lie within its panel.
OUTSIDE = """panels => panels.filter(panel => {
  const drawn = panel.querySelector('svg').getBoundingClientRect(), around = panel.getBoundingClientRect();
  return drawn.right > around.right + 1 || drawn.bottom > around.bottom + 1;
}).length"""


@pytest.fixture(scope="module", params=["en", "zh"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    speak(request.param)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(compensated(small_run())), encoding="utf-8")
    speak("en")
    return path


@pytest.fixture(params=[(1440, "light"), (390, "dark")], ids=["wide", "narrow"])
def page(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Iterator[Page]:
    """The report opened from disk; whatever the browser complains about or fetches is an error."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if request.url != report.as_uri() else None)
    page.goto(report.as_uri())
    yield page
    assert complaints == []
    context.close()


def test_every_chart_is_drawn_within_its_panel(page: Page) -> None:
    marks = page.eval_on_selector_all(".chart", MARKS)
    assert len(marks) == 17  # eight of each plan, and how refunds mature
    assert min(marks) > 10
    assert page.eval_on_selector_all(".chart", OUTSIDE) == 0


def test_the_page_does_not_scroll_sideways(page: Page) -> None:
    assert page.evaluate(OVERFLOW) <= 0


def test_a_day_chosen_shows_what_is_behind_its_verdict(page: Page) -> None:
    calendar = page.locator(".guarantee").first
    days, details = calendar.locator(".day"), calendar.locator(".details")
    assert "12.34" in details.locator("visible=true").inner_text()
    days.nth(1).hover()
    assert details.nth(1).is_visible()
    page.mouse.move(0, 0)
    assert details.nth(0).is_visible()
    days.nth(1).click()
    page.mouse.move(0, 0)
    assert [days.nth(i).get_attribute("aria-pressed") for i in range(2)] == ["false", "true"]
    assert [details.nth(i).is_visible() for i in range(2)] == [False, True]


def test_a_pointer_on_a_chart_tells_the_figures(page: Page) -> None:
    place = page.locator(".chart.days .canvas").first
    place.scroll_into_view_if_needed()
    place.hover()
    tooltip = place.locator("> div").nth(1)
    names, figures = tooltip.inner_text().splitlines()[1::2], tooltip.inner_text().splitlines()[2::2]
    assert len(names) == len(figures) == len(set(names)) == 5  # spend, three ROIs, the target
    assert figures[0].startswith("¥")


def test_it_prints_in_black_on_white_and_whole(page: Page) -> None:
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    widths = page.eval_on_selector_all(".chart svg", "drawn => drawn.map(svg => svg.getBoundingClientRect().width)")
    assert set(widths) == {680}
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--surface').trim()") == "#ffffff"
    assert page.pdf(format="A4").startswith(b"%PDF")
